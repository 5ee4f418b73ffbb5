"""What has changed on a screen since when, cell by cell; one grid serves every viewer."""

from typing import NamedTuple

import numpy as np

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


class Grid:
    """Counts changes. A stamp names a moment: every change so far has it or a lower one."""

    def __init__(self, width: int, height: int) -> None:
        self.bounds = Rect(0, 0, width, height)
        self._columns = max(1, -(-width // CELL))
        rows = max(1, -(-height // CELL))
        self.stamp = 1
        self._read_at = 0  # changes after the last look at the grid are told as one
        self._versions = np.ones(self._columns * rows, np.int64)
        self._before = np.zeros(self._columns * rows, np.int64)
        self._boxes = [self._cell(number) for number in range(self._columns * rows)]

    def _cell(self, number: int) -> Rect:
        row, column = divmod(number, self._columns)
        return Rect(column * CELL, row * CELL, CELL, CELL).intersection(self.bounds)

    def touch(self, rect: Rect) -> None:
        """Say that the pixels in `rect` have changed."""
        rect = rect.intersection(self.bounds)
        if rect.is_empty:
            return
        self.stamp += 1
        for row in range(rect.y // CELL, (rect.bottom - 1) // CELL + 1):
            for column in range(rect.x // CELL, (rect.right - 1) // CELL + 1):
                self._touch_cell(row * self._columns + column, rect)

    def _touch_cell(self, number: int, rect: Rect) -> None:
        box = rect.intersection(self._cell(number))
        if self._versions[number] > self._read_at:
            self._boxes[number] = self._boxes[number].union(box)
        else:
            self._before[number] = self._versions[number]
            self._boxes[number] = box
        self._versions[number] = self.stamp

    def since(self, stamp: int) -> list[Change]:
        """What is new to a viewer that has seen everything up to `stamp` (0: nothing yet).

        It has seen everything up to the present `stamp` once it is shown all of this.
        """
        self._read_at = self.stamp
        return [
            Change(
                int(number),
                int(self._versions[number]),
                self._boxes[number] if self._before[number] <= stamp else self._cell(int(number)),
            )
            for number in np.nonzero(self._versions > stamp)[0]
        ]

    def within(self, rect: Rect) -> list[Change]:
        """Every cell that `rect` meets, whole, changed or not."""
        self._read_at = self.stamp
        numbers = (
            row * self._columns + column
            for row in range(rect.y // CELL, -(-rect.bottom // CELL))
            for column in range(rect.x // CELL, -(-rect.right // CELL))
        )
        return [
            Change(number, int(self._versions[number]), self._cell(number)) for number in numbers
        ]
