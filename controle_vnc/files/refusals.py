"""What cannot be done is refused with a code; which one an error of the system means."""

import errno
import os

from controle_vnc.errors import RequestRefusedError

_CODES = {
    errno.ENOSPC: "no_space",
    errno.EDQUOT: "quota",
    errno.EFBIG: "too_large",
    errno.ELOOP: "not_a_folder",
    errno.ENOTDIR: "not_a_folder",
    errno.EXDEV: "not_a_folder",
    errno.ENAMETOOLONG: "name_refused",
}


def refused(code: str, message: str) -> RequestRefusedError:
    """The refusal with that code; the message is for a log."""
    return RequestRefusedError(code, message)


def refusal(error: OSError) -> RequestRefusedError:
    """What an error of the system means to who asked; `internal` where it means nothing."""
    text = os.strerror(error.errno) if error.errno else str(error)
    return RequestRefusedError(_CODES.get(error.errno or 0, "internal"), text)
