import { AsyncLocalStorage } from "node:async_hooks";
import type { Metadata, ServerDuplexStream, ServerWritableStream } from "@grpc/grpc-js";
import type { RawJson } from "./json.js";

/** The run context of a handler. */
export interface ActionRunContext<Init = any> {
  /** Key of the action, `/<type>/<name>`. */
  readonly key: string;
  /** Whether the caller wants chunks. If false, chunks that the handler sends are dropped. */
  readonly streamingRequested: boolean;
  /** Aborted when the run is cancelled. */
  readonly abortSignal: AbortSignal;
  /** The value that a session starts from, read with `initSchema`, or undefined if absent. */
  readonly init: Init;
  /** Context of the run, such as `{ auth: … }`, or undefined if absent. Do not log it: it may hold credentials. */
  readonly context: any;
  /** Labels for the run's spans, set by the caller. */
  readonly telemetryLabels: Readonly<Record<string, string>>;
  /** gRPC metadata of the call. */
  readonly metadata: Metadata;
  /** W3C trace context of the call: `traceparent`, `tracestate` and `baggage`. Pass it to OpenTelemetry's `extract`, or add it to outgoing requests. */
  readonly traceHeaders: Readonly<Record<string, string>>;
  /** The input as the caller sent it, or undefined if absent. */
  readonly inputJson: RawJson | undefined;
  /** The value that a session starts from, as the caller sent it, or undefined if absent. */
  readonly initJson: RawJson | undefined;
  /** The context as the caller sent it, or undefined if absent. May hold credentials. */
  readonly contextJson: RawJson | undefined;
  /** The gRPC call, for features that this library does not wrap. */
  readonly call: ServerWritableStream<any, any> | ServerDuplexStream<any, any>;
  /** Sends one chunk of streamed output. Resolves when gRPC has accepted it, so a slow caller slows the handler. */
  readonly sendChunk: (chunk: unknown) => Promise<void>;
  /**
   * Reports the trace id of the application's spans if they do not join the trace of the call. Call it before sending chunks.
   *
   * @param traceId Trace id of 32 lower-case hex digits.
   */
  readonly sendState: (traceId: string) => Promise<void>;
}

/** Holds the run that the current code belongs to. */
export const runs = new AsyncLocalStorage<ActionRunContext>();

/**
 * Returns the run that the calling code belongs to, at any call depth.
 *
 * @throws Error if the code does not belong to a run.
 */
export function currentRun(): ActionRunContext {
  const run = runs.getStore();
  if (!run) throw new Error("currentRun() was called outside a run. Call it in a handler, or in code that a handler awaits");
  return run;
}
