/** Canonical gRPC status codes. Genkit uses the same codes. */
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

/** Fails the run with a given status code. Throw it in a handler. */
export class ActionError extends Error {
  override readonly name: string = "ActionError";

  /**
   * @param code A `StatusCode`, 1 to 16.
   * @param message Human-readable description of the failure.
   * @param details Machine-readable description of the failure: a JSON object.
   */
  constructor(
    readonly code: number,
    message: string,
    readonly details?: Record<string, unknown>,
  ) {
    super(message);
  }
}

/** The input, an input chunk or the init value does not match the action's schema. Its code is INVALID_ARGUMENT, and it has no stack. */
export class InputError extends ActionError {
  override readonly name = "InputError";

  constructor(message: string) {
    super(StatusCode.INVALID_ARGUMENT, message);
    this.stack = "";
  }
}

/** Reason of an aborted `abortSignal`. `sendChunk` and streamed input throw it after the run was cancelled. */
export class ActionCancelled extends Error {
  override readonly name = "AbortError"; // the name that Node's own APIs use for aborted operations

  constructor(key: string) {
    super(`the run of ${key} was cancelled`);
  }
}
