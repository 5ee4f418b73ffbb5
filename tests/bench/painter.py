"""What 40 students do, painted by one process on many displays.

`python -m tests.bench.painter DISPLAY=KIND …`; kinds: typing (5 letters a second, a new page when
one is full), scrolling (6 steps a second for 2 s, then 4 s of reading), idle, video (640×360,
25 pictures a second), flashing (a block that changes every 1.5 to 2.5 s). It prints `[]` when
everything stands. Every line on standard input is answered with the changes since the last one:
`[[seconds, display, level], …]`: with (nearly) every change a small block in the corner gets the
next level of grey, by which a tile tells what it shows. It ends with its standard input.
"""

import heapq
import json
import random
import select
import sys
import time
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tests.bench.xlib import Canvas

WIDTH, HEIGHT = 1280, 720
MARK = (0, 0, 64, 48)
LEVELS = [16 + 8 * step for step in range(28)]  # greys that survive JPEG apart from each other
CELL = (12, 22)
COLUMNS, LINES = 96, 28
TEXT_AT = (64, 60)
PAGE_HEIGHT = 3 * HEIGHT
STEP = 60
VIDEO = (640, 360)
VIDEO_PICTURES = 10
WORDS = ["the", "class", "reads", "a", "page", "of", "this", "book", "and", "writes", "it", "down"]


def text_page(luck: random.Random) -> Image.Image:
    """A page of an editor."""
    page = Image.new("RGB", (COLUMNS * CELL[0], LINES * CELL[1]), "#fdfcf8")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(17)
    for line in range(LINES):
        text = " ".join(luck.choices(WORDS, k=14))
        draw.text((2, line * CELL[1]), text, fill="#222222", font=font)
    return page


def web_page(luck: random.Random) -> Image.Image:
    """A long page with text and pictures."""
    page = Image.new("RGB", (WIDTH, PAGE_HEIGHT), "#ffffff")
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(20)
    for top in range(20, PAGE_HEIGHT - 260, 300):
        page.paste(noise((420, 240), luck.randrange(1 << 30), 8), (60, top))
        for line in range(9):
            text = " ".join(luck.choices(WORDS, k=12))
            draw.text((520, top + 26 * line), text, fill="#333333", font=font)
    return page


def noise(size: tuple[int, int], seed: int, grain: int = 4) -> Image.Image:
    """Coloured clouds with some grain, as photographs have them."""
    generator = np.random.default_rng(seed)
    small = generator.integers(0, 255, (size[1] // grain // 4 + 1, size[0] // grain // 4 + 1, 3))
    clouds = Image.fromarray(small.astype(np.uint8)).resize(size, Image.Resampling.BICUBIC)
    grains = generator.integers(-8, 8, (size[1], size[0], 1))
    return Image.fromarray((np.asarray(clouds) + grains).clip(0, 255).astype(np.uint8))


class Screen:
    """One display and its marks."""

    def __init__(self, display: str, note: Callable[[str, int], None]) -> None:
        self.canvas, self.display, self._note = Canvas(display), display, note
        self.luck = random.Random(display)
        self._turn = 0
        self.canvas.fill((0, 0, WIDTH, HEIGHT), self.luck.randrange(0x404040, 0x707070))

    def mark(self) -> None:
        """The change that has just been painted gets a level."""
        self._turn = (self._turn + 1) % len(LEVELS)
        level = LEVELS[self._turn]
        self.canvas.fill(MARK, level << 16 | level << 8 | level)
        self.canvas.flush()
        self._note(self.display, level)


def typing(screen: Screen) -> Iterator[float]:
    page = screen.canvas.keep(text_page(screen.luck))
    size = (COLUMNS * CELL[0], LINES * CELL[1])
    cell = screen.luck.randrange(400)
    while True:
        screen.canvas.fill((*TEXT_AT, *size), 0xFDFCF8)
        while cell < COLUMNS * 8:
            row, column = divmod(cell, COLUMNS)
            source = (column * CELL[0], row * CELL[1])
            at = (TEXT_AT[0] + source[0], TEXT_AT[1] + source[1])
            screen.canvas.show(page, source, CELL, at)
            screen.mark()
            cell += 1
            yield screen.luck.uniform(0.1, 0.3)
        cell = 0


def scrolling(screen: Screen) -> Iterator[float]:
    page, top = screen.canvas.keep(web_page(screen.luck)), 0
    yield screen.luck.uniform(0, 4)
    while True:
        for _ in range(12):
            screen.canvas.show(page, (0, top), (WIDTH, HEIGHT), (0, 0))
            screen.mark()
            top = (top + STEP) % (PAGE_HEIGHT - HEIGHT)
            yield 1 / 6
        yield 4.0


def video(screen: Screen) -> Iterator[float]:
    pictures = [screen.canvas.keep(noise(VIDEO, number)) for number in range(VIDEO_PICTURES)]
    while True:
        for number, picture in enumerate(pictures):
            screen.canvas.show(picture, (0, 0), VIDEO, (320, 180))
            if number % 5:
                screen.canvas.flush()
            else:
                screen.mark()
            yield 1 / 25


def page_and_video(screen: Screen) -> Iterator[float]:
    """Of `broadcast`: a page that scrolls all the time, with a video in it."""
    page, top = screen.canvas.keep(web_page(screen.luck)), 0
    pictures = [screen.canvas.keep(noise(VIDEO, number)) for number in range(VIDEO_PICTURES)]
    while True:
        for number in range(100):
            if number % 4 == 0:
                top = (top + STEP) % (PAGE_HEIGHT - HEIGHT)
                screen.canvas.show(page, (0, top), (WIDTH, HEIGHT), (0, 0))
            picture = pictures[number % VIDEO_PICTURES]
            screen.canvas.show(picture, (0, 0), VIDEO, (320, 180))
            screen.mark()
            yield 1 / 25


def flashing(screen: Screen) -> Iterator[float]:
    while True:
        screen.canvas.fill((400, 200, 300, 300), screen.luck.randrange(1 << 24))
        screen.mark()
        yield screen.luck.uniform(1.5, 2.5)


def idle(screen: Screen) -> Iterator[float]:
    page = screen.canvas.keep(text_page(screen.luck))
    screen.canvas.show(page, (0, 0), (COLUMNS * CELL[0], LINES * CELL[1]), TEXT_AT)
    screen.canvas.sync()
    while True:
        yield 3600.0


KINDS = {one.__name__: one for one in (typing, scrolling, video, flashing, idle, page_and_video)}


def main() -> None:
    changes: list[tuple[float, str, int]] = []
    due: list[tuple[float, int, Iterator[float]]] = []

    def note(display: str, level: int) -> None:
        changes.append((time.monotonic(), display, level))

    for number, argument in enumerate(sys.argv[1:]):
        display, kind = argument.split("=")
        work = KINDS[kind](Screen(display, note))
        due.append((time.monotonic() + next(work), number, work))
    heapq.heapify(due)
    print("[]", flush=True)
    while True:
        ready, _, _ = select.select([sys.stdin], [], [], max(0.0, due[0][0] - time.monotonic()))
        if ready:
            if not sys.stdin.readline():
                return
            print(json.dumps(changes), flush=True)
            changes.clear()
        while due[0][0] <= time.monotonic():
            at, number, work = due[0]
            heapq.heapreplace(due, (max(at + next(work), time.monotonic() - 0.1), number, work))


if __name__ == "__main__":
    main()
