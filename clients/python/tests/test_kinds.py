"""Each action type is listed with the metadata and schemas that Genkit's own runtimes list."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import unittest
from dataclasses import dataclass
from typing import Any

from genkit_sidecar import Application, SyncActionRunContext
from genkit_sidecar.schema import DRAFT_07

from .caller import calling


@dataclass
class Config:
    temperature: float = 1.0


CONFIG_SCHEMA = {"type": "object", "properties": {"temperature": {"type": "number"}}, "$schema": DRAFT_07}


class Kinds(unittest.IsolatedAsyncioTestCase):
    async def asyncSetUp(self) -> None:
        self.application = Application()
        self.serving = calling(self.application)
        self.caller = await self.serving.__aenter__()
        self.addAsyncCleanup(self.serving.__aexit__, None, None, None)

    async def listed(self, key: str) -> tuple[Any, Any, Any]:
        action = (await self.caller.listed())[key]
        metadata = json.loads(action.metadata_json) if action.HasField("metadata_json") else None
        schemas = [
            json.loads(getattr(action, member)) if action.HasField(member) else None
            for member in ("input_schema_json", "output_schema_json")
        ]
        return metadata, schemas[0], schemas[1]

    async def test_action_of_any_type(self) -> None:
        @self.application.action("custom", "deep/er", metadata={"a": 1}, input_schema={"type": "string"})
        def handler(input):
            """Does it.

            And more.
            """

        self.assertEqual(await self.listed("/custom/deep/er"), ({"a": 1}, {"type": "string"}, None))
        action = (await self.caller.listed())["/custom/deep/er"]
        self.assertEqual((action.name, action.description), ("deep/er", "Does it."))

    async def test_flow_lists_only_its_schemas(self) -> None:
        @self.application.flow()
        def plain(input: int) -> str:
            return ""

        self.assertEqual(
            await self.listed("/flow/plain"), (None, {"type": "integer", "$schema": DRAFT_07}, {"type": "string", "$schema": DRAFT_07})
        )

    async def test_tool(self) -> None:
        @self.application.tool(description="A tool.")
        def t(input: int) -> int:
            return input

        self.assertEqual((await self.listed("/tool/t"))[0], {"type": "tool"})

    async def test_model(self) -> None:
        @self.application.model("acme/large", label="Large", versions=["1"], supports={"multiturn": True}, stage="stable", config_schema=Config)
        def m(request):
            return {"message": {"role": "model", "content": request["messages"][0]["content"]}}

        metadata, takes, gives = await self.listed("/model/acme/large")
        expected = {"label": "Large", "customOptions": CONFIG_SCHEMA, "versions": ["1"], "supports": {"multiturn": True}, "stage": "stable"}
        self.assertEqual(metadata, {"model": expected})
        self.assertEqual((takes["$ref"], gives["type"]), ("#/definitions/GenerateRequest", "object"))
        self.assertEqual((await self.caller.listed())["/model/acme/large"].description, "Large")
        outcome = await self.caller.run("/model/acme/large", {"messages": [{"role": "user", "content": [{"text": "a"}]}]})
        self.assertEqual(outcome.value, {"message": {"role": "model", "content": [{"text": "a"}]}})

    async def test_prompt(self) -> None:
        @dataclass
        class Variables:
            name: str

        schema = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}

        @self.application.prompt(model="acme/large", input_schema=Variables, input_default={"name": "Ada"})
        def p(input):
            return {"messages": [{"role": "user", "content": [{"text": input.name}]}]}

        metadata, takes, _ = await self.listed("/prompt/p")
        takes.pop("$schema")
        metadata["prompt"]["input"]["schema"].pop("$schema")
        self.assertEqual(takes, schema)
        self.assertEqual(
            metadata,
            {
                "type": "prompt",
                "prompt": {"name": "p", "model": "acme/large", "input": {"schema": schema, "default": {"name": "Ada"}}, "tools": []},
            },
        )
        self.assertEqual((await self.caller.run("/prompt/p", {"name": "Bob"})).value["messages"][0]["content"], [{"text": "Bob"}])

    async def test_embedder(self) -> None:
        @self.application.embedder(dimensions=3, config_schema=Config)
        def e(request):
            return {"embeddings": [{"embedding": [0, 0, 0]} for _ in request["input"]]}

        metadata, takes, gives = await self.listed("/embedder/e")
        self.assertEqual(
            metadata, {"type": "embedder", "info": {"label": "e", "dimensions": 3}, "embedder": {"customOptions": CONFIG_SCHEMA}}
        )
        self.assertEqual((takes["required"], gives["required"]), (["input"], ["embeddings"]))

    async def test_retriever_indexer_and_reranker(self) -> None:
        for kind in ("retriever", "indexer", "reranker"):
            getattr(self.application, kind)("r", label="R", config_schema=Config)(lambda request: {"documents": []})
            metadata, takes, _ = await self.listed(f"/{kind}/r")
            self.assertEqual(metadata, {"type": kind, "info": {"label": "R"}, kind: {"customOptions": CONFIG_SCHEMA}})
            self.assertIn("required", takes)

    async def test_an_evaluator_scores_each_test_case_and_a_failed_one_does_not_fail_the_others(self) -> None:
        @self.application.evaluator(display_name="Ev", definition="Checks.", is_billed=True)
        async def e(test_case: dict[str, Any]) -> Any:
            return score(test_case["input"])

        @self.application.evaluator()
        def blocking(test_case: dict[str, Any]) -> Any:
            return score(test_case["input"])

        def score(of: float) -> Any:
            return {"score": 1 / of if of < 9 else float("nan"), "status": "PASS"}

        metadata, takes, gives = await self.listed("/evaluator/e")
        nested = {"evaluatorDisplayName": "Ev", "evaluatorDefinition": "Checks.", "evaluatorIsBilled": True}
        self.assertEqual(metadata, {"type": "evaluator", "evaluatorIsBilled": True, "evaluator": nested})
        self.assertEqual((takes["required"], gives["type"]), (["dataset"], "array"))
        dataset = [{"testCaseId": "a", "input": 2}, {"testCaseId": "b", "input": 0}, {"testCaseId": "c", "input": 1}, {"input": 9}]
        unnamed = "Evaluation of test case None"
        for name in ("e", "blocking"):
            with self.assertLogs("genkit_sidecar", logging.ERROR):
                outcome = await self.caller.run(f"/evaluator/{name}", {"dataset": dataset, "evalRunId": "1"})
            self.assertEqual(
                outcome.value,
                [
                    {"sampleIndex": 0, "testCaseId": "a", "evaluation": {"score": 0.5, "status": "PASS"}},
                    {"sampleIndex": 1, "testCaseId": "b", "evaluation": {"error": "Evaluation of test case b failed: division by zero"}},
                    {"sampleIndex": 2, "testCaseId": "c", "evaluation": {"score": 1.0, "status": "PASS"}},
                    {"sampleIndex": 3, "evaluation": {"error": f"{unnamed} failed: Out of range float values are not JSON compliant"}},
                ],
            )
        error = (await self.caller.run("/evaluator/e", {"dataset": 1})).error
        self.assertEqual((error.code, error.message), (3, '"dataset" must be an array of objects'))

    async def test_a_cancelled_evaluation_stops(self) -> None:
        begun = threading.Event()
        cancelled: list[bool] = []

        @self.application.evaluator()
        def blocking(test_case: dict[str, Any], context: SyncActionRunContext) -> Any:
            begun.set()
            cancelled.append(context.cancelled.wait(60))

        call = self.caller.start("/evaluator/blocking", {"dataset": [{"testCaseId": "first"}, {"testCaseId": "second"}]})
        await asyncio.to_thread(begun.wait, 60)
        (thread,) = (thread for thread in threading.enumerate() if thread.name == "genkit /evaluator/blocking")
        call.cancel()
        await asyncio.to_thread(thread.join, 60)
        self.assertEqual(cancelled, [True])


if __name__ == "__main__":
    unittest.main()
