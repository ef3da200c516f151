import type { Action } from "./action.js";
import { InputError } from "./errors.js";
import { kinds } from "./generated/kinds.js";
import { toJson } from "./json.js";
import type { ActionRunContext } from "./run-context.js";
import { jsonSchemaOf, type JsonSchema, read, type Schema } from "./schema.js";

/** What any kind may say of itself. */
export interface KindOptions {
  /** What it does, for people and models. */
  description?: string;
  /** More for Genkit's tools: a JSON object. */
  metadata?: Record<string, unknown>;
}

export interface ModelOptions extends KindOptions {
  /** Name in the Dev UI, and the description where there is none. */
  label?: string;
  /** Versions that a request may name. */
  versions?: string[];
  /** What it can: `{ multiturn: true, tools: false, media: false, systemRole: true }`. */
  supports?: Record<string, unknown>;
  stage?: "featured" | "stable" | "unstable" | "legacy" | "deprecated";
  /** Of the request's `config`, for the Dev UI's form. */
  configSchema?: Schema;
}

export interface PromptOptions<I extends Schema = Schema> extends KindOptions {
  /** Model that it is written for. */
  model?: string;
  /** Config for that model. */
  config?: Record<string, unknown>;
  /** Of its variables. */
  inputSchema?: I;
  /** Variables that the Dev UI starts with. */
  inputDefault?: unknown;
  /** Names of tools. */
  tools?: string[];
}

export interface EmbedderOptions extends KindOptions {
  label?: string;
  dimensions?: number;
  supports?: Record<string, unknown>;
  /** Of the request's `options`. */
  configSchema?: Schema;
}

/** Of a retriever, an indexer or a reranker. */
export interface LabelledOptions extends KindOptions {
  label?: string;
  /** Of the request's `options`. */
  configSchema?: Schema;
}

export interface EvaluatorOptions extends KindOptions {
  displayName?: string;
  /** What it checks. */
  definition?: string;
  /** Whether its use costs money, which the CLI then asks about. */
  isBilled?: boolean;
}

/** Schema of what Genkit sends to, or takes from, actions of the kind. */
export function schemaOf(kind: string, direction: "input" | "output"): JsonSchema | undefined {
  const schema = kinds[kind]?.[direction];
  return schema && { ...schema, definitions: kinds["definitions"], $schema: "http://json-schema.org/draft-07/schema#" };
}

export const metadataOf = {
  model: (name: string, { label, versions, supports, stage, configSchema }: ModelOptions) => ({
    model: given({ label: label ?? name, customOptions: jsonSchemaOf(configSchema), versions, supports, stage }),
  }),
  prompt: (name: string, { model, config, inputSchema, inputDefault, tools }: PromptOptions) => {
    const input = given({ schema: jsonSchemaOf(inputSchema), default: inputDefault });
    return { type: "prompt", prompt: given({ name, model, config, input: Object.keys(input).length > 0 ? input : undefined, tools: tools ?? [] }) };
  },
  embedder: (name: string, { label, dimensions, supports, configSchema }: EmbedderOptions) => ({
    type: "embedder",
    info: given({ label: label ?? name, dimensions, supports }),
    embedder: given({ customOptions: jsonSchemaOf(configSchema) }),
  }),
  labelled: (type: string, name: string, { label, configSchema }: LabelledOptions) => ({
    type,
    info: { label: label ?? name },
    [type]: given({ customOptions: jsonSchemaOf(configSchema) }),
  }),
  evaluator: (name: string, { displayName, definition, isBilled }: EvaluatorOptions) => ({
    type: "evaluator",
    evaluatorIsBilled: isBilled ?? false, // where the CLI looks for it; Genkit's own runtimes have it below alone
    evaluator: { evaluatorDisplayName: displayName ?? name, evaluatorDefinition: definition ?? "", evaluatorIsBilled: isBilled ?? false },
  }),
};

/** Makes an action that scores a dataset out of one that scores a test case, whose failure is that case's alone. */
export function forEachTestCase(action: Action): Action {
  async function evaluate(request: any, context: ActionRunContext): Promise<unknown> {
    const dataset = request?.dataset;
    if (!Array.isArray(dataset) || !dataset.every((testCase) => typeof testCase === "object" && testCase !== null))
      throw new InputError('"dataset" must be an array of objects');
    const scored = [];
    for (const [sampleIndex, testCase] of dataset.entries()) {
      context.abortSignal.throwIfAborted();
      const { testCaseId } = testCase;
      let evaluation: unknown;
      try {
        evaluation = await action.handler(await read(action.inputSchema, toJson(testCase), "the test case"), context);
        toJson({ evaluation }); // what JSON cannot say is the failure of this case, and not of the dataset
      } catch (error) {
        context.abortSignal.throwIfAborted();
        console.error(`The evaluation of test case ${testCaseId} failed.`, error);
        evaluation = { error: `Evaluation of test case ${testCaseId} failed: ${error instanceof Error ? error.message : String(error)}` };
      }
      scored.push({ sampleIndex, testCaseId, evaluation });
    }
    return scored;
  }
  return { ...action, inputSchema: undefined, handler: evaluate };
}

function given(members: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));
}
