"""An application: its actions, and how they are served."""

from __future__ import annotations

import asyncio
import dataclasses
import os
import re
import signal
import sys
import threading
from typing import Any, Callable, Iterable, Mapping, Protocol, Sequence, TypeVar

import grpc

from . import kinds, service
from ._stubs.genkit.sidecar.v1 import action_service_pb2 as pb
from ._version import __version__
from .action import Action, define
from .health import Health
from .json_value import to_json

_Handler = TypeVar("_Handler", bound=Callable[..., Any])

LISTEN = "GENKIT_SIDECAR_LISTEN"
_DEFAULT_ADDRESS = "127.0.0.1:50051"
_MAX_MESSAGE_BYTES = 100 << 20  # gRPC's own limit is 4 MiB; Genkit's manager closes at 100


class _Decorator(Protocol):
    """Returns the function as it was, with its type."""

    def __call__(self, handler: _Handler, /) -> _Handler: ...


@dataclasses.dataclass(frozen=True)
class SidecarConfiguration:
    """What the sidecar says of itself. An endpoint that it does not have is empty."""

    otlp_grpc_endpoint: str
    otlp_http_endpoint: str
    sidecar_version: str
    max_message_bytes: int
    features: Sequence[str]


class Application:
    """The actions that Genkit's tools see.

    Args:
        name: Name of the application in the Dev UI.
        environments: Environments that it is meant for; none stand for `dev`.
        resolve: Finds an action by a key that is not listed, or returns None.
        on_configure: Told what the sidecar says of itself, after each of its connections.
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
        """What `ListValues` answers by type, such as `{"defaultModel": {"defaultModel": {"name": "echo"}}}`."""
        self._environments = tuple(environments)
        self._resolve = resolve
        self._on_configure = on_configure
        self._actions: dict[str, Action] = {}

    # Defining

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
        """Makes an action of any type out of a function `(input, context)`, either alone, or nothing.

        Args:
            type: Genkit's type of action, such as `custom`.
            name: Name, possibly with slashes; the function's where it is None.
            description: What it does; the docstring's first line where it is None.
            input_schema: Type, or JSON Schema given by hand; from the annotation where it is None.
            output_schema: The same of the result.
            stream_schema: The same of one chunk of output; from what a generator is annotated to yield where it is None.
            init_schema: The same of what a session starts from.
            metadata: What Genkit's tools know of the type: a JSON object.
            bidi: Whether the function takes an iterator of inputs; from the annotation where it is None.
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

    def flow(
        self,
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
        """A flow. Takes the options of `action`."""
        return self.action(
            "flow",
            name,
            description=description,
            input_schema=input_schema,
            output_schema=output_schema,
            stream_schema=stream_schema,
            init_schema=init_schema,
            metadata=metadata,
            bidi=bidi,
        )

    def tool(
        self,
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
        """A tool. Takes the options of `action`."""
        return self.action(
            "tool",
            name,
            description=description,
            input_schema=input_schema,
            output_schema=output_schema,
            stream_schema=stream_schema,
            init_schema=init_schema,
            metadata={**(metadata or {}), "type": "tool"},
            bidi=bidi,
        )

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
        """A model: takes Genkit's GenerateRequest, returns its GenerateResponse, sends GenerateResponseChunks.

        Args:
            name: Name, such as `acme/large`.
            label: Name in the Dev UI.
            versions: Versions that a request may name.
            supports: What it can: `{"multiturn": True, "tools": False, "media": False, "systemRole": True}`.
            stage: `featured`, `stable`, `unstable`, `legacy` or `deprecated`.
            config_schema: Type or JSON Schema of the request's `config`, for the Dev UI's form.
            metadata: More for Genkit's tools.
            description: The label where it is None.
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
        """A prompt: takes its variables, returns Genkit's GenerateRequest, `{"messages": […]}`."""

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
        """An embedder: takes `{"input": [Document], "options"}`, returns `{"embeddings": [{"embedding": [number]}]}`."""

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
        """A retriever: takes `{"query": Document, "options"}`, returns `{"documents": [Document]}`."""
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
        """An indexer: takes `{"documents": [Document], "options"}`, returns nothing."""
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
        """A reranker: takes `{"query", "documents", "options"}`, returns documents with `metadata.score`."""
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
        """An evaluator: takes one test case, `{"testCaseId", "input", "output", "context", "reference"}`, returns its score or scores.

        A score is `{"score", "status": "PASS" | "FAIL" | "UNKNOWN", "details": {"reasoning"}}`; of several, each has an `id`.
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
            raise TypeError(f"write @application.{type}(), with parentheses")

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
        """Lists an action from now on, in the place of one with the same key.

        Raises TypeError where its metadata or a schema given by hand is not JSON.
        """
        try:
            action.listed()  # for one that cannot be listed would fail the listing of all
        except (TypeError, ValueError, RecursionError) as error:
            raise TypeError(f"{action.key}: {error}") from None
        self._actions = {**self._actions, action.key: action}

    def remove(self, key: str) -> None:
        """Lists and runs the action no more. Runs that have started go on."""
        self._actions = {listed: action for listed, action in self._actions.items() if listed != key}

    @property
    def actions(self) -> Iterable[Action]:
        """The actions that are listed."""
        return self._actions.values()

    def find(self, key: str) -> Action | None:
        """Finds a listed action, or one that `resolve` knows."""
        return self._actions.get(key) or (self._resolve(key) if self._resolve else None)

    # Serving

    def serve(
        self,
        address: str | None = None,
        *,
        credentials: grpc.ServerCredentials | None = None,
        interceptors: Sequence[grpc.aio.ServerInterceptor] = (),
        options: Sequence[tuple[str, Any]] = (),
        grace: float = 2.0,
    ) -> None:
        """Serves until SIGINT or SIGTERM, then lets active runs go on for `grace` seconds. A second signal ends them at once.

        In another thread than the main one, which alone gets signals, it serves until the process ends.

        Args:
            address: `host:port` or `unix:/path`; where it is None, the variable GENKIT_SIDECAR_LISTEN, else 127.0.0.1:50051.
            credentials: TLS, from `grpc.ssl_server_credentials`; none for plain text.
            interceptors: Interceptors of grpc.aio.
            options: Channel arguments, such as `("grpc.max_receive_message_length", …)`, which is 100 MiB.
            grace: How long active runs may go on after a signal, in seconds.

        Raises RuntimeError where it cannot listen there, or an event loop runs here already.
        """
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            pass
        else:
            raise RuntimeError("an event loop runs here already: take `await application.start(…)` instead of serve")
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
        """Starts to serve on the running event loop. Takes what `serve` takes; port 0 chooses one."""
        asked = address or os.environ.get(LISTEN) or _DEFAULT_ADDRESS
        defaults = (("grpc.max_receive_message_length", _MAX_MESSAGE_BYTES), ("grpc.so_reuseport", 0))
        if not asked.startswith("unix") and not re.search(r":\d+$", asked):
            raise RuntimeError(f"cannot listen on {asked}: it has no port. {LISTEN} or the argument of serve names another address")
        server = grpc.aio.server(interceptors=tuple(interceptors), options=(*defaults, *options))
        health = Health()
        server.add_generic_rpc_handlers((service.handler(self, blocking=False), health.handler()))
        mask = os.umask(0o177) if asked.startswith("unix:") else None  # a socket is its owner's alone, from its first moment
        try:
            port = server.add_secure_port(asked, credentials) if credentials else server.add_insecure_port(asked)
        except RuntimeError:
            port = 0
        finally:
            if mask is not None:
                os.umask(mask)
        if port == 0:
            raise RuntimeError(
                f"cannot listen on {asked}: it is taken, or it is not host:port or unix:/path, of 107 characters at most."
                f" {LISTEN} or the argument of serve names another address"
            )
        await server.start()
        return RunningServer(server, health, asked if asked.startswith("unix") else f"{asked.rpartition(':')[0]}:{port}")

    def add_to(self, server: grpc.Server | grpc.aio.Server) -> None:
        """Adds `ActionService` to a server that has not started, beside its other services.

        In a blocking server each run holds one thread of its pool. Health and the limit of received messages are the server's own.
        """
        server.add_generic_rpc_handlers((service.handler(self, blocking=not isinstance(server, grpc.aio.Server)),))

    # What the service asks for

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
    """A server that `Application.start` started.

    Attributes:
        address: Where it listens, with the port that was chosen.
    """

    def __init__(self, server: grpc.aio.Server, health: Health, address: str) -> None:
        self.address = address
        self._server = server
        self._health = health

    async def stop(self, grace: float | None = None) -> None:
        """Takes no more calls, lets active ones go on for `grace` seconds, then cancels them."""
        self._health.stop()
        await self._server.stop(grace)

    async def wait(self) -> None:
        """Returns when the server has stopped."""
        await self._server.wait_for_termination()
