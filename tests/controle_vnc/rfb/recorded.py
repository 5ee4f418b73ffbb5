"""The captures of real servers in `tests/data/rfb`, which `python -m tests.captures` makes."""

import io
import tarfile
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

FOLDER = Path(__file__).parents[2] / "data/rfb"
PASSWORD = b"s3cret!!"
SCREEN = "screen.png"
LOSSY = ("tight jpeg", "tightpng jpeg")


@cache
def captures(server: str) -> dict[str, bytes]:
    """What `server` has said, by `FORMAT/ENCODING`, and the picture of its screen."""
    with tarfile.open(FOLDER / f"{server}.tar.xz") as files:
        return {entry.name: files.extractfile(entry).read() for entry in files}


def sessions(server: str) -> dict[str, bytes]:
    return {name: data for name, data in captures(server).items() if name != SCREEN}


@cache
def screen(server: str) -> np.ndarray:
    """Rows × columns × 3 of what X said was on the screen at the end of each."""
    with Image.open(io.BytesIO(captures(server)[SCREEN])) as picture:
        return np.asarray(picture.convert("RGB")).astype(int)
