/** Canonical gRPC codes, which are Genkit's own. */
export const StatusCode = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

/** Thrown by an action to fail with a code of its choice. */
export class ActionError extends Error {
  override readonly name: string = "ActionError";

  /**
   * @param code A `StatusCode`.
   * @param message What went wrong, for people.
   * @param details What went wrong, for programs: a JSON object.
   */
  constructor(
    readonly code: number,
    message: string,
    readonly details?: Record<string, unknown>,
  ) {
    super(message);
  }
}

/** The input, an input chunk, or the init is not what the action takes. Always INVALID_ARGUMENT, without a stack. */
export class InputError extends ActionError {
  override readonly name = "InputError";

  constructor(message: string) {
    super(StatusCode.INVALID_ARGUMENT, message);
    this.stack = "";
  }
}

/** Why `abortSignal` is aborted, and what `sendChunk` and streamed input throw then. */
export class ActionCancelled extends Error {
  override readonly name = "AbortError"; // as with all of Node that an AbortSignal ends

  constructor(key: string) {
    super(`the run of ${key} was cancelled`);
  }
}
