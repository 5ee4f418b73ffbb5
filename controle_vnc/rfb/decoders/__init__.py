"""One decoder a file; a new set of them for each connection."""

from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.decoders.base import Decoder
from controle_vnc.rfb.decoders.copy_rect import CopyRectDecoder
from controle_vnc.rfb.decoders.hextile import HextileDecoder
from controle_vnc.rfb.decoders.jpeg import JpegDecoder
from controle_vnc.rfb.decoders.raw import RawDecoder
from controle_vnc.rfb.decoders.rre import CoRreDecoder, RreDecoder
from controle_vnc.rfb.decoders.tight import TightDecoder
from controle_vnc.rfb.decoders.tight_png import TightPngDecoder
from controle_vnc.rfb.decoders.trle import TrleDecoder
from controle_vnc.rfb.decoders.zlib import ZlibDecoder
from controle_vnc.rfb.decoders.zrle import ZrleDecoder
from controle_vnc.rfb.pixels import PixelReader


def new_decoders(pixels: PixelReader) -> dict[int, Decoder]:
    """The decoders of one connection, by encoding."""
    return {
        Encoding.RAW: RawDecoder(pixels),
        Encoding.COPY_RECT: CopyRectDecoder(),
        Encoding.RRE: RreDecoder(pixels),
        Encoding.CORRE: CoRreDecoder(pixels),
        Encoding.HEXTILE: HextileDecoder(pixels),
        Encoding.ZLIB: ZlibDecoder(pixels),
        Encoding.TIGHT: TightDecoder(pixels),
        Encoding.TRLE: TrleDecoder(pixels),
        Encoding.ZRLE: ZrleDecoder(pixels),
        Encoding.JPEG: JpegDecoder(),
        Encoding.TIGHT_PNG: TightPngDecoder(pixels),
    }
