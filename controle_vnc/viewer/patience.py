"""How a viewer that is slow is waited for, and when one that does nothing counts as gone."""

import asyncio
import contextlib

from controle_vnc.rfb.flow import Flow
from controle_vnc.viewer.stream import Stream

HELD_BYTES = 16 * 1024  # unsent, and nothing is added: a slow viewer gets the newest, later
STALLED_SECONDS = 60.0  # a viewer that reads or answers nothing for so long is gone


async def send(viewer: Stream, *parts: bytes) -> None:
    """Send `parts`, and wait until `viewer` has taken most; `TimeoutError` where it has gone."""
    if any(parts):
        viewer.write(*parts)
        async with asyncio.timeout(STALLED_SECONDS):
            await viewer.drain(HELD_BYTES)


async def until_due(work: asyncio.Event, flow: Flow, now: float, due_at: float = 0.0) -> None:
    """Until there is `work`, or it is `due_at`, if that is to come.

    May come back early; raises `TimeoutError` for a viewer that owes an answer for too long.
    """
    asked_at = flow.waiting_since
    gone_at = None if asked_at is None else asked_at + STALLED_SECONDS
    if gone_at is not None and now >= gone_at:
        raise TimeoutError
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout_at(due_at if due_at > now else gone_at):
            await work.wait()
    work.clear()
