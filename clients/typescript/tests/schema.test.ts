// Zod schemas, explicit JSON Schemas, and the errors for values that do not match.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Application, define, RawJson } from "genkit-sidecar";
import { z } from "zod";
import { calling } from "./caller.js";

const Order = z.object({
  id: z.int(),
  items: z.array(z.object({ sku: z.string(), price: z.number().default(0) })),
  note: z.string().describe("For the driver.").optional(),
});

test("a zod schema is listed as draft-07, and an explicit JSON Schema unchanged", async () => {
  const application = new Application();
  const byHand = { type: "string", format: "uri" };
  application.flow("flow", { inputSchema: Order, outputSchema: byHand }, () => "");
  application.flow("raw", { inputSchema: RawJson }, (input) => input);
  await calling(application, async (caller) => {
    const listed = await caller.listed();
    const input = JSON.parse(listed["/flow/flow"]!.inputSchemaJson!.toString());
    assert.equal(input.$schema, "http://json-schema.org/draft-07/schema#");
    assert.deepEqual(input.required, ["id", "items"]);
    assert.deepEqual(input.properties.note, { type: "string", description: "For the driver." });
    assert.deepEqual(JSON.parse(listed["/flow/flow"]!.outputSchemaJson!.toString()), byHand);
    assert.equal(listed["/flow/raw"]!.inputSchemaJson, undefined);
  });
});

test("the schema of a chunk is listed in the metadata", async () => {
  const application = new Application();
  const event = z.discriminatedUnion("event", [
    z.object({ event: z.literal("started"), id: z.string() }),
    z.object({ event: z.literal("counted"), count: z.int() }),
  ]);
  application.flow("flow", { streamSchema: event, metadata: { owner: "tests", streamSchema: {} } }, () => "");
  await calling(application, async (caller) => {
    const { owner, streamSchema } = JSON.parse((await caller.listed())["/flow/flow"]!.metadataJson!.toString());
    assert.equal(owner, "tests");
    assert.equal(streamSchema.$schema, "http://json-schema.org/draft-07/schema#");
    const events = (streamSchema.anyOf ?? streamSchema.oneOf) as { properties: { event: { const: string } } }[];
    assert.deepEqual(events.map(({ properties }) => properties.event.const), ["started", "counted"]);
  });
});

test("a mismatch names the member", async () => {
  const application = new Application();
  application.flow("order", { inputSchema: Order }, (order) => order);
  application.flow("optional", { inputSchema: z.int().default(7) }, (input) => input);
  application.flow("checked elsewhere", { inputSchema: { type: "string" } }, (input) => input);
  await calling(application, async (caller) => {
    for (const [raw, message] of [
      ['{"items":[]}', /^"id": /],
      ['{"id":"1","items":[]}', /^"id": Invalid input: expected number, received string$/],
      ['{"id":1,"items":[{"sku":"a"},{"sku":2}]}', /^"items\[1\]\.sku": /],
      ['{"id":"1"}', /^"id": .*; "items": /],
      ["[]", /^the input must be an object with "id", "items"$/],
      ["null", /^the input must be an object with "id", "items"$/],
      ["{", /^the input is not valid JSON: /],
      ["\ufeff{}", /^the input is not valid JSON: /],
      [Buffer.from([0x22, 0xff, 0x22]), /^the input is not valid JSON: /],
      [undefined, /^the input is missing; it must be an object with "id", "items"$/],
    ] as const) {
      const { error } = await caller.run("/flow/order", undefined, raw === undefined ? {} : { raw });
      assert.equal(error?.code, 3, raw?.toString());
      assert.match(error.message, message);
      assert.equal(error.stack, "");
    }
    const outcome = await caller.run("/flow/order", undefined, { raw: '{"id":1,"items":[{"sku":"a"}],"unknown":true}' });
    assert.deepEqual(outcome.value, { id: 1, items: [{ sku: "a", price: 0 }] });
    assert.equal((await caller.run("/flow/optional")).value, 7);
    assert.equal((await caller.run("/flow/checked elsewhere", 5)).value, 5);
  });
});

test("a result's schema types what the handler returns, because the result is sent as is", () => {
  const outputSchema = z.object({ count: z.int().default(1) });
  const { listedOutput } = define("flow", "flow", { outputSchema }, () => ({}));
  assert.deepEqual([listedOutput?.["required"], listedOutput?.["additionalProperties"]], [undefined, undefined]);
});

test("a value nested too deeply for its schema is an input error", async () => {
  const Tree = z.object({ get children() { return z.array(Tree); } });
  const application = new Application();
  application.flow("tree", { inputSchema: Tree }, () => 1);
  await calling(application, async (caller) => {
    const { error } = await caller.run("/flow/tree", undefined, { raw: '{"children":['.repeat(20_000) + "]}".repeat(20_000) });
    assert.deepEqual([error?.code, error?.message], [3, "the input is nested too deeply for its schema"]);
  });
});

test("invalid options are refused at definition", () => {
  const noJsonSchema = { "~standard": { version: 1 as const, vendor: "old", validate: (value: unknown) => ({ value }) } };
  assert.throws(() => define("flow", "bad", { inputSchema: noJsonSchema }, () => 1), /old does not provide a JSON Schema/);
  assert.throws(() => define("flow", "bad", { inputSchema: z.object({ at: z.date() }) }, () => 1), /^TypeError: \/flow\/bad: Date cannot be represented/);
  assert.throws(() => define("flow", "bad", { initSchema: z.date() }, () => 1), /^TypeError: \/flow\/bad: Date/);
  assert.throws(() => define("flow", "bad", { inputSchema: "string" as any }, () => 1), /a schema must be an object, not "string"/);
  assert.throws(() => define("flow", 5 as any, {}, () => 1), /a name/);
  const application = new Application();
  assert.throws(() => application.flow("bad", { metadata: { a: 1n } }, () => 1), /^TypeError: \/flow\/bad: .*BigInt/);
  assert.deepEqual([...application.actions], []);
  assert.throws(() => define("a/b", "bad", {}, () => 1), /without slashes/);
  assert.throws(() => (define as any)("flow", "bad", () => 1), /the handler must be a function/);
});

test("types follow the schemas", () => {
  const application = new Application();
  application.flow("typed", { inputSchema: Order, outputSchema: z.int() }, (order) => order.items.length);
  // @ts-expect-error: the output is not a string
  application.flow("typed", { inputSchema: Order, outputSchema: z.int() }, (order) => order.items[0]!.sku);
  // @ts-expect-error: the member does not exist
  application.flow("typed", { inputSchema: Order }, (order) => order.unknown);
});
