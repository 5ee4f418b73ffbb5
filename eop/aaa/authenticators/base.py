"""The interfaces of every authenticator: it says who someone is, never what he may do.

Two kinds: one is given a login and a password, the other sends the browser to a single sign-on
server and reads what it comes back with. Neither keeps, throttles or begins anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeGuard

from eop.errors import EopError

MAX_LOGIN_CHARACTERS = 256  # longer than any login of ours


class AuthenticatorDownError(EopError):
    """The server behind an authenticator does not answer, or not as it should; for a log."""


@dataclass(frozen=True)
class Who:
    """A proven login, and which authenticator proved it.

    `ticket` is what a single sign-on server calls this sign-in: its own sign-out names it;
    `hashed` the stored hash that a local password was compared with.
    """

    login: str
    authenticator: str
    ticket: str | None = None
    hashed: str | None = field(default=None, repr=False)


def is_login(text: object) -> TypeGuard[str]:
    """Whether what a server tells may be looked up as a login at all."""
    return (
        isinstance(text, str)
        and 0 < len(text.strip()) <= MAX_LOGIN_CHARACTERS
        and text.strip().isprintable()
    )


TroubleCode = Literal["disabled", "expired", "locked", "must_change", "wrong"]


@dataclass(frozen=True)
class Trouble:
    """The account is known and does not open. Administrators are told in every case.

    The person is told only where `is_proven`: the password was right. After `wrong` the next
    authenticator is asked, as after None; it says whose password was guessed, by whatever name.
    """

    login: str
    authenticator: str
    code: TroubleCode
    is_proven: bool


class Authenticator(Protocol):
    """Takes a login and a password."""

    name: str

    def authenticate(self, login: str, password: str) -> Who | Trouble | None:
        """Who it is, or None; takes as long for an unknown login as for a wrong password.

        Raises `AuthenticatorDownError`: the next one is asked.
        """


@dataclass(frozen=True)
class Trip:
    """One way of one browser to a single sign-on server and back to `callback`.

    `state` names it and is in addresses; `nonce` and `verifier` are known to the server alone
    until it sends them. None of them serves a second trip.
    """

    callback: str
    state: str
    nonce: str
    verifier: str
    now_ms: int


class SingleSignOn(Protocol):
    """Sends the browser elsewhere; `name` is its last word in `/login/NAME`."""

    name: str
    label: str
    """What its button on the sign-in page calls it."""

    def begin(self, trip: Trip) -> str:
        """The address to send the browser to; it will come back to `trip.callback`.

        Raises `AuthenticatorDownError`.
        """

    def finish(self, trip: Trip, arguments: Mapping[str, str]) -> Who | None:
        """Who came back with these arguments; None where the answer proves nothing.

        The caller has seen to it that the trip began in the same browser and ends once.
        Raises `AuthenticatorDownError`.
        """

    def ended(self, form: Mapping[str, str], now_ms: int) -> list[str] | None:
        """The tickets (`Who.ticket`) of sign-ins that the server itself says are over.

        None where that cannot be read or believed. Raises `AuthenticatorDownError`.
        """

    def sign_out_address(self, back: str) -> str | None:
        """Where a browser signs out of the server, and comes back to `back` from.

        None where the server has no such address. Raises `AuthenticatorDownError`.
        """
