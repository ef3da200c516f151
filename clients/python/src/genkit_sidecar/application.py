"""An application: defines actions and serves them."""

from __future__ import annotations

import asyncio
import dataclasses
import inspect
import os
import re
import signal
import sys
import threading
from typing import Any, Callable, Concatenate, Iterable, Mapping, ParamSpec, Protocol, Sequence, TypeVar

import grpc

from . import kinds, service
from ._stubs.genkit.sidecar.v1 import action_service_pb2 as pb
from ._version import __version__
from .action import Action, define
from .health import Health
from .json_value import to_json

_Handler = TypeVar("_Handler", bound=Callable[..., Any])
_Self = TypeVar("_Self")
_Options = ParamSpec("_Options")

LISTEN = "GENKIT_SIDECAR_LISTEN"
_DEFAULT_ADDRESS = "127.0.0.1:50051"
_MAX_MESSAGE_BYTES = 100 << 20  # gRPC's default is 4 MiB; Genkit's manager closes connections with messages above 100 MiB


class _Decorator(Protocol):
    """Returns the decorated function unchanged."""

    def __call__(self, handler: _Handler, /) -> _Handler: ...


def _for_type(
    action: Callable[Concatenate[_Self, str, _Options], _Decorator], type: str, *, doc: str, metadata: Mapping[str, Any] | None = None
) -> Callable[Concatenate[_Self, _Options], _Decorator]:
    """Returns the method `action` with its type fixed and all its other parameters, which are declared once.

    Args:
        action: `Application.action`.
        type: Genkit's action type, which is also the name of the method.
        doc: Docstring of the method.
        metadata: Metadata to list besides the metadata that is given. It takes precedence.
    """

    def method(self: _Self, /, *arguments: _Options.args, **options: _Options.kwargs) -> _Decorator:
        if metadata:
            given: Any = options.get("metadata")
            options["metadata"] = {**(given or {}), **metadata}
        return action(self, type, *arguments, **options)

    signature = inspect.signature(action)
    parameters = [parameter for name, parameter in signature.parameters.items() if name != "type"]
    method.__name__, method.__qualname__, method.__doc__ = type, f"Application.{type}", doc
    setattr(method, "__signature__", signature.replace(parameters=parameters))
    return method


@dataclasses.dataclass(frozen=True)
class SidecarConfiguration:
    """Configuration that the sidecar sends to the application (`ConfigureRequest`).

    Attributes:
        otlp_grpc_endpoint: Address of the sidecar's OTLP receiver over gRPC, such as `http://127.0.0.1:4317`. Empty if it has none.
        otlp_http_endpoint: Address of the sidecar's OTLP receiver over HTTP, such as `http://127.0.0.1:4318`. Empty if it has none.
        sidecar_version: Version of the sidecar, such as `0.1.0`.
        max_message_bytes: Largest gRPC message that the sidecar accepts or sends, in bytes.
        features: Features beyond version 1 of the contract that the sidecar supports.
    """

    otlp_grpc_endpoint: str
    otlp_http_endpoint: str
    sidecar_version: str
    max_message_bytes: int
    features: Sequence[str]


class Application:
    """Defines the actions of an application and serves them to genkit-sidecar.

    Args:
        name: Name of the application in the Dev UI.
        environments: Environments that the application is meant for. None given means `dev`.
        resolve: Returns the action for a key that is not listed, or None.
        on_configure: Called with the sidecar's configuration after each connection of the sidecar and on each change.
    """

    def __init__(
        self,
        name: str = "",
        *,
        environments: Sequence[str] = (),
        resolve: Callable[[str], Action | None] | None = None,
        on_configure: Callable[[SidecarConfiguration], None] | None = None,
    ) -> None:
        self.name = name
        self.values: dict[str, Mapping[str, Any]] = {}
        """Values that `ListValues` returns, by type and name, such as `{"defaultModel": {"defaultModel": {"name": "echo"}}}`."""
        self._environments = tuple(environments)
        self._resolve = resolve
        self._on_configure = on_configure
        self._actions: dict[str, Action] = {}

    def action(
        self,
        type: str,
        name: str | None = None,
        *,
        description: str | None = None,
        input_schema: Any = None,
        output_schema: Any = None,
        stream_schema: Any = None,
        init_schema: Any = None,
        metadata: Mapping[str, Any] | None = None,
        bidi: bool | None = None,
    ) -> _Decorator:
        """Defines an action of any type. The function takes `(input, context)`, only one of them, or no arguments.

        Args:
            type: Genkit's action type, such as `custom`.
            name: Name of the action. May contain slashes. Defaults to the function's name.
            description: What the action does. Defaults to the first line of the docstring.
            input_schema: Type or JSON Schema of the input. Defaults to the annotation.
            output_schema: Type or JSON Schema of the result. Defaults to the annotation.
            stream_schema: Type or JSON Schema of one output chunk. Defaults to the type that a generator is annotated to yield.
            init_schema: Type or JSON Schema of the value that a session starts from.
            metadata: Metadata of the action type for Genkit's tools: a JSON object.
            bidi: Whether the function takes an iterator of inputs. Defaults to the annotation.

        Raises:
            TypeError: The parameters of the function are not supported, or a type has no JSON representation.
        """
        return self._define(
            type,
            name,
            lambda name: metadata,
            description=description,
            input_schema=input_schema,
            output_schema=output_schema,
            stream_schema=stream_schema,
            init_schema=init_schema,
            bidi=bidi,
        )

    flow = _for_type(action, "flow", doc="Defines a flow. Takes the options of `action`.")
    tool = _for_type(action, "tool", doc="Defines a tool. Takes the options of `action`.", metadata={"type": "tool"})

    def model(
        self,
        name: str | None = None,
        *,
        label: str | None = None,
        versions: Sequence[str] | None = None,
        supports: Mapping[str, Any] | None = None,
        stage: str | None = None,
        config_schema: Any = None,
        metadata: Mapping[str, Any] | None = None,
        description: str | None = None,
    ) -> _Decorator:
        """Defines a model. The function takes Genkit's `GenerateRequest` and returns its `GenerateResponse`.

        A streamed chunk is a `GenerateResponseChunk`.

        Args:
            name: Name of the model, such as `acme/large`. Defaults to the function's name.
            label: Name in the Dev UI. Defaults to the name.
            versions: Versions that a request may ask for.
            supports: Capabilities, such as `{"multiturn": True, "tools": False, "media": False, "systemRole": True}`.
            stage: `featured`, `stable`, `unstable`, `legacy` or `deprecated`.
            config_schema: Type or JSON Schema of the request's `config`, for the form in the Dev UI.
            metadata: Additional metadata for Genkit's tools: a JSON object.
            description: What the model does. Defaults to the label.
        """

        def kind(name: str) -> dict[str, Any]:
            return kinds.model(label or name, versions, supports, stage, config_schema)

        return self._define("model", name, kind, metadata, description=description or label)

    def prompt(
        self,
        name: str | None = None,
        *,
        model: str | None = None,
        config: Mapping[str, Any] | None = None,
        input_schema: Any = None,
        input_default: Any = None,
        tools: Sequence[str] = (),
        metadata: Mapping[str, Any] | None = None,
        description: str | None = None,
    ) -> _Decorator:
        """Defines a prompt. The function takes the prompt's variables and returns Genkit's `GenerateRequest`, `{"messages": […]}`.

        Args:
            name: Name of the prompt. Defaults to the function's name.
            model: Name of the model that the prompt is meant for.
            config: Configuration of the model: a JSON object.
            input_schema: Type or JSON Schema of the variables. Defaults to the annotation.
            input_default: Default values of the variables: a JSON object.
            tools: Names of the tools that the model may call.
            metadata: Additional metadata for Genkit's tools: a JSON object.
            description: What the prompt does. Defaults to the first line of the docstring.
        """

        def kind(name: str, input_schema: Any) -> dict[str, Any]:
            return kinds.prompt(name, model, config, input_schema, input_default, tools)

        return self._define("prompt", name, kind, metadata, description=description, input_schema=input_schema)

    def embedder(
        self,
        name: str | None = None,
        *,
        label: str | None = None,
        dimensions: int | None = None,
        supports: Mapping[str, Any] | None = None,
        config_schema: Any = None,
        metadata: Mapping[str, Any] | None = None,
        description: str | None = None,
    ) -> _Decorator:
        """Defines an embedder. The function takes `{"input": [Document], "options"}` and returns `{"embeddings": [{"embedding": [number]}]}`.

        Args:
            name: Name of the embedder. Defaults to the function's name.
            label: Name in the Dev UI. Defaults to the name.
            dimensions: Number of elements of an embedding.
            supports: Capabilities, such as `{"input": ["text"], "multilingual": True}`.
            config_schema: Type or JSON Schema of `options`, for the form in the Dev UI.
            metadata: Additional metadata for Genkit's tools: a JSON object.
            description: What the embedder does. Defaults to the first line of the docstring.
        """

        def kind(name: str) -> dict[str, Any]:
            info = {"label": label or name, "dimensions": dimensions, "supports": supports}
            return kinds.embedder({key: value for key, value in info.items() if value is not None}, config_schema)

        return self._define("embedder", name, kind, metadata, description=description)

    def retriever(
        self,
        name: str | None = None,
        *,
        label: str | None = None,
        config_schema: Any = None,
        metadata: Mapping[str, Any] | None = None,
        description: str | None = None,
    ) -> _Decorator:
        """Defines a retriever. The function takes `{"query": Document, "options"}` and returns `{"documents": [Document]}`.

        Args:
            name: Name of the retriever. Defaults to the function's name.
            label: Name in the Dev UI. Defaults to the name.
            config_schema: Type or JSON Schema of `options`, for the form in the Dev UI.
            metadata: Additional metadata for Genkit's tools: a JSON object.
            description: What the retriever does. Defaults to the first line of the docstring.
        """
        return self._labelled("retriever", name, label, config_schema, metadata, description)

    def indexer(
        self,
        name: str | None = None,
        *,
        label: str | None = None,
        config_schema: Any = None,
        metadata: Mapping[str, Any] | None = None,
        description: str | None = None,
    ) -> _Decorator:
        """Defines an indexer. The function takes `{"documents": [Document], "options"}` and returns nothing.

        Args:
            name: Name of the indexer. Defaults to the function's name.
            label: Name in the Dev UI. Defaults to the name.
            config_schema: Type or JSON Schema of `options`, for the form in the Dev UI.
            metadata: Additional metadata for Genkit's tools: a JSON object.
            description: What the indexer does. Defaults to the first line of the docstring.
        """
        return self._labelled("indexer", name, label, config_schema, metadata, description)

    def reranker(
        self,
        name: str | None = None,
        *,
        label: str | None = None,
        config_schema: Any = None,
        metadata: Mapping[str, Any] | None = None,
        description: str | None = None,
    ) -> _Decorator:
        """Defines a reranker. The function takes `{"query": Document, "documents": [Document], "options"}`.

        It returns `{"documents": [Document]}` with a `metadata.score` in each document.

        Args:
            name: Name of the reranker. Defaults to the function's name.
            label: Name in the Dev UI. Defaults to the name.
            config_schema: Type or JSON Schema of `options`, for the form in the Dev UI.
            metadata: Additional metadata for Genkit's tools: a JSON object.
            description: What the reranker does. Defaults to the first line of the docstring.
        """
        return self._labelled("reranker", name, label, config_schema, metadata, description)

    def evaluator(
        self,
        name: str | None = None,
        *,
        display_name: str | None = None,
        definition: str = "",
        is_billed: bool = False,
        metadata: Mapping[str, Any] | None = None,
        description: str | None = None,
    ) -> _Decorator:
        """Defines an evaluator. The function scores one test case and is called for each test case of a dataset.

        A test case is `{"testCaseId", "input", "output", "context", "reference"}`. A score is
        `{"score", "status": "PASS" | "FAIL" | "UNKNOWN", "details": {"reasoning"}}`. The function returns one score, or a list of
        scores that each have an `id`. If it raises, only that test case fails.

        Args:
            name: Name of the evaluator. Defaults to the function's name.
            display_name: Name in the Dev UI. Defaults to the name.
            definition: What the evaluator measures.
            is_billed: Whether an evaluation costs money, in which case the CLI asks for confirmation.
            metadata: Additional metadata for Genkit's tools: a JSON object.
            description: What the evaluator does. Defaults to `definition`.
        """

        def kind(name: str) -> dict[str, Any]:
            return kinds.evaluator(display_name or name, definition, is_billed)

        return self._define("evaluator", name, kind, metadata, description=description or definition or None)

    def _labelled(
        self,
        type: str,
        name: str | None,
        label: str | None,
        config_schema: Any,
        metadata: Mapping[str, Any] | None,
        description: str | None,
    ) -> _Decorator:
        return self._define(
            type, name, lambda name: kinds.labelled(type, label or name, config_schema), metadata, description=description
        )

    def _define(self, type: str, name: str | None, kind: Any, metadata: Mapping[str, Any] | None = None, **options: Any) -> _Decorator:
        if callable(name):
            raise TypeError(f"@application.{type} needs parentheses: write @application.{type}()")

        def decorate(handler: _Handler) -> _Handler:
            action = define(type, name, handler, **options)
            if type == "evaluator":
                action = kinds.for_each_test_case(action)
            known = kind(action.name, action.input_schema) if type == "prompt" else kind(action.name)
            schemas = {
                "input_schema": kinds.schema_of(type, "input") or action.input_schema,
                "output_schema": kinds.schema_of(type, "output") or action.output_schema,
            }
            self.add(dataclasses.replace(action, metadata={**(metadata or {}), **(known or {})}, **schemas))
            return handler

        return decorate

    def add(self, action: Action) -> None:
        """Adds an action. It replaces an action with the same key.

        Raises:
            TypeError: The metadata or a schema has no JSON representation.
        """
        try:
            action.listed()  # one action that cannot be listed would fail every ListActions call
        except (TypeError, ValueError, RecursionError) as error:
            raise TypeError(f"{action.key}: {error}") from None
        self._actions = {**self._actions, action.key: action}

    def remove(self, key: str) -> None:
        """Removes the action with the given key. Active runs continue."""
        self._actions = {listed: action for listed, action in self._actions.items() if listed != key}

    @property
    def actions(self) -> Iterable[Action]:
        """The listed actions."""
        return self._actions.values()

    def find(self, key: str) -> Action | None:
        """Returns the listed action with the given key, else the action that `resolve` returns, else None."""
        return self._actions.get(key) or (self._resolve(key) if self._resolve else None)

    def serve(
        self,
        address: str | None = None,
        *,
        credentials: grpc.ServerCredentials | None = None,
        interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
        options: Sequence[tuple[str, Any]] = (),
        grace: float = 2.0,
    ) -> None:
        """Serves until SIGINT or SIGTERM. Active runs may then continue for `grace` seconds. A second signal cancels them at once.

        Only the main thread receives signals. In any other thread, `serve` runs until the process ends.

        Args:
            address: `host:port` or `unix:/path`. Defaults to the environment variable GENKIT_SIDECAR_LISTEN, else 127.0.0.1:50051.
            credentials: TLS credentials from `grpc.ssl_server_credentials`. None serves plain text.
            interceptors: Server interceptors of grpc.aio.
            options: gRPC channel arguments. `grpc.max_receive_message_length` is 100 MiB unless given, in bytes.
            grace: Time that active runs may continue after a signal, in seconds.

        Raises:
            RuntimeError: The server cannot listen on the address, or the thread already runs an event loop.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            raise RuntimeError("an event loop is already running in this thread. Use `await application.start(…)` instead of serve")
        asyncio.run(self._serve(address, credentials, interceptors, options, grace))

    async def _serve(self, address: Any, credentials: Any, interceptors: Any, options: Any, grace: float) -> None:
        server = await self.start(address, credentials=credentials, interceptors=interceptors, options=options)
        loop = asyncio.get_running_loop()
        stops: list[asyncio.Task[None]] = []

        def stop() -> None:
            stops.append(loop.create_task(server.stop(None if stops else grace)))

        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, stop)
        print(f"{self.name or 'The application'} listens on {server.address}", file=sys.stderr, flush=True)
        await server.wait()

    async def start(
        self,
        address: str | None = None,
        *,
        credentials: grpc.ServerCredentials | None = None,
        interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
        options: Sequence[tuple[str, Any]] = (),
    ) -> RunningServer:
        """Starts serving on the running event loop.

        Args:
            address: As for `serve`. Port 0 selects a free port.
            credentials: As for `serve`.
            interceptors: As for `serve`.
            options: As for `serve`.

        Raises:
            RuntimeError: The server cannot listen on the address.
        """
        asked = address or os.environ.get(LISTEN) or _DEFAULT_ADDRESS
        defaults = (("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES), ("grpc.so_reuseport", 0))
        if not asked.startswith("unix") and not re.search(r":\d+$", asked):
            raise RuntimeError(f"cannot listen on {asked}: the address has no port. Set {LISTEN}, or pass another address to serve")
        server = grpc.aio.server(interceptors=tuple(interceptors), options=(*defaults, *options))
        health = Health()
        server.add_generic_rpc_handlers((service.handler(self, blocking=False), health.handler()))
        mask = os.umask(0o177) if asked.startswith("unix:") else None  # the socket has mode 0600 from its creation
        try:
            port = server.add_secure_port(asked, credentials) if credentials else server.add_insecure_port(asked)
        except RuntimeError:
            port = 0
        finally:
            if mask is not None:
                os.umask(mask)
        if port == 0:
            raise RuntimeError(
                f"cannot listen on {asked}: the address is in use, or it is not host:port or unix:/path with at most 107 characters."
                f" Set {LISTEN}, or pass another address to serve"
            )
        await server.start()
        return RunningServer(server, health, asked if asked.startswith("unix") else f"{asked.rpartition(':')[0]}:{port}")

    def add_to(self, server: grpc.Server | grpc.aio.Server) -> None:
        """Adds `ActionService` to a server before it is started. The server may have other services.

        In a blocking server each run occupies one thread of its pool. The server keeps its own health service and message size limits.
        """
        server.add_generic_rpc_handlers((service.handler(self, blocking=not isinstance(server, grpc.aio.Server)),))

    def _runtime_info(self) -> pb.GetRuntimeInfoResponse:
        return pb.GetRuntimeInfoResponse(name=self.name, genkit_version=f"python/{__version__}", environments=self._environments)

    def _values_of(self, type: str) -> bytes:
        return to_json(self.values[type]) if type in self.values else b""

    def _configure(self, request: pb.ConfigureRequest) -> pb.ConfigureResponse:
        if self._on_configure:
            self._on_configure(
                SidecarConfiguration(
                    otlp_grpc_endpoint=request.otlp_grpc_endpoint,
                    otlp_http_endpoint=request.otlp_http_endpoint,
                    sidecar_version=request.sidecar_version,
                    max_message_bytes=request.max_message_bytes,
                    features=tuple(request.features),
                )
            )
        return pb.ConfigureResponse()


class RunningServer:
    """A server that `Application.start` has started.

    Attributes:
        address: Address that the server listens on, with the port that was selected.
    """

    def __init__(self, server: grpc.aio.Server, health: Health, address: str) -> None:
        self.address = address
        self._server = server
        self._health = health

    async def stop(self, grace: float | None = None) -> None:
        """Stops accepting calls, lets active calls continue for `grace` seconds, and then cancels them."""
        self._health.stop()
        await self._server.stop(grace)

    async def wait(self) -> None:
        """Returns when the server has stopped."""
        await self._server.wait_for_termination()
