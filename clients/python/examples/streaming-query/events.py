"""The events that the flow streams."""

from __future__ import annotations

from typing import Any, Literal, Optional, TypedDict, Union


class StartEvent(TypedDict):
    """The run has started. Always the first event. Send the id with the next question to continue the conversation."""

    event: Literal["start"]
    conversation_id: str


class ShieldEvent(TypedDict):
    """The verdict of a safety check on the question or the answer."""

    event: Literal["shield"]
    name: str
    verdict: Literal["passed", "blocked"]
    reason: Optional[str]


class TokenEvent(TypedDict):
    """The next piece of the answer's text."""

    event: Literal["token"]
    text: str


class ToolCallEvent(TypedDict):
    """The agent calls a tool. The tool's result has the same id."""

    event: Literal["tool_call"]
    id: str
    name: str
    arguments: dict[str, Any]


class ToolResultEvent(TypedDict):
    """The result of a tool call."""

    event: Literal["tool_result"]
    id: str
    status: Literal["success", "failure"]
    content: str


class TurnCompleteEvent(TypedDict):
    """The complete text of a turn. Follows the last token of the turn."""

    event: Literal["turn_complete"]
    text: str


class HeartbeatEvent(TypedDict):
    """The run is still active, although no other event has occurred for a while."""

    event: Literal["heartbeat"]


class ErrorEvent(TypedDict):
    """The run has failed. Always the last event. The error of the run has the same code and message."""

    event: Literal["error"]
    code: int
    message: str


class Document(TypedDict):
    """A document that the answer refers to."""

    url: str
    title: str


class TokenUsage(TypedDict):
    """Number of tokens that the answer used."""

    input_tokens: int
    output_tokens: int


class EndEvent(TypedDict):
    """The run has succeeded. Always the last event, and also the result of the flow."""

    event: Literal["end"]
    referenced_documents: list[Document]
    usage: TokenUsage
    truncated: bool
    available_quotas: dict[str, int]


Event = Union[
    StartEvent,
    ShieldEvent,
    TokenEvent,
    ToolCallEvent,
    ToolResultEvent,
    TurnCompleteEvent,
    HeartbeatEvent,
    ErrorEvent,
    EndEvent,
]
"""One chunk. The member `event` tells the types apart."""
