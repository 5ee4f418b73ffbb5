"""Writes the journal for everybody: what is told at the same moment reaches the disk at once."""

import asyncio

from controle_vnc.errors import JournalError
from controle_vnc.tasks import spawn
from controle_vnc.viewer.journal import Entry, Journal

MAX_TOGETHER = 256  # entries of one transaction: a few milliseconds, and then the next


class Clerk:
    """Forty screens that open together wait for two or three commits instead of forty."""

    def __init__(self, journal: Journal) -> None:
        self.journal = journal
        self._waiting: list[tuple[Entry, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    async def write(self, entry: Entry) -> None:
        """Return once `entry` is on disk; raises `JournalError`."""
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((entry, written))
        if self._task is None:
            self._task = spawn(self._work(), "the journal's clerk")
        await written

    async def _work(self) -> None:
        try:
            while self._waiting:
                batch = self._waiting[:MAX_TOGETHER]
                await self._write(batch)
                del self._waiting[: len(batch)]
        finally:
            self._task = None
            for _, written in self._waiting:
                written.cancel()  # the daemon stops in the middle
            self._waiting.clear()

    async def _write(self, batch: list[tuple[Entry, asyncio.Future[None]]]) -> None:
        error: JournalError | None = None
        try:
            await asyncio.to_thread(self.journal.write, [entry for entry, _ in batch])
        except JournalError as caught:
            error = caught
        for _, written in batch:
            if written.done():
                continue  # whoever told it has gone
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(error)
