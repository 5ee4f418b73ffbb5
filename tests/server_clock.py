"""A clock of a running product that a test moves, while every process of it goes on.

Debian's libfaketime would do the same below Python, but 0.9.10 makes `time.sleep` fail (EINVAL)
where it leaves the monotonic clock alone, and has locks wait for ever where it does not.
"""

import os
import struct
import tempfile
from pathlib import Path

FOLDER = Path(__file__).parent / "moved_clock"
FORMAT = "=q"


class ServerClock:
    """`Stack(**clock.environment)`, then `clock.set_ahead(seconds)`: at once, in all processes."""

    def __init__(self) -> None:
        number, path = tempfile.mkstemp(prefix="clock-", dir="/tmp")
        self.file = Path(path)
        os.write(number, struct.pack(FORMAT, 0))
        os.close(number)
        folders = [str(FOLDER), *filter(None, [os.environ.get("PYTHONPATH")])]
        self.environment = {"PYTHONPATH": os.pathsep.join(folders), "MOVED_CLOCK_FILE": path}

    def set_ahead(self, seconds: float) -> None:
        """How far it is before this machine's."""
        with self.file.open("r+b") as file:  # in place: the processes have mapped these bytes
            file.write(struct.pack(FORMAT, int(seconds * 1e9)))

    def __enter__(self) -> "ServerClock":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.unlink()
