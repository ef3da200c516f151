"""`ActionService` for the actions of an application, on grpc.aio servers and on blocking servers."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import operator
import queue
import threading
from typing import TYPE_CHECKING, Any, AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping

import grpc

from ._stubs.genkit.sidecar.v1 import action_service_pb2 as pb
from .run import run

if TYPE_CHECKING:
    from .application import Application

_SERVICE = pb.DESCRIPTOR.services_by_name["ActionService"]
_NO_START = "the first message must be start"


def handler(application: Application, *, blocking: bool) -> grpc.GenericRpcHandler:
    """Returns the handler to add to a blocking server or a grpc.aio server."""
    runs: Any = _BlockingRuns(application) if blocking else _Runs(application)
    unary: dict[str, Callable[[Any], Any]] = {
        "GetRuntimeInfo": lambda request: application._runtime_info(),
        "ListActions": lambda request: pb.ListActionsResponse(actions=[action.listed() for action in application.actions]),
        "ListValues": lambda request: pb.ListValuesResponse(values_json=application._values_of(request.type)),
        "Configure": application._configure,
    }
    methods = {
        name: grpc.unary_unary_rpc_method_handler(_unary(answer, blocking), *_codec(name)) for name, answer in unary.items()
    }
    methods["RunAction"] = grpc.unary_stream_rpc_method_handler(runs.run_action, *_codec("RunAction"))
    methods["RunBidiAction"] = grpc.stream_stream_rpc_method_handler(runs.run_bidi_action, *_codec("RunBidiAction"))
    return grpc.method_handlers_generic_handler(_SERVICE.full_name, methods)


def _codec(method: str) -> tuple[Callable[[bytes], Any], Callable[[Any], bytes]]:
    request = getattr(pb, _SERVICE.methods_by_name[method].input_type.name)
    return request.FromString, operator.methodcaller("SerializeToString")


def _unary(answer: Callable[[Any], Any], blocking: bool) -> Callable[[Any, Any], Any]:
    if blocking:
        return lambda request, context: answer(request)

    async def answered(request: Any, context: Any) -> Any:
        return answer(request)

    return answered


def _metadata(context: Any) -> Mapping[str, Any]:
    found: dict[str, Any] = {}
    for key, value in context.invocation_metadata() or ():
        found[key] = f"{found[key]},{value}" if key in found and isinstance(value, str) else value
    return found


def _start_of(first: pb.RunBidiActionRequest | None) -> pb.RunActionRequest | None:
    return first.start if first is not None and first.WhichOneof("request") == "start" else None


class _Runs:
    """Runs actions on the event loop of the server. Each run has its own task, and the call's task yields the updates.

    The run does not write to the call directly, because interceptors such as OpenTelemetry's require handlers that yield.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    async def run_action(self, start: pb.RunActionRequest, context: Any) -> AsyncIterator[Any]:
        async with contextlib.aclosing(self._run(start, None, context, pb.RunActionResponse)) as updates:
            async for update in updates:
                yield update

    async def run_bidi_action(self, requests: AsyncIterator[pb.RunBidiActionRequest], context: Any) -> AsyncIterator[Any]:
        start = _start_of(await anext(requests, None))
        if start is None:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, _NO_START)
        chunks = (request.chunk_json async for request in requests if request.WhichOneof("request") == "chunk_json")
        async with contextlib.aclosing(self._run(start, chunks, context, pb.RunBidiActionResponse)) as updates:
            async for update in updates:
                yield update

    async def _run(self, start: Any, chunks: AsyncIterator[bytes] | None, context: Any, response: Any) -> AsyncGenerator[Any, None]:
        updates: asyncio.Queue[tuple[Any, asyncio.Event] | None] = asyncio.Queue()
        over = False

        async def send(**update: Any) -> None:
            if over:
                raise ConnectionError("the call has ended")
            sent = asyncio.Event()
            updates.put_nowait((response(**update), sent))
            await sent.wait()

        def end(_: Any) -> None:
            nonlocal over
            over = True
            running.cancel()

        running = asyncio.create_task(run(self._application.find, start, chunks, _metadata(context), context, send))
        running.add_done_callback(lambda _: updates.put_nowait(None))
        context.add_done_callback(end)  # gRPC does not close a generator that it has not resumed
        try:
            while (update := await updates.get()) is not None:
                yield update[0]
                update[1].set()  # gRPC resumes the generator after it has sent the previous update
            running.result()
        finally:
            end(context)
            await asyncio.wait({running})


class _BlockingRuns:
    """Runs actions on an event loop that the library owns. A thread of the server's pool waits for the updates of each run."""

    def __init__(self, application: Application) -> None:
        self._application = application

    def run_action(self, start: pb.RunActionRequest, context: grpc.ServicerContext) -> Iterator[Any]:
        return self._run(start, None, context, pb.RunActionResponse)

    def run_bidi_action(self, requests: Iterator[pb.RunBidiActionRequest], context: grpc.ServicerContext) -> Iterator[Any]:
        start = _start_of(next(requests, None))
        if start is None:
            never: Iterator[Any] = context.abort(grpc.StatusCode.INVALID_ARGUMENT, _NO_START)  # raises
            return never
        return self._run(start, requests, context, pb.RunBidiActionResponse)

    def _run(self, start: pb.RunActionRequest, requests: Any, context: grpc.ServicerContext, response: Any) -> Iterator[Any]:
        loop = _loop()
        updates: queue.SimpleQueue[tuple[Any, Callable[[], object]] | None] = queue.SimpleQueue()
        call = _BlockingCall(context)

        async def send(**update: Any) -> None:
            if call.aborted or not context.is_active():
                raise ConnectionError("the call has ended")
            sent = asyncio.Event()
            updates.put((response(**update), functools.partial(loop.call_soon_threadsafe, sent.set)))
            await sent.wait()

        async def whole() -> None:
            source = None if requests is None else _Requests(requests, loop)
            chunks = None if source is None else source.chunks()
            try:
                await run(self._application.find, start, chunks, _metadata(context), call, send)
            finally:
                if source is not None:
                    source.end()
                updates.put(None)

        future = asyncio.run_coroutine_threadsafe(whole(), loop)
        if not context.add_callback(future.cancel):
            future.cancel()
        while (update := updates.get()) is not None:
            yield update[0]
            update[1]()  # gRPC resumes the generator after it has sent the previous update
        if not future.cancelled():
            future.result()


class _BlockingCall:
    """The context of a blocking call. Records whether a handler aborted the call, because gRPC raises a bare Exception for that."""

    def __init__(self, context: grpc.ServicerContext) -> None:
        self._context = context
        self.aborted = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def abort(self, code: grpc.StatusCode, details: str) -> None:
        self.aborted = True
        self._context.abort(code, details)

    def abort_with_status(self, status: Any) -> None:
        self.aborted = True
        self._context.abort_with_status(status)


class _Requests:
    """Reads the requests of a blocking call in a thread, at most one ahead of the consumer."""

    def __init__(self, requests: Iterator[pb.RunBidiActionRequest], loop: asyncio.AbstractEventLoop) -> None:
        self._requests = requests
        self._loop = loop
        self._read: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._wanted = threading.Semaphore(1)
        self._ended = False
        threading.Thread(target=self._pump, name="genkit input", daemon=True).start()

    async def chunks(self) -> AsyncIterator[bytes]:
        while (chunk := await self._read.get()) is not None:
            self._wanted.release()
            yield chunk

    def end(self) -> None:
        self._ended = True
        self._wanted.release()

    def _pump(self) -> None:
        try:
            for request in self._requests:
                if request.WhichOneof("request") == "chunk_json":
                    self._wanted.acquire()
                    if self._ended:
                        return
                    self._loop.call_soon_threadsafe(self._read.put_nowait, request.chunk_json)
        except Exception:  # gRPC raises when the call ends; the run is cancelled separately
            return
        self._loop.call_soon_threadsafe(self._read.put_nowait, None)


_starting = threading.Lock()


def _loop() -> asyncio.AbstractEventLoop:
    with _starting:  # concurrent first runs must share one loop, because asyncio primitives belong to one loop
        return _started_loop()


@functools.cache
def _started_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="genkit_sidecar", daemon=True).start()
    return loop
