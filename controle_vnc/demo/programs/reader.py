"""A document that scrolls: `reader.py TEXT_FILE SEED TITLE #RRGGBB`; standard library alone."""

import random
import shutil
import sys
import textwrap
import time
from pathlib import Path

LINE_SECONDS = (0.7, 1.6)
PAGE_SECONDS = (2.0, 5.0)  # somebody reads a paragraph
MARGIN = 2


def main() -> None:
    file, seed, title, colour = sys.argv[1:5]
    luck = random.Random(seed)  # noqa: S311 - a way of reading, no secret
    size = shutil.get_terminal_size()
    width = size.columns - 2 * MARGIN
    red, green, blue = bytes.fromhex(colour.removeprefix("#"))
    lines: list[str] = []
    for paragraph in Path(file).read_text(encoding="utf-8").split("\n\n"):
        lines += [*textwrap.wrap(" ".join(paragraph.split()), width), ""]
    sys.stdout.write(f"\033[2J\033[?25l\033[1;1H\033[48;2;{red};{green};{blue};97;1m")
    sys.stdout.write(f"  {title:{size.columns - MARGIN}}\033[0m\033[2;999r\033[3;1H")
    at = luck.randrange(len(lines))
    for back in range(size.lines - 3, 0, -1):
        sys.stdout.write(" " * MARGIN + lines[(at - back) % len(lines)] + "\n")
    while True:
        line = lines[at % len(lines)]
        sys.stdout.write(" " * MARGIN + line + "\n")
        sys.stdout.flush()
        time.sleep(luck.uniform(*(LINE_SECONDS if line else PAGE_SECONDS)))
        at += 1


if __name__ == "__main__":
    main()
