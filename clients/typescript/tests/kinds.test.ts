// Each action type is listed with the metadata and schemas that Genkit's own runtimes list.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Application } from "genkit-sidecar";
import { z } from "zod";
import { type Caller, calling } from "./caller.js";

const configSchema = { type: "object", properties: { temperature: { type: "number" } } };

async function listed(caller: Caller, key: string): Promise<{ metadata: any; input: any; output: any; description: string | undefined }> {
  const action = (await caller.listed())[key]!;
  const parse = (json: Buffer | undefined) => json && JSON.parse(json.toString());
  return {
    metadata: parse(action.metadataJson),
    input: parse(action.inputSchemaJson),
    output: parse(action.outputSchemaJson),
    description: action.description,
  };
}

test("each kind lists the metadata for Genkit's tools", async () => {
  const application = new Application();
  application.action("custom", "deep/er", { description: "Does it.", metadata: { a: 1 } }, () => 1);
  application.flow("plain", {}, () => 1);
  application.tool("t", { description: "A tool.", inputSchema: z.int() }, (input) => input);
  application.model(
    "acme/large",
    { label: "Large", versions: ["1"], supports: { multiturn: true }, stage: "stable", configSchema },
    ({ messages }) => ({ message: { role: "model", content: messages[0].content } }),
  );
  application.prompt("p", { model: "acme/large", inputSchema: z.object({ name: z.string() }), inputDefault: { name: "Ada" } }, ({ name }) => ({
    messages: [{ role: "user", content: [{ text: name }] }],
  }));
  application.embedder("e", { dimensions: 3, configSchema }, ({ input }) => ({ embeddings: input.map(() => ({ embedding: [0, 0, 0] })) }));
  for (const kind of ["retriever", "indexer", "reranker"] as const) application[kind]("r", { label: "R", configSchema }, () => ({ documents: [] }));

  await calling(application, async (caller) => {
    assert.deepEqual(await listed(caller, "/custom/deep/er"), { metadata: { a: 1 }, input: undefined, output: undefined, description: "Does it." });
    assert.deepEqual(await listed(caller, "/flow/plain"), { metadata: undefined, input: undefined, output: undefined, description: undefined });
    assert.deepEqual((await listed(caller, "/tool/t")).metadata, { type: "tool" });

    const model = await listed(caller, "/model/acme/large");
    assert.deepEqual(model.metadata, {
      model: { label: "Large", customOptions: configSchema, versions: ["1"], supports: { multiturn: true }, stage: "stable" },
    });
    assert.deepEqual([model.description, model.input.$ref, model.output.type], ["Large", "#/definitions/GenerateRequest", "object"]);
    const content = [{ text: "a" }];
    const answer = await caller.run("/model/acme/large", { messages: [{ role: "user", content }] });
    assert.deepEqual(answer.value, { message: { role: "model", content } });

    const prompt = await listed(caller, "/prompt/p");
    assert.deepEqual(prompt.metadata, {
      type: "prompt",
      prompt: { name: "p", model: "acme/large", input: { schema: prompt.input, default: { name: "Ada" } }, tools: [] },
    });
    assert.deepEqual(prompt.input.required, ["name"]);
    assert.deepEqual((await caller.run("/prompt/p", { name: "Bob" })).value.messages[0].content, [{ text: "Bob" }]);

    const embedder = await listed(caller, "/embedder/e");
    assert.deepEqual(embedder.metadata, { type: "embedder", info: { label: "e", dimensions: 3 }, embedder: { customOptions: configSchema } });
    assert.deepEqual([embedder.input.required, embedder.output.required], [["input"], ["embeddings"]]);

    for (const kind of ["retriever", "indexer", "reranker"]) {
      const { metadata, input } = await listed(caller, `/${kind}/r`);
      assert.deepEqual(metadata, { type: kind, info: { label: "R" }, [kind]: { customOptions: configSchema } });
      assert.ok(input.required);
    }
  });
});

test("an evaluator scores each test case, and a failed one does not fail the others", async (context) => {
  const log = context.mock.method(console, "error", () => {});
  const application = new Application();
  application.evaluator("e", { displayName: "Ev", definition: "Checks.", isBilled: true }, ({ input }) => {
    if (input === 0) throw new Error("division by zero");
    return { score: input < 9 ? 1 / input : NaN, status: "PASS" };
  });
  await calling(application, async (caller) => {
    const { metadata, input, output, description } = await listed(caller, "/evaluator/e");
    const nested = { evaluatorDisplayName: "Ev", evaluatorDefinition: "Checks.", evaluatorIsBilled: true };
    assert.deepEqual(metadata, { type: "evaluator", evaluatorIsBilled: true, evaluator: nested });
    assert.deepEqual([input.required, output.type, description], [["dataset"], "array", "Checks."]);
    const dataset = [{ testCaseId: "a", input: 2 }, { testCaseId: "b", input: 0 }, { testCaseId: "c", input: 1 }, { testCaseId: "d", input: 9 }];
    assert.deepEqual((await caller.run("/evaluator/e", { dataset, evalRunId: "1" })).value, [
      { sampleIndex: 0, testCaseId: "a", evaluation: { score: 0.5, status: "PASS" } },
      { sampleIndex: 1, testCaseId: "b", evaluation: { error: "Evaluation of test case b failed: division by zero" } },
      { sampleIndex: 2, testCaseId: "c", evaluation: { score: 1, status: "PASS" } },
      { sampleIndex: 3, testCaseId: "d", evaluation: { error: "Evaluation of test case d failed: NaN has no JSON representation" } },
    ]);
    assert.equal(log.mock.callCount(), 2);
    assert.equal((await caller.run("/evaluator/e", { dataset: 1 })).error?.message, '"dataset" must be an array of objects');
  });
});

test("a cancelled evaluation stops", { timeout: 60_000 }, async () => {
  const application = new Application();
  const scored: string[] = [];
  let begin!: () => void;
  const begun = new Promise<void>((resolve) => (begin = resolve));
  let cancelled!: Promise<unknown>;
  application.evaluator("e", {}, async ({ testCaseId }, { abortSignal }) => {
    scored.push(testCaseId);
    cancelled = once(abortSignal, "abort");
    begin();
    await cancelled;
  });
  await calling(application, async (caller) => {
    const call = caller.start("/evaluator/e", { dataset: [{ testCaseId: "a" }, { testCaseId: "b" }] }).on("error", () => {});
    await begun;
    call.cancel();
    await cancelled;
    await turn();
    assert.deepEqual(scored, ["a"]);
  });
});
