"""Heartbeats, by which a reader tells an agent that thinks from a connection that is dead."""

from __future__ import annotations

import asyncio
import contextlib
from typing import AsyncGenerator

from events import Event, HeartbeatEvent


async def with_heartbeats(events: AsyncGenerator[Event, None], seconds: float) -> AsyncGenerator[Event, None]:
    """Yields the events, and a heartbeat after each time of so many seconds without one. Closes `events` whenever it ends."""
    queue: asyncio.Queue[Event] = asyncio.Queue(maxsize=1)  # so that a slow reader slows the agent

    async def pump() -> None:  # in one task, for much of what an agent opens has to be closed in the task that opened it
        async with contextlib.aclosing(events):
            async for event in events:
                await queue.put(event)

    pumping = asyncio.create_task(pump())
    following = asyncio.create_task(queue.get())
    try:
        while True:
            done, _ = await asyncio.wait({pumping, following}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if following in done:
                yield following.result()
                following = asyncio.create_task(queue.get())
            elif not done:
                yield HeartbeatEvent(event="heartbeat")
            elif queue.empty():
                pumping.result()  # raises what ended it, if that was not its end
                return
    finally:
        pumping.cancel()
        following.cancel()
        await asyncio.wait({pumping, following})
