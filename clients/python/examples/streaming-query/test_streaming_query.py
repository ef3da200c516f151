"""Tests the translation of events with scripted agents."""

from __future__ import annotations

import asyncio
import json
import pathlib
import typing
import unittest
from typing import Any

from events import EndEvent, Event, HeartbeatEvent
from genkit_sidecar import ActionError, Result, StatusCode, define
from scripted_agent import ScriptedAgent
from streaming_query import Agent, Query, StreamingQuery

COMPLETED = {"type": "run.completed", "usage": {"input": 1, "output": 2}}
END = {
    "event": "end",
    "referenced_documents": [],
    "usage": {"input_tokens": 1, "output_tokens": 2},
    "truncated": False,
    "available_quotas": {},
}
LONG = 3600


def saying(*events: dict[str, Any]) -> Agent:
    async def agent(question: str, conversation_id: str):
        for event in events:
            yield event

    return agent


class Answers(unittest.IsolatedAsyncioTestCase):
    async def read(self, flow: StreamingQuery, query: Query = Query("?")) -> list[Any]:
        """Returns all events after the start event, which must come first. The error of the run, if any, is last."""
        items: list[Any] = []
        try:
            async for item in flow.answer(query):
                items.append(item.value if isinstance(item, Result) else item)
        except ActionError as error:
            items.append(error)
        self.assertEqual(items[0]["event"], "start")
        return items[1:]

    async def test_each_event_of_the_agent_is_translated(self) -> None:
        for raw, event in [
            (
                {"type": "guardrail.checked", "guardrail": "pii", "flagged": True, "reason": "a name"},
                {"event": "shield", "name": "pii", "verdict": "blocked", "reason": "a name"},
            ),
            ({"type": "guardrail.checked", "guardrail": "pii", "flagged": False}, {"event": "shield", "name": "pii", "verdict": "passed", "reason": None}),
            ({"type": "message.delta", "text": "a"}, {"event": "token", "text": "a"}),
            ({"type": "message.completed", "text": "ab"}, {"event": "turn_complete", "text": "ab"}),
            (
                {"type": "tool.started", "id": "1", "name": "get", "arguments": {"a": [1]}},
                {"event": "tool_call", "id": "1", "name": "get", "arguments": {"a": [1]}},
            ),
            ({"type": "tool.finished", "id": "1", "ok": True, "output": "x"}, {"event": "tool_result", "id": "1", "status": "success", "content": "x"}),
            ({"type": "tool.finished", "id": "1", "ok": False, "output": "x"}, {"event": "tool_result", "id": "1", "status": "failure", "content": "x"}),
        ]:
            with self.subTest(raw):
                self.assertEqual(await self.read(StreamingQuery(saying(raw, COMPLETED), LONG)), [event, END, END])

    async def test_the_end_is_the_last_chunk_and_the_result(self) -> None:
        completed = {**COMPLETED, "documents": [{"url": "u", "title": "t", "score": 1}], "truncated": True, "quotas": {"day": 3}}
        end = {**END, "referenced_documents": [{"url": "u", "title": "t"}], "truncated": True, "available_quotas": {"day": 3}}
        later = {"type": "message.delta", "text": "too late"}
        self.assertEqual(await self.read(StreamingQuery(saying(completed, later), LONG)), [end, end])

    async def test_an_error_is_the_last_chunk_and_fails_the_run(self) -> None:
        failed = {"type": "run.failed", "code": "quota_exceeded", "message": "used up"}
        *events, error = await self.read(StreamingQuery(saying({"type": "message.delta", "text": "a"}, failed, COMPLETED), LONG))
        self.assertEqual(events, [{"event": "token", "text": "a"}, {"event": "error", "code": 8, "message": "used up"}])
        self.assertEqual((error.code, error.message), (StatusCode.RESOURCE_EXHAUSTED, "used up"))

    async def test_internal_failures_of_the_agent_are_not_exposed(self) -> None:
        async def raising(question: str, conversation_id: str):
            yield {"type": "message.delta", "text": "a"}
            raise ConnectionError("10.0.0.1 refused the password")

        for agent in (raising, saying({"type": "message.delta", "text": "a"}, {"type": "run.failed", "code": "oops", "message": "10.0.0.1"})):
            with self.assertLogs("streaming_query", "ERROR"):
                *events, error = await self.read(StreamingQuery(agent, LONG))
            self.assertEqual(events[1:], [{"event": "error", "code": 13, "message": "the agent failed"}])
            self.assertEqual((error.code, error.message), (StatusCode.INTERNAL, "the agent failed"))

    async def test_an_answer_without_an_end_is_an_error(self) -> None:
        event, error = await self.read(StreamingQuery(saying(), LONG))
        self.assertEqual(event, {"event": "error", "code": 14, "message": "the agent ended without a final event"})
        self.assertEqual((error.code, error.message), (StatusCode.UNAVAILABLE, event["message"]))

    async def test_unknown_events_are_counted_and_logged_without_their_payload(self) -> None:
        unknown = {"type": "thought\n", "text": "secret"}
        malformed = {"type": "message.delta", "token": "secret"}
        flow = StreamingQuery(saying(unknown, malformed, unknown, {"text": "secret"}, COMPLETED), LONG)
        with self.assertLogs("streaming_query", "WARNING") as logs:
            self.assertEqual(await self.read(flow), [END, END])
        self.assertEqual(flow.translation.unknown, {"thought\n": 2, "message.delta": 1, "None": 1})
        self.assertIn(r"'thought\n'", logs.output[2])
        self.assertNotIn("secret", "".join(logs.output))

    async def test_a_conversation_is_continued(self) -> None:
        asked = []

        async def agent(question: str, conversation_id: str):
            asked.append((question, conversation_id))
            yield COMPLETED

        flow = StreamingQuery(agent, LONG)
        started = await anext(flow.answer(Query("first")))
        async for item in flow.answer(Query("second", started["conversation_id"])):
            if isinstance(item, dict) and item["event"] == "start":
                self.assertEqual(item, started)
        self.assertEqual(asked, [("second", started["conversation_id"])])
        self.assertNotEqual(started, await anext(flow.answer(Query("first"))))

    async def test_heartbeats_are_sent_while_the_agent_is_idle(self) -> None:
        seen = asyncio.Event()

        async def agent(question: str, conversation_id: str):
            yield {"type": "message.delta", "text": "a"}
            await seen.wait()
            yield COMPLETED

        events = []
        async for item in StreamingQuery(agent, 0.001).answer(Query("?")):
            if item == HeartbeatEvent(event="heartbeat"):
                seen.set()
            else:
                events.append(item)
        self.assertTrue(seen.is_set())
        self.assertEqual(events[1:-1], [{"event": "token", "text": "a"}, END])

    async def test_an_agent_that_cancels_itself_ends_the_run(self) -> None:
        async def agent(question: str, conversation_id: str):
            yield {"type": "message.delta", "text": "a"}
            raise asyncio.CancelledError

        with self.assertRaises(asyncio.CancelledError):
            await self.read(StreamingQuery(agent, LONG))

    async def test_a_cancelled_run_stops_the_agent_in_its_own_task(self) -> None:
        tasks = []
        stuck = asyncio.Event()

        async def agent(question: str, conversation_id: str):
            tasks.append(asyncio.current_task())
            try:
                yield {"type": "message.delta", "text": "a"}
                stuck.set()
                await asyncio.Event().wait()
            finally:
                tasks.append(asyncio.current_task())

        run = asyncio.create_task(self.read(StreamingQuery(agent, LONG)))
        await stuck.wait()
        run.cancel()
        with self.assertRaises(asyncio.CancelledError):
            await run
        self.assertEqual(len(tasks), 2)
        self.assertIs(*tasks)

    async def test_closing_the_stream_stops_the_agent(self) -> None:
        stopped = []

        async def agent(question: str, conversation_id: str):
            try:
                while True:
                    yield {"type": "message.delta", "text": "a"}
            finally:
                stopped.append(True)

        answer = StreamingQuery(agent, LONG).answer(Query("?"))
        for _ in range(3):
            await anext(answer)
        await answer.aclose()
        self.assertEqual(stopped, [True])

    async def test_a_slow_reader_slows_the_agent(self) -> None:
        said = 0

        async def agent(question: str, conversation_id: str):
            nonlocal said
            while True:
                said += 1
                yield {"type": "message.delta", "text": "a"}

        answer = StreamingQuery(agent, LONG).answer(Query("?"))
        for _ in range(2):
            await anext(answer)
        for _ in range(100):
            await asyncio.sleep(0)
        self.assertLessEqual(said, 3)
        await answer.aclose()

    async def test_the_script_has_every_event(self) -> None:
        agent = ScriptedAgent(pathlib.Path(__file__).with_name("scripts.json"))
        events = set()
        for question in ("Why does my pod not start?", "How do I get more of everything?", "unheard of"):
            events |= {item["event"] for item in await self.read(StreamingQuery(agent.answer, LONG), Query(question)) if isinstance(item, dict)}
        self.assertEqual(events, {"shield", "token", "tool_call", "tool_result", "turn_complete", "error", "end"})


class Schemas(unittest.TestCase):
    def test_the_flow_lists_the_schema_of_each_event(self) -> None:
        listed = define("flow", "streaming_query", StreamingQuery(saying()).answer, output_schema=EndEvent).listed()
        chunk = json.loads(listed.metadata_json)["streamSchema"]
        declared = [typing.get_args(typing.get_type_hints(event)["event"])[0] for event in typing.get_args(Event)]
        self.assertEqual([event["properties"]["event"]["const"] for event in chunk["anyOf"]], declared)
        for event in chunk["anyOf"]:
            self.assertEqual(event["required"], list(event["properties"]))
        end = json.loads(listed.output_schema_json)
        self.assertEqual(end.pop("$schema"), chunk["$schema"])
        self.assertEqual(end, chunk["anyOf"][-1])


if __name__ == "__main__":
    unittest.main()
