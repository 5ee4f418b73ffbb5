import pytest

from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.framebuffer.shown import Shown

SCREEN = Rect(0, 0, 300, 200)
CORNER = Rect(0, 0, 100, 100)
BLACK = (0, 0, 0)


@pytest.fixture
def framebuffer():
    return Framebuffer(SCREEN.width, SCREEN.height)


@pytest.fixture
def shown(framebuffer):
    """A viewer that has seen everything."""
    viewer = Shown()
    viewer.bounds = SCREEN
    assert len(viewer.take(framebuffer, SCREEN, True)) == 6
    return viewer


def boxes(shown, framebuffer, rect=SCREEN, incremental=True):
    return [change.box for change in shown.take(framebuffer, rect, incremental)]


def test_what_was_shown_is_not_new(shown, framebuffer):
    assert boxes(shown, framebuffer) == []
    framebuffer.fill(Rect(5, 6, 7, 8), BLACK)
    assert boxes(shown, framebuffer) == [Rect(5, 6, 7, 8)]
    assert boxes(shown, framebuffer) == []


def test_all_of_a_part_is_shown_when_it_is_asked_for(shown, framebuffer):
    assert boxes(shown, framebuffer, CORNER, False) == [Rect(0, 0, 128, 128)]
    framebuffer.fill(Rect(5, 6, 7, 8), BLACK)
    assert len(boxes(shown, framebuffer, SCREEN, False)) == 6
    assert boxes(shown, framebuffer) == []


def test_what_is_missed_outside_a_part_is_shown_later(shown, framebuffer):
    framebuffer.fill(Rect(200, 150, 5, 5), BLACK)
    assert boxes(shown, framebuffer, CORNER) == []
    assert not shown.has_all(framebuffer, framebuffer.grid.stamp)
    assert boxes(shown, framebuffer) == [Rect(128, 128, 128, 72)]
    assert shown.has_all(framebuffer, framebuffer.grid.stamp)


def test_another_screen_is_new_and_so_is_a_larger_view_of_the_same(shown, framebuffer):
    framebuffer.resize(400, 100)
    assert not shown.has_seen(framebuffer)
    assert boxes(shown, framebuffer)[-1] == Rect(256, 0, 44, 100)
    assert boxes(shown, framebuffer) == []
    shown.bounds = framebuffer.bounds
    assert boxes(shown, framebuffer, framebuffer.bounds)[-1] == Rect(384, 0, 16, 100)


def test_nothing_is_shown_outside_the_screen(shown, framebuffer):
    assert boxes(shown, framebuffer, Rect(300, 200, 10, 10), False) == []
