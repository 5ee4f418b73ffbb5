"""How one class of viewers gets its pixels. Pure."""

from collections.abc import Callable
from dataclasses import dataclass

from controle_vnc.framebuffer.framebuffer import Pixels
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.encoders import hextile, jpeg, raw, rre, tight, trle
from controle_vnc.rfb.pixel_format import RGBX, PixelFormat

BEST_LEVEL = 9  # of JPEG, for viewers that ask for none


@dataclass(frozen=True)
class Quality:
    """An encoding, what its pixels look like, and the level of JPEGs (`None`: there are none).

    Viewers of equal quality can be sent the same bytes, whenever each of them joined, where the
    encoding has no memory (`SHARED`).
    """

    encoding: int = Encoding.RAW
    pixel_format: PixelFormat = RGBX
    jpeg_level: int | None = None

    def encode(self, pixels: Pixels, rect: Rect) -> bytes:
        """One rectangle that shows `rect`, which is no larger than a cell of the grid."""
        return _ENCODERS[self.encoding](self, pixels, rect)


def _raw(quality: Quality, pixels: Pixels, rect: Rect) -> bytes:
    return raw.encode(pixels, rect, quality.pixel_format)


def _rre(quality: Quality, pixels: Pixels, rect: Rect) -> bytes:
    return rre.encode(pixels, rect, quality.pixel_format)


def _corre(quality: Quality, pixels: Pixels, rect: Rect) -> bytes:
    return rre.encode(pixels, rect, quality.pixel_format, compact=True)


def _hextile(quality: Quality, pixels: Pixels, rect: Rect) -> bytes:
    return hextile.encode(pixels, rect, quality.pixel_format)


def _tight(quality: Quality, pixels: Pixels, rect: Rect) -> bytes:
    return tight.encode(pixels, rect, quality.pixel_format, quality.jpeg_level)


def _tight_png(quality: Quality, pixels: Pixels, rect: Rect) -> bytes:
    return tight.encode(pixels, rect, quality.pixel_format, quality.jpeg_level, png=True)


def _trle(quality: Quality, pixels: Pixels, rect: Rect) -> bytes:
    return trle.encode(pixels, rect, quality.pixel_format)


def _jpeg(quality: Quality, pixels: Pixels, rect: Rect) -> bytes:
    level = quality.jpeg_level
    return jpeg.encode(pixels, rect, BEST_LEVEL if level is None else level)


_ENCODERS: dict[int, Callable[[Quality, Pixels, Rect], bytes]] = {
    Encoding.RAW: _raw,
    Encoding.RRE: _rre,
    Encoding.CORRE: _corre,
    Encoding.HEXTILE: _hextile,
    Encoding.TIGHT: _tight,
    Encoding.TIGHT_PNG: _tight_png,
    Encoding.TRLE: _trle,
    Encoding.JPEG: _jpeg,
}
SHARED = frozenset(_ENCODERS)
