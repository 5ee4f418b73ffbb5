"""PAM itself: one conversation, authentication and account management, and what came of it.

python-pam answers the first hidden question with the password, then calls `pam_acct_mgmt`. It
passes no flags; `_Conversation` adds them. Its `pam_setcred` is left out: credentials would be
given to our own process, whose groups modules then change.
"""

import ctypes
import pwd
from typing import Any

import pam

from eop.pam.protocol import Answer, Outcome, may_be_asked

NOBODY = 65534  # above every floor, and nobody's
PAM_FAIL_DELAY = 10  # item of Linux-PAM: a function that sleeps in its stead
FLAGS = pam.PAM_SILENT | pam.PAM_DISALLOW_NULL_AUTHTOK
"""The last: an account with an empty password opens to nobody, even where the stack allows it."""

WRONG = Answer("wrong")

_BEFORE: dict[int, Outcome] = {
    pam.PAM_AUTH_ERR: "wrong",
    pam.PAM_USER_UNKNOWN: "wrong",
    pam.PAM_PERM_DENIED: "disabled",
    pam.PAM_MAXTRIES: "locked",
    pam.PAM_ACCT_EXPIRED: "expired",
    pam.PAM_CRED_EXPIRED: "expired",
    pam.PAM_AUTHTOK_EXPIRED: "expired",
    pam.PAM_NEW_AUTHTOK_REQD: "must_change",
}
"""What a failed authentication says of the account, although no password was proven."""

_AFTER: dict[int, Outcome] = {
    pam.PAM_SUCCESS: "ok",
    pam.PAM_NEW_AUTHTOK_REQD: "must_change",
    pam.PAM_ACCT_EXPIRED: "expired",
    pam.PAM_CRED_EXPIRED: "expired",
    pam.PAM_AUTHTOK_EXPIRED: "expired",
    pam.PAM_MAXTRIES: "locked",
    pam.PAM_AUTH_ERR: "disabled",
    pam.PAM_PERM_DENIED: "disabled",
    pam.PAM_USER_UNKNOWN: "disabled",
}
"""What account management says, after the right password."""

_Delay = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p)
_no_delay = _Delay(lambda _code, _microseconds, _data: None)


class _Conversation(pam.PamAuthenticator):
    """One use, one thread; `is_proven` once the password was right."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.is_proven = False
        self._libpam_authenticate, self.pam_authenticate = self.pam_authenticate, self._authenticate
        self._libpam_acct_mgmt, self.pam_acct_mgmt = self.pam_acct_mgmt, self._manage_account

    def _authenticate(self, handle: Any, flags: int) -> int:
        # our own pause is the same for every failure; PAM's would tell what failed
        self.pam_set_item(handle, PAM_FAIL_DELAY, ctypes.cast(_no_delay, ctypes.c_void_p))
        code: int = self._libpam_authenticate(handle, flags | FLAGS)
        self.is_proven = code == pam.PAM_SUCCESS
        return code

    def _manage_account(self, handle: Any, flags: int) -> int:
        code: int = self._libpam_acct_mgmt(handle, flags | FLAGS)
        return code


class _ShadowEntry(ctypes.Structure):
    """The beginning of `struct spwd`: all we read."""

    _fields_ = (("name", ctypes.c_char_p), ("password", ctypes.POINTER(ctypes.c_char)))


_getspnam = ctypes.CDLL(None).getspnam
_getspnam.argtypes = (ctypes.c_char_p,)
_getspnam.restype = ctypes.POINTER(_ShadowEntry)


def load() -> None:
    """Load libpam now, so that no conversation has to."""
    _Conversation()


def is_admitted(login: str, password: str, minimum_uid: int) -> bool:
    """Whether PAM is asked at all: an account of the machine that is a person's."""
    if not may_be_asked(login, password):
        return False
    try:
        uid = pwd.getpwnam(login).pw_uid
    except KeyError:
        return False
    return uid >= minimum_uid and uid != NOBODY


def ask(login: str, password: str, service: str) -> Answer:
    """What PAM's `service` says of an admitted account."""
    conversation = _Conversation()
    conversation.authenticate(login, password, service=service, resetcreds=False)
    if conversation.is_proven:
        return Answer(_AFTER.get(conversation.code, "error"), is_proven=True)
    outcome = _BEFORE.get(conversation.code, "error")
    if outcome == "wrong" and _is_locked(login):
        outcome = "locked"  # pam_unix says no more than "wrong" of it
    return Answer(outcome)


def _is_locked(login: str) -> bool:
    """Whether the machine's own account is locked: `passwd -l` puts a `!` before the hash."""
    found = _getspnam(login.encode())
    return bool(found) and bool(found.contents.password) and found.contents.password[0] == b"!"
