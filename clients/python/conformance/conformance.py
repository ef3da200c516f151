"""Serves the actions that `genkit-conformance` calls (tests/conformance/catalogue.jsonc) with this library."""

import asyncio
import collections
import json
from collections.abc import AsyncIterator
from typing import Any, TypedDict

import grpc

from genkit_sidecar import ABSENT, Action, ActionError, ActionRunContext, Application, RawJson, StatusCode, define


def resolve(key: str) -> Action | None:
    return hidden if key == hidden.key else None


application = Application("conformance", environments=["dev"], resolve=resolve)
application.values["defaultModel"] = {"defaultModel": {"name": "conformance/model"}}
application.values["middleware"] = {}

cancelled: dict[str, asyncio.Event] = collections.defaultdict(asyncio.Event)
meetings: dict[str, asyncio.Event] = collections.defaultdict(asyncio.Event)
parties: collections.Counter[str] = collections.Counter()


class Person(TypedDict):
    name: str


class Greeting(TypedDict):
    greeting: str


def or_absent(raw: RawJson | None) -> Any:
    return ABSENT if raw is None else raw


def padding(input: Any) -> str:
    return "x" * input.get("bytes", 0)


@application.flow("echo", description="Returns its input — byte for byte ✓")
async def echo(context: ActionRunContext) -> RawJson:
    return or_absent(context.input_json)


@application.flow("echo-init")
async def echo_init(context: ActionRunContext) -> RawJson:
    return or_absent(context.init_json)


@application.flow("echo-context")
async def echo_context(context: ActionRunContext) -> RawJson:
    return or_absent(context.context_json)


@application.flow("echo-chunk")
async def echo_chunk(input: RawJson, context: ActionRunContext) -> None:
    await context.send_chunk(input)


@application.flow(description="Greets by name.", metadata={"conformance": {"level": 1, "tags": ["a", "b"]}})
async def greet(person: Person) -> Greeting:
    return {"greeting": f"Hello, {person['name']}!"}


@application.flow()
async def inspect(context: ActionRunContext) -> RawJson:
    members = {
        "key": json.dumps(context.key).encode(),
        "stream": b"true" if context.streaming_requested else b"false",
        "telemetryLabels": json.dumps(context.telemetry_labels).encode(),
        "input": context.input_json,
        "init": context.init_json,
        "context": context.context_json,
        "metadata": json.dumps(
            {name: context.metadata[name] for name in ("traceparent", "tracestate", "baggage", "x-conformance") if name in context.metadata}
        ).encode(),
    }
    return RawJson(b"{" + b",".join(b'"%s":%s' % (name.encode(), value) for name, value in members.items() if value is not None) + b"}")


@application.flow()
async def count(input: dict, context: ActionRunContext) -> Any:
    for index in range(input["to"]):
        await context.send_chunk({"index": index, "padding": padding(input)})
    return {"sent": input["to"]}


@application.flow()
async def nothing() -> None:
    pass


@application.flow("null")
async def null() -> Any:
    return None


@application.flow("folder/deep/ünïcode name")
async def found() -> str:
    return "found"


@application.model(
    "conformance/model", label="Conformance model", supports={"multiturn": True, "tools": False, "media": False, "systemRole": True}
)
async def model() -> Any:
    return {"message": {"role": "model", "content": [{"text": "ok"}]}, "finishReason": "stop"}


async def chunks_before_failure(input: Any, context: ActionRunContext) -> None:
    for index in range(input.get("chunks", 0)):
        await context.send_chunk({"index": index})


@application.flow("fail")
@application.flow("fail-error")
async def fail(input: Any, context: ActionRunContext) -> None:
    await chunks_before_failure(input, context)
    raise ActionError(input["code"], input["message"], input.get("details"), stack=input.get("stack"))


@application.flow("fail-status")
async def fail_status(input: Any, context: ActionRunContext) -> None:
    await chunks_before_failure(input, context)
    code = next(code for code in grpc.StatusCode if code.value[0] == input["code"])
    await context.grpc_context.abort(code, input["message"])


@application.flow("throw")
async def throw() -> None:
    raise RuntimeError("thrown as asked")


@application.flow()
async def wait(input: Any, context: ActionRunContext) -> None:
    try:
        await context.send_chunk({"waiting": input["id"]})  # the cancellation may arrive before this returns
        await asyncio.Event().wait()
    finally:
        cancelled[input["id"]].set()


@application.flow()
async def endless(input: Any, context: ActionRunContext) -> None:
    index = 0
    try:
        while True:
            await context.send_chunk({"index": index, "padding": "x" * 1024})
            index += 1
    finally:
        cancelled[input["id"]].set()


@application.flow("await-cancelled")
async def await_cancelled(input: Any) -> Any:
    await cancelled[input["id"]].wait()
    return {"cancelled": input["id"]}


@application.flow()
async def meet(input: Any) -> Any:
    parties[input["id"]] += 1
    if parties[input["id"]] == input["parties"]:
        meetings[input["id"]].set()
    await meetings[input["id"]].wait()
    return {"met": input["parties"]}


@application.flow()
async def state(context: ActionRunContext) -> str:
    await context.send_state("0af7651916cd43dd8448eb211c80319c")
    await context.send_chunk("after state")
    return "done"


@application.flow("echo-chunks")
async def echo_chunks(chunks: AsyncIterator[RawJson], context: ActionRunContext) -> Any:
    if context.init_json is not None:
        await context.send_chunk(context.init_json)
    taken = 0
    async for chunk in chunks:
        await context.send_chunk(chunk)
        taken += 1
    return {"chunks": taken}


@application.flow()
async def collect(chunks: AsyncIterator[RawJson]) -> Any:
    sizes = [len(chunk) async for chunk in chunks]
    return {"chunks": len(sizes), "bytes": sum(sizes)}


@application.flow()
async def first(chunks: AsyncIterator[RawJson]) -> RawJson:
    async for chunk in chunks:
        return chunk
    raise ActionError(StatusCode.FAILED_PRECONDITION, "the input ended without a chunk")


@application.flow("wait-for-input")
async def wait_for_input(chunks: AsyncIterator[RawJson], context: ActionRunContext) -> None:
    assert context.input_json is not None
    id = json.loads(context.input_json)["id"]
    try:
        await context.send_chunk({"waiting": id})
        taken = 0
        async for _ in chunks:
            taken += 1
            await context.send_chunk({"taken": taken})
        await asyncio.Event().wait()
    finally:
        cancelled[id].set()


@application.flow("fail-on-input")
async def fail_on_input(chunks: AsyncIterator[dict]) -> None:
    async for chunk in chunks:
        raise ActionError(chunk["code"], chunk["message"])


@application.flow("add-action")
async def add_action(input: Any) -> Any:
    application.flow(input["name"])(echo)


@application.flow("remove-action")
async def remove_action(input: Any) -> Any:
    application.remove(f"/flow/{input['name']}")


hidden = define("flow", "hidden", found)

if __name__ == "__main__":
    application.serve()
