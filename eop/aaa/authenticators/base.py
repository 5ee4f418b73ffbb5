"""The one interface of every authenticator: it says who someone is, never what he may do."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Who:
    """A proven login, and which authenticator proved it."""

    login: str
    authenticator: str


class Authenticator(Protocol):
    """Takes a login and a password; keeps nothing, throttles nothing, starts no session."""

    name: str

    def authenticate(self, login: str, password: str) -> Who | None:
        """Who it is, or None; takes as long for an unknown login as for a wrong password."""
