"""One decoder a file; a new set of them for each connection."""

from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.decoders.base import Decoder
from controle_vnc.rfb.decoders.copy_rect import CopyRectDecoder
from controle_vnc.rfb.decoders.hextile import HextileDecoder
from controle_vnc.rfb.decoders.raw import RawDecoder
from controle_vnc.rfb.decoders.tight import TightDecoder
from controle_vnc.rfb.decoders.zrle import ZrleDecoder


def new_decoders() -> dict[int, Decoder]:
    """The decoders of one connection, by encoding."""
    return {
        Encoding.RAW: RawDecoder(),
        Encoding.COPY_RECT: CopyRectDecoder(),
        Encoding.HEXTILE: HextileDecoder(),
        Encoding.TIGHT: TightDecoder(),
        Encoding.ZRLE: ZrleDecoder(),
    }
