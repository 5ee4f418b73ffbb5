"""Unix sockets that nobody else on the machine may open."""

import os
import socket
from pathlib import Path

OURS_ALONE = 0o077  # a mask


def listen(path: Path, backlog: int) -> socket.socket:
    """A non-blocking listener at `path`, mode 0600 from its first moment; raises `OSError`.

    Nothing is awaited while the mask of the whole process is changed.
    """
    listener = socket.socket(socket.AF_UNIX)
    before = os.umask(OURS_ALONE)
    try:
        listener.setblocking(False)
        listener.bind(str(path))
        listener.listen(backlog)
    except BaseException:
        listener.close()
        raise
    finally:
        os.umask(before)
    return listener
