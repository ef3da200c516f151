// Serves the actions that `genkit-conformance` calls (tests/conformance/catalogue.jsonc) with this library.
import { ActionError, type ActionRunContext, Application, define, RawJson, StatusCode } from "genkit-sidecar";
import { z } from "zod";

const hidden = define("flow", "hidden", {}, () => "found");
const application = new Application("conformance", {
  environments: ["dev"],
  resolve: (key) => (key === hidden.key ? hidden : undefined),
});
application.values["defaultModel"] = { defaultModel: { name: "conformance/model" } };
application.values["middleware"] = {};

/** An event that happens once, identified by the id in a test's input. */
class Event {
  static readonly #all = new Map<string, Event>();
  readonly happened: Promise<void>;
  happen!: () => void;
  parties = 0;

  private constructor() {
    this.happened = new Promise((resolve) => (this.happen = resolve));
  }

  static of(id: string): Event {
    let event = Event.#all.get(id);
    if (!event) Event.#all.set(id, (event = new Event()));
    return event;
  }
}

const cancelled = (id: string) => Event.of(`cancelled ${id}`);

async function untilCancelled(id: string, { abortSignal }: ActionRunContext): Promise<void> {
  if (!abortSignal.aborted) await new Promise((resolve) => abortSignal.addEventListener("abort", resolve));
  cancelled(id).happen();
}

const echo = (_: unknown, { inputJson }: ActionRunContext) => inputJson;
application.flow("echo", { description: "Returns its input — byte for byte ✓" }, echo);
application.flow("echo-init", {}, (_, { initJson }) => initJson);
application.flow("echo-context", {}, (_, { contextJson }) => contextJson);
application.flow("echo-chunk", { inputSchema: RawJson }, async (input, { sendChunk }) => sendChunk(input));

application.flow(
  "greet",
  {
    description: "Greets by name.",
    inputSchema: z.object({ name: z.string() }),
    outputSchema: z.object({ greeting: z.string() }),
    metadata: { conformance: { level: 1, tags: ["a", "b"] } },
  },
  ({ name }) => ({ greeting: `Hello, ${name}!` }),
);

application.flow("inspect", {}, (_, { key, streamingRequested, telemetryLabels, metadata, ...run }) => {
  const names = ["traceparent", "tracestate", "baggage", "x-conformance"];
  const members = {
    key: JSON.stringify(key),
    stream: String(streamingRequested),
    telemetryLabels: JSON.stringify(telemetryLabels),
    input: run.inputJson,
    init: run.initJson,
    context: run.contextJson,
    metadata: JSON.stringify(Object.fromEntries(names.map((name) => [name, metadata.get(name)[0]]))),
  };
  const given = Object.entries(members).filter(([, value]) => value !== undefined);
  return new RawJson(`{${given.map(([name, value]) => `"${name}":${String(value)}`).join(",")}}`);
});

application.flow("count", {}, async ({ to, bytes = 0 }, { sendChunk }) => {
  for (let index = 0; index < to; index++) await sendChunk({ index, padding: "x".repeat(bytes) });
  return { sent: to };
});

application.flow("nothing", {}, () => undefined);
application.flow("null", {}, () => null);
application.flow("folder/deep/ünïcode name", {}, () => "found");

application.model(
  "conformance/model",
  { label: "Conformance model", supports: { multiturn: true, tools: false, media: false, systemRole: true } },
  () => ({ message: { role: "model", content: [{ text: "ok" }] }, finishReason: "stop" }),
);

async function sendBefore({ chunks = 0 }: { chunks?: number }, { sendChunk }: ActionRunContext): Promise<void> {
  for (let index = 0; index < chunks; index++) await sendChunk({ index });
}

for (const name of ["fail", "fail-error"]) {
  application.flow(name, {}, async (input, context) => {
    await sendBefore(input, context);
    const error = new ActionError(input.code, input.message, input.details);
    throw input.stack === undefined ? error : Object.assign(error, { stack: input.stack });
  });
}

application.flow("fail-status", {}, async (input, context) => {
  await sendBefore(input, context);
  context.call.emit("error", { code: input.code, details: input.message });
  await untilCancelled("fail-status", context);
});

application.flow("throw", {}, () => {
  throw new Error("thrown as asked");
});

application.flow("wait", {}, async ({ id }, context) => {
  await context.sendChunk({ waiting: id });
  await untilCancelled(id, context);
});

application.flow("endless", {}, async function* ({ id }) {
  try {
    for (let index = 0; ; index++) yield { index, padding: "x".repeat(1024) };
  } finally {
    cancelled(id).happen();
  }
});

application.flow("await-cancelled", {}, async ({ id }) => {
  await cancelled(id).happened;
  return { cancelled: id };
});

application.flow("meet", {}, async ({ id, parties }) => {
  const meeting = Event.of(`meeting ${id}`);
  if (++meeting.parties === parties) meeting.happen();
  await meeting.happened;
  return { met: parties };
});

application.flow("state", {}, async (_, { sendState, sendChunk }) => {
  await sendState("0af7651916cd43dd8448eb211c80319c");
  await sendChunk("after state");
  return "done";
});

application.flow("echo-chunks", { inputSchema: RawJson, bidi: true }, async (chunks, { initJson, sendChunk }) => {
  if (initJson) await sendChunk(initJson);
  let taken = 0;
  for await (const chunk of chunks) {
    await sendChunk(chunk);
    taken++;
  }
  return { chunks: taken };
});

application.flow("collect", { inputSchema: RawJson, bidi: true }, async (chunks) => {
  let [taken, bytes] = [0, 0];
  for await (const chunk of chunks) {
    taken++;
    bytes += chunk.bytes.length;
  }
  return { chunks: taken, bytes };
});

application.flow("first", { inputSchema: RawJson, bidi: true }, async (chunks) => {
  for await (const chunk of chunks) return chunk;
  throw new ActionError(StatusCode.FAILED_PRECONDITION, "the input ended without a chunk");
});

application.flow("wait-for-input", { inputSchema: RawJson, bidi: true }, async (chunks, context) => {
  const { id } = JSON.parse(String(context.inputJson));
  void untilCancelled(id, context);
  await context.sendChunk({ waiting: id });
  let taken = 0;
  for await (const _ of chunks) await context.sendChunk({ taken: ++taken });
  await cancelled(id).happened;
});

application.flow("fail-on-input", { bidi: true }, async (chunks) => {
  for await (const { code, message } of chunks) throw new ActionError(code, message);
});

application.flow("add-action", {}, ({ name }) => {
  application.flow(name, {}, echo);
  return null;
});

application.flow("remove-action", {}, ({ name }) => {
  application.remove(`/flow/${name}`);
  return null;
});

await application.serve();
