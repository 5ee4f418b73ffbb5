"""A desktop that is only drawn: windows painted into a framebuffer, and a note to write on."""

import math
import random
import textwrap
import time
import unicodedata
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageColor, ImageDraw, ImageFont

from controle_vnc.demo import scenery
from controle_vnc.demo.programs.note import Note
from controle_vnc.demo.scenery import HEIGHT, WIDTH
from controle_vnc.framebuffer.framebuffer import Framebuffer
from controle_vnc.framebuffer.rect import Rect
from controle_vnc.rfb.viewer_messages import KeyEvent

BAR = 30
MARGIN = 14
TYPE_SECONDS = 0.4
TYPE_LETTERS = (2, 6)  # in that time
SCROLL_SECONDS = 1.4
CLOCK_SECONDS = 1.0
WRAP = 46  # letters a line of the document holds
KEY_RETURN, KEY_BACKSPACE = 0xFF0D, 0xFF08
CURSOR = "|"
SIGNS = str.maketrans(
    {"«": '"', "»": '"', "’": "'", "–": "-", "—": "-", "œ": "oe", "ø": "o", "─": "-"}
)
UNICODE_KEYS = 0x1000000  # keysyms from here on are a character's number and this

TERMINAL, DOCUMENT = Rect(36, 40, 690, 410), Rect(760, 330, 484, 350)
CLOCK, NOTE = Rect(960, 40, 240, 240), Rect(36, 490, 560, 190)

FONT = ImageFont.load_default(18)  # Pillow's own: this machine may have none


def readable(text: str) -> str:
    """`text` in the letters of `FONT`, which has no accents."""
    plain = unicodedata.normalize("NFKD", text.translate(SIGNS))
    return plain.encode("ascii", "ignore").decode()


class Scene:
    """Desktop `number`. `tick` repaints what is due; who watches `framebuffer` sees the change."""

    def __init__(self, number: int, clock: Callable[[], float] = time.time) -> None:
        self.framebuffer = Framebuffer(WIDTH, HEIGHT)
        self._clock = clock
        self._colours = scenery.colours(number)
        self._luck = random.Random(number)  # noqa: S311 - a way of typing, no secret
        typed, self._typed_title = scenery.typed(number)
        read, self._read_title = scenery.read(number)
        self._typed = typed.read_text(encoding="utf-8")
        self._read = [
            line
            for paragraph in read.read_text(encoding="utf-8").split("\n\n")
            for line in [*textwrap.wrap(" ".join(paragraph.split()), WRAP), ""]
        ]
        self._at, self._line = self._luck.randrange(len(self._typed)), 0
        self._note = Note("Write here:")
        self._due = dict.fromkeys((TERMINAL, DOCUMENT, CLOCK), 0.0)
        self._paint_ground(number)
        self._paint_note()

    def tick(self) -> None:
        """Repaint every window whose time has come."""
        now = self._clock()
        for rect, seconds, paint in (
            (TERMINAL, TYPE_SECONDS, self._paint_terminal),
            (DOCUMENT, SCROLL_SECONDS, self._paint_document),
            (CLOCK, CLOCK_SECONDS, self._paint_clock),
        ):
            if now >= self._due[rect]:
                self._due[rect] = now + seconds
                paint()

    def key(self, event: KeyEvent) -> None:
        """A key goes to the note, wherever the pointer is."""
        if not event.down:
            return
        if event.keysym == KEY_RETURN:
            self._note.press("\r")
        elif event.keysym == KEY_BACKSPACE:
            self._note.press("\b")
        elif 0x20 <= event.keysym <= 0xFF:
            self._note.press(chr(event.keysym))
        elif UNICODE_KEYS < event.keysym <= UNICODE_KEYS + 0x10FFFF:
            self._note.press(chr(event.keysym - UNICODE_KEYS))
        self._paint_note()

    def _paint_ground(self, number: int) -> None:
        shape = scenery.hills(number)[:, :, None]
        hills = np.array(ImageColor.getrgb(self._colours.hills), np.uint8)
        sky = np.array(ImageColor.getrgb(self._colours.sky), np.uint8)
        self.framebuffer.blit(self.framebuffer.bounds, np.where(shape, hills, sky))

    def _paint_terminal(self) -> None:
        self._at = (self._at + self._luck.randint(*TYPE_LETTERS)) % len(self._typed)
        written = self._typed[: self._at].splitlines() or [""]
        lines = [*written[-16:-1], written[-1] + CURSOR]
        colours = self._colours
        self._paint_text(TERMINAL, self._typed_title, lines, (colours.ground, colours.letters))

    def _paint_document(self) -> None:
        lines = [self._read[(self._line + row) % len(self._read)] for row in range(13)]
        self._line += 1
        self._paint_text(DOCUMENT, self._read_title, lines, ("#fdfcf8", "#24262b"))

    def _paint_note(self) -> None:
        lines = [line[-60:] for line in self._note.lines[-6:]]
        lines[-1] += CURSOR
        self._paint_text(NOTE, "Note", lines, (self._colours.note, "#3b3200"))

    def _paint_text(
        self, rect: Rect, title: str, lines: list[str], colours: tuple[str, str]
    ) -> None:
        ground, letters = colours
        window = Image.new("RGB", (rect.width, rect.height), ground)
        draw = ImageDraw.Draw(window)
        draw.rectangle((0, 0, rect.width, BAR), fill=self._colours.hills)
        draw.text((MARGIN, 5), readable(title), fill="#ffffff", font=FONT)
        for row, line in enumerate(lines):
            draw.text((MARGIN, BAR + 8 + 22 * row), readable(line), fill=letters, font=FONT)
        self._show(rect, window)

    def _paint_clock(self) -> None:
        window = Image.new("RGB", (CLOCK.width, CLOCK.height), "#ffffff")
        draw = ImageDraw.Draw(window)
        middle, radius = CLOCK.width / 2, CLOCK.width / 2 - 10
        ends = (middle - radius, middle - radius, middle + radius, middle + radius)
        draw.ellipse(ends, outline=self._colours.hills, width=5)
        now = time.localtime(self._clock())
        hours = now.tm_hour % 12 + now.tm_min / 60
        for part, length, width in (
            (hours / 12, 0.5, 7), (now.tm_min / 60, 0.75, 5), (now.tm_sec / 60, 0.85, 2),
        ):  # fmt: skip
            angle = 2 * math.pi * part
            end = (
                middle + radius * length * math.sin(angle),
                middle - radius * length * math.cos(angle),
            )
            draw.line((middle, middle, *end), fill=self._colours.ground, width=width)
        self._show(CLOCK, window)

    def _show(self, rect: Rect, window: Image.Image) -> None:
        self.framebuffer.blit(rect, np.asarray(window))
