"""Five Genkit flows. How they reach the sidecar is in action_service.py."""

import asyncio

from action_service import ActionFailed, InvalidInput, flow, serve

NOT_FOUND = 5  # Genkit's codes are gRPC's codes
STRING = {"type": "string"}
INTEGER = {"type": "integer"}


def schema(properties, *required):
    """Returns the JSON Schema (draft-07) of an object."""
    return {"type": "object", "properties": properties, "required": required}


def member(value, name, kind, default=None):
    """Returns a member of the object `value`, which nobody has validated yet."""
    found = value.get(name, default) if isinstance(value, dict) else default
    if type(found) is not kind:
        raise InvalidInput(f'"{name}" must be {"a string" if kind is str else "an integer"}')
    return found


@flow(
    description="Greets by name.",
    input_schema=schema({"name": STRING}, "name"),
    output_schema=schema({"greeting": STRING}, "greeting"),
)
async def greet(call):
    return {"greeting": f"Hello, {member(call.input, 'name', str)}!"}


@flow(
    description="Counts down, one chunk a number.",
    input_schema=schema({"from": INTEGER}),
    output_schema=STRING,
)
async def countdown(call):
    for count in range(member(call.input, "from", int, 3), 0, -1):
        await call.send({"count": count})
    return "Liftoff!"


@flow(
    description="Echoes every message behind the session's prefix.",
    input_schema=schema({"text": STRING}, "text"),
    output_schema=schema({"messages": INTEGER}, "messages"),
    metadata={"bidi": True},
)
async def chat(call):
    prefix = member(call.init, "prefix", str, default="")
    messages = 0
    async for chunk in call.chunks:
        await call.send({"echo": prefix + member(chunk, "text", str)})
        messages += 1
    return {"messages": messages}


@flow(
    description="Fails with the code and message that it is given.",
    input_schema=schema({"code": INTEGER, "message": STRING}),
    output_schema=STRING,
)
async def fail(call):
    code = member(call.input, "code", int, default=NOT_FOUND)
    message = member(call.input, "message", str, default="failed as asked")
    raise ActionFailed(code, message, details={"reason": "requested"})


@flow(
    description="Waits for up to a minute, or until it is cancelled.",
    input_schema=schema({"seconds": INTEGER}),
    output_schema=STRING,
)
async def slow(call):
    await call.send("started")
    await asyncio.sleep(min(member(call.input, "seconds", int, 60), 60))
    return "done"


if __name__ == "__main__":
    asyncio.run(serve("hello-python"))
