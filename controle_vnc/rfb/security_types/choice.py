"""Which of the security types that a server offers is taken: the strongest that we can use."""

from collections.abc import Collection, Sequence

from controle_vnc.errors import (
    AuthenticationError,
    ProtocolError,
    UnconfirmedServerError,
    UnsupportedError,
    UntrustedServerError,
)
from controle_vnc.rfb.constants import SecurityType
from controle_vnc.rfb.security_types.credentials import Credentials
from controle_vnc.rfb.security_types.trust import Identity

T = SecurityType

STRONGEST_FIRST = (
    # the server proves who it is, and nobody reads along
    T.X509_PLAIN, T.X509_VNC, T.RA2_256, T.RA2, T.X509_NONE,
    # nobody reads along who only listens; a password is not handed out if a challenge will do
    T.TLS_VNC, T.TLS_PLAIN, T.TLS_NONE,
    # the password is safe, the screen is not
    T.RA2NE_256, T.RA2NE,
    T.VNC_AUTHENTICATION, T.NONE,
    # user name and password for everybody to read: where nothing else is offered
    T.PLAIN,
)  # fmt: skip

X509 = frozenset({T.X509_NONE, T.X509_VNC, T.X509_PLAIN})
ANONYMOUS = frozenset({T.TLS_NONE, T.TLS_VNC, T.TLS_PLAIN})
RA2 = frozenset({T.RA2, T.RA2NE, T.RA2_256, T.RA2NE_256})
VNC = frozenset({T.VNC_AUTHENTICATION, T.TLS_VNC, T.X509_VNC})
PLAIN = frozenset({T.PLAIN, T.TLS_PLAIN, T.X509_PLAIN})
READABLE = RA2 | PLAIN  # the other side learns the password itself
SUBTYPES = X509 | ANONYMOUS | {T.PLAIN}  # of VeNCrypt

MAX_RA2_FIELD_BYTES = 255  # of user name and of password: their lengths are one byte each


def identity_of(kind: SecurityType) -> Identity | None:
    """What a server proves itself with."""
    if kind in X509:
        return "x509"
    if kind in RA2:
        return "rsa" if kind in (T.RA2, T.RA2_256) else "rsa-ne"
    return None


def usable(known: Collection[int], credentials: Credentials) -> list[SecurityType]:
    """Those of `known` that `credentials` allow, the strongest first.

    Of a server that nobody has confirmed, those in which it learns no password. Only where there
    is none of them, those in which it shows who it is: there `prove` stops.
    """
    kinds = [
        kind
        for kind in STRONGEST_FIRST
        if kind in known and _has_enough(kind, credentials) and _is_proof(kind, credentials)
    ]
    if credentials.trust.is_confirmed:
        return kinds
    harmless = [kind for kind in kinds if kind not in READABLE]
    return harmless or [kind for kind in kinds if identity_of(kind) is not None]


def prove(kind: SecurityType, proof: bytes, credentials: Credentials) -> str:
    """The fingerprint of what a server shows, once it may be told what `kind` tells it.

    Raises `KeyChangedError`, and `UnconfirmedServerError` where it would learn the password.
    """
    identity = identity_of(kind)
    if identity is None:
        raise ProtocolError("a proof of who it is that nobody asked for")
    shown = credentials.trust.check(identity, proof)
    if kind in READABLE and not credentials.trust.is_confirmed:
        raise UnconfirmedServerError(f"the server shows {shown}, which nobody has confirmed", shown)
    credentials.met(shown)
    return shown


def _is_proof(kind: SecurityType, credentials: Credentials) -> bool:
    return credentials.trust.takes(identity_of(kind))


def _has_enough(kind: SecurityType, credentials: Credentials) -> bool:
    user, password = credentials.user, credentials.password
    if kind in X509 | ANONYMOUS and credentials.tls is None:
        return False
    if kind in PLAIN:
        return user is not None and password is not None
    if kind in RA2:
        return password is not None and max(len(password), len(user or b"")) <= MAX_RA2_FIELD_BYTES
    return kind not in VNC or password is not None


def complaint(offered: Sequence[int], credentials: Credentials) -> Exception:
    """Why none of `offered` can be used."""
    present = [kind for kind in STRONGEST_FIRST if kind in offered]
    enough = [kind for kind in present if _has_enough(kind, credentials)]
    is_new = not credentials.trust.is_confirmed and not credentials.trust.is_learnt
    if enough and is_new and all(identity_of(kind) is None for kind in enough):
        return UntrustedServerError(
            "the server asks for the password in a way that anybody could read, and does not show "
            "who it is"
        )
    if enough:
        return UntrustedServerError(
            "the server offers no sign-in in which it proves that it is the one we know"
        )
    if any(kind in VNC | RA2 for kind in present) and credentials.password is None:
        return AuthenticationError("a password is asked for and none is stored")
    if any(kind in PLAIN for kind in present):
        return AuthenticationError("a user name and a password are asked for and not stored")
    return UnsupportedError(f"security types {sorted(offered)} are not supported")
