"""TightPNG (encoding -260): Tight with PNG in place of filters and zlib streams."""

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import Framebuffer, put
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.decoders.tight import TPIXEL, TightDecoder, compact_length
from controle_vnc.rfb.inflate import check_compressed
from controle_vnc.rfb.png import decode_png
from controle_vnc.rfb.stream import Steps

PNG = 10
MAX_PNG_PIXELS = 1024 * 1024  # decoded in one step of up to 40 ms; servers send 64 Ki


class TightPngDecoder(TightDecoder):
    def _other(self, control: int, rect: Rect, framebuffer: Framebuffer) -> Steps:
        if control >> 4 != PNG:
            raise ProtocolError(f"TightPNG data of kind {control >> 4}")
        if rect.area > MAX_PNG_PIXELS:
            raise ProtocolError(f"a PNG of {rect.width}×{rect.height}")
        length = yield from compact_length()
        check_compressed(length, rect.area * TPIXEL)
        pixels = decode_png((yield length), rect)
        put(framebuffer.pixels[rect.y : rect.bottom, rect.x : rect.right], pixels)
