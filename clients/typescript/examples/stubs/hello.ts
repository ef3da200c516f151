// Serves five Genkit flows to genkit-sidecar with nothing but the stubs that ts-proto generates.

import { once } from "node:events";
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { Server, ServerCredentials, status } from "@grpc/grpc-js";
import * as stubs from "./generated/genkit/sidecar/v1/action_service.js";

type Flow = (call: Call) => Promise<unknown>;
type Call = {
  input: unknown;
  init: unknown;
  chunks: AsyncIterable<unknown>;
  send: (chunk: unknown) => Promise<void>;
  signal: AbortSignal;
};

const failure = (code: number, message: string) => Object.assign(new Error(message), { code });
const toJson = (value: unknown) => Buffer.from(JSON.stringify(value));
const fromJson = (json?: Buffer): any => json && JSON.parse(json.toString());

/** Returns a member of the unvalidated object `value` if it has the type of `example`. */
function member<T>(value: any, name: string, example: T, fallback?: T): T {
  const found = value?.[name] ?? fallback;
  if (typeof found === typeof example) return found;
  throw failure(status.INVALID_ARGUMENT, `"${name}" must be ${typeof example === "string" ? "a string" : "an integer"}`);
}

const flows: Record<string, [inputs: object, Flow]> = {
  greet: [{ name: { type: "string" } }, async ({ input }) => ({ greeting: `Hello, ${member(input, "name", "")}!` })],

  countdown: [{ from: { type: "integer" } }, async ({ input, send }) => {
    for (let count = member(input, "from", 0, 3); count > 0; count--) await send({ count });
    return "Liftoff!";
  }],

  chat: [{ text: { type: "string" } }, async ({ init, chunks, send }) => {
    let messages = 0;
    for await (const chunk of chunks) {
      await send({ echo: member(init, "prefix", "", "") + member(chunk, "text", "") });
      messages++;
    }
    return { messages };
  }],

  fail: [{ code: { type: "integer" }, message: { type: "string" } }, async ({ input }) => {
    const error = failure(member<number>(input, "code", 0, status.NOT_FOUND), member(input, "message", "", "failed as asked"));
    throw Object.assign(error, { details: { reason: "requested" } });
  }],

  slow: [{ seconds: { type: "integer" } }, async ({ input, send, signal }) => {
    await send("started");
    return sleep(1000 * Math.min(member(input, "seconds", 0, 60), 60), "done", { signal });
  }],
};

async function run(stream: Writable, starting: stubs.RunActionRequest | Promise<stubs.RunActionRequest>, streamed?: AsyncIterable<unknown>) {
  const cancelled = new AbortController();
  stream.on("cancelled", () => cancelled.abort());
  const write = async (update: stubs.RunActionResponse["update"]) => stream.write({ update }) || once(stream, "drain", cancelled);
  try {
    const { key, inputJson, initJson } = await starting;
    const [, flow] = flows[key.replace("/flow/", "")] ?? [];
    if (!flow) throw failure(status.NOT_FOUND, `action ${key} not found`);
    const [input, init] = [fromJson(inputJson), fromJson(initJson)];
    const chunks = streamed ?? (async function* () { yield input; })(); // a run without streamed input has a single chunk
    const send = async (chunk: unknown) => void (await write({ $case: "chunkJson", value: toJson(chunk) }));
    const result = await flow({ input, init, chunks, send, signal: cancelled.signal });
    await write({ $case: "result", value: { resultJson: toJson(result) } });
  } catch (error: any) {
    const { code = status.UNKNOWN, message, stack, details } = error;
    if (!cancelled.signal.aborted) stream.write({ update: { $case: "error", value: { code, message, stack, detailsJson: details && toJson(details) } } });
  }
  stream.end();
}

const server = new Server({ "grpc.max_receive_message_length": 100 << 20 }); // default: 4 MiB
server.addService(stubs.ActionServiceService, {
  getRuntimeInfo: (_, reply) => reply(null, { name: "hello-typescript", genkitVersion: "typescript/0.1.0", environments: [], features: [] }),
  listActions: (_, reply) => reply(null, { actions: Object.entries(flows).map(([name, [properties]]) => ({
    key: `/flow/${name}`, name, inputSchemaJson: toJson({ type: "object", properties }), metadataJson: toJson({ bidi: name === "chat" }),
  })) }),
  runAction: (stream) => void run(stream, stream.request),
  runBidiAction(stream) {
    const requests = stream.iterator({ destroyOnReturn: false }); // a flow may stop reading input without ending the call
    const start = requests.next().then(({ value }) => value.request.value);
    void run(stream, start, (async function* () { for await (const { request } of requests) yield fromJson(request.value); })());
  },
} as Partial<stubs.ActionServiceServer> as stubs.ActionServiceServer);

const address = process.env.GENKIT_SIDECAR_LISTEN ?? "127.0.0.1:50051";
server.bindAsync(address, ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
  console.log(`hello-typescript listens on ${address}`);
});
for (const name of ["SIGINT", "SIGTERM"] as const) process.once(name, () => { server.forceShutdown(); process.exit(); });
