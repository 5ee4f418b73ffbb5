"""Rectangles of pixels. Knows nothing of what is in them."""

from typing import NamedTuple


class Rect(NamedTuple):
    """A rectangle in pixels; the right and bottom edges lie outside it."""

    x: int
    y: int
    width: int
    height: int

    @property
    def right(self) -> int:
        return self.x + self.width

    @property
    def bottom(self) -> int:
        return self.y + self.height

    @property
    def area(self) -> int:
        return self.width * self.height

    @property
    def is_empty(self) -> bool:
        return self.width <= 0 or self.height <= 0

    # These two are called for every rectangle of every server: no property, no call in them.

    def union(self, other: "Rect") -> "Rect":
        """The smallest rectangle that holds both; an empty one adds nothing."""
        x, y, width, height = self
        x2, y2, width2, height2 = other
        if width <= 0 or height <= 0:
            return other
        if width2 <= 0 or height2 <= 0:
            return self
        right = x + width if x + width > x2 + width2 else x2 + width2
        bottom = y + height if y + height > y2 + height2 else y2 + height2
        x = x if x < x2 else x2
        y = y if y < y2 else y2
        return Rect(x, y, right - x, bottom - y)

    def intersection(self, other: "Rect") -> "Rect":
        """What both share, or `EMPTY`."""
        x, y, width, height = self
        x2, y2, width2, height2 = other
        right = x + width if x + width < x2 + width2 else x2 + width2
        bottom = y + height if y + height < y2 + height2 else y2 + height2
        x = x if x > x2 else x2
        y = y if y > y2 else y2
        return Rect(x, y, right - x, bottom - y) if x < right and y < bottom else EMPTY


EMPTY = Rect(0, 0, 0, 0)
