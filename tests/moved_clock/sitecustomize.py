"""Moves the time of day of a Python process by what `tests.server_clock.ServerClock` says.

Python imports this module by itself, before anything else, where `PYTHONPATH` has its folder.
"""

import mmap
import os
import struct
import time

_SECOND = 1_000_000_000


def _move(path: str) -> None:
    """Add the offset in that file (eight bytes, nanoseconds) to the time of day from now on.

    What counts on (`monotonic`, sleeping, deadlines) stays as it is, as where an administrator
    sets a machine's clock.
    """
    with open(path, "rb") as file:
        shared = mmap.mmap(file.fileno(), 8, prot=mmap.PROT_READ)
    real_ns = time.time_ns

    def moved_ns() -> int:
        return real_ns() + struct.unpack_from("=q", shared)[0]

    time.time_ns = moved_ns
    time.time = lambda: moved_ns() / _SECOND


if "MOVED_CLOCK_FILE" in os.environ:
    _move(os.environ["MOVED_CLOCK_FILE"])
