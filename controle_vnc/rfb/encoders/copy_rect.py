"""CopyRect (RFC 6143 §7.7.2): pixels that the viewer has already."""

import struct

from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.messages import rectangle


def encode(rect: Rect, source_x: int, source_y: int) -> bytes:
    """One rectangle that shows at `rect` what the viewer sees at the source."""
    return rectangle(rect, Encoding.COPY_RECT) + struct.pack(">HH", source_x, source_y)
