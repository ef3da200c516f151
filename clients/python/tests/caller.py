"""Calls an application over real gRPC, as the sidecar does."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any, AsyncIterator, Iterable

import grpc

from genkit_sidecar import Application
from genkit_sidecar._stubs.genkit.sidecar.v1 import action_service_pb2 as pb

SERVICE = "genkit.sidecar.v1.ActionService"
LARGE = (("grpc.max_receive_message_length", 100 << 20), ("grpc.max_send_message_length", 100 << 20))


class Outcome:
    """The updates that a run sent."""

    def __init__(self) -> None:
        self.states: list[str] = []
        self.raw_chunks: list[bytes] = []
        self.result: pb.ActionResult | None = None
        self.error: pb.ActionError | None = None

    def take(self, update: Any) -> None:
        kind = update.WhichOneof("update")
        if kind == "chunk_json":
            self.raw_chunks.append(update.chunk_json)
        elif kind == "state":
            self.states.append(update.state.trace_id)
        elif kind:
            setattr(self, kind, getattr(update, kind))

    @property
    def chunks(self) -> list[Any]:
        return [json.loads(chunk) for chunk in self.raw_chunks]

    @property
    def raw(self) -> bytes | None:
        assert self.error is None, self.error
        return self.result.result_json if self.result.HasField("result_json") else None

    @property
    def value(self) -> Any:
        return json.loads(self.raw)


class Caller:
    """Calls an application's methods."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel

    async def unary(self, method: str, request: Any, response: Any) -> Any:
        call = self.channel.unary_unary(f"/{SERVICE}/{method}", type(request).SerializeToString, response.FromString)
        return await call(request)

    async def listed(self) -> dict[str, pb.Action]:
        response = await self.unary("ListActions", pb.ListActionsRequest(), pb.ListActionsResponse)
        return {action.key: action for action in response.actions}

    def start(self, key: str, input: Any = ..., *, raw: bytes | None = None, metadata: Any = (), **members: Any) -> Any:
        request = request_of(key, input, raw=raw, **members)
        call = self.channel.unary_stream(
            f"/{SERVICE}/RunAction", pb.RunActionRequest.SerializeToString, pb.RunActionResponse.FromString
        )
        return call(request, metadata=metadata)

    async def run(self, key: str, input: Any = ..., **members: Any) -> Outcome:
        outcome = Outcome()
        async for update in self.start(key, input, **members):
            outcome.take(update)
        return outcome

    def start_bidi(self, key: str, **members: Any) -> Any:
        call = self.channel.stream_stream(
            f"/{SERVICE}/RunBidiAction", pb.RunBidiActionRequest.SerializeToString, pb.RunBidiActionResponse.FromString
        )
        return call()

    async def bidi(self, key: str, chunks: Iterable[bytes], **members: Any) -> Outcome:
        call = self.start_bidi(key)
        outcome = Outcome()

        async def read() -> None:
            async for update in call:
                outcome.take(update)

        reading = asyncio.create_task(read())  # read before writing: a grpc.aio client that reads late may miss messages that precede the status
        await call.write(pb.RunBidiActionRequest(start=request_of(key, **members)))
        with contextlib.suppress(asyncio.InvalidStateError):  # the run may end before all chunks are written
            for chunk in chunks:
                await call.write(pb.RunBidiActionRequest(chunk_json=chunk))
            await call.done_writing()
        await reading
        return outcome


def request_of(key: str, input: Any = ..., *, raw: bytes | None = None, stream: bool = True, **members: Any) -> pb.RunActionRequest:
    if input is not ...:
        raw = json.dumps(input).encode()
    return pb.RunActionRequest(key=key, input_json=raw, stream=stream, **members)


@contextlib.asynccontextmanager
async def calling(application: Application, blocking: bool = False) -> AsyncIterator[Caller]:
    """Serves the application, optionally in a blocking server, and yields its caller."""
    if blocking:
        import concurrent.futures

        pool = concurrent.futures.ThreadPoolExecutor(80)
        blocking_server = grpc.server(pool, options=LARGE)
        application.add_to(blocking_server)
        port = blocking_server.add_insecure_port("127.0.0.1:0")
        blocking_server.start()
        address = f"127.0.0.1:{port}"
    else:
        server = await application.start("127.0.0.1:0")
        address = server.address
    try:
        async with grpc.aio.insecure_channel(address, options=LARGE) as channel:
            yield Caller(channel)
    finally:
        if blocking:
            blocking_server.stop(None).wait()
            pool.shutdown()
        else:
            await server.stop()
