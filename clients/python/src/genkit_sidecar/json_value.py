"""JSON as bytes: how values leave and enter, and how their bytes stay exact."""

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
    """One complete JSON value in UTF-8 that is carried byte for byte.

    As the type of an input it is what the caller sent, unparsed; as a result or chunk it is sent as it is.
    """

    __slots__ = ()


class _Absent:
    __slots__ = ()

    def __repr__(self) -> str:
        return "ABSENT"

    def __bool__(self) -> bool:
        return False


ABSENT = _Absent()
"""Says that there is no value, which is not the same as `None`, JSON's null."""


def to_json(value: Any) -> bytes:
    """Encodes a result or chunk. Raises TypeError or ValueError where JSON has no such value."""
    if isinstance(value, RawJson):
        return bytes(value)
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=_plain)
        return text.encode()
    except UnicodeEncodeError:  # a lone surrogate has no UTF-8, but an escape
        return json.dumps(value, allow_nan=False, separators=(",", ":"), default=_plain).encode()


def from_json(raw: bytes, what: str = "the input") -> Any:
    """Parses one JSON value. Raises InputError, which calls it `what`."""
    try:
        return json.loads(raw.decode(), parse_constant=_refuse)  # of bytes it would take UTF-16, byte order marks and surrogates, too
    except RecursionError:
        raise InputError(f"{what} is nested too deeply for Python's json module") from None
    except ValueError as error:
        raise InputError(f"{what} is not JSON: {error}") from None


def member_name(attribute: str) -> str:
    """The JSON member of an attribute: `from_` stands for `from`, which Python keeps for itself."""
    return attribute[:-1] if attribute.endswith("_") and keyword.iskeyword(attribute[:-1]) else attribute


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON value")


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
        raise TypeError("RawJson is a whole result or chunk, never a part of one")
    raise TypeError(f"{type(value).__qualname__} has no JSON form")
