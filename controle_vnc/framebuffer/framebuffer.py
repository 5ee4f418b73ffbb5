"""One screen's pixels, and for each watcher what has changed since it last looked."""

from collections.abc import Hashable

import numpy as np
import numpy.typing as npt

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.grid import Grid
from controle_vnc.framebuffer.rect import EMPTY, Rect

Pixels = npt.NDArray[np.uint8]
"""Rows × columns × 3 or 4 bytes: red, green, blue and, with 4, one byte that means nothing."""

MAX_DIMENSION = 16384  # of one side; what Veyon's proxy allows, too
MAX_PIXELS = 7680 * 4320  # an 8K screen is 127 MiB here; no classroom has a larger one


def check_size(width: int, height: int) -> None:
    """Raise `ProtocolError` for a screen that no classroom has."""
    if width > MAX_DIMENSION or height > MAX_DIMENSION or width * height > MAX_PIXELS:
        raise ProtocolError(f"a screen of {width}×{height} pixels is too large")


class Framebuffer:
    """The pixels of one screen, `pixels[y, x]` = red, green, blue, unused."""

    def __init__(self, width: int, height: int) -> None:
        check_size(width, height)
        self.pixels: Pixels = np.zeros((height, width, 4), np.uint8)
        self._damage: dict[Hashable, Rect] = {}
        self.grid = Grid(width, height)

    @property
    def width(self) -> int:
        return int(self.pixels.shape[1])

    @property
    def height(self) -> int:
        return int(self.pixels.shape[0])

    @property
    def bounds(self) -> Rect:
        return Rect(0, 0, self.width, self.height)

    def check(self, rect: Rect) -> None:
        """Raise `ProtocolError` where `rect` leaves the screen."""
        if rect.x < 0 or rect.y < 0 or rect.right > self.width or rect.bottom > self.height:
            raise ProtocolError(f"{rect} leaves the screen of {self.width}×{self.height}")

    def touch(self, rect: Rect) -> None:
        """Say that `rect` has changed; for those who wrote into `pixels` themselves."""
        self.grid.touch(rect)
        for watcher, old in self._damage.items():
            self._damage[watcher] = old.union(rect)

    def blit(self, rect: Rect, pixels: Pixels) -> None:
        """Put `pixels` (height × width × 3 or 4) at `rect`."""
        self.check(rect)
        self.pixels[rect.y : rect.bottom, rect.x : rect.right, : pixels.shape[2]] = pixels
        self.touch(rect)

    def fill(self, rect: Rect, colour: tuple[int, int, int]) -> None:
        """Paint `rect` in one colour (red, green, blue)."""
        self.check(rect)
        self.pixels[rect.y : rect.bottom, rect.x : rect.right, :3] = colour
        self.touch(rect)

    def copy(self, rect: Rect, source_x: int, source_y: int) -> None:
        """Copy the pixels at the source to `rect`; the two may overlap."""
        source = Rect(source_x, source_y, rect.width, rect.height)
        self.check(rect)
        self.check(source)
        block = self.pixels[source.y : source.bottom, source.x : source.right].copy()
        self.pixels[rect.y : rect.bottom, rect.x : rect.right] = block
        self.touch(rect)

    def resize(self, width: int, height: int) -> None:
        """Change the size; what both sizes share stays, everything counts as changed."""
        check_size(width, height)
        old = self.pixels
        self.pixels = np.zeros((height, width, 4), np.uint8)
        rows, columns = min(height, old.shape[0]), min(width, old.shape[1])
        self.pixels[:rows, :columns] = old[:rows, :columns]
        self.grid = Grid(width, height)
        for watcher in self._damage:
            self._damage[watcher] = self.bounds

    def watch(self, watcher: Hashable) -> None:
        """Keep damage for `watcher`, to whom everything is new."""
        self._damage[watcher] = self.bounds

    def unwatch(self, watcher: Hashable) -> None:
        self._damage.pop(watcher, None)

    def has_damage(self, watcher: Hashable) -> bool:
        return not self._damage[watcher].is_empty

    def take_damage(self, watcher: Hashable) -> Rect:
        """Hand over what `watcher` has not seen yet, and forget it."""
        taken, self._damage[watcher] = self._damage[watcher], EMPTY
        return taken
