"""What a workstation's fields may hold, and why one is refused; controle-vnc has the last word.

The form and the CSV file share these rules, so that both say the same sentences.
"""

import ipaddress
import re
from dataclasses import dataclass

from eop.errors import N_, InvalidError

# as controle-vnc keeps them; a test holds them against it
MAX_NAME_CHARACTERS = 64
MAX_ROOM_CHARACTERS = 64
MAX_USER_CHARACTERS = 64
MAX_PASSWORD_CHARACTERS = 256
MAX_VNC_USER_CHARACTERS = 64
MAX_TRUST_CHARACTERS = 300
MAX_HOST_CHARACTERS = 253  # DNS
MAX_UNIX_PATH_BYTES = 107  # sun_path of Linux, less its final zero
MAX_PORT = 65535
DEFAULT_PORT = 5900  # the first display of a VNC server

UNIX = "unix:"  # the address of a VNC server on this machine that has no port

CA = "ca:"  # a server is known by who signed its certificate: a PEM file

LEARNT = "learnt:"  # … or by what it showed first, which nobody has confirmed
ANY = "any"  # whoever answers there may read the password

_PIN = re.compile(r"(x509|rsa|rsa-ne)-sha256:[0-9a-f]{64}")
_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?")


@dataclass(frozen=True)
class Typed:
    """What somebody wrote, in a form or in a line of a file."""

    name: str = ""
    room: str = ""
    address: str = ""
    port: str = ""
    user: str = ""
    password: str = ""
    vnc_user: str = ""
    trust: str = ""

    @property
    def endpoint(self) -> str:
        """The address as controle-vnc takes it; raises `InvalidError`."""
        return endpoint(self.address, self.port)


def problems(typed: Typed) -> dict[str, InvalidError]:
    """Field → why it cannot be taken."""
    found: dict[str, InvalidError] = {}
    if not is_line(typed.name, MAX_NAME_CHARACTERS):
        found["name"] = InvalidError(
            N_("The name has 1 to %(most)s printable characters."), most=MAX_NAME_CHARACTERS
        )
    if not is_line(typed.room, MAX_ROOM_CHARACTERS):
        found["room"] = InvalidError(
            N_("The room has 1 to %(most)s printable characters."), most=MAX_ROOM_CHARACTERS
        )
    if typed.user and not is_line(typed.user, MAX_USER_CHARACTERS):
        found["user"] = InvalidError(
            N_("The user name has at most %(most)s printable characters."), most=MAX_USER_CHARACTERS
        )
    if len(typed.password) > MAX_PASSWORD_CHARACTERS:
        found["password"] = InvalidError(
            N_("The password has at most %(most)s characters."), most=MAX_PASSWORD_CHARACTERS
        )
    if typed.vnc_user and not is_line(typed.vnc_user, MAX_VNC_USER_CHARACTERS):
        found["vnc_user"] = InvalidError(
            N_("The user name has at most %(most)s printable characters."),
            most=MAX_VNC_USER_CHARACTERS,
        )
    if typed.trust and normal_trust(typed.trust) is None:
        found["trust"] = InvalidError(
            N_("Write x509-sha256:, rsa-sha256: or rsa-ne-sha256: and the 64 digits of the "
               "fingerprint, or ca: and the path of a PEM file on the server of controle-vnc, "
               "or any.")
        )  # fmt: skip
    try:
        _ = typed.endpoint
    except _PortError as error:
        found["port"] = error
    except InvalidError as error:
        found["address"] = error
    return found


def is_line(text: str, longest: int) -> bool:
    """Whether it can be a name: printable, not empty, without blanks at its ends."""
    return bool(text) and text == text.strip() and text.isprintable() and len(text) <= longest


def is_pin(text: str) -> bool:
    """Whether it is a fingerprint as controle-vnc writes it, confirmed by who says it."""
    return _PIN.fullmatch(text) is not None


def normal_trust(text: str) -> str | None:
    """By what controle-vnc can know a VNC server, as it keeps it; None where it is no such thing.

    Colons and capitals in the digits do not matter.
    """
    if len(text) > MAX_TRUST_CHARACTERS or not text.isprintable():
        return None
    if text.startswith(CA):
        return text if text.startswith(f"{CA}/") else None
    lower = text.lower()
    learnt = LEARNT if lower.startswith(LEARNT) else ""
    kind, _, digits = lower.removeprefix(learnt).partition(":")
    pin = f"{kind}:{digits.replace(':', '').replace(' ', '')}"
    return lower if lower == ANY else f"{learnt}{pin}" if is_pin(pin) else None


class _PortError(InvalidError):
    """The port is the wrong one of both fields."""


def endpoint(address: str, port: str) -> str:
    """`host:port`, `[v6]:port` or `unix:/path` of two fields; raises `InvalidError`.

    The port may stand in the address, too; without any it is 5900.
    """
    address, port = address.strip(), port.strip()
    if address.startswith(UNIX):
        return _unix(address, port)
    host, inner = split(address)
    host = host.removeprefix("[").removesuffix("]")
    if inner and port and inner != port:
        raise _PortError(N_("The address names another port than this field."))
    if not _is_host(host):
        raise InvalidError(
            N_("“%(text)s” is no address: write a host name such as pc-01.school.lan, or an IP "
               "address."),
            text=address[:80],
        )  # fmt: skip
    number = _number(port or inner or str(DEFAULT_PORT))
    return f"[{host}]:{number}" if ":" in host else f"{host}:{number}"


def split(address: str) -> tuple[str, str]:
    """Host and port of an address, as the two fields of the form; the port may be empty."""
    if address.startswith(UNIX):
        return address, ""
    if address.startswith("["):
        host, _, rest = address[1:].partition("]")
        return host, rest.removeprefix(":")
    host, _, port = address.partition(":")
    if port.isascii() and port.isdigit():
        return host, port
    return address, ""  # a name, or an IPv6 address without brackets


def _unix(address: str, port: str) -> str:
    path = address[len(UNIX) :]
    if port:
        raise _PortError(N_("A unix socket has no port: leave this field empty."))
    size = len(path.encode("utf-8", "surrogatepass"))
    if not path.startswith("/") or not path.isprintable() or size > MAX_UNIX_PATH_BYTES:
        raise InvalidError(
            N_("A unix socket is written unix:/path, of at most %(most)s bytes."),
            most=MAX_UNIX_PATH_BYTES,
        )
    return address


def _is_host(host: str) -> bool:
    if ":" in host:
        try:
            ipaddress.IPv6Address(host)
        except ValueError:
            return False
        return True
    return len(host) <= MAX_HOST_CHARACTERS and _HOST.fullmatch(host) is not None


def _number(text: str) -> int:
    if text.isascii() and text.isdigit() and len(text) <= len(str(MAX_PORT)):
        number = int(text)
        if 1 <= number <= MAX_PORT:
            return number
    raise _PortError(N_("The port is a number from 1 to %(most)s."), most=MAX_PORT)
