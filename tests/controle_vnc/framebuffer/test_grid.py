import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from controle_vnc.framebuffer.grid import CELL, Grid
from controle_vnc.framebuffer.rect import Rect


def looked_at(width, height):
    """A grid whose every cell somebody has seen, and up to when."""
    grid = Grid(width, height)
    grid.since(0)
    return grid, grid.stamp


def boxes(changes):
    return [change.box for change in changes]


def test_everything_is_new_to_whom_has_seen_nothing():
    grid = Grid(CELL + 10, CELL + 20)
    assert boxes(grid.since(0)) == [
        Rect(0, 0, CELL, CELL),
        Rect(CELL, 0, 10, CELL),
        Rect(0, CELL, CELL, 20),
        Rect(CELL, CELL, 10, 20),
    ]


def test_nothing_is_new_to_whom_has_seen_everything():
    grid = Grid(300, 300)
    assert grid.since(grid.stamp) == []


def test_only_what_changed_is_shown_to_whom_saw_the_rest():
    grid, seen = looked_at(300, 300)
    grid.touch(Rect(10, 20, 5, 6))
    assert boxes(grid.since(seen)) == [Rect(10, 20, 5, 6)]


def test_a_change_over_the_border_of_two_cells_is_told_in_two_parts():
    grid, seen = looked_at(300, 300)
    grid.touch(Rect(CELL - 2, 0, 4, 4))
    assert boxes(grid.since(seen)) == [Rect(CELL - 2, 0, 2, 4), Rect(CELL, 0, 2, 4)]


def test_changes_between_two_looks_are_told_as_one():
    grid, seen = looked_at(100, 100)
    grid.touch(Rect(10, 10, 5, 5))
    grid.touch(Rect(30, 10, 5, 5))
    assert boxes(grid.since(seen)) == [Rect(10, 10, 25, 5)]


def test_who_missed_a_look_is_shown_the_whole_cell():
    grid, seen = looked_at(100, 100)
    grid.touch(Rect(10, 10, 5, 5))
    later = grid.stamp
    grid.since(seen)  # somebody else looks
    grid.touch(Rect(30, 10, 5, 5))
    assert boxes(grid.since(later)) == [Rect(30, 10, 5, 5)]
    assert boxes(grid.since(seen)) == [Rect(0, 0, 100, 100)]


def test_equal_versions_and_boxes_are_one_state():
    grid, seen = looked_at(100, 100)
    grid.touch(Rect(10, 10, 5, 5))
    assert grid.since(seen) == grid.since(seen)
    first = grid.since(seen)
    grid.touch(Rect(10, 10, 5, 5))
    assert grid.since(seen)[0].version > first[0].version


def test_a_change_outside_the_screen_is_none():
    grid, seen = looked_at(100, 100)
    grid.touch(Rect(100, 0, 10, 10))
    assert grid.stamp == seen


def test_a_rectangle_is_told_in_whole_cells():
    grid = Grid(300, 300)
    assert boxes(grid.within(Rect(100, 0, 50, 10))) == [
        Rect(0, 0, CELL, CELL),
        Rect(CELL, 0, CELL, CELL),
    ]


rects = st.builds(
    Rect, st.integers(0, 199), st.integers(0, 149), st.integers(1, 90), st.integers(1, 90)
)
steps = st.lists(st.one_of(rects, st.integers(0, 2)), max_size=30)


@given(steps)
def test_viewers_at_any_pace_come_to_the_present_picture(steps):
    """Rectangles are painted; a number lets that one of three viewers look."""
    grid, screen = Grid(200, 150), np.zeros((150, 200), int)
    viewers, seen = [np.full((150, 200), -1) for _ in range(3)], [0, 0, 0]

    def look(viewer):
        for change in grid.since(seen[viewer]):
            x, y, right, bottom = change.box.x, change.box.y, change.box.right, change.box.bottom
            viewers[viewer][y:bottom, x:right] = screen[y:bottom, x:right]
        seen[viewer] = grid.stamp

    for colour, step in enumerate(steps, 1):
        if isinstance(step, Rect):
            screen[step.y : step.bottom, step.x : step.right] = colour
            grid.touch(step)
        else:
            look(step)
            assert (viewers[step] == screen).all()
    for viewer in range(3):
        look(viewer)
        assert (viewers[viewer] == screen).all()
