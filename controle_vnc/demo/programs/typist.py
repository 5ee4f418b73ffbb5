"""A terminal in which somebody types: `typist.py TEXT_FILE SEED TITLE #RRGGBB`."""

import random
import sys
import time
from pathlib import Path

PAUSE_SECONDS = (0.05, 0.16)  # between two letters
LINE_SECONDS = (0.3, 1.2)
THINK_SECONDS = (1.5, 4.0)  # once in a while, as people do
MISTAKE = 0.03  # of the letters
WRITTEN_LINES = 14
COLUMNS = 200  # wider than any window: the bar is cut there, not wrapped


def bar(title: str, colour: str) -> None:
    """A title over the first line; everything else scrolls below it."""
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    sys.stdout.write(f"\033[2J\033[?7l\033[1;1H\033[48;2;{red};{green};{blue};97;1m")
    sys.stdout.write(f"  {title:{COLUMNS}}\033[0m")
    sys.stdout.write("\033[?7h\033[2;999r\033[3;1H")
    sys.stdout.flush()


def put(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


def type_line(line: str, luck: random.Random) -> None:
    for letter in line:
        if letter.isalpha() and luck.random() < MISTAKE:
            put(luck.choice("aeinrst"))
            time.sleep(luck.uniform(*LINE_SECONDS))
            put("\b \b")
        put(letter)
        time.sleep(luck.uniform(*PAUSE_SECONDS))
    put("\n")
    time.sleep(luck.uniform(*LINE_SECONDS))


def main() -> None:
    file, seed, title, colour = sys.argv[1:5]
    luck = random.Random(seed)  # noqa: S311 - a way of typing, no secret
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    bar(title, colour)
    at = luck.randrange(len(lines))
    for back in range(WRITTEN_LINES, 0, -1):  # somebody has worked here already
        put(lines[at - back] + "\n")
    while True:
        type_line(lines[at % len(lines)], luck)
        if luck.random() < 0.1:
            time.sleep(luck.uniform(*THINK_SECONDS))
        at += 1


if __name__ == "__main__":
    main()
