import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb import messages
from controle_vnc.rfb.encoders import tight
from controle_vnc.rfb.pixel_format import RGBX
from controle_vnc.rfb.stream import to_the_end
from tests.controle_vnc.rfb.sessions import connected

ALL = Rect(0, 0, 128, 128)
HEAD = 12  # bytes before a rectangle's data


def with_colours(count):
    """128×128 pixels in exactly so many colours, in no order."""
    numbers = np.arange(128 * 128, dtype=np.uint32) % count
    values = np.random.default_rng(count).permutation(numbers) * np.uint32(
        65521 if count > 9 else 1
    )
    return np.ascontiguousarray(values.reshape(128, 128)).view(np.uint8).reshape(128, 128, 4)


def encode(pixels, rect, level):
    return tight.encode(pixels, rect, RGBX, level)


def seen(pixels, data):
    viewer = connected(128, 128)
    viewer.receive_data(messages.framebuffer_update(1, data), to_the_end)
    return viewer.framebuffer.pixels[:, :, :3]


@pytest.mark.parametrize(
    ("colours", "control", "following"),
    [
        (1, 0x8F, b"\0\0\0"),
        (2, 0x4F, b"\x01\x01"),
        (256, 0x4F, b"\x01\xff"),
        (257, 0x4F, b"\x00"),
    ],
)
def test_the_cheapest_form_is_chosen_by_the_number_of_colours(colours, control, following):
    pixels = with_colours(colours)
    data = encode(pixels, ALL, None)
    assert data[HEAD] == control
    assert data[HEAD + 1 :].startswith(following)
    assert (seen(pixels, data) == pixels[:, :, :3]).all()


@pytest.mark.parametrize(("colours", "control"), [(256, 0x4F), (257, 0x9F)])
def test_a_viewer_of_jpeg_still_gets_text_as_it_is(colours, control):
    assert encode(with_colours(colours), ALL, 6)[HEAD] == control


@pytest.mark.parametrize("quality", range(10))
def test_every_level_of_quality_is_a_picture(quality):
    y, x = np.mgrid[0:128, 0:128].astype(np.uint8)
    pixels = np.ascontiguousarray(np.dstack([x, y, x ^ 7, y]))
    shown = seen(pixels, encode(pixels, ALL, quality)).astype(int)
    assert abs(shown - pixels[:, :, :3]).mean() < 12


def test_colours_that_share_a_slot_of_every_table_are_still_told_apart(monkeypatch):
    monkeypatch.setattr(tight, "MULTIPLIERS", (np.uint32(0),))
    pixels = with_colours(100)
    assert (seen(pixels, encode(pixels, ALL, None)) == pixels[:, :, :3]).all()


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1), st.integers(1, 300), st.integers(1, 128), st.integers(1, 128))
def test_any_colours_in_any_box_are_shown_as_they_are(seed, colours, width, height):
    random = np.random.default_rng(seed)
    palette = random.integers(0, 2**32, colours, np.uint32)
    pixels = palette[random.integers(0, colours, (128, 128))].view(np.uint8).reshape(128, 128, 4)
    data = encode(pixels, Rect(0, 0, width, height), None)
    shown = seen(pixels, data)[:height, :width]
    assert (shown == pixels[:height, :width, :3]).all()
