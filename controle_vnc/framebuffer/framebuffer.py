"""One screen's pixels, and for each watcher what has changed since it last looked."""

from collections.abc import Hashable

import numpy as np
import numpy.typing as npt

from controle_vnc.errors import ProtocolError
from controle_vnc.framebuffer.grid import Grid
from controle_vnc.framebuffer.rect import EMPTY, Rect

Pixels = npt.NDArray[np.uint8]
"""Rows × columns × 3 or 4 bytes: red, green, blue and, with 4, one byte that means nothing."""

Words = npt.NDArray[np.uint32]
"""Pixels as one number each: red in its lowest byte, nothing in its highest.

To write three of every four bytes takes many times as long as to write whole numbers.
"""

MAX_DIMENSION = 16384  # of one side; what Veyon's proxy allows, too
MAX_SCREEN_PIXELS = 7680 * 4320  # an 8K screen is 127 MiB here; no classroom has a larger one
MAX_KEPT_BYTES = (
    32 * 1024 * 1024
)  # of an old size beside the new one: a 4K screen; others are black
LEAST_KEPT_PART = 16  # a smaller part of the new size is not worth touching all of its memory


def check_size(width: int, height: int) -> None:
    """Raise `ProtocolError` for a screen that no classroom has."""
    if width > MAX_DIMENSION or height > MAX_DIMENSION or width * height > MAX_SCREEN_PIXELS:
        raise ProtocolError(f"a screen of {width}×{height} pixels is too large")


def words_of(pixels: Pixels) -> Words:
    """`pixels` of four bytes as numbers, not copied."""
    words: Words = pixels.view("<u4")[..., 0]
    return words


def words_of_rgb(data: bytes) -> Words:
    """Colours of three bytes each as numbers, one after the other."""
    colours = np.zeros((len(data) // 3, 4), np.uint8)
    colours[:, :3] = np.frombuffer(data, np.uint8).reshape(-1, 3)
    return words_of(colours)


def put(area: Pixels, pixels: Pixels) -> None:
    """Put `pixels` of three bytes or four into `area` of the same size."""
    if pixels.shape[2] == area.shape[2]:
        area[:] = pixels
        return
    for channel in range(3):  # a loop over pixels, inside, costs eight times as much
        area[..., channel] = pixels[..., channel]


class Framebuffer:
    """The pixels of one screen, `pixels[y, x]` = red, green, blue, unused; as numbers, `words`."""

    def __init__(self, width: int, height: int) -> None:
        self._begin(width, height)
        self._damage: dict[Hashable, Rect] = {}

    def _begin(self, width: int, height: int) -> None:
        check_size(width, height)
        self.bounds = Rect(0, 0, width, height)
        self.pixels: Pixels = np.zeros((height, width, 4), np.uint8)
        self.words = words_of(self.pixels)
        self.grid = Grid(width, height)

    @property
    def width(self) -> int:
        return self.bounds.width

    @property
    def height(self) -> int:
        return self.bounds.height

    def check(self, rect: Rect) -> None:
        """Raise `ProtocolError` where `rect` leaves the screen."""
        x, y, width, height = rect
        _, _, most_right, most_bottom = self.bounds
        if x < 0 or y < 0 or x + width > most_right or y + height > most_bottom:
            raise ProtocolError(f"{rect} leaves the screen of {self.width}×{self.height}")

    def touch(self, rect: Rect) -> None:
        """Say that `rect` has changed; for those who wrote into `pixels` themselves."""
        self.grid.touch(rect)
        for watcher, old in self._damage.items():
            self._damage[watcher] = old.union(rect)

    def blit(self, rect: Rect, pixels: Pixels) -> None:
        """Put `pixels` (height × width × 3 or 4) at `rect`."""
        self.check(rect)
        put(self.pixels[rect.y : rect.bottom, rect.x : rect.right], pixels)
        self.touch(rect)

    def fill(self, rect: Rect, colour: tuple[int, int, int]) -> None:
        """Paint `rect` in one colour (red, green, blue)."""
        self.check(rect)
        red, green, blue = colour
        word = red | green << 8 | blue << 16
        self.words[rect.y : rect.bottom, rect.x : rect.right] = word
        self.touch(rect)

    def copy(self, rect: Rect, source_x: int, source_y: int) -> None:
        """Copy the pixels at the source to `rect`; the two may overlap."""
        source = Rect(source_x, source_y, rect.width, rect.height)
        self.check(rect)
        self.check(source)
        block = self.words[source.y : source.bottom, source.x : source.right].copy()
        self.words[rect.y : rect.bottom, rect.x : rect.right] = block
        self.touch(rect)

    def resize(self, width: int, height: int, keeps_pixels: bool = True) -> None:
        """Change the size: everything counts as changed; what both share may stay, or is black.

        For a moment there are two pictures; a very large one is not kept, nor a very small part.
        """
        check_size(width, height)
        old = self.pixels
        shared = min(width, self.width) * min(height, self.height)
        keeps_pixels = keeps_pixels and shared * LEAST_KEPT_PART >= width * height
        if not keeps_pixels or old.nbytes > MAX_KEPT_BYTES:
            old = self.pixels = np.zeros((0, 0, 4), np.uint8)
            self.words = words_of(old)
        self._begin(width, height)
        rows, columns = min(height, old.shape[0]), min(width, old.shape[1])
        self.pixels[:rows, :columns] = old[:rows, :columns]
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
