// Five Genkit flows. How they reach the sidecar is in action-service.ts.

import { setTimeout as sleep } from "node:timers/promises";
import { status } from "@grpc/grpc-js";
import { ActionFailed, InvalidInput, flow, serve } from "./action-service.js";

const STRING = { type: "string" };
const INTEGER = { type: "integer" };

/** Returns the JSON Schema (draft-07) of an object. */
function schema(properties: object, ...required: string[]) {
  return { type: "object", properties, required };
}

/** Returns a member of the object `value`, which nobody has validated yet. */
function member(value: unknown, name: string, fallback?: unknown): unknown {
  const isObject = typeof value === "object" && value !== null;
  return isObject && name in value ? value[name as keyof typeof value] : fallback;
}

function text(value: unknown, name: string, fallback?: string): string {
  const found = member(value, name, fallback);
  if (typeof found !== "string") throw new InvalidInput(`"${name}" must be a string`);
  return found;
}

function integer(value: unknown, name: string, fallback?: number): number {
  const found = member(value, name, fallback);
  if (!Number.isInteger(found)) throw new InvalidInput(`"${name}" must be an integer`);
  return found as number;
}

flow("greet", {
  description: "Greets by name.",
  inputSchema: schema({ name: STRING }, "name"),
  outputSchema: schema({ greeting: STRING }, "greeting"),
  run: async (call) => ({ greeting: `Hello, ${text(call.input, "name")}!` }),
});

flow("countdown", {
  description: "Counts down, one chunk a number.",
  inputSchema: schema({ from: INTEGER }),
  outputSchema: STRING,
  async run(call) {
    for (let count = integer(call.input, "from", 3); count > 0; count--) await call.send({ count });
    return "Liftoff!";
  },
});

flow("chat", {
  description: "Echoes every message behind the session's prefix.",
  inputSchema: schema({ text: STRING }, "text"),
  outputSchema: schema({ messages: INTEGER }, "messages"),
  metadata: { bidi: true },
  async run(call) {
    const prefix = text(call.init, "prefix", "");
    let messages = 0;
    for await (const chunk of call.chunks) {
      await call.send({ echo: prefix + text(chunk, "text") });
      messages++;
    }
    return { messages };
  },
});

flow("fail", {
  description: "Fails with the code and message that it is given.",
  inputSchema: schema({ code: INTEGER, message: STRING }),
  outputSchema: STRING,
  async run(call) {
    const code = integer(call.input, "code", status.NOT_FOUND); // Genkit's codes are gRPC's codes
    throw new ActionFailed(code, text(call.input, "message", "failed as asked"), { reason: "requested" });
  },
});

flow("slow", {
  description: "Waits for up to a minute, or until it is cancelled.",
  inputSchema: schema({ seconds: INTEGER }),
  outputSchema: STRING,
  async run(call) {
    await call.send("started");
    await sleep(1000 * Math.min(integer(call.input, "seconds", 60), 60), undefined, { signal: call.signal });
    return "done";
  },
});

serve("hello-typescript");
