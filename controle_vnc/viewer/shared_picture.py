"""How one viewer likes its pictures: pixel format, encodings, quality. Pure."""

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import Pixels
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb import messages
from controle_vnc.rfb.constants import JPEG_QUALITY_LEVELS, Encoding
from controle_vnc.rfb.encoders.quality import Quality
from controle_vnc.rfb.pixel_format import RGBX, PixelFormat
from controle_vnc.rfb.viewer_messages import SetEncodings, SetPixelFormat


class Taste:
    """What a viewer has asked for so far; Raw in our own format until it asks for more."""

    def __init__(self) -> None:
        self._format: PixelFormat = RGBX
        self._encodings: frozenset[int] = frozenset()
        self._level: int | None = None
        self.quality = Quality(RGBX)

    def learn(self, message: SetEncodings | SetPixelFormat) -> None:
        """Take in a wish; raises `ProtocolError` for one that cannot be met."""
        if isinstance(message, SetPixelFormat):
            if not message.pixel_format.true_colour:
                raise ProtocolError("a pixel format with a colour map")
            self._format = message.pixel_format
        else:
            self._encodings = frozenset(message.encodings)
            levels = [code for code in message.encodings if code in JPEG_QUALITY_LEVELS]
            self._level = levels[0] - JPEG_QUALITY_LEVELS.start if levels else None
        takes_tight = Encoding.TIGHT in self._encodings and self._format.has_tight_pixels
        self.quality = Quality(None, self._level) if takes_tight else Quality(self._format)

    def draw(self, pixels: Pixels, rect: Rect) -> bytes:
        """One whole FramebufferUpdate that shows `rect` of `pixels`."""
        return messages.framebuffer_update(*self.quality.encode_large(pixels, rect))

    def resize(self, width: int, height: int) -> bytes:
        """The update that tells a new size; empty for a viewer that cannot follow."""
        if Encoding.EXTENDED_DESKTOP_SIZE in self._encodings:
            body = messages.extended_desktop_size(width, height)
        elif Encoding.DESKTOP_SIZE in self._encodings:
            body = messages.desktop_size(width, height)
        else:
            return b""
        return messages.framebuffer_update(1, body)
