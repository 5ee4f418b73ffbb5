import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb import messages
from controle_vnc.rfb.constants import Encoding
from controle_vnc.rfb.encoders import ALL, SHARED, Encoders
from controle_vnc.rfb.encoders.boxes import boxes_of
from controle_vnc.rfb.encoders.pixels import colour_map
from controle_vnc.rfb.encoders.quality import Quality
from controle_vnc.rfb.pixel_format import RGBX
from controle_vnc.rfb.stream import to_the_end
from tests.controle_vnc.rfb.reference import FORMATS, MAP8, RGB565, Reference, seen_as
from tests.controle_vnc.rfb.sessions import connected

SCREEN = Rect(0, 0, 150, 140)
LOSSLESS = sorted(ALL - {Encoding.JPEG})
DRAWN = sorted(ALL - {Encoding.JPEG, Encoding.TIGHT_PNG})  # in any format


def picture(kind, width=SCREEN.width, height=SCREEN.height):
    random = np.random.default_rng(3)
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[...] = (30, 90, 200, 0)
    if kind == "text":
        pixels[20:40, 10:140, :3] = 255
        pixels[22:38:2, 12:138:3, :3] = 0
        pixels[60:, 30:60, :3] = random.choice([0, 255], (height - 60, 30, 1))
    elif kind == "windows":
        for _number in range(40):
            x, y = random.integers(0, width - 20), random.integers(0, height - 20)
            pixels[y : y + 30, x : x + 40, :3] = random.integers(0, 256, 3)
    elif kind == "stripes":
        pixels[..., :3] = random.integers(0, 256, (height, 1, 3))
    elif kind == "a hundred colours":
        pixels[..., :3] = random.integers(0, 256, (100, 3))[
            random.integers(0, 100, (height, width))
        ]
    elif kind == "noise":
        pixels[..., :3] = random.integers(0, 256, (height, width, 3))
    return pixels


KINDS = ["one colour", "text", "windows", "stripes", "a hundred colours", "noise"]


def shown(pixels, encoding, pixel_format, rects=(SCREEN,), level=None):
    """What our reference shows, starting black."""
    encoders = Encoders()
    quality = Quality(encoding, pixel_format, level)
    data = b"".join(encoders.encode(quality, pixels, rect) for rect in rects)
    reference = Reference(pixels.shape[1], pixels.shape[0], pixel_format)
    reference.read(messages.framebuffer_update(len(rects), data))
    return reference


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("encoding", LOSSLESS)
def test_every_encoding_shows_the_pixels_as_they_are(encoding, kind):
    pixels = picture(kind)
    assert (shown(pixels, encoding, RGBX).pixels == pixels[..., :3]).all()


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("encoding", DRAWN)
def test_every_encoding_is_written_in_every_pixel_format(encoding, name):
    for kind in ("text", "windows", "noise"):
        pixels = picture(kind, 70, 70)
        whole = Rect(0, 0, 70, 70)
        reference = shown(pixels, encoding, FORMATS[name], [whole])
        assert (reference.pixels == seen_as(pixels, FORMATS[name])).all(), kind


@pytest.mark.parametrize("encoding", DRAWN)
def test_a_rectangle_shows_its_own_place_and_no_other(encoding):
    pixels = picture("windows")
    rects = [Rect(3, 5, 1, 1), Rect(17, 40, 33, 2), Rect(149, 0, 1, 140), Rect(60, 60, 65, 65)]
    seen = shown(pixels, encoding, RGBX, rects).pixels
    expected = np.zeros_like(seen)
    for x, y, width, height in rects:
        area = np.s_[y : y + height, x : x + width]
        expected[area] = pixels[area][..., :3]
    assert (seen == expected).all()


@pytest.mark.parametrize("name", ["rgbx", "bgrx big", "high big", "565", "565 big", "233", "map"])
@pytest.mark.parametrize("encoding", DRAWN)
def test_our_own_client_reads_what_we_write(encoding, name):
    encoders, pixel_format = Encoders(), FORMATS[name]
    client = connected(70, 70, pixel_format)
    if not pixel_format.true_colour:
        client.receive_data(messages.set_colour_map_entries(colour_map()), to_the_end)
    for kind in KINDS:
        pixels = picture(kind, 70, 70)
        data = encoders.encode(Quality(encoding, pixel_format), pixels, Rect(0, 0, 70, 70))
        client.receive_data(messages.framebuffer_update(1, data), to_the_end)
        assert (client.framebuffer.pixels[..., :3] == seen_as(pixels, pixel_format)).all(), kind


@pytest.mark.parametrize("encoding", [Encoding.TIGHT_PNG, Encoding.JPEG])
def test_our_own_client_reads_pictures_of_files(encoding):
    y, x = np.mgrid[0:70, 0:70].astype(np.uint8)
    pixels = np.ascontiguousarray(np.dstack([x, y, x ^ 7, y]))
    client = connected(70, 70)
    data = Quality(encoding, RGBX, 9).encode(pixels, Rect(0, 0, 70, 70))
    client.receive_data(messages.framebuffer_update(1, data), to_the_end)
    assert abs(client.framebuffer.pixels[..., :3].astype(int) - pixels[..., :3]).max() < 12


@pytest.mark.parametrize("encoding", sorted(SHARED))
def test_what_has_no_memory_is_the_same_for_a_viewer_that_joins_late(encoding):
    pixels, encoders = picture("windows"), Encoders()
    first = encoders.encode(Quality(encoding), pixels, SCREEN)
    assert encoders.encode(Quality(encoding), pixels, SCREEN) == first


@pytest.mark.parametrize("encoding", [Encoding.ZLIB, Encoding.ZRLE])
def test_what_has_a_memory_says_the_same_again_in_fewer_bytes(encoding):
    pixels, encoders = picture("a hundred colours", 64, 64), Encoders()
    first = encoders.encode(Quality(encoding), pixels, Rect(0, 0, 64, 64))
    again = encoders.encode(Quality(encoding), pixels, Rect(0, 0, 64, 64))
    assert len(again) < len(first) / 4


@pytest.mark.parametrize("encoding", [Encoding.TIGHT, Encoding.TIGHT_PNG, Encoding.JPEG])
@pytest.mark.parametrize("level", [0, 5, 9])
def test_a_photograph_goes_as_jpeg_where_the_viewer_takes_it(encoding, level):
    y, x = np.mgrid[0:140, 0:150].astype(np.uint8)
    pixels = np.ascontiguousarray(np.dstack([x, y, x ^ 7, y]))
    reference = shown(pixels, encoding, RGBX, level=level)
    assert abs(reference.pixels - pixels[..., :3]).mean() < 12


def test_a_jpeg_is_not_for_eight_bits():
    noise = picture("noise", 64, 64)
    for pixel_format, kind in ((RGB565, 0x9F), (FORMATS["233"], 0x4F), (MAP8, 0x4F)):
        data = Quality(Encoding.TIGHT, pixel_format, 9).encode(noise, Rect(0, 0, 64, 64))
        assert data[12] == kind


@pytest.mark.parametrize("encoding", [Encoding.RRE, Encoding.CORRE])
def test_noise_goes_as_raw_where_boxes_would_be_longer(encoding):
    reference = shown(picture("noise"), encoding, RGBX)
    assert reference.encodings == [Encoding.RAW]
    assert shown(picture("windows"), encoding, RGBX).encodings == [encoding]


def test_what_is_drawn_takes_a_fraction_of_raw():
    pixels = picture("windows")
    raw = len(Encoders().encode(Quality(), pixels, SCREEN))
    for encoding in set(DRAWN) - {Encoding.RAW}:
        assert len(Encoders().encode(Quality(encoding), pixels, SCREEN)) < raw / 4, encoding


def test_boxes_cover_every_pixel_once_and_the_ground_is_the_commonest_colour():
    values = np.zeros((20, 33), np.uint8)
    values[2:9, 3:30] = 7
    values[12:, 20:] = 9
    boxes = boxes_of(values, 16)
    painted = np.zeros(values.shape, int)
    columns = -(-33 // 16)
    for tile, x, y, width, height, value, _ in zip(*boxes, strict=True):
        top, left = tile // columns * 16 + y, tile % columns * 16 + x
        assert x + width <= 16
        assert y + height <= 16
        painted[top : top + height, left : left + width] += 1
        assert (values[top : top + height, left : left + width] == value).all()
    assert (painted == 1).all()
    grounds = {
        int(t): int(v) for t, v, g in zip(boxes.tile, boxes.value, boxes.ground, strict=True) if g
    }
    assert grounds[0] == 0
    assert grounds[5] == 9


@settings(max_examples=60)
@given(
    st.sampled_from(DRAWN), st.sampled_from(sorted(FORMATS)), st.integers(0, 2**32 - 1),
    st.integers(1, 140), st.integers(1, 80), st.integers(1, 80), st.integers(1, 40),
)  # fmt: skip
def test_any_picture_in_any_encoding_and_format_is_shown(
    encoding, name, seed, colours, width, height, run
):
    random = np.random.default_rng(seed)
    palette = random.integers(0, 256, (colours, 4)).astype(np.uint8)
    flat = np.repeat(random.integers(0, colours, width * height), random.integers(1, run + 1))
    pixels = palette[flat[: width * height]].reshape(height, width, 4)
    reference = shown(pixels, encoding, FORMATS[name], [Rect(0, 0, width, height)])
    assert (reference.pixels == seen_as(pixels, FORMATS[name])).all()
