"""The rights of the process: three capabilities or none, in every set, for good."""

import ctypes
import os
import resource
import struct
from collections.abc import Iterable

CHOWN, DAC_OVERRIDE, FOWNER = 0, 1, 3
NEEDED = frozenset({CHOWN, DAC_OVERRIDE, FOWNER})
"""Give files away; read and write in homes; set modes and times of what was given away."""

_NAMES = {CHOWN: "CAP_CHOWN", DAC_OVERRIDE: "CAP_DAC_OVERRIDE", FOWNER: "CAP_FOWNER"}
_PR_CAPBSET_READ, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS, _PR_CAP_AMBIENT = 23, 24, 38, 47
_PR_CAP_AMBIENT_CLEAR_ALL = 4
_VERSION_3 = 0x20080522
MAX_FILES = 1024  # some dozens for each request, and their connections

_libc = ctypes.CDLL(None, use_errno=True)
_libc.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)


class RightsError(Exception):
    """We have other rights than we must; the text says what to do."""


def keep_only(wanted: Iterable[int]) -> None:
    """Have these capabilities and no others; raises `RightsError`. For the whole process.

    To be called before any thread starts: capabilities are each thread's own.
    """
    wanted = frozenset(wanted)
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
    left = _drop_bounding(wanted)
    _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    try:
        _capset(wanted)
    except PermissionError as error:
        needed = ", ".join(_NAMES[one] for one in sorted(wanted))
        raise RightsError(
            f"needs {needed}: start it as root or by its systemd unit, or set FILES_HOMES"
        ) from error
    if wanted and left:
        raise RightsError(
            f"could gain {len(left)} more capabilities: start it as root, or with "
            "CapabilityBoundingSet as in its systemd unit"
        )


def give_up_the_rest() -> None:
    """What no capability is about: core dumps, modes for others, the working folder."""
    os.umask(0o077)
    os.chdir("/")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    limit = MAX_FILES if most == resource.RLIM_INFINITY else min(MAX_FILES, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))


def _drop_bounding(wanted: frozenset[int]) -> list[int]:
    """Those that could not be dropped."""
    left = []
    for capability in range(64):
        state = _libc.prctl(_PR_CAPBSET_READ, capability, 0, 0, 0)
        if state < 0:
            break  # the kernel knows no more
        if (
            state == 1
            and capability not in wanted
            and _libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0) != 0
        ):
            left.append(capability)
    return left


def _capset(wanted: frozenset[int]) -> None:
    bits = sum(1 << one for one in wanted)
    header = ctypes.create_string_buffer(struct.pack("=Ii", _VERSION_3, 0))
    # effective, permitted, inheritable; all of ours are among the first 32
    data = ctypes.create_string_buffer(struct.pack("=6I", bits, bits, 0, 0, 0, 0))
    if _libc.capset(header, data) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _prctl(option: int, value: int) -> None:
    if _libc.prctl(option, value, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option}, {value})")
