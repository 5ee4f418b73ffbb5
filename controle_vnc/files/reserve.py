"""What of our own disk is left for notes, whatever people send: without them nothing works."""

import os

SHARE = 20  # one part in so many of a small disk
MOST_BYTES = 1_000_000_000  # of a large one: twice what one collection copies


def left(folder: int | str | os.PathLike[str]) -> int:
    """The bytes that people may still store on the disk of a folder; raises `OSError`."""
    disk = os.statvfs(folder)
    reserve = min(MOST_BYTES, disk.f_blocks * disk.f_frsize // SHARE)
    return max(0, disk.f_bavail * disk.f_frsize - reserve)
