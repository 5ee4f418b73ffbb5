"""Runs the sides of one viewer until the first of them ends."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from controle_vnc.tasks import spawn


async def first_to_end(name: str, *sides: Coroutine[Any, Any, None]) -> None:
    """Run `sides` together; when one ends, cancel the others and wait for them.

    What a side raises is logged by `spawn`; sides catch what they expect.
    """
    tasks = [spawn(side, name) for side in sides]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
