"""The result of an async generator."""

from __future__ import annotations

from typing import Any


class Result:
    """What an async generator yields last as its result, for Python lets it return none."""

    def __init__(self, value: Any) -> None:
        self.value = value
