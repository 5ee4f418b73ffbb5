import pytest

from controle_vnc.workstation.scaling import MAX_ANSWERS, MAX_FACTOR, Scaling


@pytest.mark.parametrize(
    ("size", "shown", "factor"),
    [
        ((1280, 720), 320, 4),
        ((1920, 1080), 320, 6),
        ((1366, 768), 320, 4),
        ((1920, 1080), 640, 3),
        ((5760, 1080), 320, MAX_FACTOR),
        ((5440, 16), 320, 16),
        ((5120, 16), 320, 16),
        ((5120, 15), 320, 15),
    ],
)
def test_at_least_the_pixels_shown_remain(size, shown, factor):
    assert Scaling(*size).wish(shown) == factor


@pytest.mark.parametrize("size", [(639, 400), (320, 200), (16, 9), (0, 0)])
def test_a_screen_less_than_twice_as_wide_is_left_alone(size):
    assert Scaling(*size).wish(320) is None


def test_nothing_is_asked_twice_nor_while_an_answer_is_awaited():
    scaling = Scaling(1280, 720)
    assert scaling.wish(None) is None
    scaling.asked(4)
    assert scaling.is_awaited
    assert not scaling.is_full
    assert scaling.wish(None) is None
    assert scaling.resized(320, 180)
    assert scaling.wish(320) is None
    assert not scaling.is_full
    assert scaling.wish(640) == 2
    assert scaling.wish(None) == 1


def test_it_is_whole_again_once_the_server_has_told_the_first_size():
    scaling = Scaling(1366, 768)
    scaling.asked(4)
    assert scaling.resized(341, 192)
    scaling.asked(1)
    assert not scaling.is_full
    assert scaling.resized(1366, 768)
    assert scaling.is_full


def test_a_screen_that_is_not_shrunk_may_take_any_size():
    scaling = Scaling(1280, 720)
    assert scaling.resized(1920, 1080)
    assert scaling.wish(320) == 6


@pytest.mark.parametrize("told", [(1280, 720), (640, 360), (321, 180)])
def test_another_size_than_the_one_asked_for_is_told(told):
    scaling = Scaling(1280, 720)
    scaling.asked(4)
    assert not scaling.resized(*told)


def test_a_server_that_does_not_do_it_is_found_out():
    scaling = Scaling(1280, 720)
    for _ in range(2 * MAX_ANSWERS):
        assert scaling.answered()
    scaling.asked(4)
    for _ in range(MAX_ANSWERS):
        assert scaling.answered()
    assert not scaling.answered()
