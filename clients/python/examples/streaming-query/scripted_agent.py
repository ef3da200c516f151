"""A stand-in for an agent, which needs no network: it says what a script has for the question."""

from __future__ import annotations

import asyncio
import json
import logging
import pathlib
from typing import Any, AsyncGenerator

_log = logging.getLogger("scripted_agent")


class ScriptedAgent:
    """Answers by a JSON file of events by question. An event `wait` is not sent: the agent then does nothing until it is stopped."""

    def __init__(self, scripts: pathlib.Path) -> None:
        self._scripts: dict[str, list[dict[str, Any]]] = json.loads(scripts.read_text("utf-8"))

    async def answer(self, question: str, conversation_id: str) -> AsyncGenerator[dict[str, Any], None]:
        """Yields the agent's events as they come from it. A real one would look up the conversation, and remember this turn."""
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
