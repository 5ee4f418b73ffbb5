"""How much there may be: in one student's folder, and on our own disk."""

import contextlib
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass

from controle_vnc.errors import RequestRefusedError
from controle_vnc.files import folders
from controle_vnc.files.drafts import Seen
from controle_vnc.files.folders import MAX_DEPTH, MAX_ENTRIES, status_of
from controle_vnc.files.homes import Owner
from controle_vnc.files.mirror import MAX_BYTES
from controle_vnc.files.refusals import refused


@dataclass
class Usage:
    """What a student has in a document's folder, beside what we put there and is as it was."""

    owner: Owner
    ours: Mapping[bytes, tuple[int, int] | None]  # names in the first folder; None: whatever it is
    entries: int = 0
    total: int = 0  # bytes

    def count(self, folder: int, depth: int = 0) -> None:
        """Count a folder and those in it, until there are too many."""
        names, is_cut = folders.entries(folder)
        if is_cut:
            self.entries = MAX_ENTRIES
        for name in names:
            if self.entries > MAX_ENTRIES:
                return
            with contextlib.suppress(OSError, RequestRefusedError):  # not the student's to fill
                self._one(folder, name, depth)

    def _one(self, folder: int, name: bytes, depth: int) -> None:
        status = status_of(folder, name)
        if status is None:
            return
        if depth == 0 and self._is_ours(name, status):
            return
        self.entries += 1
        if stat.S_ISREG(status.st_mode):
            self.total += status.st_size
        elif stat.S_ISDIR(status.st_mode) and depth < MAX_DEPTH:
            inner = folders.enter(folder, name, self.owner)
            try:
                self.count(inner, depth + 1)
            finally:
                os.close(inner)

    def _is_ours(self, name: bytes, status: os.stat_result) -> bool:
        return name in self.ours and self.ours[name] in {None, Seen.of(status)}

    def check(self, name: bytes, size: int, old: os.stat_result | None) -> None:
        """Whether a file of `size` may come, in the place of `old`; raises `too_large`."""
        counted = None if old is None or self._is_ours(name, old) else old
        if counted is None and self.entries >= MAX_ENTRIES:
            raise refused("too_large", f"{MAX_ENTRIES} files are in the folder")
        if self.total - (counted.st_size if counted else 0) + size > MAX_BYTES:
            raise refused("too_large", f"a folder has at most {MAX_BYTES} bytes")
