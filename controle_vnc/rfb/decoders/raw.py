"""Raw (RFC 6143 §7.7.1): the pixels as they are."""

from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.decoders.base import bands
from controle_vnc.rfb.pixels import PixelReader
from controle_vnc.rfb.stream import Steps


class RawDecoder:
    def __init__(self, pixels: PixelReader) -> None:
        self._layout = pixels.plain

    def decode(self, rect: Rect, framebuffer: Framebuffer) -> Steps:
        layout = self._layout
        for band in bands(rect):
            data = yield band.area * layout.size
            layout.put(data, framebuffer.pixels[band.y : band.bottom, band.x : band.right])
        framebuffer.touch(rect)
