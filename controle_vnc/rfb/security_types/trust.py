"""By what a workstation's server is known again: a fingerprint, or who signed its certificate.

Written as text: `x509-sha256:HEX` (of the certificate, DER), `rsa-sha256:HEX` (of the key as RA2
sends it), or `ca:/path` (a PEM file of authorities). Nothing: nobody has met the server yet.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from controle_vnc.errors import KeyChangedError

Identity = Literal["x509", "rsa"]

CA = "ca:"
MAX_TRUST_CHARACTERS = 300  # a path; a fingerprint has 76
_PIN = re.compile(r"(x509|rsa)-sha256:[0-9a-f]{64}")


def fingerprint(identity: Identity, proof: bytes) -> str:
    """How a certificate or a key is written."""
    return f"{identity}-sha256:{hashlib.sha256(proof).hexdigest()}"


@dataclass(frozen=True)
class Trust:
    """Either `pin` or `ca_file`, or neither: the first that the server shows is believed."""

    pin: str | None = None
    ca_file: str | None = None

    def takes(self, identity: Identity | None) -> bool:
        """Whether a server that proves itself like this, or not at all, can be the right one."""
        if self.ca_file is not None:
            return identity == "x509"
        return self.pin is None or self.pin.startswith(f"{identity}-")

    def check(self, identity: Identity, proof: bytes) -> str:
        """The fingerprint of `proof`; raises `KeyChangedError` where another one is known."""
        shown = fingerprint(identity, proof)
        if self.pin is not None and self.pin != shown:
            raise KeyChangedError(f"the server's key has changed: it is {shown} now")
        return shown


def parse_trust(text: str | None) -> Trust:
    """Read what `Trust` is written as; colons and capitals in the digits do not matter.

    Raises `ValueError` with a sentence.
    """
    if not text:
        return Trust()
    if len(text) > MAX_TRUST_CHARACTERS or not text.isprintable():
        raise ValueError(f"trust: at most {MAX_TRUST_CHARACTERS} printable characters")
    if text.startswith(CA):
        path = text[len(CA) :]
        if not path.startswith("/"):
            raise ValueError("trust: ca: is followed by the whole path of a PEM file")
        return Trust(ca_file=path)
    identity, _, digits = text.partition(":")
    pin = f"{identity.lower()}:{digits.replace(':', '').replace(' ', '').lower()}"
    if _PIN.fullmatch(pin) is None:
        raise ValueError(
            "trust: x509-sha256: or rsa-sha256: and 64 hexadecimal digits, or ca:/path"
        )
    return Trust(pin=pin)


def as_text(trust: Trust) -> str | None:
    """What `parse_trust` reads."""
    return trust.pin if trust.ca_file is None else f"{CA}{trust.ca_file}"
