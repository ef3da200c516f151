"""Runs handlers of every shape over real gRPC, in both kinds of server."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import sys
import threading
import unittest
import unittest.mock
from collections.abc import AsyncIterator, Iterator
from typing import Any, Optional

import grpc

from genkit_sidecar import (
    ABSENT,
    ActionCancelled,
    ActionError,
    ActionRunContext,
    Application,
    RawJson,
    Result,
    StatusCode,
    SyncActionRunContext,
    current_run,
)
from genkit_sidecar._stubs.genkit.sidecar.v1 import action_service_pb2 as pb

from .caller import Caller, calling, request_of

EXACT = b'{"b":9007199254740993, "a":-0,"a":1e400,"\\u0061":"\xc3\xa9\\ud800"}'


class Running(unittest.IsolatedAsyncioTestCase):
    """Runs each test against a grpc.aio server. A subclass repeats them against a blocking server."""

    blocking = False

    async def asyncSetUp(self) -> None:
        self.application = Application("tests")
        self.serving = calling(self.application, self.blocking)
        self.caller: Caller = await self.serving.__aenter__()
        self.addAsyncCleanup(self.serving.__aexit__, None, None, None)

    async def test_every_shape_of_handler_returns_and_streams(self) -> None:
        application = self.application

        @application.flow()
        def blocking(input: int, context: SyncActionRunContext) -> int:
            context.send_chunk("chunk")
            return input + 1

        @application.flow()
        def blocking_generator(input: int):
            yield "chunk"
            return input + 1

        @application.flow()
        async def asynchronous(input: int, context: ActionRunContext) -> int:
            await context.send_chunk("chunk")
            return input + 1

        @application.flow()
        async def async_generator(input: int):
            yield "chunk"
            yield Result(input + 1)

        class Callable:
            async def __call__(self, input: int, context: ActionRunContext) -> int:
                await context.send_chunk("chunk")
                return input + 1

        application.flow("callable")(Callable())
        application.flow("partial")(functools.partial(asynchronous))

        for name in ("blocking", "blocking_generator", "asynchronous", "async_generator", "callable", "partial"):
            with self.subTest(name):
                outcome = await self.caller.run(f"/flow/{name}", 41)
                self.assertEqual((outcome.chunks, outcome.value), (["chunk"], 42))

    async def test_unrequested_chunks_are_not_sent(self) -> None:
        @self.application.flow()
        async def flow(context: ActionRunContext) -> bool:
            await context.send_chunk("chunk")
            return context.streaming_requested

        outcome = await self.caller.run("/flow/flow", stream=False)
        self.assertEqual((outcome.chunks, outcome.value), ([], False))

    async def test_raw_json_keeps_its_bytes(self) -> None:
        @self.application.flow()
        async def echo(input: RawJson, context: ActionRunContext) -> RawJson:
            await context.send_chunk(input)
            return input

        outcome = await self.caller.run("/flow/echo", raw=EXACT)
        self.assertEqual((outcome.raw_chunks, outcome.raw), ([EXACT], EXACT))

    async def test_absent_null_and_no_result_are_distinct(self) -> None:
        @self.application.flow()
        def echo(context: SyncActionRunContext) -> Any:
            return ABSENT if context.input_json is None else context.input_json

        @self.application.flow()
        def null() -> Optional[str]:
            return None

        @self.application.flow()
        async def nothing() -> None:
            pass

        self.assertIsNone((await self.caller.run("/flow/echo")).raw)
        self.assertEqual((await self.caller.run("/flow/echo", None)).raw, b"null")
        self.assertEqual((await self.caller.run("/flow/null")).raw, b"null")
        self.assertIsNone((await self.caller.run("/flow/nothing")).raw)

    async def test_the_run_context_has_what_the_caller_sent(self) -> None:
        @self.application.flow(init_schema=dict[str, int])
        async def inspect() -> Any:
            run = current_run()
            return {
                "key": run.key,
                "init": run.init,
                "context": run.context,
                "labels": run.telemetry_labels,
                "trace": run.trace_headers,
                "custom": run.metadata["x-custom"],
            }

        outcome = await self.caller.run(
            "/flow/inspect",
            init_json=b'{"a":1}',
            context_json=b'{"auth":{"uid":"ada"}}',
            telemetry_labels={"label": "value"},
            metadata=(("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"), ("x-custom", "value"), ("x-custom", "other")),
        )
        self.assertEqual(
            outcome.value,
            {
                "key": "/flow/inspect",
                "init": {"a": 1},
                "context": {"auth": {"uid": "ada"}},
                "labels": {"label": "value"},
                "trace": {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
                "custom": "value,other",
            },
        )

    async def test_blocking_handlers_find_their_run_too(self) -> None:
        @self.application.flow()
        def inspect() -> str:
            return current_run().key

        self.assertEqual((await self.caller.run("/flow/inspect")).value, "/flow/inspect")

    async def test_state_comes_first(self) -> None:
        @self.application.flow()
        async def state(context: ActionRunContext) -> str:
            await context.send_state("0af7651916cd43dd8448eb211c80319c")
            return "done"

        outcome = await self.caller.run("/flow/state")
        self.assertEqual((outcome.states, outcome.value), (["0af7651916cd43dd8448eb211c80319c"], "done"))

    async def test_an_action_error_keeps_code_message_and_details_and_has_a_stack(self) -> None:
        @self.application.flow()
        async def fail(context: ActionRunContext) -> None:
            await context.send_chunk(1)
            raise ActionError(StatusCode.ABORTED, "as asked", {"reason": "test"})

        outcome = await self.caller.run("/flow/fail")
        self.assertEqual((outcome.chunks, outcome.error.code, outcome.error.message), ([1], 10, "as asked"))
        self.assertEqual(json.loads(outcome.error.details_json), {"reason": "test"})
        self.assertIn("in fail", outcome.error.stack)

    async def test_exceptions_map_to_status_codes(self) -> None:
        @self.application.flow()
        def unforeseen() -> None:
            raise KeyError("gone")

        @self.application.flow()
        async def late() -> None:
            raise asyncio.TimeoutError

        @self.application.flow()
        def unfinished() -> None:
            raise NotImplementedError("not yet")

        @self.application.flow()
        async def cancels_itself() -> None:
            raise asyncio.CancelledError

        @self.application.flow()
        def no_json() -> Any:
            return float("inf")

        expected = {"unforeseen": (13, "'gone'"), "late": (4, "TimeoutError"), "unfinished": (12, "not yet"),
                    "cancels_itself": (1, "Action was cancelled"), "no_json": (13, "Out of range float values are not JSON compliant")}  # fmt: skip
        logging.getLogger("genkit_sidecar").setLevel(logging.CRITICAL)
        self.addCleanup(logging.getLogger("genkit_sidecar").setLevel, logging.NOTSET)
        for name, (code, message) in expected.items():
            with self.subTest(name):
                error = (await self.caller.run(f"/flow/{name}")).error
                self.assertEqual((error.code, error.message), (code, message))

    async def test_an_unexpected_failure_is_logged_without_the_payload(self) -> None:
        @self.application.flow()
        def fail(input: Any) -> None:
            raise RuntimeError("broken")

        with self.assertLogs("genkit_sidecar", logging.ERROR) as logs:
            await self.caller.run("/flow/fail", "secret")
        self.assertEqual(logs.records[0].getMessage(), "The action /flow/fail failed.")
        self.assertNotIn("secret", logs.output[0])

    async def test_an_error_that_cannot_be_encoded_is_internal(self) -> None:
        @self.application.flow()
        async def fail(which: str) -> None:
            if which == "code":
                raise ActionError(1 << 40, "no such code")
            if which == "details":
                raise ActionError(StatusCode.NOT_FOUND, "no such details", {"order": object()})
            raise ActionError(StatusCode.NOT_FOUND, which)

        logging.getLogger("genkit_sidecar").setLevel(logging.CRITICAL)
        self.addCleanup(logging.getLogger("genkit_sidecar").setLevel, logging.NOTSET)
        for which, code, message in (
            ("code", 13, "1099511627776 is not a valid StatusCode"),
            ("details", 13, "object has no JSON representation"),
            ("\ud800", 5, "\\ud800"),
        ):
            with self.subTest(which):
                error = (await self.caller.run("/flow/fail", which)).error
                self.assertEqual((error.code, error.message), (code, message))

    async def test_a_handler_ends_its_run_and_not_the_server(self) -> None:
        @self.application.flow()
        async def leave() -> None:
            raise SystemExit(2)

        @self.application.flow()
        def leave_thread() -> None:
            raise SystemExit(2)

        @self.application.flow()
        def interrupt_thread() -> None:
            raise KeyboardInterrupt

        for name, message in (("leave", "SystemExit: 2"), ("leave_thread", "SystemExit: 2"), ("interrupt_thread", "KeyboardInterrupt: ")):
            with self.subTest(name), self.assertLogs("genkit_sidecar", logging.ERROR):
                error = (await self.caller.run(f"/flow/{name}")).error
                self.assertEqual((error.code, error.message), (13, message))

    async def test_a_handler_can_end_the_call_itself(self) -> None:
        @self.application.flow()
        async def fail(context: ActionRunContext) -> None:
            aborted = context.grpc_context.abort(grpc.StatusCode.DATA_LOSS, "as asked")
            await aborted  # with grpc.aio

        with self.assertRaises(grpc.aio.AioRpcError) as raised, self.assertNoLogs("genkit_sidecar"):
            await self.caller.run("/flow/fail")
        self.assertEqual((raised.exception.code(), raised.exception.details()), (grpc.StatusCode.DATA_LOSS, "as asked"))

    async def test_an_unknown_key_is_not_found(self) -> None:
        error = (await self.caller.run("/flow/unknown")).error
        self.assertEqual((error.code, error.message), (5, "action /flow/unknown not found"))

    async def test_cancelling_the_call_cancels_an_async_handler(self) -> None:
        cancelled = threading.Event()

        @self.application.flow()
        async def wait(context: ActionRunContext) -> None:
            try:
                await context.send_chunk("waiting")  # the cancellation may arrive before this returns
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                cancelled.set()
                raise

        call = self.caller.start("/flow/wait")
        self.assertEqual((await call.read()).chunk_json, b'"waiting"')
        call.cancel()
        self.assertTrue(await asyncio.to_thread(cancelled.wait, 60))

    @unittest.skipIf(sys.version_info < (3, 11), "a task does not tell that it is cancelled")
    @unittest.mock.patch("genkit_sidecar.run_context._CANCEL_FOLLOWS", 3600)
    async def test_a_cancelled_handler_that_sends_in_its_cleanup_is_refused_at_once(self) -> None:
        refused = threading.Event()
        runs: list[asyncio.Task[Any]] = []

        @self.application.flow()
        async def clean_up(context: ActionRunContext) -> None:
            runs.append(asyncio.current_task())
            try:
                await context.send_chunk("waiting")
                await asyncio.sleep(600)
            finally:
                try:
                    await context.send_chunk("too late")
                except ActionCancelled:
                    refused.set()
                    raise

        call = self.caller.start("/flow/clean_up")
        await call.read()
        ended = threading.Event()
        runs[0].add_done_callback(lambda task: ended.set())
        with self.assertNoLogs("grpc", logging.ERROR):
            call.cancel()
            self.assertTrue(await asyncio.to_thread(refused.wait, 60))
            self.assertTrue(await asyncio.to_thread(ended.wait, 60))

    async def test_cancelling_the_call_cancels_a_blocking_handler(self) -> None:
        cancelled = threading.Event()

        @self.application.flow()
        def wait(context: SyncActionRunContext) -> None:
            try:
                context.send_chunk("waiting")
                if context.cancelled.wait(60):
                    context.send_chunk("too late")
            except ActionCancelled:
                cancelled.set()
                raise

        call = self.caller.start("/flow/wait")
        await call.read()
        call.cancel()
        self.assertTrue(await asyncio.to_thread(cancelled.wait, 60))

    async def test_cancelling_the_call_closes_generators(self) -> None:
        closed = threading.Barrier(3)

        @self.application.flow()
        def endless():
            try:
                while True:
                    yield "x" * 1024
            finally:
                closed.wait(60)

        @self.application.flow()
        async def endless_async():
            try:
                while True:
                    yield "x" * 1024
            finally:
                await asyncio.to_thread(closed.wait, 60)

        for name in ("endless", "endless_async"):
            call = self.caller.start(f"/flow/{name}")
            await call.read()
            call.cancel()
        await asyncio.to_thread(closed.wait, 60)

    async def test_a_caller_that_does_not_read_makes_the_handler_wait(self) -> None:
        cancelled = threading.Event()
        all_sent = threading.Event()

        @self.application.flow()
        async def large(context: ActionRunContext) -> None:
            try:
                for _ in range(2000):
                    await context.send_chunk("x" * 65536)
                all_sent.set()
            except asyncio.CancelledError:
                cancelled.set()
                raise

        @self.application.flow()
        def small() -> None:
            pass

        call = self.caller.start("/flow/large")
        await call.read()
        for _ in range(100):  # without backpressure, all chunks would be sent by then
            await self.caller.run("/flow/small")
        self.assertFalse(all_sent.is_set())
        call.cancel()
        self.assertTrue(await asyncio.to_thread(cancelled.wait, 60))

    async def test_many_runs_meet(self) -> None:
        barrier = threading.Barrier(64)

        @self.application.flow()
        def meet() -> int:
            return barrier.wait(60)

        outcomes = await asyncio.gather(*(self.caller.run("/flow/meet") for _ in range(64)))
        self.assertEqual(sorted(outcome.value for outcome in outcomes), list(range(64)))

    async def test_streamed_input_reaches_every_shape_of_handler(self) -> None:
        application = self.application

        @application.flow()
        async def asynchronous(numbers: AsyncIterator[int], context: ActionRunContext) -> int:
            total = 0
            async for number in numbers:
                await context.send_chunk(number)
                total += number
            return total

        @application.flow()
        def blocking(numbers: Iterator[int], context: SyncActionRunContext) -> int:
            total = 0
            for number in numbers:
                context.send_chunk(number)
                total += number
            return total

        @application.flow()
        def blocking_generator(numbers: Iterator[int]):
            total = 0
            for number in numbers:
                yield number
                total += number
            return total

        @application.flow()
        async def async_generator(numbers: AsyncIterator[int]):
            total = 0
            async for number in numbers:
                yield number
                total += number
            yield Result(total)

        for name in ("asynchronous", "blocking", "blocking_generator", "async_generator"):
            with self.subTest(name):
                self.assertTrue(json.loads((await self.caller.listed())[f"/flow/{name}"].metadata_json)["bidi"])
                outcome = await self.caller.bidi(f"/flow/{name}", [b"1", b"2", b"3"])
                self.assertEqual((outcome.chunks, outcome.value), ([1, 2, 3], 6))
                self.assertEqual((await self.caller.run(f"/flow/{name}", 5)).value, 5)
                self.assertEqual((await self.caller.run(f"/flow/{name}")).value, 0)

    async def test_a_result_does_not_wait_for_the_end_of_the_input(self) -> None:
        @self.application.flow()
        async def first(chunks: AsyncIterator[RawJson]) -> RawJson:
            return await anext(chunks)

        call = self.caller.start_bidi("/flow/first")
        await call.write(pb.RunBidiActionRequest(start=request_of("/flow/first")))
        await call.write(pb.RunBidiActionRequest(chunk_json=EXACT))
        self.assertEqual((await call.read()).result.result_json, EXACT)

    async def test_output_does_not_wait_for_input(self) -> None:
        @self.application.flow()
        def early(chunks: Iterator[str], context: SyncActionRunContext) -> str:
            context.send_chunk("early")
            return next(chunks)

        call = self.caller.start_bidi("/flow/early")
        await call.write(pb.RunBidiActionRequest(start=request_of("/flow/early")))
        self.assertEqual((await call.read()).chunk_json, b'"early"')
        await call.write(pb.RunBidiActionRequest(chunk_json=b'"late"'))
        self.assertEqual((await call.read()).result.result_json, b'"late"')

    async def test_cancelling_the_call_ends_the_wait_for_input(self) -> None:
        ended = threading.Barrier(3)

        @self.application.flow()
        def blocking(chunks: Iterator[str], context: SyncActionRunContext) -> None:
            try:
                context.send_chunk("waiting")
                next(chunks, None)  # with grpc.aio the input ends before the cancellation arrives
                if context.cancelled.wait(60):
                    context.send_chunk("too late")
            except ActionCancelled:
                ended.wait(60)

        @self.application.flow()
        async def asynchronous(chunks: AsyncIterator[str], context: ActionRunContext) -> None:
            try:
                await context.send_chunk("waiting")
                await anext(chunks, None)  # with grpc.aio the input ends before the cancellation arrives
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await asyncio.to_thread(ended.wait, 60)
                raise

        for name in ("blocking", "asynchronous"):
            call = self.caller.start_bidi(f"/flow/{name}")
            await call.write(pb.RunBidiActionRequest(start=request_of(f"/flow/{name}")))
            self.assertEqual((await call.read()).chunk_json, b'"waiting"')
            call.cancel()
        await asyncio.to_thread(ended.wait, 60)

    async def test_a_chunk_of_the_wrong_type_fails_the_run(self) -> None:
        @self.application.flow()
        async def total(numbers: AsyncIterator[dict[str, int]]) -> int:
            return sum([number["n"] async for number in numbers])

        error = (await self.caller.bidi("/flow/total", [b'{"n":1}', b'{"n":"two"}'])).error
        self.assertEqual((error.code, error.message), (3, '"n" must be an integer'))

    async def test_an_action_with_one_input_takes_it_from_the_start_of_a_streamed_run(self) -> None:
        @self.application.flow()
        async def double(number: int) -> int:
            return 2 * number

        self.assertEqual((await self.caller.bidi("/flow/double", [b"1"], raw=b"21")).value, 42)
        self.assertEqual((await self.caller.bidi("/flow/double", [b"1"])).error.code, 3)

    async def test_a_bidi_call_without_start_is_refused(self) -> None:
        call = self.caller.start_bidi("")
        await call.write(pb.RunBidiActionRequest(chunk_json=b"1"))
        with self.assertRaises(grpc.aio.AioRpcError) as raised:
            await call.read()
        self.assertEqual(raised.exception.code(), grpc.StatusCode.INVALID_ARGUMENT)

    async def test_nothing_can_be_sent_after_the_end(self) -> None:
        refused: asyncio.Queue[str] = asyncio.Queue()
        loop = asyncio.get_running_loop()
        tasks = []

        async def late(context: ActionRunContext, ended: asyncio.Event) -> None:
            await ended.wait()
            try:
                await context.send_chunk("late")
            except RuntimeError as error:
                loop.call_soon_threadsafe(refused.put_nowait, str(error))

        for name, failure in (("well", None), ("badly", ActionError(StatusCode.ABORTED, "as asked"))):
            ended: list[asyncio.Event] = []

            @self.application.flow(name)
            async def flow(context: ActionRunContext) -> None:
                ended.append(asyncio.Event())
                tasks.append((asyncio.create_task(late(context, ended[0])), asyncio.get_running_loop()))
                if failure:
                    raise failure

            await self.caller.run(f"/flow/{name}")
            tasks[-1][1].call_soon_threadsafe(ended[0].set)
            self.assertIn("has ended", await refused.get())

    async def test_messages_over_four_mebibytes_pass(self) -> None:
        @self.application.flow()
        async def echo(input: RawJson) -> RawJson:
            return input

        large = b'"' + b"x" * (8 << 20) + b'"'
        self.assertEqual((await self.caller.run("/flow/echo", raw=large)).raw, large)


class RunningInABlockingServer(Running):
    blocking = True


if __name__ == "__main__":
    unittest.main()
