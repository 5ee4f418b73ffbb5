"""Raw (RFC 6143 §7.7.1): the pixels as they are."""

import numpy as np

from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.decoders.base import Decoding, bands


class RawDecoder:
    def decode(self, rect: Rect, framebuffer: Framebuffer) -> Decoding:
        for band in bands(rect):
            data = yield band.area * 4
            pixels = np.frombuffer(data, np.uint8).reshape(band.height, band.width, 4)
            framebuffer.pixels[band.y : band.bottom, band.x : band.right] = pixels
        framebuffer.touch(rect)
