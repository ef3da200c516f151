import { toJson } from "./json.js";
import type { ActionRunContext } from "./run-context.js";
import { jsonSchemaOf, type JsonSchema, type Read, type Schema, type Written } from "./schema.js";
import { Action as Listed } from "./generated/genkit/sidecar/v1/action_service.js";

/** What is said of an action beside its type, its name and its handler. */
export interface ActionOptions<I extends Schema = Schema, O extends Schema = Schema, N extends Schema = Schema, B extends boolean = boolean> {
  /** What it does, for people and models. */
  description?: string;
  /** Of the input, or of one chunk where `bidi` is set. */
  inputSchema?: I;
  /** Of the result. */
  outputSchema?: O;
  /** Of one chunk of output, for people and tools to read: chunks are sent unchecked. */
  streamSchema?: Schema;
  /** Of what a session starts from. */
  initSchema?: N;
  /** What Genkit's tools know of the type: a JSON object. */
  metadata?: Record<string, unknown>;
  /** Whether the handler takes an async iterable of inputs. */
  bidi?: B;
}

/** A result, a promise of one, or a generator whose yields are chunks and whose return value is the result. */
export type Outcome<O> = O | Promise<O> | Generator<unknown, O> | AsyncGenerator<unknown, O>;

/** A function that is run as an action. `undefined` is no result, `null` is JSON's. */
export type Handler<I = any, O = unknown, N = any, B = false> = (
  input: B extends true ? AsyncIterable<Read<I>> : Read<I>,
  context: ActionRunContext<Read<N>>,
) => Outcome<Written<O>>;

/** An action as the application lists and runs it. Made by `define`, or by `Application.action` and its kind. */
export interface Action {
  /** `/<type>/<name>`. */
  readonly key: string;
  readonly type: string;
  readonly name: string;
  readonly description: string | undefined;
  readonly inputSchema: Schema | undefined;
  readonly initSchema: Schema | undefined;
  readonly listedInput: JsonSchema | undefined;
  readonly listedOutput: JsonSchema | undefined;
  readonly metadata: Record<string, unknown>;
  readonly bidi: boolean;
  readonly handler: (input: any, context: ActionRunContext<any>) => unknown;
}

/**
 * Makes an action of a function.
 *
 * @throws TypeError where the type has a slash, the name is missing, or a schema has no JSON Schema.
 */
export function define<I extends Schema, O extends Schema, N extends Schema, const B extends boolean = false>(
  type: string,
  name: string,
  options: ActionOptions<I, O, N, B>,
  handler: Handler<I, O, N, B>,
): Action {
  if (!type || type.includes("/") || !name || typeof name !== "string") throw new TypeError(`an action needs a type without slashes and a name, not "${type}" and "${name}"`);
  if (typeof handler !== "function") throw new TypeError(`/${type}/${name}: the handler comes last, behind the options`);
  try {
    jsonSchemaOf(options.initSchema);
    const streamSchema = jsonSchemaOf(options.streamSchema);
    return {
      key: `/${type}/${name}`,
      type,
      name,
      description: options.description,
      inputSchema: options.inputSchema,
      initSchema: options.initSchema,
      listedInput: jsonSchemaOf(options.inputSchema),
      listedOutput: jsonSchemaOf(options.outputSchema),
      metadata: {
        ...options.metadata,
        ...(options.bidi && { bidi: true }),
        ...(streamSchema && { streamSchema }), // for which the contract has no member of its own
      },
      bidi: options.bidi ?? false,
      handler,
    };
  } catch (error) {
    throw new TypeError(`/${type}/${name}: ${(error as Error).message}`, { cause: error });
  }
}

/** What `ListActions` says of it. */
export function listed(action: Action): Listed {
  return {
    key: action.key,
    name: action.name,
    description: action.description,
    inputSchemaJson: action.listedInput && toJson(action.listedInput),
    outputSchemaJson: action.listedOutput && toJson(action.listedOutput),
    metadataJson: Object.keys(action.metadata).length > 0 ? toJson(action.metadata) : undefined,
  };
}
