"""One connection to a workstation's VNC server: through TLS or RA2 where it encrypts, bounded."""

import logging
from collections.abc import Callable

from controle_vnc.errors import ControleVncError, HungUpError
from controle_vnc.rfb.layer import PORTION_BYTES, Wrapping
from controle_vnc.wire import RECEIVE_BYTES, Data, Wire

logger = logging.getLogger(__name__)

MAX_UNSENT_BYTES = 2 * 1024 * 1024  # a clipboard fits; a server that reads nothing costs no more


class Connection(Wire):
    """A connection to a VNC server, whose bytes go through a layer from some moment on.

    Whoever writes need not look at `unsent`: a server that lets too much lie is let go.
    """

    most_bytes = RECEIVE_BYTES
    """What `receive_bytes` may be at most."""

    _wrapping: Wrapping | None = None

    def go_through(self, wrapping: Wrapping) -> None:
        """From now on all that is read, followed and written goes through the layer of that."""
        self._wrapping = wrapping
        self.most_bytes = PORTION_BYTES
        self.receive_bytes = min(self.receive_bytes, self.most_bytes)

    async def read(self) -> bytes:
        """Some bytes; raises `HungUpError` at the end, and what the layer raises."""
        while data := await super().read():
            if opened := self._open(data):
                return opened
            if self._wrapping is not None and self._wrapping.is_over:
                break
        raise HungUpError

    def follow(self, receiver: Callable[[memoryview], None], ended: Callable[[], None]) -> None:
        wrapping = self._wrapping
        if wrapping is None:
            super().follow(receiver, ended)
            return

        def opened(data: memoryview) -> None:
            try:
                plain = self._open(bytes(data))
            except ControleVncError as error:
                logger.warning("a connection is closed: its workstation sent %s", error)
                self.abandon()
                return
            if plain and not self.is_closed:
                receiver(memoryview(plain))
            if wrapping.is_over:
                self.abandon()

        super().follow(opened, ended)

    def _open(self, data: bytes) -> bytes:
        if self._wrapping is None:
            return data
        plain = self._wrapping.open_all(data)
        self._send(self._wrapping.seal(b""))
        return plain

    def write(self, *parts: Data) -> None:
        if self._wrapping is not None and any(parts):
            parts = (self._wrapping.seal(b"".join(parts)),)
        self._send(*parts)

    def _send(self, *parts: Data) -> None:
        super().write(*parts)
        if self.unsent > MAX_UNSENT_BYTES:
            logger.warning("a connection is closed: its workstation does not read what it asks for")
            self.abandon()  # who follows it is told …
            self.close()  # … and who reads from it
