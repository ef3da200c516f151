"""An action: what is listed of it, and the function behind it."""

from __future__ import annotations

import collections.abc
import dataclasses
import inspect
import types
import typing
from typing import Any, Callable, Mapping, Union

from ._stubs.genkit.sidecar.v1 import action_service_pb2 as pb
from .json_value import ABSENT, to_json
from .result import Result
from .run_context import ActionRun, ActionRunContext, SyncActionRunContext
from .schema import ANYTHING, Reader, reader_of

_STREAMS = (collections.abc.AsyncIterator, collections.abc.AsyncIterable, collections.abc.AsyncGenerator,
            collections.abc.Iterator, collections.abc.Iterable)  # fmt: skip


@dataclasses.dataclass(frozen=True)
class Action:
    """An action as the application lists and runs it. Made by `Application.action` and its kind.

    Args:
        type: Genkit's type of action, the first part of the key, such as `flow`.
        name: Name, the rest of the key; it may hold slashes.
        handler: The function, blocking or async, plain or a generator.
        description: What it does, for people and models.
        input_schema: JSON Schema of the input, or of one input chunk.
        output_schema: JSON Schema of the result.
        stream_schema: JSON Schema of one chunk of output.
        metadata: What Genkit's tools know of its kind: a JSON object.
        bidi: Whether the handler takes a stream of inputs.
    """

    type: str
    name: str
    handler: Callable[..., Any]
    description: str | None
    input_schema: Mapping[str, Any] | None
    output_schema: Mapping[str, Any] | None
    stream_schema: Mapping[str, Any] | None
    metadata: Mapping[str, Any]
    bidi: bool
    takes_input: bool
    takes_context: bool
    default: Any
    has_result: bool
    input_reader: Reader
    init_reader: Reader

    @property
    def key(self) -> str:
        """`/<type>/<name>`."""
        return f"/{self.type}/{self.name}"

    @property
    def is_async(self) -> bool:
        """Whether the handler runs on the event loop; a blocking one gets a thread."""
        functions = (self.handler, getattr(self.handler, "__call__"))  # of an object, which may be a functools.partial
        return any(inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function) for function in functions)

    def listed(self) -> pb.Action:
        """What `ListActions` says of it."""
        metadata = {
            **self.metadata,
            **({"bidi": True} if self.bidi else {}),
            **({"streamSchema": self.stream_schema} if self.stream_schema else {}),  # for which the contract has no member of its own
        }
        return pb.Action(
            key=self.key,
            name=self.name,
            description=self.description,
            input_schema_json=None if self.input_schema is None else to_json(self.input_schema),
            output_schema_json=None if self.output_schema is None else to_json(self.output_schema),
            metadata_json=to_json(metadata) if metadata else None,
        )


def define(
    action_type: str,
    name: str | None,
    handler: Callable[..., Any],
    *,
    description: str | None = None,
    input_schema: Any = None,
    output_schema: Any = None,
    stream_schema: Any = None,
    init_schema: Any = None,
    metadata: Mapping[str, Any] | None = None,
    bidi: bool | None = None,
    has_result: bool = True,
) -> Action:
    """Makes an action of a function, with schemas from its annotations where none are given.

    Raises TypeError where the function's parameters are not `(input, context)`, or fewer, or a type has no JSON form.
    """
    name = name or getattr(handler, "__name__", None)
    if not action_type or "/" in action_type or not isinstance(name, str):
        raise TypeError(f"an action needs a type without slashes and a name, not {action_type!r} and {name!r}")
    try:
        hints = typing.get_type_hints(handler if inspect.isroutine(handler) else getattr(handler, "__call__"), include_extras=True)
    except NameError as error:
        raise TypeError(f"/{action_type}/{name}: a type in its signature cannot be found ({error}): define it where the module sees it") from None

    parameters = list(inspect.signature(handler).parameters.values())
    needed = [parameter for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty]
    parameters = [parameter for parameter in parameters if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)]
    takes_context = bool(parameters) and (len(parameters) == 2 or _is_context(hints.get(parameters[-1].name)))
    takes_input = len(parameters) > takes_context
    misplaced = len(parameters) == 2 and (_is_context(hints.get(parameters[0].name)) or not _may_be_context(hints.get(parameters[1].name, Any)))
    if len(parameters) > 2 or needed or misplaced or (parameters and parameters[0].name == "self"):
        raise TypeError(
            f"/{action_type}/{name}: a handler takes (input, context), either alone, or nothing. Several inputs are one dataclass or TypedDict,"
            " and a method is given bound, as in application.flow()(thing.method)"
        )

    hint = hints.get(parameters[0].name, Any) if takes_input else Any
    if bidi is None:
        bidi = typing.get_origin(hint) in _STREAMS[:3] or typing.get_origin(hint) is collections.abc.Iterator
    if bidi and typing.get_origin(hint) in _STREAMS:
        hint = typing.get_args(hint)[0]
    default = parameters[0].default if takes_input and parameters[0].default is not inspect.Parameter.empty else ABSENT

    returns = hints.get("return", Any)
    if typing.get_origin(returns) is collections.abc.Generator or typing.get_origin(returns) in _STREAMS:
        yields, _, returned = (*typing.get_args(returns), Any, Any, Any)[:3]
        if stream_schema is None and _is_generator(handler):
            stream_schema = _without_result(yields)
        returns = returned if typing.get_origin(returns) is collections.abc.Generator else Any
    try:
        reader = ANYTHING if not takes_input and input_schema is None else reader_of(hint if hint is not Any else input_schema)
        if input_schema is None:
            input_schema = reader.json_schema
        if output_schema is None and returns is not type(None):
            output_schema = reader_of(returns).json_schema
        action = Action(
            type=action_type,
            name=name,
            handler=handler,
            description=description if description is not None else _first_line(handler),
            input_schema=reader_of(input_schema).json_schema,
            output_schema=reader_of(output_schema).json_schema,
            stream_schema=reader_of(stream_schema).json_schema,
            metadata=metadata or {},
            bidi=bidi,
            takes_input=takes_input,
            takes_context=takes_context,
            default=default,
            has_result=has_result and returns is not type(None),
            input_reader=reader,
            init_reader=reader_of(init_schema),
        )
    except TypeError as error:
        raise TypeError(f"/{action_type}/{name}: {error}") from None
    wrong = SyncActionRunContext if action.is_async else ActionRunContext
    if takes_context and hints.get(parameters[-1].name) is wrong:  # whose chunks nobody would await, or could
        raise TypeError(f"{action.key}: an async handler takes ActionRunContext, a blocking one SyncActionRunContext")
    return action


def _is_context(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, ActionRun)


def _may_be_context(hint: Any) -> bool:
    return hint in (Any, object) or _is_context(hint)


def _is_generator(handler: Callable[..., Any]) -> bool:
    function = handler if inspect.isroutine(handler) else getattr(handler, "__call__")
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def _without_result(yields: Any) -> Any:
    """The type of the chunks, of what a generator yields."""
    if typing.get_origin(yields) not in (Union, types.UnionType):
        return Any if yields is Result else yields
    chunks = [argument for argument in typing.get_args(yields) if argument is not Result]
    return Union[tuple(chunks)] if chunks else Any


def _first_line(handler: Callable[..., Any]) -> str | None:
    text = inspect.getdoc(handler) if inspect.isroutine(handler) else None
    return text.splitlines()[0] if text else None
