import numpy as np
import pytest

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.framebuffer import MAX_DIMENSION, Framebuffer, words_of_rgb
from controle_vnc.framebuffer.rect import EMPTY, Rect


def test_union_and_intersection_of_rectangles():
    a, b = Rect(0, 0, 4, 4), Rect(2, 3, 6, 2)
    assert a.union(b) == Rect(0, 0, 8, 5)
    assert a.intersection(b) == Rect(2, 3, 2, 1)
    assert a.intersection(Rect(9, 9, 1, 1)) == EMPTY
    assert EMPTY.union(b) == b == b.union(EMPTY)


def test_a_watcher_starts_with_everything_and_is_told_only_what_is_new():
    screen = Framebuffer(10, 10)
    screen.watch("wall")
    assert screen.take_damage("wall") == Rect(0, 0, 10, 10)
    assert not screen.has_damage("wall")
    screen.fill(Rect(1, 1, 2, 2), (1, 2, 3))
    screen.fill(Rect(5, 5, 1, 1), (1, 2, 3))
    assert screen.take_damage("wall") == Rect(1, 1, 5, 5)
    assert screen.take_damage("wall") == EMPTY


def test_a_slow_watcher_costs_one_rectangle_and_no_queue():
    screen = Framebuffer(10, 10)
    screen.watch("slow")
    for _ in range(1000):
        screen.fill(Rect(0, 0, 10, 10), (1, 1, 1))
    assert screen.take_damage("slow") == Rect(0, 0, 10, 10)
    screen.unwatch("slow")
    screen.unwatch("slow")


def test_resizing_keeps_what_both_share():
    screen = Framebuffer(4, 4)
    screen.fill(Rect(0, 0, 4, 4), (9, 9, 9))
    screen.watch("wall")
    screen.take_damage("wall")
    screen.resize(2, 6)
    assert (screen.pixels[:4, :, :3] == 9).all()
    assert (screen.pixels[4:] == 0).all()
    assert screen.take_damage("wall") == Rect(0, 0, 2, 6)


def test_a_sixteenth_of_the_new_size_is_kept_and_less_is_not():
    for width, kept in ((16, 9), (17, 0)):
        screen = Framebuffer(1, 1)
        screen.fill(Rect(0, 0, 1, 1), (9, 9, 9))
        screen.resize(width, 1)
        assert screen.pixels[0, 0, 0] == kept


def test_nothing_is_painted_outside():
    screen = Framebuffer(4, 4)
    for rect in (Rect(-1, 0, 1, 1), Rect(3, 0, 2, 1), Rect(0, 3, 1, 2)):
        with pytest.raises(ProtocolError):
            screen.fill(rect, (0, 0, 0))
        with pytest.raises(ProtocolError):
            screen.blit(rect, np.zeros((rect.height, rect.width, 3), np.uint8))
    with pytest.raises(ProtocolError):
        screen.copy(Rect(0, 0, 2, 2), 3, 3)


def test_a_screen_has_a_largest_size():
    Framebuffer(MAX_DIMENSION, 1)
    for size in ((MAX_DIMENSION + 1, 1), (7681, 4320)):
        with pytest.raises(ProtocolError):
            Framebuffer(*size)


def test_pixels_and_words_are_the_same_memory_after_a_change_of_size_too():
    screen = Framebuffer(2, 1)
    screen.resize(3, 2)
    screen.fill(Rect(1, 1, 1, 1), (1, 2, 3))
    assert screen.words[1].tolist() == [0, 0x030201, 0]
    assert screen.pixels[1, 1].tolist() == [1, 2, 3, 0]


def test_three_bytes_a_pixel_and_four_paint_the_same():
    painted = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    for bytes_a_pixel in (3, 4):
        screen = Framebuffer(3, 2)
        screen.blit(screen.bounds, painted[:, :, :bytes_a_pixel])
        assert (screen.pixels[:, :, :3] == painted[:, :, :3]).all()


def test_colours_are_read_as_words():
    assert words_of_rgb(bytes([1, 2, 3, 255, 0, 0])).tolist() == [0x030201, 0xFF]
    assert words_of_rgb(b"").tolist() == []
