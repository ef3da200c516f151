"""Errors of actions."""

from __future__ import annotations

import enum
from typing import Any, Mapping


class StatusCode(enum.IntEnum):
    """Canonical gRPC status codes. Genkit uses the same codes."""

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
    """Fails the run with a given status code. Raise it in a handler.

    Args:
        code: A `StatusCode`, or its number from 1 to 16.
        message: Human-readable description of the failure.
        details: Machine-readable description of the failure: a JSON object.
        stack: Stack trace to report instead of the exception's own. An empty string reports none.
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
    """The input, an input chunk or the init value does not match the action's type. Its code is INVALID_ARGUMENT, and it has no stack."""

    def __init__(self, message: str) -> None:
        super().__init__(StatusCode.INVALID_ARGUMENT, message, stack="")


class ActionCancelled(Exception):
    """Raised in a blocking handler that sends a chunk or reads streamed input after its run was cancelled."""
