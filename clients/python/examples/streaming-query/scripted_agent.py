"""A stand-in for an agent. It replays scripted events and needs no network."""

from __future__ import annotations

import asyncio
import json
import logging
import pathlib
from typing import Any, AsyncGenerator

_log = logging.getLogger("scripted_agent")


class ScriptedAgent:
    """Replays events from a JSON file, which has a list of events for each question. At a `wait` event, it waits until it is stopped."""

    def __init__(self, scripts: pathlib.Path) -> None:
        self._scripts: dict[str, list[dict[str, Any]]] = json.loads(scripts.read_text("utf-8"))

    async def answer(self, question: str, conversation_id: str) -> AsyncGenerator[dict[str, Any], None]:
        """Yields the events of the agent. A real agent would load the conversation and store this turn."""
        if question not in self._scripts:
            yield {"type": "run.failed", "code": "unknown_question", "message": "the script has no such question"}
            return
        for event in self._scripts[question]:
            if event["type"] == "wait":
                try:
                    await asyncio.Event().wait()
                finally:
                    _log.info("The agent was stopped in conversation %s.", conversation_id)
            yield event
