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

    def union(self, other: "Rect") -> "Rect":
        """The smallest rectangle that holds both; an empty one adds nothing."""
        if self.is_empty:
            return other
        if other.is_empty:
            return self
        x, y = min(self.x, other.x), min(self.y, other.y)
        return Rect(x, y, max(self.right, other.right) - x, max(self.bottom, other.bottom) - y)

    def intersection(self, other: "Rect") -> "Rect":
        """What both share, or `EMPTY`."""
        x, y = max(self.x, other.x), max(self.y, other.y)
        shared = Rect(x, y, min(self.right, other.right) - x, min(self.bottom, other.bottom) - y)
        return EMPTY if shared.is_empty else shared


EMPTY = Rect(0, 0, 0, 0)
