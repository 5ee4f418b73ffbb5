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
                band = self._inflate(data)
                inflated += band
                if len(inflated) > limit:
                    raise ProtocolError("more pixels than the rectangle holds")
                data, more = self._stream.unconsumed_tail, len(band) == BAND_BYTES
                yield 0
        return inflated

    def _inflate(self, data: bytes) -> bytes:
        try:
            inflated: bytes = self._stream.decompress(data, BAND_BYTES)
        except zlib.error as error:
            raise ProtocolError("unreadable zlib data") from error
        return inflated


def check_compressed(length: int, limit: int) -> None:
    """Refuse a compressed length that its rectangle (`limit` bytes inflated) cannot need."""
    if length > limit + MAX_COMPRESSED_SLACK:
        raise ProtocolError(f"{length} compressed bytes for a rectangle of {limit}")
