"""From a screen's pixels to the small JPEG of a wall: only what changed is shrunk again."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import simplejpeg
from PIL import Image

from controle_vnc.framebuffer.framebuffer import Framebuffer, Pixels
from controle_vnc.framebuffer.grid import Grid
from controle_vnc.framebuffer.rect import Rect

BUDGET_WIDTH, BUDGET_BYTES = 320, 10_000  # 40 busy tiles a second are 3 Mbit/s to a browser
QUALITIES = (60, 52, 44, 36, 28, 20)  # at 60 small text is crisp, under 20 colours fall apart
ROOM = 0.7  # of the budget: a tile that is smaller may try the next better quality
SPARE_PIXELS = 128 * 128  # to shrink so many more takes no longer than to shrink once more
MARGIN = 2  # pixels of a tile beside a changed one that the filter lets it reach


def tile_size(width: int, height: int, tile_width: int) -> tuple[int, int]:
    """Width and height of a tile at most `tile_width` wide, in the screen's proportions."""
    if width <= tile_width:
        return width, height
    return tile_width, max(1, round(height * tile_width / width))


def joined(boxes: Iterable[Rect]) -> list[Rect]:
    """Fewer rectangles that hold them all: what is close together becomes one."""
    beside = _merged(boxes)
    beside.sort(key=lambda box: (box.x, box.y))
    return _merged(beside)


def _merged(boxes: Iterable[Rect]) -> list[Rect]:
    found: list[Rect] = []
    for box in boxes:
        if found:
            both = found[-1].union(box)
            if both.area <= found[-1].area + box.area + SPARE_PIXELS:
                found[-1] = both
                continue
        found.append(box)
    return found


@dataclass(frozen=True)
class Dirt:
    """What has changed on a screen; the pixels may still be painted while they are read."""

    pixels: Pixels
    boxes: list[Rect]

    @property
    def area(self) -> int:
        return sum(box.area for box in self.boxes)


class SmallPicture:
    """A screen at most `width` wide, kept from one tile to the next.

    `take` belongs where the screen is painted, `update` and `encode` may run beside: what they
    read half painted is touched when it is whole, and so comes again.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self._grid: Grid | None = None
        self._stamp = 0
        self._is_new = True
        self._step = 0  # of QUALITIES
        self._screen: tuple[Pixels, Image.Image] | None = None

    def take(self, framebuffer: Framebuffer) -> Dirt:
        """What has changed since the last call: all, if the screen is another one."""
        if framebuffer.grid is not self._grid:
            self._start_over(framebuffer)
        boxes = joined(change.box for change in framebuffer.grid.since(self._stamp))
        self._stamp = framebuffer.grid.stamp
        return Dirt(framebuffer.pixels, boxes)

    def _start_over(self, framebuffer: Framebuffer) -> None:
        width, height = framebuffer.width, framebuffer.height
        self._grid, self._stamp, self._is_new = framebuffer.grid, 0, True
        columns, rows = tile_size(width, height, self.width)
        # A whole-number box reduction is several times cheaper than a filter over all pixels.
        self._factor = max(1, width // max(1, columns))
        # What is left to do after that is done to this: 342 columns for the 320 of 1366.
        shape = (-(-height // self._factor), -(-width // self._factor), 4)
        self._reduced: Pixels = np.zeros(shape, np.uint8)
        self.pixels: Pixels = self._reduced
        if shape[:2] != (rows, columns):
            self.pixels = np.zeros((rows, columns, 4), np.uint8)

    def update(self, dirt: Dirt) -> bool:
        """Shrink what has changed; whether any pixel of the small picture is another now."""
        changed, self._is_new = self._is_new, False
        for box in dirt.boxes:
            if (part := self._reduce(dirt.pixels, box)) is None:
                continue
            if self.pixels is self._reduced or self._resize(part):
                changed = True
        return changed

    def _reduce(self, pixels: Pixels, box: Rect) -> Rect | None:
        """Bring `_reduced` up to date; the part of it that differs now."""
        factor, (height, width) = self._factor, pixels.shape[:2]
        x, y = box.x // factor, box.y // factor
        part = Rect(x, y, -(-box.right // factor) - x, -(-box.bottom // factor) - y)
        if factor == 1:
            return (
                part if _put(self._reduced, part, pixels[y : part.bottom, x : part.right]) else None
            )
        right, bottom = min(part.right * factor, width), min(part.bottom * factor, height)
        small = self._image_of(pixels).reduce(factor, box=(x * factor, y * factor, right, bottom))
        return part if _put(self._reduced, part, np.asarray(small)) else None

    def _image_of(self, pixels: Pixels) -> Image.Image:
        """The screen for Pillow, which sees what is painted in it."""
        if self._screen is None or self._screen[0] is not pixels:
            self._screen = pixels, _image(pixels)
        return self._screen[1]

    def _resize(self, changed: Rect) -> bool:
        """Bring `pixels` up to date where `changed` of `_reduced` reaches; whether it differs."""
        (rows, columns), (height, width) = self.pixels.shape[:2], self._reduced.shape[:2]
        across, down = width / columns, height / rows
        x, y = max(0, int(changed.x / across) - MARGIN), max(0, int(changed.y / down) - MARGIN)
        right = min(columns, int(changed.right / across) + 1 + MARGIN)
        bottom = min(rows, int(changed.bottom / down) + 1 + MARGIN)
        source = (x * across, y * down, min(width, right * across), min(height, bottom * down))
        part = Rect(x, y, right - x, bottom - y)
        small = _image(self._reduced).resize(
            (part.width, part.height), Image.Resampling.BILINEAR, box=source
        )
        return _put(self.pixels, part, np.asarray(small))

    def encode(self) -> bytes:
        """A JPEG, of the best quality that fits the budget of its width or of the worst."""
        budget = BUDGET_BYTES * self.width**2 // BUDGET_WIDTH**2
        jpeg = self._jpeg()
        while len(jpeg) > budget and self._step < len(QUALITIES) - 1:
            self._step += 1
            jpeg = self._jpeg()
        if len(jpeg) < ROOM * budget and self._step > 0:
            self._step -= 1  # for the next tile: this one may be of a video that is over
        return jpeg

    def _jpeg(self) -> bytes:
        jpeg: bytes = simplejpeg.encode_jpeg(
            self.pixels,
            quality=QUALITIES[self._step],
            colorspace="RGBX",
            colorsubsampling="420",
        )
        return jpeg


def _image(pixels: Pixels) -> Image.Image:
    """`pixels` for Pillow, not copied."""
    height, width = pixels.shape[:2]
    return Image.frombuffer("RGBX", (width, height), pixels, "raw", "RGBX", 0, 1)


def _put(picture: Pixels, part: Rect, pixels: Pixels) -> bool:
    """Put `pixels` at `part` of `picture`; whether that changes it."""
    there = picture[part.y : part.bottom, part.x : part.right]
    if np.array_equal(there, pixels):
        return False
    there[:] = pixels
    return True
