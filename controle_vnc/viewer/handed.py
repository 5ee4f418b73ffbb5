"""Takes a browser's socket from the gateway: one descriptor, and the few bytes that came early."""

import asyncio
import contextlib
import os
import socket

from controle_vnc.control.messages import HAND_OVER, MAX_EARLY_BYTES
from controle_vnc.errors import ProtocolError

MAX_DESCRIPTORS = 1
_MOST_BYTES = len(HAND_OVER) + MAX_EARLY_BYTES
_FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)


async def receive_browser(gateway: socket.socket) -> tuple[socket.socket, bytes]:
    """The browser's socket, non-blocking, and its early bytes; all else that came is closed.

    `gateway` is non-blocking and stays the caller's, as does the deadline. Raises `ProtocolError`
    and `OSError`.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    parcel = _Parcel(gateway)

    def read_on() -> None:
        try:
            is_whole = parcel.read_on()
        except (OSError, ProtocolError) as error:
            loop.remove_reader(gateway.fileno())
            if not ended.done():
                ended.set_exception(error)
        else:
            if is_whole and not ended.done():
                ended.set_result(None)

    loop.add_reader(gateway.fileno(), read_on)
    try:
        await ended
        return parcel.unpack()
    finally:
        loop.remove_reader(gateway.fileno())
        parcel.close()


class _Parcel:
    def __init__(self, gateway: socket.socket) -> None:
        self._gateway = gateway
        self._data = bytearray()
        self._descriptors: list[int] = []

    def read_on(self) -> bool:
        """Take what there is now; True once the gateway has hung up."""
        with contextlib.suppress(BlockingIOError):
            # room for one more of each: what is too much must be seen
            data, descriptors, flags, _ = socket.recv_fds(
                self._gateway,
                _MOST_BYTES + 1 - len(self._data),
                MAX_DESCRIPTORS + 1,
                socket.MSG_CMSG_CLOEXEC,
            )
            self._data += data
            self._descriptors += descriptors
            if len(self._descriptors) > MAX_DESCRIPTORS or flags & socket.MSG_CTRUNC:
                raise ProtocolError("more than one descriptor is handed over")
            if len(self._data) > _MOST_BYTES:
                raise ProtocolError(f"more than {MAX_EARLY_BYTES} early bytes are handed over")
            return not data
        return False

    def unpack(self) -> tuple[socket.socket, bytes]:
        if not self._descriptors or not self._data.startswith(HAND_OVER):
            raise ProtocolError("no descriptor is handed over")
        try:
            browser = socket.socket(fileno=self._descriptors[0])
        except OSError as error:
            raise ProtocolError("what is handed over is no socket") from error
        self._descriptors.clear()
        if browser.type != socket.SOCK_STREAM or browser.family not in _FAMILIES:
            browser.close()
            raise ProtocolError("what is handed over is no stream socket")
        browser.setblocking(False)
        return browser, bytes(self._data[len(HAND_OVER) :])

    def close(self) -> None:
        for descriptor in self._descriptors:
            os.close(descriptor)
        self._descriptors.clear()
