"""How one viewer likes its pictures: pixel format, encodings, quality. Pure."""

from collections.abc import Collection

from controle_vnc.errors import ProtocolError
from controle_vnc.rfb import messages
from controle_vnc.rfb.constants import JPEG_QUALITY_LEVELS, Encoding
from controle_vnc.rfb.encoders.quality import SHARED, Quality
from controle_vnc.rfb.pixel_format import RGBX, PixelFormat
from controle_vnc.rfb.viewer_messages import SetEncodings, SetPixelFormat

COLOUR_MAP_DEPTH = 8  # a viewer with a map of fewer colours cannot show ours
FILES = {Encoding.TIGHT_PNG, Encoding.JPEG}
"""Pictures in the formats of files, which know nothing of maps and of few colours."""


class Taste:
    """What a viewer has asked for so far; Raw in our own format until it asks for more.

    Of its encodings it gets the first one that is in `choice`: the order tells what it prefers
    (RFC 6143 §7.5.2).
    """

    def __init__(self, choice: Collection[int] = SHARED) -> None:
        self.pixel_format: PixelFormat = RGBX
        self.encodings: frozenset[int] = frozenset()
        self._choice = choice
        self._asked: tuple[int, ...] = ()
        self._level: int | None = None
        self.quality = Quality()

    def learn(self, message: SetEncodings | SetPixelFormat) -> None:
        """Take in a wish; raises `ProtocolError` for one that cannot be met."""
        if isinstance(message, SetPixelFormat):
            if not message.pixel_format.true_colour and message.pixel_format.depth < (
                COLOUR_MAP_DEPTH
            ):
                raise ProtocolError("a colour map of fewer than 256 colours")
            self.pixel_format = message.pixel_format
        else:
            self._asked, self.encodings = message.encodings, frozenset(message.encodings)
            levels = [code for code in message.encodings if code in JPEG_QUALITY_LEVELS]
            self._level = levels[0] - JPEG_QUALITY_LEVELS.start if levels else None
        self.quality = self._chosen()

    def _chosen(self) -> Quality:
        code = next((code for code in self._asked if self._takes(code)), Encoding.RAW)
        is_tight = code in (Encoding.TIGHT, Encoding.TIGHT_PNG)
        if code == Encoding.JPEG or (is_tight and self.pixel_format.has_tight_pixels):
            return Quality(code, RGBX, self._level)  # wherever its format has red, green and blue
        return Quality(code, self.pixel_format, self._level if is_tight else None)

    def _takes(self, code: int) -> bool:
        return code in self._choice and (code not in FILES or self.pixel_format.takes_jpeg)

    def resize(self, width: int, height: int, reason: int = 0, status: int = 0) -> bytes:
        """The rectangle that tells a new size; empty for a viewer that cannot follow."""
        if Encoding.EXTENDED_DESKTOP_SIZE in self.encodings:
            return messages.extended_desktop_size(width, height, reason, status)
        if Encoding.DESKTOP_SIZE in self.encodings:
            return messages.desktop_size(width, height)
        return b""
