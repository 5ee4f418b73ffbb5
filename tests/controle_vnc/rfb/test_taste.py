import pytest

from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.encoders import ALL
from controle_vnc.rfb.encoders.quality import Quality
from controle_vnc.rfb.pixel_format import RGBX
from controle_vnc.rfb.taste import Taste
from controle_vnc.rfb.viewer_messages import SetEncodings, SetPixelFormat
from tests.controle_vnc.rfb.reference import BGR233, BGRX_BIG, MAP8, RGB565

NOVNC = (1, 50, 7, -260, 16, 21, 5, 2, 6, 0, -26, -254, -223, -224)  # as it says it


def liking(*codes, pixel_format=None, choice=None):
    taste = Taste(*([choice] if choice else []))
    taste.learn(SetEncodings(codes))
    if pixel_format is not None:
        taste.learn(SetPixelFormat(pixel_format))
    return taste.quality


def test_the_first_one_that_can_be_shared_is_taken():
    assert liking(*NOVNC) == Quality(Encoding.TIGHT, RGBX, 6)
    assert liking(16, 6, 5, 7) == Quality(Encoding.HEXTILE)
    assert liking(16, 6, 5, 7, choice=ALL) == Quality(Encoding.ZRLE)
    assert liking(50, -223) == Quality(Encoding.RAW)


def test_tight_is_the_same_in_every_order_of_three_bytes():
    assert liking(*NOVNC, pixel_format=BGRX_BIG) == liking(*NOVNC)
    assert liking(*NOVNC, pixel_format=RGB565) == Quality(Encoding.TIGHT, RGB565, 6)


@pytest.mark.parametrize("pixel_format", [BGR233, MAP8])
def test_pictures_of_files_are_not_for_few_colours(pixel_format):
    assert liking(-260, 21, 5, pixel_format=pixel_format) == Quality(5, pixel_format)


def test_a_size_is_told_in_the_best_way_the_viewer_knows():
    taste = Taste()
    assert taste.resize(64, 48) == b""
    taste.learn(SetEncodings((-223,)))
    assert taste.resize(64, 48)[8:] == (-223).to_bytes(4, "big", signed=True)
    taste.learn(SetEncodings((-223, -308)))
    assert taste.resize(64, 48, 1, 3)[:4] == b"\0\1\0\3"
