import { toJson } from "./json.js";
import type { ActionRunContext } from "./run-context.js";
import { jsonSchemaOf, type JsonSchema, type Read, type Schema, type Written } from "./schema.js";
import { Action as Listed } from "./generated/genkit/sidecar/v1/action_service.js";

/** Options of an action. */
export interface ActionOptions<I extends Schema = Schema, O extends Schema = Schema, N extends Schema = Schema, B extends boolean = boolean> {
  /** What the action does, for people and models. */
  description?: string;
  /** Schema of the input, or of one input chunk if `bidi` is true. */
  inputSchema?: I;
  /** Schema of the result. It types and lists the result; the result is not validated. */
  outputSchema?: O;
  /** Schema of one output chunk. It is listed only; chunks are not validated. */
  streamSchema?: Schema;
  /** Schema of the value that a session starts from. */
  initSchema?: N;
  /** Metadata of the action type for Genkit's tools: a JSON object. */
  metadata?: Record<string, unknown>;
  /** Whether the handler takes an async iterable of inputs. */
  bidi?: B;
}

/** Return type of a handler: a result, a promise of a result, or a generator that yields chunks and returns the result. */
export type Outcome<O> = O | Promise<O> | Generator<unknown, O> | AsyncGenerator<unknown, O>;

/** A function that runs as an action. Returning `undefined` means no result, and `null` is JSON's null. */
export type Handler<I = any, O = unknown, N = any, B = false> = (
  input: B extends true ? AsyncIterable<Read<I>> : Read<I>,
  context: ActionRunContext<Read<N>>,
) => Outcome<Written<O>>;

/** An action that an application lists and runs. Create one with `define` or with the methods of `Application`. */
export interface Action {
  /** Key of the action, `/<type>/<name>`. */
  readonly key: string;
  /** Genkit's action type, the first part of the key, such as `flow`. */
  readonly type: string;
  /** Name of the action, the rest of the key. May contain slashes. */
  readonly name: string;
  /** What the action does, for people and models. */
  readonly description: string | undefined;
  /** Schema that reads the input, or one input chunk. */
  readonly inputSchema: Schema | undefined;
  /** Schema that reads the value that a session starts from. */
  readonly initSchema: Schema | undefined;
  /** JSON Schema (draft-07) to list for the input. */
  readonly listedInput: JsonSchema | undefined;
  /** JSON Schema (draft-07) to list for the result. */
  readonly listedOutput: JsonSchema | undefined;
  /** Metadata for Genkit's tools: a JSON object. */
  readonly metadata: Record<string, unknown>;
  /** Whether the handler takes an async iterable of inputs. */
  readonly bidi: boolean;
  /** The function to run. */
  readonly handler: (input: any, context: ActionRunContext<any>) => unknown;
}

/**
 * Creates an action from a function. Use it with `Application.add` or the option `resolve`; the methods of `Application` call it for you.
 *
 * @param type Genkit's action type, such as `flow`. Must not contain slashes.
 * @param name Name of the action. May contain slashes.
 * @param options Schemas, description and metadata.
 * @param handler The function to run. Takes `(input, context)`.
 * @throws TypeError if the type contains a slash, the name is missing, or a schema has no JSON Schema.
 */
export function define<I extends Schema, O extends Schema, N extends Schema, const B extends boolean = false>(
  type: string,
  name: string,
  options: ActionOptions<I, O, N, B>,
  handler: Handler<I, O, N, B>,
): Action {
  if (!type || type.includes("/") || !name || typeof name !== "string") throw new TypeError(`an action needs a name and a type without slashes; the type is "${type}" and the name is "${name}"`);
  if (typeof handler !== "function") throw new TypeError(`/${type}/${name}: the handler must be a function and the last argument, after the options`);
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
        ...(streamSchema && { streamSchema }), // the contract has no field for it
      },
      bidi: options.bidi ?? false,
      handler,
    };
  } catch (error) {
    throw new TypeError(`/${type}/${name}: ${(error as Error).message}`, { cause: error });
  }
}

/** Returns the action as `ListActions` reports it. */
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
