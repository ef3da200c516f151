"""Serves flows to genkit-sidecar, on the stubs that protoc generates and nothing else."""

import asyncio
import json
import os
import signal
import traceback
from types import SimpleNamespace

import grpc
from genkit.sidecar.v1 import action_service_pb2 as pb
from genkit.sidecar.v1 import action_service_pb2_grpc as stubs

FLOWS = {}  # by key: what the sidecar lists, and the function that runs


def to_json(value):
    return json.dumps(value, ensure_ascii=False).encode()


class InvalidInput(Exception):
    """Ends a run with a gRPC status, as is enough for most failures."""


class ActionFailed(Exception):
    """Ends a run with an error in the stream, which has room for details and a stack."""

    def __init__(self, code, message, details):
        super().__init__(message)
        self.code, self.details = code, details


def flow(*, description, input_schema, output_schema, metadata=None):
    def register(function):
        name = function.__name__
        action = pb.Action(
            key=f"/flow/{name}", name=name, description=description, metadata_json=metadata and to_json(metadata),
            input_schema_json=to_json(input_schema), output_schema_json=to_json(output_schema))
        FLOWS[action.key] = SimpleNamespace(action=action, run=function)
        return function
    return register


class ActionService(stubs.ActionServiceServicer):
    def __init__(self, name):
        self.name = name

    async def GetRuntimeInfo(self, request, context):
        return pb.GetRuntimeInfoResponse(name=self.name, genkit_version="python/0.1.0")

    async def ListActions(self, request, context):
        return pb.ListActionsResponse(actions=[flow.action for flow in FLOWS.values()])

    async def RunAction(self, request, context):
        async def input_alone():  # all that a flow with streamed input gets from a plain run
            if request.HasField("input_json"):
                yield json.loads(request.input_json)
        await run(request, input_alone(), context, pb.RunActionResponse)

    async def RunBidiAction(self, requests, context):
        start = (await anext(requests)).start
        chunks = (json.loads(request.chunk_json) async for request in requests)
        await run(start, chunks, context, pb.RunBidiActionResponse)


async def run(start, chunks, context, response):
    async def send(chunk):
        if start.stream:
            await context.write(response(chunk_json=to_json(chunk)))

    if start.key not in FLOWS:
        await context.abort(grpc.StatusCode.NOT_FOUND, f"action {start.key} not found")
    input, init = (json.loads(text or "null") for text in (start.input_json, start.init_json))
    try:
        call = SimpleNamespace(input=input, init=init, chunks=chunks, send=send)
        result = await FLOWS[start.key].run(call)  # cancelled with the gRPC call
        await context.write(response(result=pb.ActionResult(result_json=to_json(result))))
    except InvalidInput as error:
        await context.abort(grpc.StatusCode.INVALID_ARGUMENT, str(error))
    except ActionFailed as error:
        await context.write(response(error=pb.ActionError(
            code=error.code, message=str(error), details_json=to_json(error.details), stack=traceback.format_exc())))


async def serve(name):
    address = os.environ.get("GENKIT_SIDECAR_LISTEN", "127.0.0.1:50051")
    server = grpc.aio.server(options=[
        ("grpc.max_receive_message_length", 100 << 20),  # else inputs over 4 MiB are refused
        ("grpc.so_reuseport", 0),  # else a second server could share the port unnoticed
    ])
    stubs.add_ActionServiceServicer_to_server(ActionService(name), server)
    server.add_insecure_port(address)
    await server.start()
    print(f"{name} listens on {address}", flush=True)
    stopped = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopped.set)
    await stopped.wait()
    await server.stop(grace=None)
