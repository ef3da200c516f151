import { InputError } from "./errors.js";

/**
 * One complete JSON value in UTF-8 that is carried byte for byte. As an `inputSchema` it makes the input what the caller
 * sent, unparsed; as a result or chunk it is sent as it is.
 */
export class RawJson {
  readonly bytes: Buffer;

  constructor(json: Uint8Array | string) {
    this.bytes = typeof json === "string" ? Buffer.from(json) : Buffer.from(json.buffer, json.byteOffset, json.byteLength);
  }

  /** The JSON text. */
  toString(): string {
    return this.bytes.toString();
  }
}

/** Encodes a result or chunk. Throws TypeError where JSON has no such value. */
export function toJson(value: unknown): Buffer {
  if (value instanceof RawJson) return value.bytes;
  const text = JSON.stringify(value, refuse);
  if (text === undefined) throw new TypeError(`${typeof value} has no JSON form`);
  return Buffer.from(text);
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }); // refuses what Buffer.toString would replace

/** Parses one JSON value. Throws InputError, which calls it `what`. */
export function fromJson(raw: Uint8Array, what: string): unknown {
  try {
    return JSON.parse(utf8.decode(raw));
  } catch (error) {
    throw new InputError(`${what} is not JSON: ${(error as Error).message}`);
  }
}

/** What `JSON.stringify` would change without a word. */
function refuse(_name: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`${value} has no JSON form`);
  if (value instanceof Map || value instanceof Set) throw new TypeError(`${value.constructor.name} has no JSON form`);
  if (value instanceof RawJson) throw new TypeError("RawJson is a whole result or chunk, never a part of one");
  return value;
}
