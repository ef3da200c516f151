"""The run context of a handler."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextvars
import threading
from typing import TYPE_CHECKING, Any, Awaitable, Callable, Coroutine, Mapping, TypeVar

from ._stubs.genkit.sidecar.v1 import action_service_pb2 as pb
from .errors import ActionCancelled
from .json_value import RawJson, from_json, to_json

if TYPE_CHECKING:
    from .action import Action

_T = TypeVar("_T")

Send = Callable[..., Awaitable[None]]
"""Sends one update of a run. The keyword is a member of the oneof `RunActionResponse.update`."""

_TRACE_HEADERS = ("traceparent", "tracestate", "baggage")

# Seconds to wait for the cancellation of a handler whose call has ended. A blocking server ends the call slightly earlier.
_CANCEL_FOLLOWS = 10

_current: contextvars.ContextVar[ActionRun] = contextvars.ContextVar("genkit_sidecar_run")


def current_run() -> ActionRun:
    """Returns the run that the calling code belongs to, at any call depth.

    Raises:
        LookupError: The code does not belong to a run.
    """
    return _current.get()


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and hasattr(task, "cancelling") and task.cancelling() > 0  # Python 3.11 and later


class _Ended(RuntimeError):
    """A handler sent an update after the end of its run."""


class ActionRun:
    """The run context that blocking and async handlers have in common.

    Attributes:
        key: Key of the action, `/<type>/<name>`.
        streaming_requested: Whether the caller wants chunks. If False, chunks that the handler sends are dropped.
        telemetry_labels: Labels for the run's spans, set by the caller.
        metadata: gRPC metadata of the call. The values of a repeated key are joined by commas, as in HTTP.
        input_json: The input as the caller sent it: one JSON value in UTF-8, or None if absent.
        init_json: The value that a session starts from, as the caller sent it, or None if absent.
        context_json: The context of the run as the caller sent it, or None if absent. May hold credentials.
        init: The value that a session starts from, read as the type `init_schema`, or None if absent.
        grpc_context: The gRPC call, for features that this library does not wrap.
    """

    def __init__(self, action: Action, start: pb.RunActionRequest, metadata: Mapping[str, Any], grpc_context: Any, send: Send) -> None:
        self.key = start.key
        self.streaming_requested = start.stream
        self.telemetry_labels: Mapping[str, str] = dict(start.telemetry_labels)
        self.metadata = metadata
        self.input_json = RawJson(start.input_json) if start.HasField("input_json") else None
        self.init_json = RawJson(start.init_json) if start.HasField("init_json") else None
        self.context_json = RawJson(start.context_json) if start.HasField("context_json") else None
        self.init = None if self.init_json is None else action.init_reader.read(self.init_json, "the init")
        self.grpc_context = grpc_context
        self._send = send
        self._sending = asyncio.Lock()
        self._ended = False

    @property
    def context(self) -> Any:
        """Context of the run, such as `{"auth": {…}}`, or None if absent. Do not log it: it may hold credentials."""
        return None if self.context_json is None else from_json(self.context_json, "the context")

    @property
    def trace_headers(self) -> dict[str, str]:
        """W3C trace context of the call: `traceparent`, `tracestate` and `baggage`. Pass it to OpenTelemetry's `extract`, or add it to outgoing requests."""
        return {name: self.metadata[name] for name in _TRACE_HEADERS if name in self.metadata}

    async def _put(self, **update: Any) -> None:
        async with self._sending:  # gRPC accepts one message per call at a time
            if self._ended:
                raise _Ended(f"the run of {self.key} has ended, so nothing can be sent")
            await self._send(**update)

    async def _update(self, **update: Any) -> None:
        try:
            await self._put(**update)
        except _Ended:
            raise
        except Exception as error:
            if not _is_being_cancelled():
                await asyncio.sleep(_CANCEL_FOLLOWS)
            raise ActionCancelled(f"the caller of {self.key} has disconnected") from error

    async def _chunk(self, chunk: Any) -> None:
        encoded = to_json(chunk)
        if self.streaming_requested:
            await self._update(chunk_json=encoded)

    async def _end(self, **update: Any) -> None:
        try:
            await self._put(**update)
        finally:
            self._ended = True


class ActionRunContext(ActionRun):
    """The run context of an async handler. Cancellation raises `asyncio.CancelledError` where the handler awaits."""

    async def send_chunk(self, chunk: Any) -> None:
        """Sends one chunk of streamed output. Returns when gRPC has accepted it, so a slow caller slows the handler.

        Raises:
            TypeError, ValueError: The chunk has no JSON representation.
        """
        await self._chunk(chunk)

    async def send_state(self, trace_id: str) -> None:
        """Reports the trace id of the application's spans if they do not join the trace of the call. Call it before sending chunks.

        Args:
            trace_id: Trace id of 32 lower-case hex digits.
        """
        await self._update(state=pb.ActionState(trace_id=trace_id))


class SyncActionRunContext(ActionRun):
    """The run context of a blocking handler, which runs in a thread of its own.

    Attributes:
        cancelled: Set when the run is cancelled. A handler that neither sends chunks nor reads input must check it.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.cancelled = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._awaited: set[concurrent.futures.Future[Any]] = set()

    def send_chunk(self, chunk: Any) -> None:
        """Sends one chunk of streamed output. Returns when gRPC has accepted it, so a slow caller slows the handler.

        Raises:
            ActionCancelled: The run was cancelled.
            TypeError, ValueError: The chunk has no JSON representation.
        """
        self._wait(self._chunk(chunk))

    def send_state(self, trace_id: str) -> None:
        """Reports the trace id of the application's spans if they do not join the trace of the call. Call it before sending chunks.

        Args:
            trace_id: Trace id of 32 lower-case hex digits.
        """
        self._wait(self._update(state=pb.ActionState(trace_id=trace_id)))

    def _wait(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        self._awaited.add(future)
        try:
            if self.cancelled.is_set():
                future.cancel()
            return future.result()
        except concurrent.futures.CancelledError:
            raise ActionCancelled(f"the run of {self.key} was cancelled") from None
        finally:
            self._awaited.discard(future)

    def _cancel(self) -> None:
        self.cancelled.set()
        for future in list(self._awaited):
            future.cancel()
