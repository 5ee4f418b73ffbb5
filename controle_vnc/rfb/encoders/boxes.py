"""A picture as boxes of one colour each, for RRE, CoRRE and Hextile."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from controle_vnc.rfb.encoders.pixels import Values

Numbers = npt.NDArray[np.int64]


class Boxes(NamedTuple):
    """Boxes that cover a picture, by tiles: `x` and `y` count from the corner of their tile."""

    tile: Numbers
    x: Numbers
    y: Numbers
    width: Numbers
    height: Numbers
    value: Values
    ground: npt.NDArray[np.bool_]
    """The box has the colour that covers most of its tile."""

    def without_ground(self) -> "Boxes":
        """What is left to paint on the grounds."""
        left = ~self.ground
        return Boxes(
            self.tile[left], self.x[left], self.y[left], self.width[left], self.height[left],
            self.value[left], self.ground[left],
        )  # fmt: skip


def boxes_of(values: Values, side: int) -> Boxes:
    """The boxes of `values` (rows × columns), none of which leaves its tile of `side`².

    Runs of one colour become a box with the same runs below them.
    """
    height, width = values.shape
    begins = np.empty(values.shape, np.bool_)
    begins[:, 1:] = values[:, 1:] != values[:, :-1]
    begins[:, ::side] = True
    starts = np.flatnonzero(begins)
    lengths = np.diff(starts, append=values.size)
    y, x = np.divmod(starts, width)
    colours = values.ravel()[starts]
    tile = y // side * -(-width // side) + x // side
    order = np.lexsort((y, colours, lengths, x, tile))
    tile, x, y, lengths, colours = (one[order] for one in (tile, x, y, lengths, colours))
    is_first = np.ones(len(order), np.bool_)
    is_first[1:] = ~(
        (tile[1:] == tile[:-1])
        & (x[1:] == x[:-1])
        & (lengths[1:] == lengths[:-1])
        & (colours[1:] == colours[:-1])
        & (y[1:] == y[:-1] + 1)
    )
    first = np.flatnonzero(is_first)
    heights = np.diff(first, append=len(order))
    tile, x, y, lengths, colours = (one[first] for one in (tile, x, y, lengths, colours))
    ground = _ground(tile, lengths * heights, colours)
    return Boxes(tile, x % side, y % side, lengths, heights, colours, ground)


def _ground(tile: Numbers, area: Numbers, value: Values) -> npt.NDArray[np.bool_]:
    """Which boxes have the colour that covers most of their tile."""
    order = np.lexsort((value, tile))
    tiles, values = tile[order], value[order]
    begins = np.ones(len(order), np.bool_)
    begins[1:] = (tiles[1:] != tiles[:-1]) | (values[1:] != values[:-1])
    first = np.flatnonzero(begins)
    covered = np.add.reduceat(area[order], first)
    largest = np.lexsort((-covered, tiles[first]))
    owners = tiles[first][largest]
    winners = largest[np.concatenate(([True], owners[1:] != owners[:-1]))]
    colours = values[first][winners]
    found = np.searchsorted(tiles[first][winners], tile)
    chosen: npt.NDArray[np.bool_] = colours[found] == value
    return chosen


def records(columns: list[Values]) -> npt.NDArray[np.uint8]:
    """Boxes × bytes: what stands in `columns`, each in its own width, one after the other."""
    return np.hstack(
        [
            np.ascontiguousarray(column).view(np.uint8).reshape(len(column), column.dtype.itemsize)
            for column in columns
        ]
    )
