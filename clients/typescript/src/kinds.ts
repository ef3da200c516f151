import type { Action } from "./action.js";
import { InputError } from "./errors.js";
import { kinds } from "./generated/kinds.js";
import { toJson } from "./json.js";
import type { ActionRunContext } from "./run-context.js";
import { jsonSchemaOf, type JsonSchema, read, type Schema } from "./schema.js";

/** Options that all kinds of actions have. */
export interface KindOptions {
  /** What the action does, for people and models. */
  description?: string;
  /** Additional metadata for Genkit's tools: a JSON object. */
  metadata?: Record<string, unknown>;
}

/** Options of a model. */
export interface ModelOptions extends KindOptions {
  /** Name in the Dev UI. Default: the name. Also the default description. */
  label?: string;
  /** Versions that a request may ask for. */
  versions?: string[];
  /** Capabilities, such as `{ multiturn: true, tools: false, media: false, systemRole: true }`. */
  supports?: Record<string, unknown>;
  /** Release stage. */
  stage?: "featured" | "stable" | "unstable" | "legacy" | "deprecated";
  /** Schema of the request's `config`, for the form in the Dev UI. */
  configSchema?: Schema;
}

/** Options of a prompt. */
export interface PromptOptions<I extends Schema = Schema> extends KindOptions {
  /** Name of the model that the prompt is meant for. */
  model?: string;
  /** Configuration of the model: a JSON object. */
  config?: Record<string, unknown>;
  /** Schema of the variables. */
  inputSchema?: I;
  /** Default values of the variables, with which the Dev UI starts. */
  inputDefault?: unknown;
  /** Names of the tools that the model may call. */
  tools?: string[];
}

/** Options of an embedder. */
export interface EmbedderOptions extends KindOptions {
  /** Name in the Dev UI. Default: the name. */
  label?: string;
  /** Number of elements of an embedding. */
  dimensions?: number;
  /** Capabilities, such as `{ input: ["text"], multilingual: true }`. */
  supports?: Record<string, unknown>;
  /** Schema of the request's `options`, for the form in the Dev UI. */
  configSchema?: Schema;
}

/** Options of a retriever, an indexer or a reranker. */
export interface LabelledOptions extends KindOptions {
  /** Name in the Dev UI. Default: the name. */
  label?: string;
  /** Schema of the request's `options`, for the form in the Dev UI. */
  configSchema?: Schema;
}

/** Options of an evaluator. */
export interface EvaluatorOptions extends KindOptions {
  /** Name in the Dev UI. Default: the name. */
  displayName?: string;
  /** What the evaluator measures. Also the default description. */
  definition?: string;
  /** Whether an evaluation costs money, in which case the CLI asks for confirmation. */
  isBilled?: boolean;
}

/** Returns Genkit's schema for the input or output of an action type, or undefined if the type has no fixed schema. */
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
    evaluatorIsBilled: isBilled ?? false, // the CLI reads it here, while Genkit's own runtimes only list it below
    evaluator: { evaluatorDisplayName: displayName ?? name, evaluatorDefinition: definition ?? "", evaluatorIsBilled: isBilled ?? false },
  }),
};

/** Turns an action that scores one test case into one that scores a dataset. A failed test case does not fail the others. */
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
        toJson({ evaluation }); // a score without JSON representation fails this test case and not the dataset
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
