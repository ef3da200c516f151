// Serves flows to genkit-sidecar, on the stubs that ts-proto generates and nothing else.

import { once } from "node:events";
import type { Writable } from "node:stream";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import * as stubs from "./generated/genkit/sidecar/v1/action_service.js";

export interface Flow {
  description: string;
  inputSchema: object;
  outputSchema: object;
  metadata?: object;
  run(call: Call): Promise<unknown>;
}

export interface Call {
  input: unknown;
  init: unknown;
  chunks: AsyncIterable<unknown>;
  send(chunk: unknown): Promise<void>;
  signal: AbortSignal;
}

/** Ends a run with a gRPC status, as is enough for most failures. */
export class InvalidInput extends Error { readonly code = status.INVALID_ARGUMENT; }

/** Ends a run with an error in the stream, which has room for details and a stack. */
export class ActionFailed extends Error {
  constructor(readonly code: number, message: string, readonly details: object) { super(message); }
}

const flows = new Map<string, Flow>();
export const flow = (name: string, definition: Flow) => void flows.set(`/flow/${name}`, definition);
const toJson = (value: unknown) => Buffer.from(JSON.stringify(value));
const fromJson = (json?: Buffer): unknown => json && JSON.parse(json.toString());

const actionService = (name: string): Partial<stubs.ActionServiceServer> => ({
  getRuntimeInfo(_, reply) {
    reply(null, { name, genkitVersion: "typescript/0.1.0", environments: [], features: [] });
  },
  listActions(_, reply) {
    const actions = [...flows].map(([key, { description, inputSchema, outputSchema, metadata }]) => ({
      key, name: key.slice("/flow/".length), description, metadataJson: metadata && toJson(metadata),
      inputSchemaJson: toJson(inputSchema), outputSchemaJson: toJson(outputSchema),
    }));
    reply(null, { actions });
  },
  runAction(stream) {
    const { inputJson } = stream.request; // all that a flow with streamed input gets from a plain run
    const chunks = async function* () { if (inputJson) yield fromJson(inputJson); };
    void run(stream, stream.request, chunks());
  },
  runBidiAction(stream) {
    const requests = stream.iterator({ destroyOnReturn: false }); // the end of input is not the end of the call
    const start = requests.next().then(({ value }) => value.request.value);
    const chunks = async function* () { for await (const { request } of requests) yield fromJson(request.value); };
    void run(stream, start, chunks());
  },
});

type Answer = Writable & { cancelled: boolean };
type Start = stubs.RunActionRequest;

async function run(stream: Answer, starting: Start | Promise<Start>, chunks: AsyncIterable<unknown>) {
  const cancelled = new AbortController();
  stream.on("cancelled", () => cancelled.abort());
  const write = (update: stubs.RunActionResponse["update"]) => stream.write({ update });
  try {
    const start = await starting;
    const found = flows.get(start.key);
    if (!found) throw Object.assign(new Error(`action ${start.key} not found`), { code: status.NOT_FOUND });
    const send = async (chunk: unknown) => {
      if (start.stream && !write({ $case: "chunkJson", value: toJson(chunk) })) await once(stream, "drain", cancelled);
    };
    const json = { input: fromJson(start.inputJson), init: fromJson(start.initJson) };
    const result = await found.run({ ...json, chunks, send, signal: cancelled.signal });
    write({ $case: "result", value: { resultJson: toJson(result) } });
    stream.end();
  } catch (error) {
    if (stream.cancelled) return;
    if (!(error instanceof ActionFailed)) return void stream.emit("error", error);
    const { code, message, details, stack = "" } = error;
    write({ $case: "error", value: { code, message, detailsJson: toJson(details), stack } });
    stream.end();
  }
}

export function serve(name: string) {
  const address = process.env.GENKIT_SIDECAR_LISTEN ?? "127.0.0.1:50051";
  const server = new Server({ "grpc.max_receive_message_length": 100 << 20 }); // else inputs over 4 MiB are refused
  server.addService(stubs.ActionServiceService, actionService(name) as stubs.ActionServiceServer);
  server.bindAsync(address, ServerCredentials.createInsecure(), (error) => {
    if (error) throw error;
    console.log(`${name} listens on ${address}`);
  });
  const stop = () => { server.forceShutdown(); process.exit(); };
  process.once("SIGINT", stop).once("SIGTERM", stop);
}
