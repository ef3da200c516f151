"""Derives JSON Schemas from Python types and reads values of those types from JSON."""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import types
import typing
from typing import Any, Callable, Mapping, Union

from .errors import InputError
from .json_value import ABSENT, RawJson, from_json, member_name

DRAFT_07 = "http://json-schema.org/draft-07/schema#"

_Convert = Callable[[Any, str], Any]  # takes a value and its path, returns the typed value; raises InputError


class Reader:
    """Reads JSON as the type that a handler takes.

    Args:
        json_schema: JSON Schema (draft-07) to list, or None.
        convert: Converts a parsed value to the typed value. Raises InputError that names the member.
        optional: Whether an absent value is read as None.
        raw: Whether the bytes are returned unparsed, as `RawJson`.
    """

    def __init__(
        self,
        json_schema: Mapping[str, Any] | None,
        convert: _Convert = lambda value, path: value,
        *,
        optional: bool = False,
        raw: bool = False,
    ) -> None:
        self.json_schema = json_schema
        self._convert = convert
        self._optional = optional
        self._raw = raw

    def read(self, raw: bytes | None, what: str = "the input", default: Any = ABSENT) -> Any:
        """Returns the typed value. An absent value is the default, or None if the type allows it.

        Raises:
            InputError: The value does not match the type. The message refers to the value as `what`.
        """
        if raw is None:
            if default is not ABSENT:
                return default
            if self._optional:
                return None
            raise InputError(f"{what} is missing; it must be {_described(self.json_schema)}")
        if self._raw:
            return RawJson(raw)
        value = from_json(raw, what)
        if (self.json_schema or {}).get("type") == "object" and not isinstance(value, dict):
            raise InputError(f"{what} must be {_described(self.json_schema)}")
        try:
            return self._convert(value, "")
        except _Mismatch as error:
            raise InputError(f"{error.path or what} must be {error.expected}") from None
        except RecursionError:
            raise InputError(f"{what} is nested too deeply for Python") from None


ANYTHING = Reader(None, optional=True)
"""Accepts any JSON value, parsed by Python's json module. An absent value is None."""


def reader_of(source: Any) -> Reader:
    """Returns the reader of a type or of a JSON Schema. Values are not validated against an explicit JSON Schema.

    Raises:
        TypeError: The type is not supported.
    """
    if isinstance(source, Reader):
        return source
    if isinstance(source, Mapping):
        return Reader(source, optional=True)
    if source in (Any, object) or source is None:
        return ANYTHING
    inner, optional = _without_none(source)
    if inner is RawJson:
        return Reader(None, optional=optional, raw=True)
    named: dict[Any, _Named] = {}
    schema, convert = _of(source, named)
    if schema:
        definitions: dict[str, Any] = {}
        for entry in named.values():
            if entry.recursive and definitions.setdefault(entry.name, entry.schema) != entry.schema:
                raise TypeError(f"two types are named {entry.name}, and the definitions of a JSON Schema need unique names. Rename one")
        schema = {**schema, **({"definitions": definitions} if definitions else {}), "$schema": DRAFT_07}
    return Reader(schema or None, convert, optional=optional)


class _Mismatch(InputError):
    def __init__(self, path: str, expected: str) -> None:
        self.path = f'"{path}"' if path else ""
        super().__init__(f"{self.path} must be {expected}")
        self.expected = expected


class _Named:
    """A type with members. It may be recursive."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.schema: dict[str, Any] = {}
        self.recursive = False  # then it is listed under definitions and referenced with $ref
        self.convert: _Convert | None = None


def _of(source: Any, named: dict[Any, _Named]) -> tuple[dict[str, Any], _Convert]:
    origin, arguments = typing.get_origin(source), typing.get_args(source)
    if origin is typing.Annotated:
        schema, convert = _of(arguments[0], named)
        description = next((note for note in arguments[1:] if isinstance(note, str)), None)
        return ({**schema, "description": description} if description else schema), convert
    if _requirement(source):
        return _of(arguments[0], named)
    if isinstance(source, typing.NewType):
        return _of(source.__supertype__, named)
    if source in (Any, object):
        return {}, lambda value, path: value
    if source in _PLAIN:
        return _plain(*_PLAIN[source])
    if origin in (Union, types.UnionType):
        return _union(arguments, named)
    if origin is typing.Literal:
        return _one_of(list(arguments), dict(zip(map(_key, arguments), arguments)))
    if isinstance(source, type) and issubclass(source, enum.Enum):
        return _one_of([member.value for member in source], {_key(member.value): member for member in source})
    if source in _ARRAYS or origin in _ARRAYS:
        return _array(_ARRAYS[origin or source], arguments, named)
    if source in _OBJECTS or origin in _OBJECTS:
        return _map(arguments, named)
    if hasattr(source, "model_validate") or (hasattr(source, "parse_obj") and hasattr(source, "__fields__")):
        return _pydantic(source, named)
    if dataclasses.is_dataclass(source) or _is_typed_dict(source):
        return _members(source, named)
    raise TypeError(
        f"{source!r} is not supported as a JSON type. Use a dataclass, a TypedDict, a pydantic model or a built-in JSON type, or pass a JSON Schema instead"
    )


def _integer(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value or value in (float("inf"), float("-inf")):
        raise ValueError
    if value != int(value):
        raise ValueError
    return int(value)


def _number(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError
    return float(value)


def _exactly(kind: type) -> Callable[[Any], Any]:
    def check(value: Any) -> Any:
        if type(value) is not kind:
            raise ValueError
        return value

    return check


_PLAIN: dict[Any, tuple[dict[str, Any], Callable[[Any], Any], str]] = {
    str: ({"type": "string"}, _exactly(str), "a string"),
    bool: ({"type": "boolean"}, _exactly(bool), "true or false"),
    int: ({"type": "integer"}, _integer, "an integer"),
    float: ({"type": "number"}, _number, "a number"),
    type(None): ({"type": "null"}, _exactly(type(None)), "null"),
    None: ({"type": "null"}, _exactly(type(None)), "null"),
}

_ARRAYS: dict[Any, Callable[[list[Any]], Any]] = {
    list: list, tuple: tuple, set: set, frozenset: frozenset,
    collections.abc.Sequence: list, collections.abc.Iterable: list, collections.abc.Collection: list,
}  # fmt: skip

_OBJECTS = {dict, collections.abc.Mapping, collections.abc.MutableMapping}


def _plain(schema: dict[str, Any], check: Callable[[Any], Any], expected: str) -> tuple[dict[str, Any], _Convert]:
    def convert(value: Any, path: str) -> Any:
        try:
            return check(value)
        except (ValueError, OverflowError):
            raise _Mismatch(path, expected) from None

    return schema, convert


def _key(value: Any) -> tuple[type, Any]:
    return type(value), value  # 1 and True are equal


def _one_of(values: list[Any], found: Mapping[Any, Any]) -> tuple[dict[str, Any], _Convert]:
    def convert(value: Any, path: str) -> Any:
        if isinstance(value, (list, dict)) or _key(value) not in found:
            raise _Mismatch(path, _article(schema))
        return found[_key(value)]

    schema = {"const": values[0]} if len(values) == 1 else {"enum": values}
    return schema, convert


def _union(arguments: tuple[Any, ...], named: dict[Any, _Named]) -> tuple[dict[str, Any], _Convert]:
    branches = [_of(argument, named) for argument in arguments]

    def convert(value: Any, path: str) -> Any:
        kinds: list[str] = []
        members: list[InputError] = []  # mismatches inside types that the value resembles
        for _, branch in branches:
            try:
                return branch(value, path)
            except InputError as mismatch:
                if isinstance(mismatch, _Mismatch) and mismatch.path == (f'"{path}"' if path else ""):
                    kinds.append(mismatch.expected)
                else:
                    members.append(mismatch)
        if not members:
            raise _Mismatch(path, " or ".join(dict.fromkeys(kinds)))
        if len(members) == 1:
            raise members[0]
        raise InputError(", or ".join(dict.fromkeys(mismatch.message for mismatch in members)))

    schemas = [schema for schema, _ in branches]
    if any(not schema for schema in schemas):
        return {}, convert
    return {"anyOf": schemas}, convert


def _array(make: Callable[[list[Any]], Any], arguments: tuple[Any, ...], named: dict[Any, _Named]) -> tuple[dict[str, Any], _Convert]:
    if make is tuple and arguments and arguments[-1] is not Ellipsis:
        items = [_of(argument, named) for argument in arguments]

        def convert_each(value: Any, path: str) -> Any:
            if not isinstance(value, list) or len(value) != len(items):
                raise _Mismatch(path, f"an array of {len(items)}")
            return tuple(item(found, f"{path}[{index}]") for index, ((_, item), found) in enumerate(zip(items, value)))

        return {"type": "array", "items": [schema for schema, _ in items], "minItems": len(items), "maxItems": len(items)}, convert_each

    item_schema, item = _of(arguments[0] if arguments else Any, named)

    def convert(value: Any, path: str) -> Any:
        if not isinstance(value, list):
            raise _Mismatch(path, "an array")
        return make([item(found, f"{path}[{index}]") for index, found in enumerate(value)])

    return {"type": "array", "items": item_schema}, convert


def _map(arguments: tuple[Any, ...], named: dict[Any, _Named]) -> tuple[dict[str, Any], _Convert]:
    if arguments and arguments[0] is not str:
        raise TypeError("the keys of a JSON object must be strings: use dict[str, …]")
    schema, member = _of(arguments[1] if arguments else Any, named)

    def convert(value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            raise _Mismatch(path, "an object")
        return {name: member(found, _join(path, name)) for name, found in value.items()}

    return {"type": "object", **({"additionalProperties": schema} if schema else {})}, convert


def _members(source: Any, named: dict[Any, _Named]) -> tuple[dict[str, Any], _Convert]:
    """Reads a dataclass or TypedDict. Unknown members are ignored."""
    if source in named:
        entry = named[source]
        entry.recursive = entry.recursive or entry.convert is None
        if not entry.recursive:
            return entry.schema, typing.cast(_Convert, entry.convert)
        return {"$ref": f"#/definitions/{entry.name}"}, lambda value, path: typing.cast(_Convert, entry.convert)(value, path)

    entry = named[source] = _Named(source.__name__)
    try:
        hints = typing.get_type_hints(source, include_extras=True)
    except NameError as error:
        raise TypeError(f"cannot resolve the type of a member of {source.__name__} ({error}). Define the type at module level") from None
    typed_dict = _is_typed_dict(source)
    if typed_dict:
        said = {name: _requirement(hint) for name, hint in hints.items()}  # Python ignores them in postponed annotations
        required = {name for name in hints if (said[name] or ("Required" if name in source.__required_keys__ else "")) == "Required"}
        members = [(name, name, hint) for name, hint in hints.items()]
    else:
        fields = [field for field in dataclasses.fields(source) if field.init]
        required = {field.name for field in fields if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING}
        members = [(field.name, member_name(field.name), hints[field.name]) for field in fields]

    properties: dict[str, Any] = {}
    readers: list[tuple[str, str, _Convert, bool]] = []
    for attribute, name, hint in members:
        properties[name], convert_member = _of(hint, named)
        readers.append((attribute, name, convert_member, attribute in required))
    entry.schema.update(type="object", properties=properties)
    needed = [name for _, name, _, is_required in readers if is_required]
    if needed:
        entry.schema["required"] = needed

    def convert(value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            raise _Mismatch(path, _described(entry.schema))
        found = {}
        for attribute, name, convert_member, is_required in readers:
            if name in value:
                found[attribute] = convert_member(value[name], _join(path, name))
            elif is_required:
                raise _Mismatch(_join(path, name), f"given: {_article(properties[name])}")
        if typed_dict:
            return found
        try:
            return source(**found)
        except InputError:
            raise
        except ValueError as error:  # raised by __post_init__
            raise _refused(path, error) from None

    entry.convert = convert
    if entry.recursive:
        return {"$ref": f"#/definitions/{entry.name}"}, convert
    return entry.schema, convert


def _pydantic(source: Any, named: dict[Any, _Named]) -> tuple[dict[str, Any], _Convert]:
    second = hasattr(source, "model_validate")
    schema = dict(source.model_json_schema(by_alias=True) if second else source.schema(by_alias=True))
    if second and "$defs" in schema:  # pydantic 2 generates draft 2020-12
        schema = _moved(schema)
    definitions = schema.pop("definitions", {})
    for name, definition in definitions.items():
        entry = named[source, name] = _Named(name)
        entry.schema = definition
        entry.recursive = True
    shape = definitions[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema

    def convert(value: Any, path: str) -> Any:
        if shape.get("type") == "object" and not isinstance(value, dict):
            raise _Mismatch(path, _described(shape))
        try:
            return source.model_validate(value) if second else source.parse_obj(value)
        except ValueError as error:
            raise _refused(path, error) from None

    return schema, convert


def _refused(path: str, error: ValueError) -> InputError:
    """Converts the error of a user-defined class. A pydantic error has one entry per member."""
    errors = error.errors() if hasattr(error, "errors") else []
    reasons = [f'"{_location(path, each["loc"])}": {each["msg"]}' for each in errors]
    return InputError("; ".join(reasons) or (f'"{path}": {error}' if path else str(error)))


def _moved(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {
            ("definitions" if name == "$defs" else name): (
                member.replace("#/$defs/", "#/definitions/") if name == "$ref" and isinstance(member, str) else _moved(member)
            )
            for name, member in schema.items()
        }
    return [_moved(item) for item in schema] if isinstance(schema, list) else schema


def _location(path: str, steps: tuple[Any, ...]) -> str:
    for step in steps:
        path = f"{path}[{step}]" if isinstance(step, int) else _join(path, step)
    return path


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _without_none(source: Any) -> tuple[Any, bool]:
    """Splits None off a type. Returns the rest, and whether None was part of it."""
    origin, arguments = typing.get_origin(source), typing.get_args(source)
    if origin is typing.Annotated:
        return _without_none(arguments[0])
    if origin in (Union, types.UnionType) and type(None) in arguments:
        return Union[tuple(argument for argument in arguments if argument is not type(None))], True
    return source, source is type(None)


def _requirement(source: Any) -> str:
    """Returns `Required`, `NotRequired` or an empty string. Compares names because typing has both only since Python 3.11."""
    name = getattr(typing.get_origin(source), "_name", None)
    return name if isinstance(name, str) and name in ("Required", "NotRequired") else ""


def _is_typed_dict(source: Any) -> bool:
    return isinstance(source, type) and issubclass(source, dict) and hasattr(source, "__required_keys__")


def _described(schema: Mapping[str, Any] | None) -> str:
    schema = schema or {}
    if schema.get("type") == "object" or "$ref" in schema:
        required = schema.get("required", [])
        return "an object" + (" with " + ", ".join(f'"{name}"' for name in required) if required else "")
    return _article(schema)


def _article(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if "enum" in schema:
        return "one of " + ", ".join(map(repr, schema["enum"]))
    if "const" in schema:
        return repr(schema["const"])
    if not isinstance(kind, str):
        return "a value"
    return {"null": "null", "boolean": "true or false"}.get(kind, f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}")
