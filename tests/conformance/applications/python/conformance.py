"""Serves the catalogue of the conformance kit with nothing but the stubs that protoc generates."""

import asyncio
import json
import os
import signal
from collections import defaultdict
from pathlib import Path

import grpc
import health_pb2 as health
from genkit.sidecar.v1 import action_service_pb2 as pb, action_service_pb2_grpc as stubs

HERE = Path(__file__).parent
CATALOGUE = json.loads("".join(
    line for line in (HERE / "../../catalogue.jsonc").read_text().splitlines(True) if not line.lstrip().startswith("//")))
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"


def to_json(value):
    return json.dumps(value, ensure_ascii=False).encode()


class Failure(Exception):
    def __init__(self, code, message, details=None, stack="", as_status=False):
        super().__init__(message)
        self.code, self.message, self.details, self.stack, self.as_status = code, message, details, stack, as_status


class Run:
    """The parameters of an action. Absent payloads are None, and present payloads are bytes."""

    def __init__(self, start, chunks, context, response):
        self.start, self.chunks, self.context, self.response = start, chunks, context, response
        self.input, self.init, self.context_json = (
            getattr(start, name) if start.HasField(name) else None for name in ("input_json", "init_json", "context_json"))

    async def send(self, chunk_json):
        await self.context.write(self.response(chunk_json=chunk_json))

    def object(self):
        try:
            value = json.loads(self.input or b"null")
        except ValueError as error:
            raise Failure(3, f"the input is not valid JSON: {error}") from None
        if not isinstance(value, dict):
            raise Failure(3, "the input must be an object")
        return value


cancelled = defaultdict(asyncio.Event)
meetings = defaultdict(lambda: [0, asyncio.Event()])
added = {}


async def until_cancelled(run):
    name = run.object()["id"]
    try:
        await run.send(to_json({"waiting": name}))
        taken = 0
        async for _ in run.chunks if run.start.key == "/flow/wait-for-input" else nothing():
            taken += 1
            await run.send(to_json({"taken": taken}))
        await asyncio.Event().wait()
    finally:
        cancelled[name].set()


async def nothing():
    return
    yield


async def echo(run):
    return run.input


async def echo_init(run):
    return run.init


async def echo_context(run):
    return run.context_json


async def echo_chunk(run):
    await run.send(run.input)


async def greet(run):
    name = run.object().get("name")
    if not isinstance(name, str):
        raise Failure(3, "name must be a string")
    return to_json({"greeting": f"Hello, {name}!"})


async def inspect(run):
    wanted = ("traceparent", "tracestate", "baggage", "x-conformance")
    seen = {"key": run.start.key, "stream": run.start.stream, "telemetryLabels": dict(run.start.telemetry_labels),
            "metadata": {name: value for name, value in run.context.invocation_metadata() if name in wanted}}
    given = {"input": run.input, "init": run.init, "context": run.context_json}
    return to_json(seen | {name: json.loads(value) for name, value in given.items() if value is not None})


async def count(run):
    value = run.object()
    for index in range(value["to"]):
        await run.send(to_json({"index": index, "padding": "x" * value.get("bytes", 0)}))
    return to_json({"sent": value["to"]})


async def fail(run, as_status=False):
    value = run.object()
    for index in range(value.get("chunks", 0)):
        await run.send(to_json({"index": index}))
    raise Failure(value["code"], value["message"], value.get("details"), value.get("stack", ""), as_status)


async def throw(run):
    raise RuntimeError("thrown as asked")


async def endless(run):
    name, index = run.object()["id"], 0
    try:
        while True:
            await run.send(to_json({"index": index, "padding": "x" * 1024}))
            index += 1
    finally:
        cancelled[name].set()


async def await_cancelled(run):
    name = run.object()["id"]
    await cancelled[name].wait()
    return to_json({"cancelled": name})


async def meet(run):
    parties, meeting = run.object()["parties"], meetings[run.object()["id"]]
    meeting[0] += 1
    if meeting[0] >= parties:
        meeting[1].set()
    await meeting[1].wait()
    return to_json({"met": parties})


async def state(run):
    await run.context.write(run.response(state=pb.ActionState(trace_id=TRACE_ID)))
    await run.send(to_json("after state"))
    return to_json("done")


async def echo_chunks(run):
    if run.init is not None:
        await run.send(run.init)
    sent = [await run.send(chunk) async for chunk in run.chunks]
    return to_json({"chunks": len(sent)})


async def collect(run):
    sizes = [len(chunk) async for chunk in run.chunks]
    return to_json({"chunks": len(sizes), "bytes": sum(sizes)})


async def first(run):
    async for chunk in run.chunks:
        return chunk
    raise Failure(9, "the input ended without a chunk")


async def fail_on_input(run):
    async for chunk in run.chunks:
        value = json.loads(chunk)
        raise Failure(value["code"], value["message"]) if isinstance(value, dict) else Failure(3, "no object")


async def add_action(run):
    name = run.object()["name"]
    added[name] = ACTIONS[f"/flow/{name}"] = echo
    return b"null"


async def remove_action(run):
    name = run.object()["name"]
    del added[name], ACTIONS[f"/flow/{name}"]
    return b"null"


async def constant(value):
    return value


ACTIONS = {
    **{f"/flow/{action.__name__.replace('_', '-')}": action for action in (
        echo, echo_init, echo_context, echo_chunk, greet, inspect, count, fail, throw, endless, await_cancelled, meet, state,
        echo_chunks, collect, first, fail_on_input, add_action, remove_action)},
    "/flow/fail-error": fail, "/flow/fail-status": lambda run: fail(run, as_status=True),
    "/flow/wait": until_cancelled, "/flow/wait-for-input": until_cancelled,
    "/flow/nothing": lambda run: constant(None), "/flow/null": lambda run: constant(b"null"),
    "/flow/hidden": lambda run: constant(b'"found"'), "/flow/folder/deep/ünïcode name": lambda run: constant(b'"found"'),
    "/model/conformance/model": lambda run: constant(to_json(
        {"message": {"role": "model", "content": [{"text": "ok"}]}, "finishReason": "stop"})),
}


def listed(action):
    fields = {"input_schema_json": "inputSchema", "output_schema_json": "outputSchema", "metadata_json": "metadata"}
    return pb.Action(key=action["key"], name=action["name"], description=action.get("description"),
                     **{field: to_json(action[member]) for field, member in fields.items() if member in action})


class ActionService(stubs.ActionServiceServicer):
    async def GetRuntimeInfo(self, request, context):
        return pb.GetRuntimeInfoResponse(name="conformance", genkit_version="python/0.1.0", environments=["dev"])

    async def Configure(self, request, context):
        return pb.ConfigureResponse()

    async def ListValues(self, request, context):
        return pb.ListValuesResponse(values_json=to_json(CATALOGUE["values"].get(request.type, {})))

    async def ListActions(self, request, context):
        return pb.ListActionsResponse(actions=[listed(action) for action in CATALOGUE["actions"] if action.get("listed", True)]
                                      + [pb.Action(key=f"/flow/{name}", name=name) for name in added])

    async def RunAction(self, start, context):
        async def only_chunk():
            if start.HasField("input_json"):
                yield start.input_json
        await run(Run(start, only_chunk(), context, pb.RunActionResponse))

    async def RunBidiAction(self, requests, context):
        request = await anext(requests, pb.RunBidiActionRequest())
        if not request.HasField("start"):
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "the first message must be start")
        await run(Run(request.start, (one.chunk_json async for one in requests), context, pb.RunBidiActionResponse))


async def run(run):
    try:
        action = ACTIONS.get(run.start.key)
        if action is None:
            raise Failure(5, f"there is no action {run.start.key}")
        result = await action(run)
    except Failure as failure:
        if failure.as_status:
            await run.context.abort(next(code for code in grpc.StatusCode if code.value[0] == failure.code), failure.message)
        details = None if failure.details is None else to_json(failure.details)
        await run.context.write(run.response(error=pb.ActionError(
            code=failure.code, message=failure.message, details_json=details, stack=failure.stack)))
    else:
        await run.context.write(run.response(result=pb.ActionResult(result_json=result)))


async def check(request, context):
    if request.service not in CATALOGUE["health"]:
        await context.abort(grpc.StatusCode.NOT_FOUND, f"there is no service {request.service}")
    return health.HealthCheckResponse(status="SERVING")


async def watch(request, context):
    await context.write(health.HealthCheckResponse(status="SERVING" if request.service in CATALOGUE["health"] else "SERVICE_UNKNOWN"))
    await asyncio.Event().wait()


async def serve(address):
    server = grpc.aio.server(options=[("grpc.max_receive_message_length", 100 << 20), ("grpc.so_reuseport", 0)])
    stubs.add_ActionServiceServicer_to_server(ActionService(), server)
    codec = {"request_deserializer": health.HealthCheckRequest.FromString, "response_serializer": health.HealthCheckResponse.SerializeToString}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler("grpc.health.v1.Health", {
        "Check": grpc.unary_unary_rpc_method_handler(check, **codec), "Watch": grpc.unary_stream_rpc_method_handler(watch, **codec)})])
    server.add_insecure_port(address)
    await server.start()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, lambda: asyncio.ensure_future(server.stop(grace=None)))
    await server.wait_for_termination()


asyncio.run(serve(os.environ.get("GENKIT_SIDECAR_LISTEN", "127.0.0.1:50051")))
