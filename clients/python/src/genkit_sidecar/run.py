"""One run of an action, from its start to the result or error that ends it."""

from __future__ import annotations

import asyncio
import contextvars
import functools
import inspect
import logging
import threading
import traceback
from typing import Any, AsyncIterator, Callable, Generator, Iterator, Mapping

import grpc

from ._stubs.genkit.sidecar.v1 import action_service_pb2 as pb
from .action import Action
from .errors import ActionCancelled, ActionError, StatusCode
from .json_value import ABSENT, to_json
from .result import Result
from .run_context import ActionRun, ActionRunContext, Send, SyncActionRunContext, _current

_log = logging.getLogger("genkit_sidecar")


async def run(
    find: Callable[[str], Action | None],
    start: pb.RunActionRequest,
    chunks: AsyncIterator[bytes] | None,
    metadata: Mapping[str, Any],
    grpc_context: Any,
    send: Send,
) -> None:
    """Runs an action and sends its updates.

    Args:
        find: Returns the action for a key, or None.
        start: The request that starts the run.
        chunks: Streamed input, or None if the call has none.
        metadata: gRPC metadata of the call.
        grpc_context: The gRPC call.
        send: Sends one update, given as a keyword argument. Raises if the call has ended.

    Raises:
        CancelledError: The call was cancelled. Failures of the action are sent as updates.
    """
    context: ActionRun | None = None

    async def end(**update: Any) -> bool:
        try:
            if context is None:
                await send(**update)
            else:
                await context._end(**update)
        except Exception:  # the call has ended, so the update has no receiver
            return False
        return True

    try:
        action = find(start.key)
        if action is None:
            raise ActionError(StatusCode.NOT_FOUND, f"action {start.key} not found", stack="")
        kind: type[ActionRun] = ActionRunContext if action.is_async else SyncActionRunContext
        context = kind(action, start, metadata, grpc_context, send)
        token = _current.set(context)
        try:
            result = await _invoke(action, context, chunks)
        finally:
            _current.reset(token)
        if result is ABSENT or (result is None and not action.has_result):
            await end(result=pb.ActionResult())
        else:
            await end(result=pb.ActionResult(result_json=to_json(result)))
    except grpc.aio.AbortError:  # the handler aborted the call through its grpc_context
        raise
    except (asyncio.CancelledError, ActionCancelled) as error:
        # Either the call was cancelled, or something that the handler awaited. If the update cannot be sent, it was the call.
        if not await end(error=_error(StatusCode.CANCELLED, "Action was cancelled", error)) and isinstance(error, asyncio.CancelledError):
            raise
    except (Exception, SystemExit) as error:
        if not getattr(grpc_context, "aborted", False):  # a blocking server raises a bare Exception instead of AbortError
            await end(error=_failure(start.key, error))


async def _invoke(action: Action, context: ActionRun, chunks: AsyncIterator[bytes] | None) -> Any:
    arguments: list[Any] = []
    if action.takes_input:
        if action.bidi:
            source = _Inputs(action, context, chunks)
            arguments.append(source if isinstance(context, ActionRunContext) else _blocking(source, context))
        else:
            arguments.append(action.input_reader.read(context.input_json, default=action.default))
    if action.takes_context:
        arguments.append(context)
    called = functools.partial(action.handler, *arguments)
    if isinstance(context, SyncActionRunContext):
        return await _in_thread(context, functools.partial(_drive, called, context))
    outcome = called()
    if not hasattr(outcome, "__aiter__"):
        return await outcome
    return await _take(outcome, context)


async def _take(generator: Any, context: ActionRun) -> Any:
    try:
        async for item in generator:
            if isinstance(item, Result):
                return item.value
            await context._chunk(item)
        return ABSENT
    finally:
        await generator.aclose()


def _drive(called: Callable[[], Any], context: SyncActionRunContext) -> Any:
    outcome = called()
    if not inspect.isgenerator(outcome):
        return outcome
    generator: Generator[Any, None, Any] = outcome
    try:
        while True:
            context.send_chunk(next(generator))
    except StopIteration as end:
        return end.value
    finally:
        generator.close()


async def _in_thread(context: SyncActionRunContext, function: Callable[[], Any]) -> Any:
    """Calls a blocking function in a thread of its own. In a pool, runs that wait for each other could exhaust the threads."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()
    variables = contextvars.copy_context()

    def settle(setter: Callable[[Any], None], outcome: Any) -> None:
        if not future.done():
            setter(outcome)

    def body() -> None:
        try:
            settled: tuple[Callable[[Any], None], Any] = (future.set_result, variables.run(function))
        except (StopIteration, GeneratorExit, KeyboardInterrupt) as error:  # a future refuses the first, and the others would end the loop
            settled = (future.set_exception, RuntimeError(f"{type(error).__name__}: {error}"))
        except BaseException as error:
            settled = (future.set_exception, error)
        try:
            loop.call_soon_threadsafe(settle, *settled)
        except RuntimeError:  # the loop is closed, so the outcome has no receiver
            pass

    threading.Thread(target=body, name=f"genkit {context.key}", daemon=True).start()
    try:
        return await future
    except asyncio.CancelledError:
        context._cancel()
        raise


class _Inputs:
    """The typed input chunks of a run. If the run has no streamed input, its input is the only chunk."""

    def __init__(self, action: Action, context: ActionRun, chunks: AsyncIterator[bytes] | None) -> None:
        self._reader = action.input_reader
        self._context = context
        self._chunks = chunks
        self._count = 0

    def __aiter__(self) -> _Inputs:
        return self

    async def __anext__(self) -> Any:
        if self._chunks is not None:
            raw = await self._chunks.__anext__()
        elif self._count == 0 and self._context.input_json is not None:
            raw = self._context.input_json
        else:
            raise StopAsyncIteration
        self._count += 1
        return self._reader.read(raw, f"input chunk {self._count}")


def _blocking(source: _Inputs, context: Any) -> Iterator[Any]:
    end = object()

    async def following() -> Any:
        return await anext(source, end)

    while (item := context._wait(following())) is not end:
        yield item


def _failure(key: str, error: BaseException) -> pb.ActionError:
    if isinstance(error, ActionError):
        try:
            return _error(StatusCode(error.code), error.message, error, error.details, error.stack)
        except (TypeError, ValueError, RecursionError) as invalid:  # the code is not a status code, or the details have no JSON representation
            error = invalid
    _log.error("The action %s failed.", key, exc_info=error)
    code = StatusCode.INTERNAL
    if isinstance(error, (TimeoutError, asyncio.TimeoutError)):
        code = StatusCode.DEADLINE_EXCEEDED
    elif isinstance(error, NotImplementedError):
        code = StatusCode.UNIMPLEMENTED
    return _error(code, f"SystemExit: {error}" if isinstance(error, SystemExit) else str(error) or type(error).__name__, error)


def _error(code: int, message: str, error: BaseException, details: Any = None, stack: str | None = None) -> pb.ActionError:
    if stack is None:
        stack = "".join(traceback.format_exception(type(error), error, error.__traceback__))
    return pb.ActionError(code=code, message=_text(message), details_json=None if details is None else to_json(details), stack=_text(stack))


def _text(text: Any) -> str:
    return str(text).encode(errors="backslashreplace").decode()  # a message may contain a lone surrogate, which has no UTF-8 encoding
