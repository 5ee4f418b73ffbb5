"""Drives a parser that asks for bytes; knows nothing of sockets or RFB."""

from collections.abc import Callable, Generator

from controle_vnc.errors import HungUpError, ProtocolError
from controle_vnc.rfb.layer import Wrapping

Steps = Generator[int, bytes, None]
"""Yields how many bytes it needs next and is sent exactly that many.

`yield 0` costs nothing and marks a place where long work may be interrupted.
"""

MAX_REQUEST_BYTES = 4 * 1024 * 1024  # decoders ask for bands and blocks, never a whole screen
COMPACT_BYTES = 64 * 1024  # what has been read is dropped in blocks, not at every request


def to_the_end() -> bool:
    """Never a rest, however long it takes."""
    return False


class ByteStream:
    """Buffers what the network delivers and steps `parser` when it has enough.

    Holds at most one request of the parser beside what one `feed` brings. After the parser's end
    `finished` is true and `rest` gives the bytes that came after it. Where the parser has put a
    layer on `wrapping`, everything after what it had read until then goes through that.
    """

    def __init__(self, parser: Steps, wrapping: Wrapping | None = None) -> None:
        self._parser = parser
        self._wrapping = wrapping or Wrapping(bytearray())
        self._buffer = bytearray()
        self._read = 0
        self._wanted = 0
        self.finished = False
        self._step(None)

    @property
    def can_go_on(self) -> bool:
        """There is enough for another step, or there may be once more is opened."""
        return self._has_enough or (self._wrapping.can_go_on and not self.finished)

    @property
    def _has_enough(self) -> bool:
        return not self.finished and len(self._buffer) - self._read >= self._wanted

    def feed(self, data: bytes, must_rest: Callable[[], bool] = to_the_end) -> None:
        """Take `data` and run the parser to its end, or until a step after which it `must_rest`.

        Raises what the parser and the layer raise, and `HungUpError` after the last step where the
        layer has told the end. Where `can_go_on` says so, the next call goes on.
        """
        self._buffer += self._wrapping.open(data)
        while True:
            self._run(must_rest)
            if self._wrapping.is_new:
                unread = self.rest
                self._buffer.clear()
                self._read = 0
                self._buffer += self._wrapping.open(unread)
            elif self._has_enough or not self._wrapping.can_go_on or must_rest():
                break
            else:
                self._buffer += self._wrapping.open(b"")
        if self._wrapping.is_over and not self.can_go_on:
            raise HungUpError("the other end has said that nothing more follows")

    def _run(self, must_rest: Callable[[], bool]) -> None:
        size = len(self._buffer)
        with memoryview(self._buffer) as buffer:
            while not self.finished and (end := self._read + self._wanted) <= size:
                block = bytes(buffer[self._read : end])
                self._read = end
                self._step(block)
                if self._wrapping.is_new or must_rest():
                    break
        if self._read >= COMPACT_BYTES or self._read == len(self._buffer):
            del self._buffer[: self._read]
            self._read = 0

    @property
    def rest(self) -> bytes:
        """The bytes nobody has asked for."""
        return bytes(self._buffer[self._read :])

    def _step(self, block: bytes | None) -> None:
        try:
            wanted = next(self._parser) if block is None else self._parser.send(block)
        except StopIteration:
            self.finished = True
            return
        if not 0 <= wanted <= MAX_REQUEST_BYTES:
            raise ProtocolError(f"{wanted} bytes announced at once")
        self._wanted = wanted
