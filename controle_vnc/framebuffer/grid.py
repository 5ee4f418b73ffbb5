"""What has changed on a screen since when, cell by cell; one grid serves every viewer."""

from collections.abc import Iterable
from typing import NamedTuple

from controle_vnc.framebuffer.rect import Rect

CELL = 128  # pixels a side: small enough for a typed letter, large enough for a JPEG's tables


class Change(NamedTuple):
    """A cell that a viewer has not seen in its present state.

    `box` is what to show of it: all of it, or only what changed last where the viewer has seen
    everything before. `version` names the state: equal numbers and boxes show equal pixels.
    """

    cell: int
    version: int
    box: Rect


def clipped(changes: Iterable[Change], window: Rect) -> list[Change]:
    """What `window` shows of `changes`."""
    cut = (change._replace(box=change.box.intersection(window)) for change in changes)
    return [change for change in cut if not change.box.is_empty]


class Grid:
    """Counts changes. A stamp names a moment: every change so far has it or a lower one."""

    def __init__(self, width: int, height: int) -> None:
        self.bounds = Rect(0, 0, width, height)
        self._columns = max(1, -(-width // CELL))
        rows = max(1, -(-height // CELL))
        self.stamp = 1
        self._read_at = 0  # changes after the last look at the grid are told as one
        numbers = range(self._columns * rows)
        self._cells = [self._cell(number) for number in numbers]
        self._boxes = self._cells.copy()
        self._versions = [1 for _ in numbers]
        self._before = [0 for _ in numbers]

    def _cell(self, number: int) -> Rect:
        row, column = divmod(number, self._columns)
        return Rect(column * CELL, row * CELL, CELL, CELL).intersection(self.bounds)

    # Called for every rectangle of every server: numbers, no properties, hardly a call.

    def touch(self, rect: Rect) -> None:
        """Say that the pixels in `rect` have changed."""
        x, y, width, height = rect.intersection(self.bounds)
        if not width:
            return
        self.stamp += 1
        right, bottom = x + width, y + height
        first, last = x // CELL, (right - 1) // CELL + 1
        for row in range(y // CELL, (bottom - 1) // CELL + 1):
            above = row * CELL
            top = y if y > above else above
            below = bottom if bottom < above + CELL else above + CELL
            number = row * self._columns + first
            for before in range(first * CELL, last * CELL, CELL):
                left = x if x > before else before
                end = right if right < before + CELL else before + CELL
                self._touch_cell(number, left, top, end, below)
                number += 1

    def _touch_cell(self, number: int, left: int, top: int, right: int, bottom: int) -> None:
        version = self._versions[number]
        self._versions[number] = self.stamp
        if version <= self._read_at:
            self._before[number] = version
        else:
            x, y, width, height = self._boxes[number]
            left, top = x if x < left else left, y if y < top else top
            right = x + width if x + width > right else right
            bottom = y + height if y + height > bottom else bottom
        self._boxes[number] = Rect(left, top, right - left, bottom - top)

    def since(self, stamp: int) -> list[Change]:
        """What is new to a viewer that has seen everything up to `stamp` (0: nothing yet).

        It has seen everything up to the present `stamp` once it is shown all of this.
        """
        self._read_at = self.stamp
        return [
            Change(
                number,
                version,
                self._boxes[number] if self._before[number] <= stamp else self._cells[number],
            )
            for number, version in enumerate(self._versions)
            if version > stamp
        ]

    def within(self, rect: Rect) -> list[Change]:
        """Every cell that `rect` meets, whole, changed or not."""
        self._read_at = self.stamp
        numbers = (
            row * self._columns + column
            for row in range(rect.y // CELL, -(-rect.bottom // CELL))
            for column in range(rect.x // CELL, -(-rect.right // CELL))
        )
        return [Change(number, self._versions[number], self._cells[number]) for number in numbers]
