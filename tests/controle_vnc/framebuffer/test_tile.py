import io

import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from controle_vnc.framebuffer import tile
from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.framebuffer.tile import (
    BUDGET_BYTES,
    QUALITIES,
    SPARE_PIXELS,
    SmallPicture,
    joined,
    tile_size,
)

ROUNDINGS = 3  # of a filter that starts at another pixel, once across and once down
SIZES = [
    (1280, 720, 320),
    (1280, 720, 480),
    (1366, 768, 320),
    (1920, 1080, 480),
    (1000, 3, 320),
    (200, 150, 320),
    (3, 1000, 320),
]


def noise(height, width, block=1):
    rows, columns = -(-height // block), -(-width // block)
    small = np.random.default_rng(3).integers(0, 256, (rows, columns, 4), np.uint8)
    return small.repeat(block, axis=0).repeat(block, axis=1)[:height, :width]


def screen_of(pixels):
    screen = Framebuffer(pixels.shape[1], pixels.shape[0])
    screen.blit(screen.bounds, pixels)
    return screen


def bring_up_to_date(picture, screen):
    return picture.update(picture.take(screen))


def drawn(screen, width):
    """A picture from scratch."""
    picture = SmallPicture(width)
    assert bring_up_to_date(picture, screen)
    return picture


def reduced_by_pillow(screen, width):
    """The same by Pillow alone, over the whole screen at once."""
    image = Image.fromarray(np.ascontiguousarray(screen.pixels[:, :, :3]))
    size = tile_size(screen.width, screen.height, width)
    image = image.reduce(max(1, screen.width // size[0]))
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR)).astype(int)


def page_of_text():
    image = Image.new("RGBX", (1280, 720), (250, 250, 245))
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(22)
    for row in range(24):
        pen.text((60, 30 + 28 * row), "The river rises in the hills. " * 3, (20, 20, 30), font)
    return np.asarray(image)


def encoded(picture, quality):
    return simplejpeg.encode_jpeg(
        picture.pixels, quality=quality, colorspace="RGBX", colorsubsampling="420"
    )


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((1280, 720), (320, 180)),
        ((800, 600), (320, 240)),
        ((200, 100), (200, 100)),
        ((9000, 1), (320, 1)),
    ],
)
def test_a_tile_keeps_the_proportions(size, expected):
    assert tile_size(*size, 320) == expected
    jpeg = drawn(Framebuffer(*size), 320).encode()
    assert Image.open(io.BytesIO(jpeg)).size == expected


def test_a_tile_shows_the_screens_colours():
    pixels = np.zeros((720, 1280, 4), np.uint8)
    pixels[:, :640, 0] = 250
    pixels[:, 640:, 2] = 250
    jpeg = drawn(screen_of(pixels), 320).encode()
    picture = Image.open(io.BytesIO(jpeg)).convert("RGB")
    assert picture.getpixel((40, 90))[0] > 230
    assert picture.getpixel((280, 90))[2] > 230


@pytest.mark.parametrize(("width", "height", "tile_width"), SIZES)
def test_a_picture_from_scratch_is_the_reduction_of_the_whole_screen(width, height, tile_width):
    screen = screen_of(noise(height, width, 7))
    small = drawn(screen, tile_width).pixels[:, :, :3].astype(int)
    assert np.abs(small - reduced_by_pillow(screen, tile_width)).max() <= 1


steps = st.lists(
    st.tuples(
        st.sampled_from(SIZES),
        st.lists(
            st.tuples(
                st.floats(0, 0.99), st.floats(0, 0.99), st.integers(1, 300), st.integers(1, 200),
                st.integers(0, 255),
            ),
            max_size=4,
        ),
    ),
    max_size=5,
)  # fmt: skip


@settings(max_examples=150)
@given(st.sampled_from(SIZES), steps)
def test_what_is_shrunk_bit_by_bit_is_what_is_shrunk_at_once(size, steps):
    screen = screen_of(noise(size[1], size[0], 5))
    picture = SmallPicture(size[2])
    for (width, height, _), fills in steps:
        if len(fills) == 0:
            screen.resize(width, height)
        for x, y, columns, rows, grey in fills:
            rect = Rect(int(x * screen.width), int(y * screen.height), columns, rows)
            screen.fill(rect.intersection(screen.bounds), (grey, 255 - grey, grey // 2))
        before = picture.pixels.copy() if hasattr(picture, "pixels") else None
        changed = bring_up_to_date(picture, screen)
        whole = drawn(screen, size[2]).pixels
        assert picture.pixels.shape == whole.shape
        assert np.abs(picture.pixels.astype(int) - whole).max() <= ROUNDINGS
        assert changed or np.array_equal(before, picture.pixels)


def test_only_what_changed_is_shrunk_again():
    screen = screen_of(noise(720, 1280))
    picture = drawn(screen, 320)
    screen.pixels[:] = 0  # nobody says so
    screen.fill(Rect(400, 400, 4, 4), (9, 9, 9))
    dirt = picture.take(screen)
    assert dirt.boxes == [Rect(400, 400, 4, 4)]
    assert dirt.area == 16
    assert picture.update(dirt)
    assert picture.pixels[100, 100, :3].tolist() == [9, 9, 9]
    assert picture.pixels.any(axis=2).mean() > 0.9


def test_what_is_painted_again_as_it_was_changes_nothing():
    pixels = noise(720, 1280)
    screen = screen_of(pixels)
    picture = drawn(screen, 320)
    screen.blit(screen.bounds, pixels)
    assert not bring_up_to_date(picture, screen)


@pytest.mark.parametrize("width", [320, 300])
def test_a_change_too_small_to_be_seen_is_none(width):
    screen = screen_of(np.full((720, 1280, 3), 100, np.uint8))
    picture = drawn(screen, width)
    screen.fill(Rect(10, 10, 1, 1), (101, 100, 100))
    assert not bring_up_to_date(picture, screen)


def test_another_size_of_the_same_colour_is_another_picture():
    screen = Framebuffer(1280, 720)
    picture = drawn(screen, 320)
    assert not bring_up_to_date(picture, screen)
    screen.resize(800, 600)
    assert bring_up_to_date(picture, screen)
    assert picture.pixels.shape == (240, 320, 4)


def test_neighbours_and_what_is_close_become_one_rectangle():
    cells = [Rect(x, y, 128, 128) for y in (0, 128) for x in (0, 128, 256)]
    assert joined(cells) == [Rect(0, 0, 384, 256)]
    assert joined([Rect(0, 0, 8, 8), Rect(100, 50, 8, 9)]) == [Rect(0, 0, 108, 59)]
    assert joined([*cells, Rect(1000, 600, 5, 5)]) == [
        Rect(0, 0, 384, 256),
        Rect(1000, 600, 5, 5),
    ]
    assert joined([]) == []


def test_joining_spares_a_call_for_no_more_than_a_cells_pixels():
    one, near, far = Rect(0, 0, 8, 2), Rect(8 + 8192, 0, 8, 2), Rect(9 + 8192, 0, 8, 2)
    assert SPARE_PIXELS == 2 * 8192
    assert joined([one, near]) == [Rect(0, 0, 8208, 2)]
    assert joined([one, far]) == [one, far]


@given(st.sets(st.integers(0, 19)))
def test_joining_loses_nothing(numbers):
    cells = [Rect(number % 5 * 100, number // 5 * 100, 90, 80) for number in sorted(numbers)]
    covered = np.zeros((400, 500), bool)
    for box in joined(cells):
        covered[box.y : box.bottom, box.x : box.right] = True
    for cell in cells:
        assert covered[cell.y : cell.bottom, cell.x : cell.right].all()


# --- quality


def test_a_page_of_text_stays_legible_within_the_budget():
    picture = drawn(screen_of(page_of_text()), 320)
    jpeg = picture.encode()
    shown = simplejpeg.decode_jpeg(jpeg, colorspace="RGBX").astype(int)
    ink = np.corrcoef(picture.pixels[:, :, 1].ravel(), shown[:, :, 1].ravel())[0, 1]
    assert len(jpeg) <= BUDGET_BYTES
    assert ink > 0.95


def test_a_tile_over_the_budget_is_of_the_next_quality(monkeypatch):
    picture = drawn(screen_of(page_of_text()), 320)
    best = encoded(picture, QUALITIES[0])
    monkeypatch.setattr(tile, "BUDGET_BYTES", len(best))
    assert picture.encode() == best
    monkeypatch.setattr(tile, "BUDGET_BYTES", len(best) - 1)
    assert picture.encode() == encoded(picture, QUALITIES[1])


def test_noise_is_of_the_worst_quality_and_no_worse():
    picture = drawn(screen_of(noise(180, 320)), 320)
    assert picture.encode() == encoded(picture, QUALITIES[-1])
    assert picture.encode() == encoded(picture, QUALITIES[-1])


def test_a_wider_tile_may_be_larger():
    for width, pixels in ((320, noise(180, 320, 4)), (640, noise(360, 640, 4))):
        jpeg = drawn(screen_of(pixels), width).encode()
        assert len(jpeg) <= BUDGET_BYTES * (width // 320) ** 2
    assert len(jpeg) > BUDGET_BYTES


def test_quality_comes_back_when_there_is_room():
    screen = screen_of(noise(720, 1280, 4))
    picture = drawn(screen, 320)
    picture.encode()
    screen.blit(screen.bounds, np.full((720, 1280, 4), 90, np.uint8))
    bring_up_to_date(picture, screen)
    for quality in reversed(QUALITIES):
        assert picture.encode() == encoded(picture, quality)


def test_quality_stays_where_there_is_just_enough_room(monkeypatch):
    screen = screen_of(noise(180, 320))
    picture = drawn(screen, 320)
    worst = picture.encode()
    monkeypatch.setattr(tile, "BUDGET_BYTES", int(len(worst) / tile.ROOM))
    assert picture.encode() == worst == picture.encode()
    monkeypatch.setattr(tile, "BUDGET_BYTES", int(len(worst) / tile.ROOM) + 2)
    assert picture.encode() == worst
    assert picture.encode() == encoded(picture, QUALITIES[-2])
