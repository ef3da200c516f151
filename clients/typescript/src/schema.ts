import { InputError } from "./errors.js";
import { fromJson, RawJson } from "./json.js";

/** A schema of zod 4, or of any library that implements Standard Schema and Standard JSON Schema (https://standardschema.dev). */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => Validated<Output> | Promise<Validated<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: "draft-07" }) => Record<string, unknown>;
    };
  };
}

type Validated<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined }[] };

/** An explicit JSON Schema (draft-07). It is listed, and values are not validated against it. */
export type JsonSchema = { readonly [member: string]: unknown; readonly "~standard"?: never };

/** Schema of an input or result: a Standard Schema, a JSON Schema, or the class `RawJson`. */
export type Schema = StandardSchema<any, any> | JsonSchema | typeof RawJson;

/** Type of the value that a handler receives for a schema. */
export type Read<S> = S extends typeof RawJson ? RawJson : S extends StandardSchema<any, infer Output> ? Output : any;

/** Type of the value that a handler returns for a schema. */
export type Written<S> = S extends StandardSchema<infer Input, any> ? Input | RawJson : unknown;

/**
 * Returns the JSON Schema to list, or undefined. Results also use the schema's input side, because they are sent as the handler
 * returns them.
 *
 * @throws Error if the schema has no JSON Schema.
 */
export function jsonSchemaOf(schema: Schema | undefined): JsonSchema | undefined {
  if (schema === undefined || schema === RawJson) return undefined;
  if (typeof schema !== "object" && typeof schema !== "function") throw new TypeError(`a schema must be an object, not ${JSON.stringify(schema)}`);
  if (!isStandard(schema)) return schema as JsonSchema;
  const { jsonSchema, vendor } = schema["~standard"];
  if (!jsonSchema) throw new TypeError(`${vendor} does not provide a JSON Schema. Use a version that does, such as zod 4, or pass a JSON Schema`);
  return jsonSchema.input({ target: "draft-07" });
}

/**
 * Reads a value that a caller sent.
 *
 * @param schema Schema of the value.
 * @param raw JSON in UTF-8, or undefined if absent.
 * @param what Name of the value in error messages.
 * @throws InputError that names the member, if the value does not match.
 */
export async function read(schema: Schema | undefined, raw: Uint8Array | undefined, what: string): Promise<any> {
  if (schema === RawJson) {
    if (raw === undefined) throw new InputError(`${what} is missing`);
    return new RawJson(raw);
  }
  const value = raw === undefined ? undefined : fromJson(raw, what);
  if (schema === undefined || !isStandard(schema)) return value;
  const validated = await validate(schema, value, what);
  if (!validated.issues) return validated.value;
  const shape = schema["~standard"].jsonSchema?.input({ target: "draft-07" });
  if (raw === undefined) throw new InputError(`${what} is missing; it must be ${described(shape)}`);
  if (shape?.["type"] === "object" && (typeof value !== "object" || value === null || Array.isArray(value)))
    throw new InputError(`${what} must be ${described(shape)}`);
  throw new InputError(validated.issues.map(({ path, message }) => `${path?.length ? `"${named(path)}"` : what}: ${message}`).join("; "));
}

async function validate<O>(schema: StandardSchema<any, O>, value: unknown, what: string): Promise<Validated<O>> {
  try {
    return await schema["~standard"].validate(value);
  } catch (error) {
    if (error instanceof RangeError && error.message.includes("call stack")) throw new InputError(`${what} is nested too deeply for its schema`);
    throw error;
  }
}

function isStandard(schema: Schema): schema is StandardSchema {
  return "~standard" in schema;
}

function named(path: readonly (PropertyKey | { readonly key: PropertyKey })[]): string {
  return path
    .map((step) => (typeof step === "object" ? step.key : step))
    .reduce<string>((name, step) => (typeof step === "number" ? `${name}[${step}]` : name ? `${name}.${String(step)}` : String(step)), "");
}

function described(shape: Record<string, unknown> | undefined): string {
  const required = (shape?.["required"] as string[] | undefined) ?? [];
  if (shape?.["type"] === "object") return `an object${required.length ? ` with ${required.map((name) => `"${name}"`).join(", ")}` : ""}`;
  const type = shape?.["type"];
  return typeof type === "string" ? `${/^[aeiou]/.test(type) ? "an" : "a"} ${type}` : "a value";
}
