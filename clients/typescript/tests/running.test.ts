// Runs handlers of every shape over real gRPC.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { ActionError, Application, currentRun, RawJson, StatusCode } from "genkit-sidecar";
import { z } from "zod";
import { type Caller, calling, request } from "./caller.js";

const exact = '{"b":9007199254740993, "a":-0,"a":1e400,"\\u0061":"é\\ud800"}';

function running(name: string, body: (application: Application, caller: Caller) => Promise<void>): void {
  test(name, { timeout: 60_000 }, async () => {
    const application = new Application("tests");
    await calling(application, (caller) => body(application, caller));
  });
}

/** A promise and the function that resolves it. */
function signal(): { seen: Promise<void>; see: () => void } {
  let see!: () => void;
  const seen = new Promise<void>((resolve) => (see = resolve));
  return { seen, see };
}

/** Captures what is logged. */
async function logged(body: () => Promise<void>): Promise<unknown[][]> {
  const [log, lines] = [console.error, [] as unknown[][]];
  console.error = (...line) => void lines.push(line);
  try {
    await body();
  } finally {
    console.error = log;
  }
  return lines;
}

running("every shape of handler returns and streams", async (application, caller) => {
  const inputSchema = z.int();
  application.flow("asynchronous", { inputSchema }, async (input, { sendChunk }) => {
    await sendChunk("chunk");
    return input + 1;
  });
  application.flow("generator", { inputSchema }, function* (input) {
    yield "chunk";
    return input + 1;
  });
  application.flow("async generator", { inputSchema }, async function* (input) {
    yield "chunk";
    return input + 1;
  });
  for (const name of ["asynchronous", "generator", "async generator"]) {
    const outcome = await caller.run(`/flow/${name}`, 41);
    assert.deepEqual([outcome.chunks, outcome.value], [["chunk"], 42], name);
  }
  application.flow("plain", { inputSchema }, (input) => input + 1);
  assert.equal((await caller.run("/flow/plain", 41)).value, 42);
});

running("an error that cannot be encoded is internal", async (application, caller) => {
  const thrown: Record<string, unknown> = {
    code: new ActionError("NOT_FOUND" as any, "no such code"),
    details: new ActionError(StatusCode.NOT_FOUND, "no such details", { order: 1n }),
    nothing: Object.create(null),
    undefined: undefined,
  };
  application.flow("fail", {}, async (which) => {
    throw thrown[which];
  });
  const messages = ["NOT_FOUND is not a status code", "Do not know how to serialize a BigInt", "Cannot convert object to primitive value", "undefined"];
  const lines = await logged(async () => {
    for (const [index, which] of Object.keys(thrown).entries()) {
      const { error } = await caller.run("/flow/fail", which);
      assert.deepEqual([error?.code, error?.message], [13, messages[index]]);
    }
  });
  assert.equal(lines.length, 4);
});

running("a chunk that is not awaited fails the run if it has no JSON representation, and does not end the process on cancellation", async (application, caller) => {
  application.flow("no json", {}, (_, { sendChunk }) => void sendChunk(NaN));
  await logged(async () => assert.equal((await caller.run("/flow/no json")).error?.message, "NaN has no JSON representation"));

  const sent = signal();
  application.flow("cancelled", {}, async (_, { sendChunk, abortSignal }) => {
    void sendChunk("waiting");
    await once(abortSignal, "abort");
    void sendChunk("too late");
    sent.see();
  });
  const call = caller.start("/flow/cancelled").on("error", () => {});
  await once(call, "data");
  call.cancel();
  await sent.seen;
  await turn(); // an unhandled rejection would end the process in this turn
});

running("unrequested chunks are not sent", async (application, caller) => {
  application.flow("flow", {}, async (_, { sendChunk, streamingRequested }) => {
    await sendChunk("chunk");
    return streamingRequested;
  });
  const outcome = await caller.run("/flow/flow", undefined, { stream: false });
  assert.deepEqual([outcome.chunks, outcome.value], [[], false]);
});

running("raw JSON keeps its bytes", async (application, caller) => {
  application.flow("echo", { inputSchema: RawJson }, async (input, { sendChunk }) => {
    await sendChunk(input);
    return input;
  });
  const outcome = await caller.run("/flow/echo", undefined, { raw: exact });
  assert.deepEqual([outcome.rawChunks, outcome.raw], [[exact], exact]);
});

running("absent, null and no result are distinct", async (application, caller) => {
  application.flow("echo", {}, (input) => input);
  application.flow("nothing", {}, () => {});
  assert.equal((await caller.run("/flow/echo")).raw, undefined);
  assert.equal((await caller.run("/flow/echo", null)).raw, "null");
  assert.equal((await caller.run("/flow/nothing", 1)).raw, undefined);
});

running("the run context has what the caller sent", async (application, caller) => {
  const initSchema = z.object({ a: z.int() });
  application.flow("inspect", { initSchema }, async () => {
    await turn();
    const { key, init, context, telemetryLabels, traceHeaders, metadata } = currentRun();
    return { key, init, context, telemetryLabels, traceHeaders, custom: metadata.get("x-custom")[0] };
  });
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  const outcome = await caller.run("/flow/inspect", undefined, {
    initJson: Buffer.from('{"a":1}'),
    contextJson: Buffer.from('{"auth":{"uid":"ada"}}'),
    telemetryLabels: { label: "value" },
    metadata: { traceparent, "x-custom": "value" },
  });
  assert.deepEqual(outcome.value, {
    key: "/flow/inspect",
    init: { a: 1 },
    context: { auth: { uid: "ada" } },
    telemetryLabels: { label: "value" },
    traceHeaders: { traceparent },
    custom: "value",
  });
});

running("state comes first", async (application, caller) => {
  application.flow("state", {}, async (_, { sendState }) => {
    await sendState("0af7651916cd43dd8448eb211c80319c");
    return "done";
  });
  const outcome = await caller.run("/flow/state");
  assert.deepEqual([outcome.states, outcome.value], [["0af7651916cd43dd8448eb211c80319c"], "done"]);
});

running("an action error keeps code, message and details and has a stack", async (application, caller) => {
  application.flow("fail", {}, async function fail(_, { sendChunk }) {
    await sendChunk(1);
    throw new ActionError(StatusCode.ABORTED, "as asked", { reason: "test" });
  });
  const { chunks, error } = await caller.run("/flow/fail");
  assert.deepEqual([chunks, error?.code, error?.message, error?.detailsJson?.toString()], [[1], 10, "as asked", '{"reason":"test"}']);
  assert.match(error!.stack, /at .*fail/);
});

running("exceptions map to status codes", async (application, caller) => {
  application.flow("unforeseen", {}, () => {
    throw new RangeError("gone");
  });
  application.flow("no error", {}, () => {
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- JavaScript lets a handler throw anything
    throw "a string";
  });
  application.flow("late", {}, () => {
    throw new DOMException("took too long", "TimeoutError");
  });
  application.flow("cancels itself", {}, () => AbortSignal.abort().throwIfAborted());
  application.flow("no json", {}, () => ({ a: NaN }));
  application.flow("cycle", {}, () => {
    const cycle: any = {};
    cycle.cycle = cycle;
    return cycle;
  });
  await logged(async () => {
    for (const [name, code, message] of [
      ["unforeseen", 13, /^gone$/],
      ["no error", 13, /^a string$/],
      ["late", 4, /^took too long$/],
      ["cancels itself", 1, /^Action was cancelled$/],
      ["no json", 13, /^NaN has no JSON representation$/],
      ["cycle", 13, /circular/],
    ] as const) {
      const { error } = await caller.run(`/flow/${name}`);
      assert.equal(error?.code, code, name);
      assert.match(error.message, message);
      assert.equal(error.stack === "", name === "no error", name); // a string has no stack
    }
  });
});

running("an unexpected failure is logged without the payload", async (application, caller) => {
  application.flow("fail", {}, () => {
    throw new Error("broken");
  });
  const lines = await logged(async () => void (await caller.run("/flow/fail", "secret")));
  assert.equal(lines.length, 1);
  assert.equal(lines[0]![0], "The action /flow/fail failed.");
  assert.doesNotMatch(String(lines[0]), /secret/);
});

running("an unknown key is not found", async (_, caller) => {
  const { error } = await caller.run("/flow/unknown");
  assert.deepEqual([error?.code, error?.message, error?.stack], [5, "action /flow/unknown not found", ""]);
});

running("cancelling the call aborts the signal", async (application, caller) => {
  const cancelled = signal();
  application.flow("wait", {}, async (_, { sendChunk, abortSignal }) => {
    await sendChunk("waiting");
    await once(abortSignal, "abort");
    await assert.rejects(sendChunk("too late"), { name: "AbortError" });
    cancelled.see();
  });
  const call = caller.start("/flow/wait").on("error", () => {});
  await once(call, "data");
  call.cancel();
  await cancelled.seen;
});

running("cancelling the call closes generators", async (application, caller) => {
  for (const name of ["generator", "async generator"]) {
    const closed = signal();
    application.flow(name, {}, name === "generator" ? generator : asyncGenerator);
    function* generator() {
      try {
        for (;;) yield "x".repeat(1024);
      } finally {
        closed.see();
      }
    }
    async function* asyncGenerator() {
      yield* generator();
    }
    const call = caller.start(`/flow/${name}`).on("error", () => {});
    await once(call, "data");
    call.cancel();
    await closed.seen;
  }
});

running("a caller that does not read makes the handler wait", async (application, caller) => {
  const cancelled = signal();
  let allSent = false;
  application.flow("large", {}, async (_, { sendChunk, abortSignal }) => {
    abortSignal.addEventListener("abort", cancelled.see);
    for (let count = 0; count < 2000; count++) await sendChunk("x".repeat(65536));
    allSent = true;
  });
  application.flow("small", {}, () => {});
  const call = caller.start("/flow/large").on("error", () => {});
  await once(call, "readable");
  for (let count = 0; count < 100; count++) await caller.run("/flow/small"); // without backpressure, all chunks would be sent by then
  assert.equal(allSent, false);
  call.cancel();
  await cancelled.seen;
});

running("many runs meet", async (application, caller) => {
  const all = signal();
  let parties = 0;
  application.flow("meet", {}, async () => {
    if (++parties === 64) all.see();
    await all.seen;
    return parties;
  });
  const outcomes = await Promise.all(Array.from({ length: 64 }, () => caller.run("/flow/meet")));
  assert.ok(outcomes.every(({ value }) => value === 64));
});

running("streamed input reaches every shape of handler", async (application, caller) => {
  const options = { inputSchema: z.int(), bidi: true } as const;
  application.flow("asynchronous", options, async (numbers, { sendChunk }) => {
    let total = 0;
    for await (const number of numbers) {
      await sendChunk(number);
      total += number;
    }
    return total;
  });
  application.flow("async generator", options, async function* (numbers) {
    let total = 0;
    for await (const number of numbers) {
      yield number;
      total += number;
    }
    return total;
  });
  for (const name of ["asynchronous", "async generator"]) {
    assert.deepEqual(JSON.parse((await caller.listed())[`/flow/${name}`]!.metadataJson!.toString()), { bidi: true });
    const outcome = await caller.bidi(`/flow/${name}`, ["1", "2", "3"]);
    assert.deepEqual([outcome.chunks, outcome.value], [[1, 2, 3], 6]);
    assert.equal((await caller.run(`/flow/${name}`, 5)).value, 5);
    assert.equal((await caller.run(`/flow/${name}`)).value, 0);
  }
});

running("a result does not wait for the end of the input, and output does not wait for input", async (application, caller) => {
  application.flow("first", { inputSchema: RawJson, bidi: true }, async (chunks, { sendChunk }) => {
    await sendChunk("early");
    for await (const chunk of chunks) return chunk;
    throw new ActionError(StatusCode.FAILED_PRECONDITION, "no input");
  });
  const call = caller.client.runBidiAction();
  call.write({ request: { $case: "start", value: request("/flow/first") } });
  const [early] = await once(call, "data");
  assert.equal(early.update.value.toString(), '"early"');
  call.write({ request: { $case: "chunkJson", value: Buffer.from(exact) } });
  const [late] = await once(call, "data");
  assert.equal(late.update.value.resultJson.toString(), exact);
  await once(call, "end");
});

running("cancelling the call ends the wait for input", async (application, caller) => {
  const ended = signal();
  application.flow("wait", { bidi: true }, async (chunks, { sendChunk, abortSignal }) => {
    await sendChunk("waiting");
    try {
      for await (const _ of chunks);
      await once(abortSignal, "abort");
    } finally {
      ended.see();
    }
  });
  const call = caller.client.runBidiAction().on("error", () => {});
  call.write({ request: { $case: "start", value: request("/flow/wait") } });
  await once(call, "data");
  call.cancel();
  await ended.seen;
});

running("a chunk of the wrong type fails the run", async (application, caller) => {
  application.flow("total", { inputSchema: z.object({ n: z.int() }), bidi: true }, async (numbers) => {
    for await (const _ of numbers);
  });
  const { error } = await caller.bidi("/flow/total", ['{"n":1}', '{"n":"two"}']);
  assert.deepEqual([error?.code, error?.message], [3, '"n": Invalid input: expected number, received string']);
});

running("an action with one input takes it from the start of a streamed run", async (application, caller) => {
  application.flow("double", { inputSchema: z.int() }, (number) => 2 * number);
  assert.equal((await caller.bidi("/flow/double", ["1"], { raw: "21" })).value, 42);
  assert.equal((await caller.bidi("/flow/double", ["1"])).error?.code, 3);
});

running("a bidi call without start is refused", async (_, caller) => {
  const call = caller.client.runBidiAction();
  call.write({ request: { $case: "chunkJson", value: Buffer.from("1") } });
  await assert.rejects(once(call.resume(), "end"), { code: 3 });
});

running("nothing can be sent after the result", async (application, caller) => {
  const refused = signal();
  const ended = signal();
  application.flow("early", {}, (_, { sendChunk }) => {
    void ended.seen.then(() => assert.rejects(sendChunk("late"), /has ended/)).then(refused.see);
    return "done";
  });
  await caller.run("/flow/early");
  ended.see();
  await refused.seen;
});

running("messages over four mebibytes pass", async (application, caller) => {
  application.flow("echo", { inputSchema: RawJson }, (input) => input);
  const large = JSON.stringify("x".repeat(8 << 20));
  assert.equal((await caller.run("/flow/echo", undefined, { raw: large })).raw, large);
});
