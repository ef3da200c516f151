"""Conversion between Python values and JSON bytes."""

from __future__ import annotations

import dataclasses
import datetime
import enum
import json
import keyword
import uuid
from typing import Any

from .errors import InputError


class RawJson(bytes):
    """One complete JSON value in UTF-8. The bytes are passed through unchanged.

    As the type of an input, it holds the bytes that the caller sent, unparsed. As a result or chunk, it is sent as is.
    """

    __slots__ = ()


class _Absent:
    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT = _Absent()
"""The absence of a value. It differs from `None`, which stands for JSON's null."""


def to_json(value: Any) -> bytes:
    """Encodes a result or chunk as UTF-8.

    Raises:
        TypeError, ValueError: The value has no JSON representation.
    """
    if isinstance(value, RawJson):
        return bytes(value)
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate has no UTF-8 encoding, but can be escaped
        return json.dumps(value, allow_nan=False, separators=(",", ":"), default=_plain).encode()


def from_json(raw: bytes, what: str = "the input") -> Any:
    """Parses one JSON value.

    Raises:
        InputError: It is not valid JSON. The message refers to the value as `what`.
    """
    try:
        return json.loads(raw.decode(), parse_constant=_refuse)  # given bytes, json.loads would also accept UTF-16 and byte order marks
    except RecursionError:
        raise InputError(f"{what} is nested too deeply for Python's json module") from None
    except ValueError as error:
        raise InputError(f"{what} is not valid JSON: {error}") from None


def member_name(attribute: str) -> str:
    """Returns the JSON member of an attribute. A trailing underscore after a keyword is dropped: `from_` is `from`."""
    return attribute[:-1] if attribute.endswith("_") and keyword.iskeyword(attribute[:-1]) else attribute


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON value")


def _plain(value: Any) -> Any:
    if isinstance(value, type):
        pass
    elif hasattr(value, "model_dump"):  # pydantic 2
        return value.model_dump(mode="json", by_alias=True)
    elif hasattr(value, "__fields__") and hasattr(value, "json"):  # pydantic 1
        return json.loads(value.json(by_alias=True))
    elif dataclasses.is_dataclass(value):
        return {member_name(field.name): getattr(value, field.name) for field in dataclasses.fields(value)}
    elif isinstance(value, enum.Enum):
        return value.value
    elif isinstance(value, (datetime.date, datetime.time)):
        return value.isoformat()
    elif isinstance(value, uuid.UUID):
        return str(value)
    elif isinstance(value, (set, frozenset)):
        return list(value)
    elif isinstance(value, RawJson):
        raise TypeError("RawJson must be a whole result or chunk and cannot be part of one")
    raise TypeError(f"{type(value).__qualname__} has no JSON representation")
