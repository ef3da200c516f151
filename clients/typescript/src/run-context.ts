import { AsyncLocalStorage } from "node:async_hooks";
import type { Metadata, ServerDuplexStream, ServerWritableStream } from "@grpc/grpc-js";
import type { RawJson } from "./json.js";

/** What a handler knows of its run. */
export interface ActionRunContext<Init = any> {
  /** Key that was run, `/<type>/<name>`. */
  readonly key: string;
  /** Whether the caller wants chunks. Sending them where not costs nothing. */
  readonly streamingRequested: boolean;
  /** Aborted when the run is cancelled. */
  readonly abortSignal: AbortSignal;
  /** What a session starts from, read as `initSchema`. */
  readonly init: Init;
  /** Context of the run, such as `{ auth: … }`, or undefined. Keep it out of logs. */
  readonly context: any;
  /** Labels that the caller gave for the run's spans. */
  readonly telemetryLabels: Readonly<Record<string, string>>;
  /** gRPC metadata of the call. */
  readonly metadata: Metadata;
  /** W3C trace context of the call: what OpenTelemetry's `extract` takes, and what goes with requests to others. */
  readonly traceHeaders: Readonly<Record<string, string>>;
  /** The input as it came. */
  readonly inputJson: RawJson | undefined;
  /** The init as it came. */
  readonly initJson: RawJson | undefined;
  /** The context as it came. */
  readonly contextJson: RawJson | undefined;
  /** The call, for what this library has no word for. */
  readonly call: ServerWritableStream<any, any> | ServerDuplexStream<any, any>;
  /** Sends one chunk of streamed output; done when gRPC has taken it, so a slow caller slows the handler. */
  readonly sendChunk: (chunk: unknown) => Promise<void>;
  /** Tells the trace id of the application's own spans, where they could not join the call's. Before any chunk. */
  readonly sendState: (traceId: string) => Promise<void>;
}

/** The run of the code that asks. */
export const runs = new AsyncLocalStorage<ActionRunContext>();

/** The run that the calling code belongs to, in any depth. Throws outside of one. */
export function currentRun(): ActionRunContext {
  const run = runs.getStore();
  if (!run) throw new Error("there is no run here");
  return run;
}
