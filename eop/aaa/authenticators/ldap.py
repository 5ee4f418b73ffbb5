"""The school's directory: search who it is, then bind as him."""

import secrets
import threading
import time
from collections.abc import Callable

from eop.aaa.authenticators.base import AuthenticatorDownError, Trouble, TroubleCode, Who
from eop.aaa.passwords import MAX_BYTES
from eop.directory import ldap_lookup
from eop.directory.ldap_adapter import Link
from eop.directory.ldap_directory import Directory
from eop.directory.ldap_layout import Access, Layout
from eop.directory.ldap_state import Outcome, outcome
from eop.directory.ldap_trouble import LdapError, UnjudgedError
from eop.directory.users import ACTIVE, canonical_login
from eop.errors import RefusedError

MAX_TYPED_CHARACTERS = 256  # a mail address has at most 254
AT_ONCE = 8  # a directory that hangs must not take every thread of the site
WAIT_SECONDS = 5  # then the server is too busy for one more sign-in


class LdapAuthenticator:
    """Proves passwords by an LDAP server or an Active Directory."""

    name = "ldap"

    def __init__(
        self, access: Access, layout: Layout, clock: Callable[[], float] = time.time
    ) -> None:
        self._directory = Directory(access)
        self._layout = layout
        self._clock = clock
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def authenticate(self, login: str, password: str) -> Who | Trouble | None:
        """Who it is by the directory's own spelling of his login, or None.

        An empty password is refused here: Active Directory takes it for a visit without a name,
        and says yes.
        """
        typed = canonical_login(login)
        try:
            secret = password.encode()
        except UnicodeEncodeError:  # half of a pair: no keyboard types it, no directory keeps it
            return None
        if not typed or not secret or len(secret) > MAX_BYTES or len(typed) > MAX_TYPED_CHARACTERS:
            return None
        if not self._turns.acquire(timeout=WAIT_SECONDS):
            raise RefusedError("busy", retry_after=WAIT_SECONDS)
        try:
            return self._directory.ask(lambda link: self._answer(link, typed, secret))
        except LdapError as error:
            raise AuthenticatorDownError(str(error)) from error
        finally:
            self._turns.release()

    def _answer(self, link: Link, typed: str, secret: bytes) -> Who | Trouble | None:
        entry = ldap_lookup.find(link, self._layout, typed)
        if entry is None:
            # as many steps as for someone who is there
            link.bind(f"cn={secrets.token_hex(8)},{self._layout.base}", secret)
            return None
        answer = link.bind(entry.dn, secret)
        ended = outcome(answer, entry, self._clock())
        if ended is None:
            raise UnjudgedError(
                f"{link.server.address}: the server does not judge this password "
                f"(result {answer.code}, {answer.message[:200]}); look into its log"
            )
        return self._told(canonical_login(entry.text(self._layout.login)), ended)

    def _told(self, login: str, ended: Outcome) -> Who | Trouble:
        if ended.code == ACTIVE:
            return Who(login, self.name)
        code: TroubleCode = ended.code  # type: ignore[assignment]
        return Trouble(login, self.name, code, ended.is_proven)
