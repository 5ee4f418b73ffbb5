"""After a kill: whether what was about to get its name has it, and what else is left."""

import contextlib
import os

from controle_vnc.files import drafts
from controle_vnc.files.drafts import Seen
from controle_vnc.files.folders import status_of
from controle_vnc.files.marks import Mark, Pending


def settle(mark: Mark, pending: Pending, folder: int) -> bool:
    """Whether the file is in `folder` under its name; what is left of the attempt is tidied."""
    put = pending.put
    status = status_of(folder, put.name)
    is_there = status is not None and status.st_ino == put.inode
    for temporary in drafts.left_behind(folder, mark.temporary):
        found = status_of(folder, temporary)
        if found is not None and is_there and pending.old and found.st_ino != put.inode:
            drafts.settle(folder, temporary, put.name, Seen(pending.old))
            continue
        with contextlib.suppress(FileNotFoundError, IsADirectoryError):  # a folder is not ours
            os.unlink(temporary, dir_fd=folder)
    return is_there
