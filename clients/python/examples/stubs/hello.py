"""Serves five Genkit flows to genkit-sidecar with nothing but the stubs that protoc generates."""

import asyncio
import json
import os
import signal

import grpc
from genkit.sidecar.v1 import action_service_pb2 as pb, action_service_pb2_grpc as stubs


def to_json(value):
    return json.dumps(value, ensure_ascii=False).encode()


def member(value, name, kind, default=None):
    found = value.get(name, default) if isinstance(value, dict) else default
    if type(found) is not kind:
        raise ValueError(f'"{name}" must be {"a string" if kind is str else "an integer"}')
    return found


async def greet(input, init, chunks, send):
    return {"greeting": f"Hello, {member(input, 'name', str)}!"}


async def countdown(input, init, chunks, send):
    for count in range(member(input, "from", int, 3), 0, -1):
        await send({"count": count})
    return "Liftoff!"


async def chat(input, init, chunks, send):
    prefix = member(init, "prefix", str, "")
    sent = [await send({"echo": prefix + member(chunk, "text", str)}) async for chunk in chunks]
    return {"messages": len(sent)}


async def fail(input, init, chunks, send):
    code, message = member(input, "code", int, 5), member(input, "message", str, "failed as asked")
    return pb.ActionError(code=code, message=message, details_json=to_json({"reason": "requested"}))


async def slow(input, init, chunks, send):
    await send("started")
    await asyncio.sleep(min(member(input, "seconds", int, 60), 60))  # cancelled with the gRPC call
    return "done"


TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
INPUTS = {greet: {"name": TEXT}, countdown: {"from": NUMBER}, chat: {"text": TEXT},
          fail: {"code": NUMBER, "message": TEXT}, slow: {"seconds": NUMBER}}
FLOWS = {f"/flow/{flow.__name__}": flow for flow in INPUTS}


class ActionService(stubs.ActionServiceServicer):
    async def GetRuntimeInfo(self, request, context):
        return pb.GetRuntimeInfoResponse(name="hello-python", genkit_version="python/0.1.0")

    async def ListActions(self, request, context):
        return pb.ListActionsResponse(actions=[pb.Action(
            key=key, name=flow.__name__, metadata_json=to_json({"bidi": flow is chat}),
            input_schema_json=to_json({"type": "object", "properties": INPUTS[flow]}),
        ) for key, flow in FLOWS.items()])

    async def RunAction(self, start, context):
        async def input_alone():  # a run without streamed input has a single chunk
            yield json.loads(start.input_json or "null")
        await run(start, input_alone(), context, pb.RunActionResponse)

    async def RunBidiAction(self, requests, context):
        start = (await anext(requests)).start
        chunks = (json.loads(request.chunk_json) async for request in requests)
        await run(start, chunks, context, pb.RunBidiActionResponse)


async def run(start, chunks, context, response):
    flow = FLOWS.get(start.key) or await context.abort(grpc.StatusCode.NOT_FOUND, f"action {start.key} not found")
    input, init = (json.loads(value or "null") for value in (start.input_json, start.init_json))
    try:
        outcome = await flow(input, init, chunks, lambda chunk: context.write(response(chunk_json=to_json(chunk))))
    except ValueError as error:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
    failed = isinstance(outcome, pb.ActionError)
    await context.write(response(error=outcome) if failed else response(result=pb.ActionResult(result_json=to_json(outcome))))


async def serve(address):
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 100 << 20), ("grpc.so_reuseport", 0)])
    stubs.add_ActionServiceServicer_to_server(ActionService(), server)
    server.add_insecure_port(address)
    await server.start()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, lambda: asyncio.ensure_future(server.stop(grace=None)))
    print(f"hello-python listens on {address}", flush=True)
    await server.wait_for_termination()


asyncio.run(serve(os.environ.get("GENKIT_SIDECAR_LISTEN", "127.0.0.1:50051")))
