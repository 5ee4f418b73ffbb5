"""What is connected to: where, who we are there, and by what its server is known again."""

from collections.abc import Callable
from dataclasses import dataclass, field

from controle_vnc.rfb.security_types.credentials import Credentials, nobody
from controle_vnc.rfb.security_types.trust import parse_trust
from controle_vnc.tls import client_tls
from controle_vnc.workstation.address import Address


@dataclass(frozen=True)
class Target:
    """Where a workstation's VNC server is, and what is stored for it.

    `met` is told the fingerprint that a server shows, before anything secret is said to it; it
    raises `KeyChangedError` where another one has become known meanwhile.
    """

    address: Address
    password: bytes | None = field(repr=False)
    user: str | None = None
    trust: str | None = None
    met: Callable[[str], None] = field(default=nobody, compare=False)

    @property
    def credentials(self) -> Credentials:
        trust = parse_trust(self.trust)
        user = None if self.user is None else self.user.encode()
        host = self.address.host or "localhost"
        return Credentials(self.password, user, trust, client_tls(trust, host), self.met)
