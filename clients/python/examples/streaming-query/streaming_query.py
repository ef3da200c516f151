"""A flow that streams an agent's answer as typed events."""

from __future__ import annotations

import argparse
import contextlib
import logging
import pathlib
import uuid
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Callable, Optional, Union

from events import EndEvent, Event, StartEvent
from genkit_sidecar import ActionError, Application, Result
from heartbeat import with_heartbeats
from scripted_agent import ScriptedAgent
from translation import Translation

Agent = Callable[[str, str], AsyncGenerator[Mapping[str, Any], None]]
"""Takes a question and the id of its conversation. Yields the agent's own events."""


@dataclass
class Query:
    query: str
    conversation_id: Optional[str] = None  # from an earlier start event; a new conversation if absent


class StreamingQuery:
    """Answers questions as a stream of events.

    Args:
        agent: The agent that answers.
        heartbeat: Seconds without an event after which a heartbeat is sent.
    """

    def __init__(self, agent: Agent, heartbeat: float = 10) -> None:
        self.translation = Translation()
        self._agent = agent
        self._heartbeat = heartbeat

    async def answer(self, query: Query) -> AsyncIterator[Union[Event, Result]]:
        """Streams the answer to a question as typed events."""
        conversation_id = query.conversation_id or str(uuid.uuid4())
        yield StartEvent(event="start", conversation_id=conversation_id)
        events = self.translation.translate(self._agent(query.query, conversation_id))
        async with contextlib.aclosing(with_heartbeats(events, self._heartbeat)) as stream:
            async for event in stream:
                yield event
                if event["event"] == "end":
                    yield Result(event)
                elif event["event"] == "error":  # also fail the run, so that callers that ignore chunks see the failure
                    raise ActionError(event["code"], event["message"], stack="")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scripts", type=pathlib.Path, default=pathlib.Path(__file__).with_name("scripts.json"), help="JSON file with the events of the agent")
    parser.add_argument("--heartbeat", type=float, default=10, metavar="SECONDS", help="time without an event after which a heartbeat is sent")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")

    application = Application("streaming-query")
    flow = StreamingQuery(ScriptedAgent(arguments.scripts).answer, arguments.heartbeat)
    application.flow("streaming_query", output_schema=EndEvent)(flow.answer)
    application.serve()


if __name__ == "__main__":
    main()
