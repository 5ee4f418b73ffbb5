"""Drives a parser that asks for bytes; knows nothing of sockets or RFB."""

from collections.abc import Callable, Generator

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb.layer import Layer, Wrapping

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
        self._wrapping = wrapping
        self._layer: Layer | None = None
        self._buffer = bytearray()
        self._read = 0
        self._wanted = 0
        self.finished = False
        self._step(None)

    @property
    def can_go_on(self) -> bool:
        """There is enough for another step."""
        return not self.finished and len(self._buffer) - self._read >= self._wanted

    def feed(self, data: bytes, must_rest: Callable[[], bool] = to_the_end) -> None:
        """Take `data` and run the parser to its end, or until a step after which it `must_rest`.

        Raises what the parser raises. Where `can_go_on` says so, the next call goes on.
        """
        self._buffer += data if self._layer is None else self._layer.open(data)
        self._run(must_rest)
        while self._layer is not self._present_layer:
            self._layer = self._present_layer
            sealed = bytes(self._buffer[self._read :])
            self._buffer.clear()
            self._read = 0
            if self._layer is not None:
                self._buffer += self._layer.open(sealed)
            self._run(must_rest)

    @property
    def _present_layer(self) -> Layer | None:
        return None if self._wrapping is None else self._wrapping.layer

    def _run(self, must_rest: Callable[[], bool]) -> None:
        size = len(self._buffer)
        with memoryview(self._buffer) as buffer:
            while not self.finished and (end := self._read + self._wanted) <= size:
                block = bytes(buffer[self._read : end])
                self._read = end
                self._step(block)
                if self._layer is not self._present_layer or must_rest():
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
