"""How actions fail."""

from __future__ import annotations

import enum
from typing import Any, Mapping


class StatusCode(enum.IntEnum):
    """Canonical gRPC codes, which are Genkit's own."""

    CANCELLED = 1
    UNKNOWN = 2
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    ALREADY_EXISTS = 6
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    ABORTED = 10
    OUT_OF_RANGE = 11
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    DATA_LOSS = 15
    UNAUTHENTICATED = 16


class ActionError(Exception):
    """Raised by an action to fail with a code of its choice.

    Args:
        code: A `StatusCode`, or its number.
        message: What went wrong, for people.
        details: What went wrong, for programs: a JSON object.
        stack: Stack trace in place of the exception's own; empty for none.
    """

    def __init__(
        self,
        code: StatusCode | int,
        message: str,
        details: Mapping[str, Any] | None = None,
        *,
        stack: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = int(code)
        self.message = message
        self.details = details
        self.stack = stack


class InputError(ActionError):
    """The input, an input chunk, or the init is not what the action takes. Always INVALID_ARGUMENT, without a stack."""

    def __init__(self, message: str) -> None:
        super().__init__(StatusCode.INVALID_ARGUMENT, message, stack="")


class ActionCancelled(Exception):
    """Raised in a blocking handler that sends a chunk or takes input after its run was cancelled."""
