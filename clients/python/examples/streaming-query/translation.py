"""Translates the events of an agent into the events of the flow."""

from __future__ import annotations

import collections
import contextlib
import logging
from typing import Any, AsyncGenerator, Mapping

from events import EndEvent, ErrorEvent, Event, ShieldEvent, TokenEvent, ToolCallEvent, ToolResultEvent, TurnCompleteEvent
from genkit_sidecar import StatusCode

_log = logging.getLogger("streaming_query")

# The agent's failure codes that callers may see. Any other failure is reported without its details.
_CODES = {
    "quota_exceeded": StatusCode.RESOURCE_EXHAUSTED,
    "prompt_too_long": StatusCode.INVALID_ARGUMENT,
    "unknown_question": StatusCode.NOT_FOUND,
    "model_unavailable": StatusCode.UNAVAILABLE,
}

_FAILED = ErrorEvent(event="error", code=StatusCode.INTERNAL, message="the agent failed")
_BROKE_OFF = ErrorEvent(event="error", code=StatusCode.UNAVAILABLE, message="the agent ended without a final event")


class Translation:
    """Translates the events of all runs.

    Attributes:
        unknown: Number of events that were not recognized, by type.
    """

    def __init__(self) -> None:
        self.unknown: collections.Counter[str] = collections.Counter()

    async def translate(self, upstream: AsyncGenerator[Mapping[str, Any], None]) -> AsyncGenerator[Event, None]:
        """Yields the translated events. The last one is always an end or an error, even if the agent raises or stops early."""
        try:
            async with contextlib.aclosing(upstream):
                async for raw in upstream:
                    event = self._event_of(raw)
                    if event is None:
                        continue
                    yield event
                    if event["event"] in ("end", "error"):
                        return
            yield _BROKE_OFF
        except Exception as error:
            _log.error("The agent failed.", exc_info=error)
            yield _FAILED

    def _event_of(self, raw: Mapping[str, Any]) -> Event | None:
        match raw:
            case {"type": "guardrail.checked", "guardrail": str(name), "flagged": bool(flagged)}:
                return ShieldEvent(event="shield", name=name, verdict="blocked" if flagged else "passed", reason=raw.get("reason"))
            case {"type": "message.delta", "text": str(text)}:
                return TokenEvent(event="token", text=text)
            case {"type": "message.completed", "text": str(text)}:
                return TurnCompleteEvent(event="turn_complete", text=text)
            case {"type": "tool.started", "id": str(id), "name": str(name), "arguments": dict(arguments)}:
                return ToolCallEvent(event="tool_call", id=id, name=name, arguments=arguments)
            case {"type": "tool.finished", "id": str(id), "ok": bool(ok), "output": str(output)}:
                return ToolResultEvent(event="tool_result", id=id, status="success" if ok else "failure", content=output)
            case {"type": "run.failed", "code": str(code), "message": str(message)}:
                if code in _CODES:
                    return ErrorEvent(event="error", code=_CODES[code], message=message)
                _log.error("The agent failed with %r.", code[:64])
                return _FAILED
            case {"type": "run.completed", "usage": {"input": int(read), "output": int(written)}}:
                return EndEvent(
                    event="end",
                    referenced_documents=[{"url": document["url"], "title": document["title"]} for document in raw.get("documents", [])],
                    usage={"input_tokens": read, "output_tokens": written},
                    truncated=raw.get("truncated", False),
                    available_quotas=raw.get("quotas", {}),
                )
        kind = str(raw.get("type"))[:64]
        self.unknown[kind] += 1
        _log.warning("Ignored an unrecognized event of type %r from the agent (%d so far).", kind, self.unknown[kind])
        return None
