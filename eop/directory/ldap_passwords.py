"""New passwords in the school's directory: RFC 3062 where it is LDAP, unicodePwd where it is AD.

Sources: RFC 3062; draft-behera-ldap-password-policy-10 for `pwdReset` and the errors of its
control; Microsoft's [MS-ADTS] 3.1.1.3.1.5 for unicodePwd, [MS-ERREF] for the codes in its words.
"""

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from eop.directory import ldap_lookup, ldap_roles
from eop.directory.ldap_adapter import SUCCESS, Answer, Entry, Link
from eop.directory.ldap_directory import Directory
from eop.directory.ldap_groups import IS_ACTIVE_DIRECTORY
from eop.directory.ldap_layout import Access, Layout
from eop.directory.ldap_source import external_id
from eop.directory.ldap_state import must_change, policy_error
from eop.directory.ldap_trouble import LdapError, UnjudgedError
from eop.directory.users import canonical_login

MAX_WORDS_CHARACTERS = 200  # of what a directory says: a sentence
DAY_SECONDS = 86_400
STUDENT = "student"

logger = logging.getLogger(__name__)

Code = Literal[
    "unknown", "other_person", "not_student", "no_writer", "not_allowed", "no_tls", "down",
    "short", "weak", "used", "young", "own_only", "refused",
]  # fmt: skip

_ANOTHER_SERVERS = {10, 51, 52}  # a referral (a copy that is only read), busy, unavailable
_INSUFFICIENT_RIGHTS, _STRONGER_AUTH, _CONFIDENTIALITY = 50, 8, 13
_POLICY: dict[int, Code] = {3: "own_only", 5: "weak", 6: "short", 7: "young", 8: "used"}
"""Errors of the password policy control."""

_AD_CODE = re.compile(r"^0*([0-9A-F]{1,8}): ")
_AD: dict[str, Code] = {"52D": "weak", "56C": "weak", "5": "not_allowed"}
"""ERROR_PASSWORD_RESTRICTION, ERROR_ILL_FORMED_PASSWORD, ERROR_ACCESS_DENIED."""

_WORDS: tuple[tuple[str, Code], ...] = (
    ("history", "used"), ("too short", "short"), ("quality", "weak"), ("too young", "young"),
)  # fmt: skip
"""What OpenLDAP writes where it sends no control."""


@dataclass(frozen=True)
class Account:
    """Whose password: a login, and what the directory called that person at the last import.

    With `is_student` only who is a student by LDAP_ROLES: a login that came from elsewhere, from a
    CSV file say, may be a teacher's in the directory.
    """

    login: str
    external_id: str | None = None
    is_student: bool = True


@dataclass(frozen=True)
class Outcome:
    """What came of it: no `code` where the password is the new one.

    `words` are the directory's own where no code of ours says more. `must_change` is what holds
    now, which may not be what was asked for.
    """

    code: Code | None = None
    words: str = ""
    must_change: bool = False


class Writer:
    """Gives new passwords as the account of `access`; safe in several threads."""

    def __init__(
        self, access: Access, layout: Layout, clock: Callable[[], float] = time.time
    ) -> None:
        self._directory = Directory(access)
        self._access = access
        self._layout = layout
        self._clock = clock

    def set_password(self, account: Account, password: str, *, must_change: bool) -> Outcome:
        """One change; said again, it changes nothing, save that a history may know it by then."""
        if not self._access.bind_dn:
            return Outcome("no_writer")
        try:
            return self._directory.ask(
                lambda link: _Change(link, self._layout, self._clock()).made(
                    account, password, must_change=must_change
                )
            )
        except LdapError as error:
            return Outcome("down", str(error)[:MAX_WORDS_CHARACTERS])


class _Change:
    """One change over one link."""

    def __init__(self, link: Link, layout: Layout, now: float) -> None:
        self._link = link
        self._layout = layout
        self._now = now

    def made(self, account: Account, password: str, *, must_change: bool) -> Outcome:
        layout = self._layout
        entry = ldap_lookup.find(self._link, layout, account.login, [layout.id, ldap_roles.UID])
        if entry is None or canonical_login(entry.text(layout.login)) != account.login:
            return Outcome("unknown")
        if account.external_id and external_id(entry, layout.id) != account.external_id:
            return Outcome("other_person")
        if account.is_student and ldap_roles.role_of(self._link, layout, entry) != STUDENT:
            return Outcome("not_student")
        if IS_ACTIVE_DIRECTORY in self._link.root().texts("supportedCapabilities"):
            return self._in_active_directory(entry, password, must_change=must_change)
        return self._in_ldap(entry, password, must_change=must_change)

    def _in_active_directory(self, entry: Entry, password: str, *, must_change: bool) -> Outcome:
        if not self._link.tls:  # it would refuse, after the password went over the wire
            return Outcome("no_tls")
        values = {"unicodePwd": f'"{password}"'.encode("utf-16-le")}
        if must_change:
            values["pwdLastSet"] = b"0"
        answer = self._link.replace_values(entry.dn, values)
        return self._told(answer, must_change=must_change)

    def _in_ldap(self, entry: Entry, password: str, *, must_change: bool) -> Outcome:
        answer = self._link.modify_password(entry.dn, password.encode())
        if answer.code != SUCCESS:
            return self._told(answer, must_change=False)
        try:
            return Outcome(must_change=self._marked_as(entry, must_change=must_change))
        except LdapError as error:  # asked again, the server may know it as one that was used
            logger.warning("%s has its password, and no word on its change: %s", entry.dn, error)
            return Outcome()

    def _marked_as(self, entry: Entry, *, must_change: bool) -> bool:
        """Have the directory ask for a change or not, as far as it can; whether it will."""
        if must_change and self._marked(entry, {"pwdReset": b"TRUE"}):
            return True
        if entry.values("shadowLastChange"):
            today = int(self._now // DAY_SECONDS)
            day = b"0" if must_change else str(today).encode()
            if self._marked(entry, {"shadowLastChange": day}) and must_change:
                return True
        return self._is_to_be_changed(entry)

    def _marked(self, entry: Entry, values: dict[str, bytes]) -> bool:
        return self._link.replace_values(entry.dn, values).code == SUCCESS

    def _is_to_be_changed(self, entry: Entry) -> bool:
        """Whether the directory's own policy has it changed; where it cannot be read, no."""
        now = self._link.read(entry.dn, ["pwdReset", "shadowLastChange", "shadowMax"])
        return now is not None and must_change(now, self._now)

    def _told(self, answer: Answer, *, must_change: bool) -> Outcome:
        if answer.code == SUCCESS:
            return Outcome(must_change=must_change)
        if answer.code in _ANOTHER_SERVERS:
            raise UnjudgedError(
                f"{self._link.server.address}: this server takes no changes; name the one that "
                "does in LDAP_SERVERS"
            )
        return Outcome(_code_of(answer), _words_of(answer))


def _code_of(answer: Answer) -> Code:
    """Why it was refused, as far as the directory tells."""
    policy = policy_error(answer.policy)
    if policy in _POLICY:
        return _POLICY[policy]
    if answer.code == _INSUFFICIENT_RIGHTS:
        return "not_allowed"
    if answer.code in {_STRONGER_AUTH, _CONFIDENTIALITY}:
        return "no_tls"
    found = _AD_CODE.match(answer.message)
    if found and found[1] in _AD:
        return _AD[found[1]]
    words = answer.message.lower()
    return next((code for part, code in _WORDS if part in words), "refused")


def _words_of(answer: Answer) -> str:
    """The directory's words, printable, one line."""
    text = answer.message or f"LDAP {answer.code}"
    return "".join(letter if letter.isprintable() else " " for letter in text)[
        :MAX_WORDS_CHARACTERS
    ]
