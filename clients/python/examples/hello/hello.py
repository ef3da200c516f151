from collections.abc import AsyncIterator
from dataclasses import dataclass

from genkit_sidecar import ActionError, ActionRunContext, Application, StatusCode

application = Application("hello")


@dataclass
class Person:
    name: str


@dataclass
class Countdown:
    from_: int = 3  # the member "from", which is a keyword in Python


@application.flow()
def greet(person: Person) -> dict[str, str]:
    """Greets by name."""
    if not person.name:
        raise ActionError(StatusCode.FAILED_PRECONDITION, "the name is empty")
    return {"greeting": f"Hello, {person.name}!"}


@application.flow()
async def countdown(input: Countdown, context: ActionRunContext) -> str:
    """Counts down, chunk by chunk."""
    for count in range(input.from_, 0, -1):
        await context.send_chunk({"count": count})
    return "Liftoff!"


@application.flow()
async def chat(messages: AsyncIterator[str]):
    """Answers each message as it arrives."""
    async for message in messages:
        yield {"echo": message}


application.serve()
