"""By what a workstation's server is known again: a fingerprint, or who signed its certificate.

Written as text: `x509-sha256:HEX` (of the certificate, DER), `rsa-sha256:HEX` (of the key as RA2
sends it; `rsa-ne-sha256:HEX` where the screen may be unencrypted), or `ca:/path` (a PEM file of
authorities): these somebody has confirmed. `learnt:x509-sha256:HEX` is what the server showed
first, by itself. `any`: whoever answers may read the password. Nothing: nobody has met it yet.
"""

import hashlib
import re
from dataclasses import dataclass
from typing import Literal

from controle_vnc.errors import KeyChangedError

Identity = Literal["x509", "rsa", "rsa-ne"]

CA = "ca:"
LEARNT = "learnt:"
ANY = "any"
MAX_TRUST_CHARACTERS = 300  # a path; a fingerprint has 79
_SHA256 = "-sha256:"
_PIN = re.compile(r"(x509|rsa|rsa-ne)-sha256:[0-9a-f]{64}")


def fingerprint(identity: Identity, proof: bytes) -> str:
    """How a certificate or a key is written."""
    return f"{identity}{_SHA256}{hashlib.sha256(proof).hexdigest()}"


@dataclass(frozen=True)
class Trust:
    """`pin`, `ca_file` or `takes_any`, or none: the first that the server shows is remembered.

    `is_learnt`: nobody has confirmed the pin.
    """

    pin: str | None = None
    ca_file: str | None = None
    is_learnt: bool = False
    takes_any: bool = False

    @property
    def is_confirmed(self) -> bool:
        """Somebody has said who may read a password."""
        is_pinned = self.pin is not None and not self.is_learnt
        return is_pinned or self.ca_file is not None or self.takes_any

    def takes(self, identity: Identity | None) -> bool:
        """Whether a server that proves itself like this, or not at all, can be the right one."""
        if self.ca_file is not None:
            return identity == "x509"
        if self.pin is None:
            return True
        pinned = self.pin.partition(_SHA256)[0]
        return identity == pinned or (pinned == "rsa-ne" and identity == "rsa")

    def fits(self, shown: str) -> bool:
        """Whether that fingerprint is the one that is known, or none is."""
        identity, _, digits = shown.partition(_SHA256)
        if self.pin is None:
            return True
        kinds: dict[str, Identity] = {"x509": "x509", "rsa": "rsa", "rsa-ne": "rsa-ne"}
        return self.takes(kinds.get(identity)) and self.pin.endswith(f"{_SHA256}{digits}")

    def check(self, identity: Identity, proof: bytes) -> str:
        """The fingerprint of `proof`; raises `KeyChangedError` where another one is known."""
        shown = fingerprint(identity, proof)
        if not self.fits(shown):
            raise KeyChangedError(f"the server's key has changed: it is {shown} now", shown)
        return shown


def parse_trust(text: str | None) -> Trust:
    """Read what `Trust` is written as; colons and capitals in the digits do not matter.

    Raises `ValueError` with a sentence.
    """
    if not text:
        return Trust()
    if len(text) > MAX_TRUST_CHARACTERS or not text.isprintable():
        raise ValueError(f"trust: at most {MAX_TRUST_CHARACTERS} printable characters")
    if text.lower() == ANY:
        return Trust(takes_any=True)
    if text.startswith(CA):
        path = text[len(CA) :]
        if not path.startswith("/"):
            raise ValueError("trust: ca: is followed by the whole path of a PEM file")
        return Trust(ca_file=path)
    is_learnt = text.lower().startswith(LEARNT)
    identity, _, digits = text[len(LEARNT) if is_learnt else 0 :].partition(":")
    pin = f"{identity.lower()}:{digits.replace(':', '').replace(' ', '').lower()}"
    if _PIN.fullmatch(pin) is None:
        raise ValueError(
            "trust: x509-sha256:, rsa-sha256: or rsa-ne-sha256: and 64 hexadecimal digits, "
            "ca:/path, or any"
        )
    return Trust(pin=pin, is_learnt=is_learnt)


def as_text(trust: Trust) -> str | None:
    """What `parse_trust` reads."""
    if trust.takes_any:
        return ANY
    if trust.ca_file is not None:
        return f"{CA}{trust.ca_file}"
    return f"{LEARNT}{trust.pin}" if trust.is_learnt else trust.pin
