"""Heartbeats, by which a reader tells an agent that thinks from a connection that is dead."""

from __future__ import annotations

import asyncio
import contextlib
from typing import AsyncGenerator

from events import Event, HeartbeatEvent


async def with_heartbeats(events: AsyncGenerator[Event, None], seconds: float) -> AsyncGenerator[Event, None]:
    """Yields the events, and a heartbeat after each time of so many seconds without one. Closes `events` whenever it ends."""
    queue: asyncio.Queue[Event | Exception | None] = asyncio.Queue(maxsize=1)  # so that a slow reader slows the agent

    async def pump() -> None:  # in one task, for much of what an agent opens has to be closed in the task that opened it
        try:
            async with contextlib.aclosing(events):
                async for event in events:
                    await queue.put(event)
            await queue.put(None)
        except Exception as error:
            await queue.put(error)

    tasks = {asyncio.create_task(pump())}
    try:
        while True:
            following = asyncio.create_task(queue.get())
            tasks.add(following)
            while not (await asyncio.wait({following}, timeout=seconds))[0]:
                yield HeartbeatEvent(event="heartbeat")
            tasks.remove(following)
            event = following.result()
            if event is None:
                return
            if isinstance(event, Exception):
                raise event
            yield event
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
