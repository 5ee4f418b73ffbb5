"""What a workstation's server is told of us, and what it has to prove before."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from controle_vnc.rfb.layer import Layer
from controle_vnc.rfb.security_types.trust import Trust


class TlsMaker(Protocol):
    """Begins TLS; it lies outside of what is pure, for TLS asks for the time and for files."""

    def __call__(self, anonymous: bool, approve: Callable[[bytes], None]) -> Layer:
        """A layer that holds everything back until `approve` took the peer's certificate (DER).

        `anonymous`: without certificates, and nothing but that.
        """


def nobody(_: str) -> None:
    """Nobody wants to know."""


@dataclass(frozen=True)
class Credentials:
    """`user` and `password` as bytes, neither where the server asks for none.

    Without `tls` no type that needs TLS is chosen. `met` is told the fingerprint that a server
    shows, before anything secret is said; what it raises ends the connection.
    """

    password: bytes | None = field(default=None, repr=False)
    user: bytes | None = None
    trust: Trust = Trust()
    tls: TlsMaker | None = None
    met: Callable[[str], None] = nobody


def credentials_of(given: "Credentials | bytes | None") -> Credentials:
    """A bare password stands for itself."""
    return given if isinstance(given, Credentials) else Credentials(given)
