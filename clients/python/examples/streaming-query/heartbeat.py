"""Heartbeats, which distinguish a slow agent from a dead connection."""

from __future__ import annotations

import asyncio
import contextlib
from typing import AsyncGenerator

from events import Event, HeartbeatEvent


async def with_heartbeats(events: AsyncGenerator[Event, None], seconds: float) -> AsyncGenerator[Event, None]:
    """Yields the events, and a heartbeat whenever no event occurs for the given number of seconds. Closes `events` when it ends."""
    queue: asyncio.Queue[Event] = asyncio.Queue(maxsize=1)  # bounded, so that a slow reader slows the agent

    async def pump() -> None:  # a single task, because resources of an agent often must be closed in the task that opened them
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
                pumping.result()  # raises the exception that ended the events, if any
                return
    finally:
        pumping.cancel()
        following.cancel()
        await asyncio.wait({pumping, following})
