import { InputError } from "./errors.js";

/**
 * One complete JSON value in UTF-8. The bytes are passed through unchanged. As an `inputSchema`, the class passes the bytes that the
 * caller sent to the handler, unparsed. As a result or chunk, an instance is sent as is.
 */
export class RawJson {
  readonly bytes: Buffer;

  constructor(json: Uint8Array | string) {
    this.bytes = typeof json === "string" ? Buffer.from(json) : Buffer.from(json.buffer, json.byteOffset, json.byteLength);
  }

  /** Returns the JSON text. */
  toString(): string {
    return this.bytes.toString();
  }
}

/**
 * Encodes a result or chunk as UTF-8.
 *
 * @throws TypeError if the value has no JSON representation.
 */
export function toJson(value: unknown): Buffer {
  if (value instanceof RawJson) return value.bytes;
  const text = JSON.stringify(value, refuse);
  if (text === undefined) throw new TypeError(`${typeof value} has no JSON representation`);
  return Buffer.from(text);
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }); // throws on invalid UTF-8, which Buffer.toString would replace

/**
 * Parses one JSON value.
 *
 * @throws InputError if it is not valid JSON. The message refers to the value as `what`.
 */
export function fromJson(raw: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(utf8.decode(raw));
  } catch (error) {
    throw new InputError(`${what} is not valid JSON: ${(error as Error).message}`);
  }
}

/** Throws for values that `JSON.stringify` would silently change. */
function refuse(_name: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`${value} has no JSON representation`);
  if (value instanceof Map || value instanceof Set) throw new TypeError(`${value.constructor.name} has no JSON representation`);
  if (value instanceof RawJson) throw new TypeError("RawJson must be a whole result or chunk and cannot be part of one");
  return value;
}
