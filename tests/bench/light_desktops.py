"""Hundreds of VNC servers in one process that behave as desktops, without the desktops.

`python -m tests.bench.light_desktops --screens 200` prints the ports as one JSON list. Every
request is honoured as RFB has it: the whole screen, or what changed, as soon as it changes. The
first screen changes every 1.5 to 2.5 s, of the others three in four every 0.1 to 0.3 s: a line of
240×16 pixels in Raw, and the mark of `tests.bench.painter`. With `--steady` each changes once a
second instead. Everything is grey, in any pixel format of 32 bits. Each line on standard input is
answered with the changes since the last one.
"""

import argparse
import heapq
import json
import os
import random
import struct
import time

from tests.bench.painter import LEVELS, MARK
from tests.bench.rfb_source import HEIGHT, PIXEL, WIDTH, Source, Visitor, raw_update

LINE = (240, 16)
TIGHT = 7
FILL = 0x80
PAUSES = {"flashing": (1.5, 2.5), "typing": (0.1, 0.3), "steady": (1.0, 1.0)}


def kind_of(screen: int) -> str:
    """What happens on a screen."""
    if screen == 0:
        return "flashing"
    return "idle" if screen % 4 == 3 else "typing"


def rectangle(x: int, y: int, width: int, height: int, grey: int, tight: bool) -> bytes:
    """One rectangle of one grey."""
    head = struct.pack(">HHHHi", x, y, width, height, TIGHT if tight else 0)
    return head + (bytes((FILL, grey, grey, grey)) if tight else bytes([grey]) * 4 * width * height)


class Desktops(Source):
    """`Source` whose screens change and wait to be asked."""

    def __init__(self, screens: int, steady: bool = False) -> None:
        super().__init__(screens)
        self.kinds = ["steady" if steady else kind_of(screen) for screen in range(screens)]
        self.turns = [0] * screens
        self.changes: list[tuple[float, int, int]] = []
        self.by_screen: list[set[Visitor]] = [set() for _ in range(screens)]
        self.takes_tight: set[Visitor] = set()
        self.asked: set[Visitor] = set()
        self.damaged: set[Visitor] = set()
        grey = bytes(byte for byte in os.urandom(LINE[0] * LINE[1]) for _ in range(4))
        self.line = raw_update(*LINE)[4:16] + grey
        moving = [screen for screen in range(screens) if self.kinds[screen] in PAUSES]
        self.due = [(time.monotonic() + random.random(), screen) for screen in moving]
        heapq.heapify(self.due)

    def obey(self) -> bool:
        if not os.read(0, 4096):
            return False
        print(json.dumps(self.changes), flush=True)
        self.changes.clear()
        return True

    def see_out(self, visitor: Visitor) -> None:
        super().see_out(visitor)
        for group in (self.takes_tight, self.asked, self.damaged, self.by_screen[visitor.screen]):
            group.discard(visitor)

    def answer(self, visitor: Visitor, message: bytes) -> None:
        self.by_screen[visitor.screen].add(visitor)
        if message[0] == 2:
            codes = struct.unpack_from(f">{(len(message) - 4) // 4}i", message, 4)
            if TIGHT in codes:
                self.takes_tight.add(visitor)
        elif message[0] == 3 and message[1]:
            self.asked.add(visitor)
            self.show(visitor)
        elif message[0] == 3:
            width, height = struct.unpack_from(">HH", message, 6)
            self.send(visitor, self.whole(visitor) if width * height > 1 else PIXEL)

    def whole(self, visitor: Visitor) -> bytes:
        self.damaged.discard(visitor)
        tight = visitor in self.takes_tight
        grey = LEVELS[self.turns[visitor.screen]]
        ground = rectangle(0, 0, WIDTH, HEIGHT, 200, tight)
        return struct.pack(">BxH", 0, 2) + ground + rectangle(*MARK, grey, tight)

    def show(self, visitor: Visitor) -> None:
        """Answer a request that waits, if there is something to show."""
        if visitor not in self.asked or visitor not in self.damaged:
            return
        self.asked.discard(visitor)
        self.damaged.discard(visitor)
        turn = self.turns[visitor.screen]
        mark = rectangle(*MARK, LEVELS[turn], visitor in self.takes_tight)
        at = struct.pack(">HH", 100 + 8 * turn, 100 + 16 * turn)
        self.send(visitor, struct.pack(">BxH", 0, 2) + mark + at + self.line[4:])

    def pace(self) -> None:
        while self.due and self.due[0][0] <= time.monotonic():
            _, screen = self.due[0]
            now = time.monotonic()
            pause = random.uniform(*PAUSES[self.kinds[screen]])
            heapq.heapreplace(self.due, (now + pause, screen))
            self.turns[screen] = (self.turns[screen] + 1) % len(LEVELS)
            if self.by_screen[screen]:
                self.changes.append((now, screen, LEVELS[self.turns[screen]]))
            for visitor in list(self.by_screen[screen]):
                self.damaged.add(visitor)
                self.show(visitor)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--screens", type=int, default=200)
    parser.add_argument("--steady", action="store_true", help="each screen changes once a second")
    chosen = parser.parse_args()
    desktops = Desktops(chosen.screens, chosen.steady)
    print(json.dumps(desktops.ports), flush=True)
    desktops.serve()


if __name__ == "__main__":
    main()
