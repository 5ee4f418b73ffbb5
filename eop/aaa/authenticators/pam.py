"""The accounts of the machine: asks eop-pam, which asks PAM as root."""

import threading
from pathlib import Path

from eop.aaa.authenticators.base import AuthenticatorDownError, Trouble, Who
from eop.directory import users
from eop.errors import RefusedError
from eop.pam import client
from eop.pam.protocol import Answer, ProtocolError, may_be_asked

AT_ONCE = 8  # PAM that hangs must not take every thread of the site
WAIT_SECONDS = 5  # then the machine is too busy for one more sign-in


class PamAuthenticator:
    """Speaks to eop-pam; every failure takes it the same time, whatever failed."""

    name = "pam"

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def authenticate(self, login: str, password: str) -> Who | Trouble | None:
        """Who it is, or what keeps the account shut, or None.

        Raises `AuthenticatorDownError` where eop-pam, or what PAM asks, does not answer;
        `RefusedError("busy")` where it does not answer others either.
        """
        login = users.canonical_login(login)
        if not may_be_asked(login, password):  # says nothing of accounts: no such one can exist
            return None
        answer = self._asked(login, password)
        if answer.outcome == "error":
            raise AuthenticatorDownError("PAM cannot answer; eop-pam and syslog say why")
        if answer.outcome == "ok":
            return Who(login, self.name) if answer.is_proven else None
        if answer.outcome == "wrong":
            return None
        return Trouble(login, self.name, answer.outcome, answer.is_proven)

    def _asked(self, login: str, password: str) -> Answer:
        if not self._turns.acquire(timeout=WAIT_SECONDS):
            raise RefusedError("busy", retry_after=WAIT_SECONDS)
        try:
            return client.sign_in(self._socket, login, password)
        except (OSError, ProtocolError) as error:
            raise AuthenticatorDownError(f"eop-pam at {self._socket}: {error}") from error
        finally:
            self._turns.release()
