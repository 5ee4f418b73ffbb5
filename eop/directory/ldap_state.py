"""What a directory says of the state of an account: in its attributes, and when it is bound. Pure.

Sources: Microsoft's [MS-ADTS] for userAccountControl, accountExpires and lockoutTime, and the
sub-codes that its servers put into the words of a failed bind; for `pwd…` attributes and their
control draft-behera-ldap-password-policy-10; RFC 2307 and shadow(5) for `shadow…`; Samba for
`samba…`.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from pyasn1.codec.ber import decoder
from pyasn1.error import PyAsn1Error
from pyasn1.type import namedtype, tag, univ

from eop.directory.ldap_adapter import SUCCESS, Answer, Entry
from eop.directory.users import ACTIVE

DISABLED, EXPIRED, LOCKED, MUST_CHANGE, WRONG = (
    "disabled", "expired", "locked", "must_change", "wrong",
)  # fmt: skip

ATTRIBUTES = (
    "userAccountControl", "msDS-User-Account-Control-Computed", "accountExpires", "lockoutTime",
    "pwdLastSet", "pwdAccountLockedTime", "pwdEndTime", "pwdReset", "shadowExpire",
    "shadowLastChange", "shadowMax", "shadowInactive", "sambaAcctFlags", "sambaKickoffTime",
    "nsAccountLock",
)  # fmt: skip
"""What an entry must be read with."""

_ACCOUNT_DISABLED, _LOCKOUT, _PASSWORD_NEVER_EXPIRES, _PASSWORD_EXPIRED = (
    0x2, 0x10, 0x10000, 0x800000,
)  # fmt: skip
_NEVER = {0, 0x7FFFFFFFFFFFFFFF}  # of accountExpires
_SECONDS_1601_TO_1970 = 11_644_473_600
_DAY = 86_400

_SUB_CODE = re.compile(r"\bdata ([0-9a-f]{1,8})\b")
_SUB_CODES = {
    "530": (DISABLED, True),  # not at this hour
    "531": (DISABLED, True),  # not from this host: our server is not in "Log On To"
    "532": (MUST_CHANGE, True),  # the password has expired
    "533": (DISABLED, True),
    "701": (EXPIRED, True),
    "773": (MUST_CHANGE, True),
    "775": (LOCKED, False),  # told whatever the password
}
"""Active Directory's sub-codes that are not merely "wrong" (525, 52e), and whether the password was
right: all but 775 are told to who knows it alone."""

_POLICY_EXPIRED, _POLICY_LOCKED, _POLICY_RESET = 0, 1, 2
_INVALID_CREDENTIALS, _CONSTRAINT_VIOLATION = 49, 19
_SAID_NO = {16, 32, 34, 48, _INVALID_CREDENTIALS, 50, 53}
"""Result codes of a bind that concern this account, not the server."""


@dataclass(frozen=True)
class Outcome:
    """How a bind ended: `code` is "active", "wrong" or a trouble."""

    code: str
    is_proven: bool


def account_state(entry: Entry, now: float) -> str:
    """One of `users.STATES`, at `now` (seconds since 1970)."""
    if _is_disabled(entry):
        return DISABLED
    if any(ends <= now for ends in _ends(entry)):
        return EXPIRED
    return LOCKED if _is_locked(entry) else ACTIVE


def must_change(entry: Entry, now: float) -> bool:
    """Whether the password has to be changed before anything else."""
    flags = _number(entry, "userAccountControl") or 0
    computed = _number(entry, "msDS-User-Account-Control-Computed") or 0
    if not flags & _PASSWORD_NEVER_EXPIRES and _number(entry, "pwdLastSet") == 0:
        return True
    if computed & _PASSWORD_EXPIRED or entry.text("pwdReset").upper() == "TRUE":
        return True
    changed, longest = _number(entry, "shadowLastChange"), _number(entry, "shadowMax")
    if changed == 0:
        return True
    return changed is not None and longest is not None and 0 <= (changed + longest) * _DAY < now


def outcome(answer: Answer, entry: Entry, now: float) -> Outcome | None:
    """What a bind as this entry has proven; None where the server, not the account, is in trouble.

    After a bind that worked the account is not locked, whatever an old attribute says.
    """
    policy = policy_error(answer.policy)
    if answer.code == SUCCESS:
        state = account_state(entry, now)
        if state in {DISABLED, EXPIRED}:
            return Outcome(state, is_proven=True)
        has_to = policy in {_POLICY_EXPIRED, _POLICY_RESET} or must_change(entry, now)
        return Outcome(MUST_CHANGE if has_to else ACTIVE, is_proven=True)
    if answer.code == _CONSTRAINT_VIOLATION:  # 389 Directory Server: too many failures
        return Outcome(LOCKED, is_proven=False)
    if answer.code not in _SAID_NO:
        return None
    return _refused(answer, policy, account_state(entry, now))


def _refused(answer: Answer, policy: int | None, state: str) -> Outcome:
    """Why the server said no, as far as it tells."""
    if policy == _POLICY_EXPIRED:  # said only after the password was found right
        return Outcome(MUST_CHANGE, is_proven=True)
    if policy == _POLICY_LOCKED:
        return Outcome(LOCKED, is_proven=False)
    found = _SUB_CODE.search(answer.message.lower())
    if found and answer.code == _INVALID_CREDENTIALS and found[1] in _SUB_CODES:
        code, is_proven = _SUB_CODES[found[1]]
        return Outcome(code, is_proven)
    return Outcome(WRONG if state == ACTIVE else state, is_proven=False)


def _is_disabled(entry: Entry) -> bool:
    flags = _number(entry, "userAccountControl") or 0
    return bool(
        flags & _ACCOUNT_DISABLED
        or "D" in entry.text("sambaAcctFlags").upper()
        or entry.text("nsAccountLock").upper() == "TRUE"
    )


def _is_locked(entry: Entry) -> bool:
    computed = _number(entry, "msDS-User-Account-Control-Computed")
    if computed is not None:  # the domain controller has compared lockoutTime with its policy
        return bool(computed & _LOCKOUT)
    return bool(
        _number(entry, "lockoutTime")
        or entry.values("pwdAccountLockedTime")
        or "L" in entry.text("sambaAcctFlags").upper()
    )


def _ends(entry: Entry) -> list[float]:
    """Every moment at which the account ends, in seconds since 1970."""
    ends: list[float] = []
    filetime = _number(entry, "accountExpires")
    if filetime is not None and filetime not in _NEVER:
        ends.append(filetime / 10_000_000 - _SECONDS_1601_TO_1970)
    day = _number(entry, "shadowExpire")
    if day is not None and day >= 0:
        ends.append(day * _DAY)
    kickoff = _number(entry, "sambaKickoffTime")
    if kickoff is not None and 0 < kickoff < 0x7FFFFFFF:
        ends.append(kickoff)
    changed, longest, idle = (
        _number(entry, name) for name in ("shadowLastChange", "shadowMax", "shadowInactive")
    )
    if changed is not None and longest is not None and idle is not None and min(longest, idle) >= 0:
        ends.append((changed + longest + idle) * _DAY)
    moment = _time(entry.text("pwdEndTime"))
    return ends if moment is None else [*ends, moment]


def _number(entry: Entry, name: str) -> int | None:
    text = entry.text(name)
    return int(text) if re.fullmatch(r"-?[0-9]{1,20}", text) else None


def _time(text: str) -> float | None:
    """Seconds since 1970 of a generalized time in UTC."""
    try:
        return (
            datetime.strptime(text[:14] + text[-1:], "%Y%m%d%H%M%SZ")
            .replace(tzinfo=UTC)
            .timestamp()
        )
    except ValueError:
        return None


class _Warning(univ.Choice):  # type: ignore[misc]
    componentType = namedtype.NamedTypes(  # noqa: N815 - pyasn1's name
        namedtype.NamedType(
            "timeBeforeExpiration",
            univ.Integer().subtype(implicitTag=tag.Tag(tag.tagClassContext, 0, 0)),
        ),
        namedtype.NamedType(
            "graceAuthNsRemaining",
            univ.Integer().subtype(implicitTag=tag.Tag(tag.tagClassContext, 0, 1)),
        ),
    )


class _PolicyAnswer(univ.Sequence):  # type: ignore[misc]
    componentType = namedtype.NamedTypes(  # noqa: N815
        namedtype.OptionalNamedType(
            "warning",
            _Warning().subtype(
                explicitTag=tag.Tag(tag.tagClassContext, tag.tagFormatConstructed, 0)
            ),
        ),
        namedtype.OptionalNamedType(
            "error",
            univ.Enumerated().subtype(implicitTag=tag.Tag(tag.tagClassContext, 0, 1)),
        ),
    )


def policy_error(value: bytes | None) -> int | None:
    """The error of a password policy control: 0 expired, 1 locked, 2 must change …; or None."""
    if not value or len(value) > 64:  # the longest there is has 13 bytes
        return None
    try:
        answer, _ = decoder.decode(value, asn1Spec=_PolicyAnswer())
        return int(answer["error"]) if answer["error"].hasValue() else None
    except (PyAsn1Error, ValueError):
        return None
