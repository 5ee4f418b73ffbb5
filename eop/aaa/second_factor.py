"""The second factor: codes of an authenticator app (TOTP), and recovery codes for a lost phone.

The key is encrypted with a key derived from `SESSION_KEY`; of recovery codes only keyed hashes are
kept. A code is taken once: the time step of the last one is stored.
"""

import hmac
import logging
import re
import secrets
from dataclasses import dataclass

import pyotp
from cryptography.fernet import InvalidToken
from sqlalchemy import Connection, delete, func, insert, or_, select, update

from eop.aaa.session import Keys
from eop.aaa.tables import recovery_code
from eop.directory.tables import user
from eop.errors import RefusedError

STEP_MS = 30_000
WINDOW = 1  # steps before and after: the phone's clock, and slow fingers
RECOVERY_CODES = 10
MAX_CODE_CHARACTERS = 40  # longer than any code with the spaces someone puts in
PENDING_SECONDS = 600  # to take the phone out, install an app, and type a code
MAX_PENDING_CHARACTERS = 1000  # what `sealed` makes has about 250

_CODE = re.compile(r"[0-9]{6}")
_SIGNS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that look alike
_HALF = 5  # ten of 31 signs: 49 bits, and guesses are bounded
_PURPOSE = "totp"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SecondFactor:
    """The site's settings: who must have one, and its name in the app."""

    issuer: str = "EOP"
    required_roles: frozenset[str] = frozenset()


def new_key() -> str:
    """A new key: 160 random bits, in base 32."""
    return str(pyotp.random_base32())


def address(key: str, login: str, issuer: str) -> str:
    """The `otpauth:` address of a key, which the QR code holds."""
    return str(pyotp.TOTP(key).provisioning_uri(name=login, issuer_name=issuer))


def shown(key: str) -> str:
    """A key as one types it: in groups of four."""
    return " ".join(key[at : at + 4] for at in range(0, len(key), 4))


def picture(text: str) -> str:
    """A QR code as a `data:` address of an SVG, dark on white whatever the theme."""
    import segno

    code = segno.make(text, error="m", micro=False)
    return str(code.svg_data_uri(scale=5, border=4, dark="#000", light="#fff"))


def encrypted(keys: Keys, key: str) -> str:
    """A key as it is stored."""
    return keys.cipher(_PURPOSE).encrypt(key.encode()).decode()


def decrypted(keys: Keys, stored: str) -> str:
    """The key; raises `RefusedError("second_factor_lost")` where `SESSION_KEY` is another now."""
    try:
        return keys.cipher(_PURPOSE).decrypt(stored.encode()).decode()
    except InvalidToken as error:
        logger.error("a second factor cannot be read: was SESSION_KEY changed?")
        raise RefusedError("second_factor_lost") from error


def sealed(keys: Keys, user_id: int, key: str, now_ms: int) -> str:
    """A key that a page carries while someone enrols it; only for him, and not for long."""
    cipher = keys.cipher("enrolment")
    return cipher.encrypt_at_time(f"{user_id}:{key}".encode(), now_ms // 1000).decode()


def unsealed(keys: Keys, user_id: int, text: str, now_ms: int) -> str | None:
    """The key of `sealed`, if it is this user's and not too old."""
    try:
        plain = keys.cipher("enrolment").decrypt_at_time(
            text[:MAX_PENDING_CHARACTERS].encode("utf-8", "replace"),
            PENDING_SECONDS,
            now_ms // 1000,
        )
    except InvalidToken:
        return None
    owner, _, key = plain.decode().partition(":")
    return key if owner == str(user_id) else None


def step_of(key: str, typed: str, now_ms: int) -> int | None:
    """The time step a code belongs to, within the window; None for a wrong one."""
    code = _plain(typed)
    if not _CODE.fullmatch(code):
        return None
    totp, now = pyotp.TOTP(key), now_ms // STEP_MS
    matching = [
        step
        for step in range(now - WINDOW, now + WINDOW + 1)
        if hmac.compare_digest(totp.generate_otp(step), code)
    ]
    return matching[-1] if matching else None


def accept(connection: Connection, keys: Keys, user_id: int, typed: str, now_ms: int) -> str:
    """Take a code: `totp` or `recovery` where it is right, nothing where it is not.

    Raises `RefusedError("second_factor_lost")`.
    """
    if _CODE.fullmatch(_plain(typed)):
        stored = connection.scalar(select(user.c.totp_key).where(user.c.id == user_id))
        if stored is None:
            return ""
        step = step_of(decrypted(keys, stored), typed, now_ms)
        return "totp" if step is not None and _is_new(connection, user_id, step) else ""
    hashed = _recovery_hash(keys, user_id, typed)
    taken = connection.execute(
        delete(recovery_code).where(
            recovery_code.c.user_id == user_id, recovery_code.c.hash == hashed
        )
    )
    return "recovery" if taken.rowcount else ""


def _is_new(connection: Connection, user_id: int, step: int) -> bool:
    """Store the step, unless that or a later one was used."""
    unused = or_(user.c.totp_step.is_(None), user.c.totp_step < step)
    stored = connection.execute(
        update(user).where(user.c.id == user_id, unused).values(totp_step=step)
    )
    return bool(stored.rowcount)


def enrol(connection: Connection, keys: Keys, user_id: int, key: str, step: int) -> list[str]:
    """Store a key whose code of that step was just shown; gives new recovery codes."""
    connection.execute(
        update(user)
        .where(user.c.id == user_id)
        .values(totp_key=encrypted(keys, key), totp_step=step)
    )
    return renew_recovery_codes(connection, keys, user_id)


def renew_recovery_codes(connection: Connection, keys: Keys, user_id: int) -> list[str]:
    """Ten new codes, to be shown this once; the ones before are worth nothing."""
    connection.execute(delete(recovery_code).where(recovery_code.c.user_id == user_id))
    codes = [f"{_random_half()}-{_random_half()}" for _ in range(RECOVERY_CODES)]
    connection.execute(
        insert(recovery_code),
        [{"user_id": user_id, "hash": _recovery_hash(keys, user_id, code)} for code in codes],
    )
    return codes


def recovery_codes_left(connection: Connection, user_id: int) -> int:
    """How many recovery codes were not used yet."""
    query = select(func.count()).select_from(recovery_code)
    return connection.scalar(query.where(recovery_code.c.user_id == user_id)) or 0


def remove(connection: Connection, user_id: int) -> None:
    """Forget key and recovery codes."""
    connection.execute(
        update(user).where(user.c.id == user_id).values(totp_key=None, totp_step=None)
    )
    connection.execute(delete(recovery_code).where(recovery_code.c.user_id == user_id))


def _plain(typed: str) -> str:
    return re.sub(r"[\s-]", "", typed[:MAX_CODE_CHARACTERS]).lower()


def _recovery_hash(keys: Keys, user_id: int, typed: str) -> str:
    return keys.derived("recovery", f"{user_id}:{_plain(typed)}")


def _random_half() -> str:
    return "".join(secrets.choice(_SIGNS) for _ in range(_HALF))
