import asyncio
import gc
import socket
import warnings

import pytest

from controle_vnc.accepting import accept


@pytest.fixture
def listener():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening


def test_who_waits_already_is_accepted_at_once(listener):
    async def take():
        with socket.create_connection(listener.getsockname()) as caller:
            connection, name = await accept(listener)
            with connection:
                assert name == caller.getsockname()
                assert not connection.getblocking()

    asyncio.run(take())


def test_who_comes_later_is_waited_for(listener):
    async def take():
        waiting = asyncio.get_running_loop().create_task(accept(listener))
        await asyncio.sleep(0)
        assert not waiting.done()
        with socket.create_connection(listener.getsockname()):
            connection, _ = await asyncio.wait_for(waiting, 2)
            connection.close()

    asyncio.run(take())


def test_a_wait_that_is_cancelled_as_somebody_comes_leaves_him_to_the_next(listener):
    """The loop has seen him, the waiting task is not awake yet: just then it is cancelled."""

    async def take():
        loop = asyncio.get_running_loop()
        with listener.dup() as told:
            # the kernel tells of the newest watch first: the cancelling is to come second
            loop.add_reader(told.fileno(), lambda: waiting.cancel())
            waiting = loop.create_task(accept(listener))
            await asyncio.sleep(0)
            caller = socket.create_connection(listener.getsockname())
            with pytest.raises(asyncio.CancelledError):
                await asyncio.wait_for(waiting, 2)
            loop.remove_reader(told.fileno())
        connection, name = await asyncio.wait_for(accept(listener), 2)
        with connection, caller:
            assert name == caller.getsockname()

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(take())
        gc.collect()


def test_what_cannot_be_accepted_is_told(listener):
    listener.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        asyncio.run(accept(listener))
