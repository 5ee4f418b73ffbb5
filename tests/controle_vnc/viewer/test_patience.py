"""When a viewer that reads or answers nothing counts as gone."""

import asyncio
from types import SimpleNamespace

import pytest

from controle_vnc.viewer import patience
from controle_vnc.viewer.patience import HELD_BYTES, STALLED_SECONDS, send, until_due


class Slow:
    """A viewer whose `drain` takes as long as it is told to."""

    def __init__(self, seconds=0.0):
        self.seconds = seconds
        self.written = []
        self.drained = []

    def write(self, *parts):
        self.written.append(parts)

    async def drain(self, most):
        self.drained.append(most)
        await asyncio.sleep(self.seconds)


def owing(since):
    return SimpleNamespace(waiting_since=since)


def test_nothing_is_sent_where_there_is_nothing_and_the_rest_is_waited_for():
    viewer = Slow()
    asyncio.run(send(viewer, b"", b""))
    asyncio.run(send(viewer, b"a", b""))
    assert viewer.written == [(b"a", b"")]
    assert viewer.drained == [HELD_BYTES]


def test_a_viewer_that_does_not_read_for_too_long_has_gone(monkeypatch):
    monkeypatch.setattr(patience, "STALLED_SECONDS", 0.05)
    asyncio.run(send(Slow(0.0), b"a"))
    with pytest.raises(TimeoutError):
        asyncio.run(send(Slow(5.0), b"a"))


def test_an_answer_may_be_owed_until_its_time_is_up():
    async def play(since, now):
        work = asyncio.Event()
        work.set()
        await until_due(work, owing(since), now)
        assert not work.is_set()

    asyncio.run(play(100.0, 100.0 + STALLED_SECONDS - 0.001))
    asyncio.run(play(None, 1e9))
    with pytest.raises(TimeoutError):
        asyncio.run(play(100.0, 100.0 + STALLED_SECONDS))


def test_what_is_due_later_is_waited_for_and_what_was_due_is_not(monkeypatch):
    monkeypatch.setattr(patience, "STALLED_SECONDS", 0.05)

    async def play(due_in):
        now = asyncio.get_running_loop().time()
        await until_due(asyncio.Event(), owing(now), now, now + due_in)
        return asyncio.get_running_loop().time() - now

    assert 0.1 <= asyncio.run(play(0.1)) < 5  # a picture that is due then
    assert 0.05 <= asyncio.run(play(-1.0)) < 5  # the viewer's own time, which the next call tells
