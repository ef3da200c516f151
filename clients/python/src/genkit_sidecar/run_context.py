"""What a handler knows of its run, and how it sends chunks."""

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
"""Sends one update of a run, named as the members of `RunActionResponse.update` are."""

_TRACE_HEADERS = ("traceparent", "tracestate", "baggage")

# In a blocking server a call is over a moment before its handler is cancelled, which is how handlers learn of it. Seconds.
_CANCEL_FOLLOWS = 10

_current: contextvars.ContextVar[ActionRun] = contextvars.ContextVar("genkit_sidecar_run")


def current_run() -> ActionRun:
    """The run that the calling code belongs to, in any depth. Raises LookupError outside of one."""
    return _current.get()


def _is_being_cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and hasattr(task, "cancelling") and task.cancelling() > 0  # from Python 3.11 on


class _Ended(RuntimeError):
    """Of a handler that sends behind its run's end."""


class ActionRun:
    """What any handler knows of its run.

    Attributes:
        key: Key that was run, `/<type>/<name>`.
        streaming_requested: Whether the caller wants chunks. Sending them where not costs nothing.
        telemetry_labels: Labels that the caller gave for the run's spans.
        metadata: gRPC metadata of the call; the values of a repeated key are joined by commas, as HTTP has it.
        init: What a session starts from, read as `init_schema`, or None.
        grpc_context: The call, for what this library has no word for.
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
        """Context of the run, such as `{"auth": {…}}`, or None. Keep it out of logs."""
        return None if self.context_json is None else from_json(self.context_json, "the context")

    @property
    def trace_headers(self) -> dict[str, str]:
        """W3C trace context of the call: what OpenTelemetry's `extract` takes, and what goes with requests to others."""
        return {name: self.metadata[name] for name in _TRACE_HEADERS if name in self.metadata}

    async def _put(self, **update: Any) -> None:
        async with self._sending:  # for gRPC takes one message of a call at a time
            if self._ended:
                raise _Ended(f"the run of {self.key} has ended: nothing can be sent any more")
            await self._send(**update)

    async def _update(self, **update: Any) -> None:
        try:
            await self._put(**update)
        except _Ended:
            raise
        except Exception as error:
            if not _is_being_cancelled():
                await asyncio.sleep(_CANCEL_FOLLOWS)
            raise ActionCancelled(f"the caller of {self.key} is gone") from error

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
    """The run of an async handler. Its cancellation is asyncio's: `CancelledError` where the handler awaits."""

    async def send_chunk(self, chunk: Any) -> None:
        """Sends one chunk of streamed output; returns when gRPC has taken it, so a slow caller slows the handler."""
        await self._chunk(chunk)

    async def send_state(self, trace_id: str) -> None:
        """Tells the trace id of the application's own spans, where they could not join the call's. Before any chunk."""
        await self._update(state=pb.ActionState(trace_id=trace_id))


class SyncActionRunContext(ActionRun):
    """The run of a blocking handler, which has a thread of its own.

    Attributes:
        cancelled: Set when the run is cancelled. A handler that neither sends nor reads has to look at it.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.cancelled = threading.Event()
        self._loop = asyncio.get_running_loop()
        self._awaited: set[concurrent.futures.Future[Any]] = set()

    def send_chunk(self, chunk: Any) -> None:
        """Sends one chunk of streamed output; returns when gRPC has taken it. Raises ActionCancelled."""
        self._wait(self._chunk(chunk))

    def send_state(self, trace_id: str) -> None:
        """Tells the trace id of the application's own spans, where they could not join the call's. Before any chunk."""
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
