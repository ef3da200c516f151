"""The events of an answer: what the flow streams."""

from __future__ import annotations

from typing import Any, Literal, Optional, TypedDict, Union


class StartEvent(TypedDict):
    """The run has begun. Always first; the id continues the conversation."""

    event: Literal["start"]
    conversation_id: str


class ShieldEvent(TypedDict):
    """What a safety check said of the question or the answer."""

    event: Literal["shield"]
    name: str
    verdict: Literal["passed", "blocked"]
    reason: Optional[str]


class TokenEvent(TypedDict):
    """The next piece of the answer's text."""

    event: Literal["token"]
    text: str


class ToolCallEvent(TypedDict):
    """The agent calls a tool; its result has the same id."""

    event: Literal["tool_call"]
    id: str
    name: str
    arguments: dict[str, Any]


class ToolResultEvent(TypedDict):
    """What a tool answered."""

    event: Literal["tool_result"]
    id: str
    status: Literal["success", "failure"]
    content: str


class TurnCompleteEvent(TypedDict):
    """The whole text of a turn, whose tokens have all come."""

    event: Literal["turn_complete"]
    text: str


class HeartbeatEvent(TypedDict):
    """Nothing has happened for a while, and the run goes on."""

    event: Literal["heartbeat"]


class ErrorEvent(TypedDict):
    """The run has failed, and its error has this code and message. Always last."""

    event: Literal["error"]
    code: int
    message: str


class Document(TypedDict):
    """What the answer relies on."""

    url: str
    title: str


class TokenUsage(TypedDict):
    """What the answer cost, in tokens."""

    input_tokens: int
    output_tokens: int


class EndEvent(TypedDict):
    """The run has succeeded. Always last, and the flow's result."""

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
"""One chunk, known by its member `event`."""
