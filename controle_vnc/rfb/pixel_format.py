"""The 16 bytes of a pixel format (RFC 6143 §7.4), and the one we ask for."""

import struct
from dataclasses import dataclass

from controle_vnc.errors import ProtocolError

_LAYOUT = struct.Struct(">BBBBHHHBBB3x")
PIXEL_FORMAT_BYTES = _LAYOUT.size


@dataclass(frozen=True)
class PixelFormat:
    """How one pixel is written; `maxima` and `shifts` are red, green, blue."""

    bits_per_pixel: int
    depth: int
    big_endian: bool
    true_colour: bool
    maxima: tuple[int, int, int]
    shifts: tuple[int, int, int]

    @property
    def bytes_per_pixel(self) -> int:
        return self.bits_per_pixel // 8

    @property
    def compact_bytes(self) -> int:
        """Bytes of a CPIXEL (RFC 6143 §7.7.5): three where 32 bits hold 24 in one end."""
        return 3 if self.has_compact_pixels else self.bytes_per_pixel

    @property
    def has_compact_pixels(self) -> bool:
        if self.bits_per_pixel != 32 or not self.true_colour or self.depth > 24:
            return False
        return self.colour_bits < 1 << 24 or self.colour_bits & 0xFF == 0

    @property
    def colour_bits(self) -> int:
        """Ones where a true-colour pixel holds colour."""
        red, green, blue = (m << s for m, s in zip(self.maxima, self.shifts, strict=True))
        return red | green | blue

    @property
    def has_tight_pixels(self) -> bool:
        """Whether Tight writes three bytes a pixel: depth 24 with eight bits a colour."""
        return (
            self.bits_per_pixel == 32
            and self.depth == 24
            and self.true_colour
            and self.maxima == (255, 255, 255)
        )

    @property
    def takes_jpeg(self) -> bool:
        """Whether Tight may hold a JPEG: 16 or 32 bits of true colour (rfbproto)."""
        return self.true_colour and self.bits_per_pixel >= 16

    def to_bytes(self) -> bytes:
        return _LAYOUT.pack(
            self.bits_per_pixel, self.depth, self.big_endian, self.true_colour,
            *self.maxima, *self.shifts,
        )  # fmt: skip

    @classmethod
    def from_bytes(cls, data: bytes) -> "PixelFormat":
        """Read 16 bytes; raises `ProtocolError` for a format that nobody uses."""
        bits, depth, big_endian, true_colour, *rest = _LAYOUT.unpack(data)
        if bits not in {8, 16, 32}:
            raise ProtocolError(f"{bits} bits a pixel")
        maxima, shifts = tuple(rest[:3]), tuple(rest[3:])
        if true_colour and any(
            shift + maximum.bit_length() > bits or maximum & (maximum + 1)
            for maximum, shift in zip(maxima, shifts, strict=True)
        ):
            raise ProtocolError("a colour leaves its pixel")
        return cls(bits, depth, bool(big_endian), bool(true_colour), maxima, shifts)


RGBX = PixelFormat(32, 24, False, True, (255, 255, 255), (0, 8, 16))
"""What we ask of every server: the bytes red, green, blue and one unused."""
