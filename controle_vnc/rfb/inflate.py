"""Zlib streams of a connection, inflated with a bound."""

from collections.abc import Generator
from typing import Any

try:
    from isal import isal_zlib

    zlib: Any = isal_zlib
except ImportError:  # no wheel for this processor: the standard library does the same, slower
    import zlib as standard_zlib

    zlib = standard_zlib

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb.stream import Steps

MAX_COMPRESSED_SLACK = 64 * 1024  # how much longer than its pixels compressed data may be
BAND_BYTES = 256 * 1024  # how much is asked for at once, and inflated at once


class Inflater:
    """One zlib stream that lives as long as its connection."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj()

    def read(self, length: int, limit: int) -> Generator[int, bytes, bytearray]:
        """What `length` compressed bytes hold: at most `limit`, inflated band by band.

        Raises `ProtocolError` for more, for what is no zlib, and for a length that `limit`
        cannot need.
        """
        check_compressed(length, limit)
        inflated = bytearray()
        while length:
            data = yield min(length, BAND_BYTES)
            length -= len(data)
            more = True
            while more:
                band, data = self.inflate(data)
                inflated += band
                if len(inflated) > limit:
                    raise ProtocolError("more pixels than the rectangle holds")
                more = len(band) == BAND_BYTES
                yield 0
        return inflated

    def inflate(self, data: bytes) -> tuple[bytes, bytes]:
        """A band of what `data` holds, and what is left of `data`.

        A whole band may not be all: more may come even where nothing is left. What comes after the
        stream's own end is refused: zlib would keep all of it, and copy it each time.
        """
        stream = self._stream
        if data and stream.eof:
            raise ProtocolError("bytes after the end of a zlib stream")
        try:
            inflated: bytes = stream.decompress(data, BAND_BYTES)
        except zlib.error as error:
            raise ProtocolError("unreadable zlib data") from error
        if stream.unused_data:
            raise ProtocolError("bytes after the end of a zlib stream")
        return inflated, stream.unconsumed_tail


class Inflated:
    """What `length` compressed bytes hold, inflated no further than it is wanted.

    `limit` bytes are in it at most; so much is never held, only a band of it beside what is needed.
    """

    __slots__ = ("_at", "_data", "_has_more", "_inflater", "_length", "_packed")

    def __init__(self, inflater: Inflater, length: int, limit: int) -> None:
        check_compressed(length, limit)
        self._inflater = inflater
        self._length = length
        self._packed = b""
        self._has_more = False  # of what is packed already
        self._data = b""
        self._at = 0

    def has(self, size: int) -> bool:
        """Whether there is no need to go on for `size` bytes: see `need`, which costs more."""
        return len(self._data) - self._at >= size or not (self._has_more or self._length)

    def need(self, size: int) -> Steps:
        """Go on until `size` bytes can be taken, or there are no more."""
        while not self.has(size):
            if not self._has_more:
                self._packed = yield min(self._length, BAND_BYTES)
                self._length -= len(self._packed)
            band, self._packed = self._inflater.inflate(self._packed)
            self._has_more = len(band) == BAND_BYTES
            self._data = self._data[self._at :] + band
            self._at = 0
            yield 0

    def take(self, size: int) -> bytes:
        """The next `size` bytes; raises `ProtocolError` where there are fewer."""
        end = self._at + size
        if end > len(self._data):
            raise ProtocolError("too few pixels for the rectangle")
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def give(self, steps: Steps) -> None:
        """Give `steps` all that they ask for; raises `ProtocolError` where there is less."""
        data, at, send = self._data, self._at, steps.send  # a call of `take` would double its cost
        try:
            size = next(steps)
            while (end := at + size) <= len(data):
                taken = data[at:end]
                at = end
                size = send(taken)
        except StopIteration:
            self._at = at
            return
        raise ProtocolError("too few pixels for the rectangle")

    def finish(self) -> Steps:
        """Feed the stream what is left of its bytes, in which nothing may be."""
        if not self.has(1):
            yield from self.need(1)
        if self._at != len(self._data):
            raise ProtocolError("more pixels than the rectangle holds")


def check_compressed(length: int, limit: int) -> None:
    """Refuse a compressed length that its rectangle (`limit` bytes inflated) cannot need."""
    if length > limit + MAX_COMPRESSED_SLACK:
        raise ProtocolError(f"{length} compressed bytes for a rectangle of {limit}")
