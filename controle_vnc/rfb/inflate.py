"""Zlib streams of a connection, inflated with a bound."""

from typing import Any

try:
    from isal import isal_zlib

    zlib: Any = isal_zlib
except ImportError:  # no wheel for this processor: the standard library does the same, slower
    import zlib as standard_zlib

    zlib = standard_zlib

from controle_vnc.errors import ProtocolError

MAX_COMPRESSED_SLACK = 64 * 1024  # how much longer than its pixels compressed data may be


class Inflater:
    """One zlib stream that lives as long as its connection."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj()

    def inflate(self, data: bytes, limit: int) -> bytes:
        """At most `limit` bytes; raises `ProtocolError` for more, and for what is no zlib."""
        try:
            inflated: bytes = self._stream.decompress(data, limit + 1)
        except zlib.error as error:
            raise ProtocolError("unreadable zlib data") from error
        if len(inflated) > limit:
            raise ProtocolError("more pixels than the rectangle holds")
        return inflated


def check_compressed(length: int, limit: int) -> None:
    """Refuse a compressed length that its rectangle (`limit` bytes inflated) cannot need."""
    if length > limit + MAX_COMPRESSED_SLACK:
        raise ProtocolError(f"{length} compressed bytes for a rectangle of {limit}")
