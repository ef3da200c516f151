"""The result of an async generator."""

from __future__ import annotations

from typing import Any


class Result:
    """The result of an async generator. Yield it last, because Python does not allow an async generator to return a value."""

    def __init__(self, value: Any) -> None:
        self.value = value
