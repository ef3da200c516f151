import { once } from "node:events";
import type { ServerDuplexStream, ServerWritableStream } from "@grpc/grpc-js";
import { ActionCancelled, ActionError, StatusCode } from "./errors.js";
import type { RunActionRequest, RunActionResponse, RunBidiActionRequest } from "./generated/genkit/sidecar/v1/action_service.js";
import { fromJson, RawJson, toJson } from "./json.js";
import type { Action } from "./action.js";
import { type ActionRunContext, runs } from "./run-context.js";
import { read } from "./schema.js";

type Call = ServerWritableStream<RunActionRequest, RunActionResponse> | ServerDuplexStream<RunBidiActionRequest, RunActionResponse>;
type Update = NonNullable<RunActionResponse["update"]>;

const traceHeaders = ["traceparent", "tracestate", "baggage"];

/**
 * Runs an action from its start to the result or error that ends the call. Never throws.
 *
 * @param find Returns the action for a key.
 * @param start The request that starts the run.
 * @param chunks Streamed input, or undefined if the call has none.
 * @param call The gRPC call.
 */
export async function run(
  find: (key: string) => Action | undefined,
  start: RunActionRequest,
  chunks: AsyncIterator<Uint8Array> | undefined,
  call: Call,
): Promise<void> {
  const cancelled = new AbortController();
  const { key } = start;
  let ended = false;
  const cancel = () => ended || cancelled.abort(new ActionCancelled(key)); // grpc-js also emits "cancelled" for calls that ended successfully
  call.on("cancelled", cancel);
  call.on("error", cancel); // emitted when writing to a call that has ended
  if (call.cancelled) cancel();

  let turn: Promise<unknown> = Promise.resolve();
  const send = (update: Update): Promise<void> => {
    const sent = turn.then(async () => {
      cancelled.signal.throwIfAborted();
      if (ended) throw new Error(`the run of ${key} has ended, so nothing can be sent`);
      ended = update.$case === "result" || update.$case === "error";
      if (!call.write({ update })) await unlessAborted(once(call, "drain"), cancelled.signal);
    });
    turn = sent.catch(() => {}); // without a handler, a chunk that is not awaited would end the process when the run is cancelled
    return sent;
  };

  try {
    const action = find(key);
    if (!action) throw notFound(key);
    const result = await invoke(action, start, chunks, call, send, cancelled.signal);
    const resultJson = result === undefined ? undefined : toJson(result);
    await send({ $case: "result", value: { resultJson } });
  } catch (error) {
    if (!cancelled.signal.aborted) await send({ $case: "error", value: failure(key, error) }).catch(() => {});
  }
  ended = true; // also for a cancelled run, which sends no result or error
  call.end();
}

async function invoke(
  action: Action,
  start: RunActionRequest,
  chunks: AsyncIterator<Uint8Array> | undefined,
  call: Call,
  send: (update: Update) => Promise<void>,
  signal: AbortSignal,
): Promise<unknown> {
  const { key, stream, inputJson, initJson, contextJson, telemetryLabels } = start;
  const raw = (json: Buffer | undefined) => json && new RawJson(json);
  const context: ActionRunContext = {
    key,
    streamingRequested: stream,
    abortSignal: signal,
    init: initJson && (await read(action.initSchema, initJson, "the init")),
    context: contextJson && fromJson(contextJson, "the context"),
    telemetryLabels,
    metadata: call.metadata,
    traceHeaders: Object.fromEntries(traceHeaders.map((name) => [name, call.metadata.get(name).join(",")]).filter(([, value]) => value)),
    inputJson: raw(inputJson),
    initJson: raw(initJson),
    contextJson: raw(contextJson),
    call,
    sendChunk(chunk) {
      const value = toJson(chunk);
      return stream ? send({ $case: "chunkJson", value }) : Promise.resolve();
    },
    sendState: (traceId) => send({ $case: "state", value: { traceId } }),
  };

  const incoming = chunks ?? (async function* () { if (inputJson) yield inputJson; })();
  const input: unknown = action.bidi ? typed(action, incoming, signal) : await read(action.inputSchema, inputJson, "the input");

  return runs.run(context, async () => {
    const outcome = action.handler(input, context);
    return isGenerator(outcome) ? await take(outcome, context) : await outcome;
  });
}

async function* typed(action: Action, chunks: AsyncIterator<Uint8Array>, signal: AbortSignal): AsyncGenerator<unknown> {
  for (let count = 1; ; count++) {
    const { done, value } = await unlessAborted(chunks.next(), signal);
    if (done) return;
    yield await read(action.inputSchema, value, `input chunk ${count}`);
  }
}

/** Sends the chunks that a generator yields and returns its result. On cancellation, closes the generator without waiting for it. */
async function take(generator: Generator | AsyncGenerator, { sendChunk, abortSignal }: ActionRunContext): Promise<unknown> {
  try {
    for (;;) {
      const { done, value } = await unlessAborted(Promise.resolve(generator.next()), abortSignal);
      if (done) return value;
      await sendChunk(value);
    }
  } catch (error) {
    void Promise.resolve(generator.return(undefined)).catch(() => {});
    throw error;
  }
}

function isGenerator(outcome: any): outcome is Generator | AsyncGenerator {
  return typeof outcome?.next === "function" && typeof outcome?.return === "function" && (Symbol.asyncIterator in outcome || Symbol.iterator in outcome);
}

async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  promise.catch(() => {}); // the promise may reject after it was abandoned
  signal.throwIfAborted();
  let abort = () => {};
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason as Error);
    signal.addEventListener("abort", abort);
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function notFound(key: string): ActionError {
  const error = new ActionError(StatusCode.NOT_FOUND, `action ${key} not found`);
  error.stack = "";
  return error;
}

type Failure = { code: number; message: string; detailsJson: Buffer | undefined; stack: string };

function failure(key: string, error: unknown): Failure {
  try {
    if (error instanceof ActionError) return encoded(error);
    const { name, message, stack } = error instanceof Error ? error : { name: "", message: String(error), stack: "" };
    if (name === "AbortError") return { code: StatusCode.CANCELLED, message: "Action was cancelled", detailsJson: undefined, stack: String(stack ?? "") };
    console.error(`The action ${key} failed.`, error);
    const code = name === "TimeoutError" ? StatusCode.DEADLINE_EXCEEDED : StatusCode.INTERNAL;
    return { code, message: String(message || name), detailsJson: undefined, stack: String(stack ?? "") };
  } catch (invalid) {
    // The thrown value cannot be encoded: for example, an object without prototype, or details without JSON representation.
    console.error(`The action ${key} failed with an error that cannot be encoded.`, invalid);
    return { code: StatusCode.INTERNAL, message: (invalid as Error).message, detailsJson: undefined, stack: (invalid as Error).stack ?? "" };
  }
}

function encoded({ code, message, details, stack }: ActionError): Failure {
  if (!Number.isInteger(code) || code < 1 || code > 16) throw new RangeError(`${code} is not a status code`);
  return { code, message: String(message), detailsJson: details && toJson(details), stack: String(stack ?? "") };
}
