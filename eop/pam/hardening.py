"""What a process with root's rights gives up before it listens."""

import contextlib
import ctypes
import os
import resource
import signal

PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 1, 4, 38
MAX_FILES = 64  # two for each conversation, and what modules open
CONVERSATION_CPU_SECONDS = 10  # a hash takes a tenth of one; a module that spins is ended
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"

_libc = ctypes.CDLL(None, use_errno=True)
_libc.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)


def give_up(keep: int) -> None:
    """For the whole process: files above `keep`, environment, standard input, core dumps.

    No program it starts gains rights by its mode bits: pam_unix needs its setgid helper only
    where it is not root.
    """
    _close_above(keep)
    os.umask(0o077)
    os.chdir("/")
    os.environ.clear()  # python-pam takes DISPLAY for a terminal, modules read more of it
    os.environ["PATH"] = PATH
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (MAX_FILES, MAX_FILES))
    _prctl(PR_SET_DUMPABLE, 0)  # a core pattern that is a pipe does not ask RLIMIT_CORE
    _prctl(PR_SET_NO_NEW_PRIVS, 1)


def _close_above(keep: int) -> None:
    for number in [int(name) for name in os.listdir("/proc/self/fd")]:
        if number > keep:
            with contextlib.suppress(OSError):  # the listing's own is closed already
                os.close(number)


def bind_to_parent(parent: int) -> None:
    """For a conversation: it ends when its parent does, and may compute only so long."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it ended before that was said
        os._exit(1)
    resource.setrlimit(resource.RLIMIT_CPU, (CONVERSATION_CPU_SECONDS, CONVERSATION_CPU_SECONDS))


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}, {value})")
