import asyncio
import threading

import pytest

from controle_vnc.errors import JournalError
from controle_vnc.store import upgrade
from controle_vnc.viewer import clerk as clerk_module
from controle_vnc.viewer.clerk import Clerk
from controle_vnc.viewer.journal import Journal
from tests.fakes.house import until


class Book(Journal):
    """Keeps how much was written together; waits with each transaction while it is shut."""

    def __init__(self, path):
        upgrade(path)
        super().__init__(path)
        self.batches = []
        self.is_open = threading.Event()
        self.is_open.set()

    def write(self, entries):
        assert self.is_open.wait(5)
        self.batches.append([entry.kind for entry in entries])
        return super().write(entries)


@pytest.fixture
def book(tmp_path):
    book = Book(tmp_path / "store.db")
    yield book
    book.close()


def entry(book, kind):
    return book.entry(kind, "camille", "session", "w1", {})


def begin(work):
    return asyncio.get_running_loop().create_task(work)


def kinds(book):
    return [event.kind for event in book.after(0)]


def test_what_is_told_during_a_transaction_is_written_together_in_the_next(book):
    async def play():
        clerk = Clerk(book)
        book.is_open.clear()
        writing = [begin(clerk.write(entry(book, "first")))]
        await asyncio.sleep(0)
        writing += [begin(clerk.write(entry(book, f"k{n}"))) for n in range(40)]
        await asyncio.sleep(0)
        assert not any(one.done() for one in writing)
        book.is_open.set()
        await asyncio.gather(*writing)
        assert [len(batch) for batch in book.batches] in ([1, 40], [41])
        assert kinds(book) == ["first", *(f"k{n}" for n in range(40))]
        await clerk.write(entry(book, "last"))
        assert kinds(book)[-1] == "last"

    asyncio.run(play())


def test_a_transaction_is_bounded(book, monkeypatch):
    monkeypatch.setattr(clerk_module, "MAX_TOGETHER", 3)

    async def play():
        clerk = Clerk(book)
        await asyncio.gather(*(clerk.write(entry(book, f"k{n}")) for n in range(7)))
        assert [len(batch) for batch in book.batches] == [3, 3, 1]

    asyncio.run(play())


def test_a_transaction_that_fails_is_told_to_each_and_the_next_one_is_tried(book):
    async def play():
        clerk = Clerk(book)
        book._limit = 1
        told = await asyncio.gather(
            *(clerk.write(entry(book, "lost")) for _ in range(3)), return_exceptions=True
        )
        assert [type(one) for one in told] == [JournalError] * 3
        await clerk.write(entry(book, "kept"))
        assert kinds(book) == ["kept"]

    asyncio.run(play())


def test_what_was_told_is_written_although_its_teller_has_gone(book):
    async def play():
        clerk = Clerk(book)
        book.is_open.clear()
        gone = begin(clerk.write(entry(book, "gone")))
        stays = begin(clerk.write(entry(book, "stays")))
        await asyncio.sleep(0)
        gone.cancel()
        book.is_open.set()
        await stays
        assert gone.cancelled()
        assert kinds(book) == ["gone", "stays"]

    asyncio.run(play())


def test_a_daemon_that_stops_in_the_middle_leaves_nobody_waiting(book):
    async def play():
        clerk = Clerk(book)
        book.is_open.clear()
        waiting = begin(clerk.write(entry(book, "k")))
        await until(lambda: clerk._task is not None, "the clerk at work")
        await asyncio.sleep(0)
        clerk._task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        book.is_open.set()

    asyncio.run(play())
