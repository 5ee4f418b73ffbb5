"""Several processes at one listener: forked from a bare parent that does nothing else."""

import contextlib
import ctypes
import logging
import os
import signal
import time
from collections.abc import Callable

logger = logging.getLogger(__name__)

RESTART_SECONDS = 1.0  # one that dies at once costs no more than a fork a second
END_SECONDS = 2.0  # to end by themselves; then they are killed
PR_SET_PDEATHSIG = 1  # linux/prctl.h

_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}
_TO_END = {signal.SIGTERM, signal.SIGINT}
_libc = ctypes.CDLL(None, use_errno=True)


def supervise(count: int, serve: Callable[[], None], started: Callable[[], None]) -> None:
    """Keep `count` children running `serve` until SIGTERM or SIGINT; return when all have ended.

    No thread may run yet. Children die with us, however we die.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    children = {_fork(serve) for _ in range(count)}
    try:
        started()
        while signal.sigwaitinfo(_SIGNALS).si_signo == signal.SIGCHLD:
            dead = _reap(children)
            if dead and signal.sigtimedwait(_TO_END, RESTART_SECONDS) is not None:
                break
            for child in dead:
                logger.error("process %s has died and is replaced", child)
                children.add(_fork(serve))
    finally:
        _end(children)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _fork(serve: Callable[[], None]) -> int:
    parent = os.getpid()
    if child := os.fork():
        return child
    status = 1
    try:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() == parent:  # else it died before we could say so
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            serve()
            status = 0
    except Exception:
        logger.exception("a process of the gateway failed")
    finally:
        logging.shutdown()
        os._exit(status)


def _reap(children: set[int]) -> list[int]:
    dead = [child for child in children if os.waitpid(child, os.WNOHANG)[0]]
    children.difference_update(dead)
    return dead


def _end(children: set[int]) -> None:
    _kill(children, signal.SIGTERM)
    deadline = time.monotonic() + END_SECONDS
    while children and (left := deadline - time.monotonic()) > 0:
        if not _reap(children):
            signal.sigtimedwait({signal.SIGCHLD}, left)
    _kill(children, signal.SIGKILL)
    for child in children:
        os.waitpid(child, 0)


def _kill(children: set[int], number: signal.Signals) -> None:
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)
