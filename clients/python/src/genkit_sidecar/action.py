"""An action: its listed properties and its handler."""

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
    """An action that an application lists and runs. Create one with `define` or with the decorators of `Application`.

    Attributes:
        type: Genkit's action type, the first part of the key, such as `flow`.
        name: Name of the action, the rest of the key. May contain slashes.
        handler: The function to run. Blocking or async; a plain function or a generator.
        description: What the action does, for people and models.
        input_schema: JSON Schema (draft-07) of the input, or of one input chunk.
        output_schema: JSON Schema (draft-07) of the result.
        stream_schema: JSON Schema (draft-07) of one output chunk.
        metadata: Metadata of the action type for Genkit's tools: a JSON object.
        bidi: Whether the handler takes a stream of inputs.
        takes_input: Whether the handler has an input parameter.
        takes_context: Whether the handler has a run context parameter.
        default: Default of the input parameter, or `ABSENT`.
        has_result: Whether a returned None is the result null. If False, it means that there is no result.
        input_reader: Reads the input, or one input chunk.
        init_reader: Reads the value that a session starts from.
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
        """Key of the action, `/<type>/<name>`."""
        return f"/{self.type}/{self.name}"

    @property
    def is_async(self) -> bool:
        """Whether the handler runs on the event loop. A blocking handler runs in a thread of its own."""
        functions = (self.handler, getattr(self.handler, "__call__"))  # the handler may be a callable object or a functools.partial
        return any(inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function) for function in functions)

    def listed(self) -> pb.Action:
        """Returns the action as `ListActions` reports it."""
        metadata = {
            **self.metadata,
            **({"bidi": True} if self.bidi else {}),
            **({"streamSchema": self.stream_schema} if self.stream_schema else {}),  # the contract has no field for it
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
    """Creates an action from a function. Schemas that are not given are derived from the function's annotations.

    Use it with `Application.add` or `Application(resolve=…)`; the decorators of `Application` call it for you.

    Args:
        action_type: Genkit's action type, such as `flow`. Must not contain slashes.
        name: Name of the action. Defaults to the function's name.
        handler: The function to run. Takes `(input, context)`, only one of them, or no arguments.
        description: What the action does. Defaults to the first line of the docstring.
        input_schema: Type or JSON Schema of the input. Defaults to the annotation.
        output_schema: Type or JSON Schema of the result. Defaults to the annotation.
        stream_schema: Type or JSON Schema of one output chunk. Defaults to the type that a generator is annotated to yield.
        init_schema: Type or JSON Schema of the value that a session starts from.
        metadata: Metadata of the action type for Genkit's tools: a JSON object.
        bidi: Whether the handler takes an iterator of inputs. Defaults to the annotation.
        has_result: Whether a returned None is the result null.

    Raises:
        TypeError: The parameters of the function are not supported, or a type has no JSON representation.
    """
    name = name or getattr(handler, "__name__", None)
    if not action_type or "/" in action_type or not isinstance(name, str):
        raise TypeError(f"an action needs a name and a type without slashes; the type is {action_type!r} and the name is {name!r}")
    try:
        hints = typing.get_type_hints(handler if inspect.isroutine(handler) else getattr(handler, "__call__"), include_extras=True)
    except NameError as error:
        raise TypeError(f"/{action_type}/{name}: cannot resolve a type in the signature ({error}). Define the type at module level") from None

    parameters = list(inspect.signature(handler).parameters.values())
    needed = [parameter for parameter in parameters if parameter.kind is parameter.KEYWORD_ONLY and parameter.default is parameter.empty]
    parameters = [parameter for parameter in parameters if parameter.kind in (parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD)]
    takes_context = bool(parameters) and (len(parameters) == 2 or _is_context(hints.get(parameters[-1].name)))
    takes_input = len(parameters) > takes_context
    misplaced = len(parameters) == 2 and (_is_context(hints.get(parameters[0].name)) or not _may_be_context(hints.get(parameters[1].name, Any)))
    if len(parameters) > 2 or needed or misplaced or (parameters and parameters[0].name == "self"):
        raise TypeError(
            f"/{action_type}/{name}: a handler must take (input, context), only one of them, or no arguments. Combine several inputs into one"
            " dataclass or TypedDict. Pass methods bound, as in application.flow()(thing.method)"
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
    if takes_context and hints.get(parameters[-1].name) is wrong:  # the handler cannot await a blocking send, and must await an async one
        raise TypeError(f"{action.key}: an async handler must take ActionRunContext, and a blocking handler SyncActionRunContext")
    return action


def _is_context(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, ActionRun)


def _may_be_context(hint: Any) -> bool:
    return hint in (Any, object) or _is_context(hint)


def _is_generator(handler: Callable[..., Any]) -> bool:
    function = handler if inspect.isroutine(handler) else getattr(handler, "__call__")
    return inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)


def _without_result(yields: Any) -> Any:
    """Removes `Result` from the type that a generator yields, which leaves the type of its chunks."""
    if typing.get_origin(yields) not in (Union, types.UnionType):
        return Any if yields is Result else yields
    chunks = [argument for argument in typing.get_args(yields) if argument is not Result]
    return Union[tuple(chunks)] if chunks else Any


def _first_line(handler: Callable[..., Any]) -> str | None:
    text = inspect.getdoc(handler) if inspect.isroutine(handler) else None
    return text.splitlines()[0] if text else None
