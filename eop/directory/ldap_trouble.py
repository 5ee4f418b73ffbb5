"""What goes wrong with a directory, as sentences that name the server and the remedy."""

import socket
import ssl
from collections.abc import Mapping
from typing import Any

from eop.directory.ldap_layout import Server
from eop.errors import EopError

NO_SUCH_OBJECT, SIZE_LIMIT = 32, 4

_NOT_TRUSTED = {18, 19, 20, 21}  # OpenSSL: self-signed, or its issuer is not known
_OTHER_NAME = {62, 64}  # OpenSSL: host name, IP address
_EXPIRED = 10
_SEARCH_REMEDIES = {
    NO_SUCH_OBJECT: "there is no such base, or this account may not see it; "
    "check LDAP_BASE and the bases",
    SIZE_LIMIT: "the server gives only a part; raise its size limit for this account",
    1: "the server wants an account; give LDAP_BIND_DN and LDAP_PASSWORD_FILE",
    10: "another server keeps this base; name that one in LDAP_SERVERS",
    50: "this account may not read here; give it the right to",
}


class LdapError(EopError):
    """The directory cannot be asked, or not so; a sentence that names server and remedy."""


class UnjudgedError(LdapError):
    """A server that works did not say whether one account's password is right; others it may."""


def word(result: Mapping[str, Any]) -> str:
    """A server's own words for a result."""
    return f"{result['description']}" + (
        f", {result['message'][:200]}" if result["message"] else ""
    )


def search_refused(server: Server, base: str, result: Mapping[str, Any]) -> LdapError:
    """Why a search gave nothing."""
    remedy = _SEARCH_REMEDIES.get(result["result"], "look into the server's log")
    return LdapError(f"{server.address}: searching {base}: {word(result)}: {remedy}")


def sentence(server: Server, seconds: float, error: Exception) -> str:
    """What went wrong on the way to a server, or while speaking to it."""
    if isinstance(error, ssl.SSLCertVerificationError):
        told = _certificate_sentence(server.host, error)
    elif type(error).__name__ == "LDAPInvalidFilterError":  # of ldap3, not imported for a name
        told = "a filter is malformed; check the LDAP_…_FILTER settings and LDAP_ROLES"
    else:
        told = _network_sentence(server, seconds, error)
    return f"{server.address}: {told}"


def _certificate_sentence(host: str, error: ssl.SSLCertVerificationError) -> str:
    if error.verify_code in _OTHER_NAME:
        return (
            f"its certificate is not for {host}; use a name that is in the certificate, or have "
            "one made for this name"
        )
    if error.verify_code == _EXPIRED:
        return "its certificate has expired; renew it on the server"
    if error.verify_code in _NOT_TRUSTED:
        return (
            "its certificate is not signed by an authority that is trusted here; name the PEM "
            "file of that authority in LDAP_CA_FILE"
        )
    return f"its certificate is refused ({error.verify_message}); renew it on the server"


def _network_sentence(server: Server, seconds: float, error: Exception) -> str:
    text = str(error)
    if isinstance(error, TimeoutError) or "timed out" in text:
        return (
            f"no answer within {seconds:g} s; check the address, the port and any firewall between"
        )
    if isinstance(error, socket.gaierror):
        return f"the name {server.host} is not known; check it, and this host's DNS"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there; is the directory's server running?"
    if isinstance(error, ssl.SSLError):
        return f"TLS fails ({text[:200]}); is this the port for {server.tls}?"
    return f"the conversation broke off ({type(error).__name__}: {text[:200]})"
