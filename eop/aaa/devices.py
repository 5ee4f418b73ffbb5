"""Devices on which someone has signed in before: known by a cookie that only we can make."""

import hmac
import re
import secrets

from eop.aaa.session import Keys

DEVICE_BYTES = 16
MAX_LOGINS = 8  # a shared device: those who signed in last
KNOWN_SECONDS = 180 * 24 * 3600  # longer than the summer

_COOKIE = re.compile(rf"[\w-]{{22}}(\.[0-9a-f]{{64}}){{1,{MAX_LOGINS}}}", re.ASCII)


def known(keys: Keys, cookie: str, login: str) -> str:
    """The device's name where that login has signed in on it before, else nothing."""
    if not _COOKIE.fullmatch(cookie):
        return ""
    device, *marks = cookie.split(".")
    wanted = keys.device_mark(device, login)
    return device if any(hmac.compare_digest(mark, wanted) for mark in marks) else ""


def remembered(keys: Keys, cookie: str, login: str) -> str:
    """The cookie once `login` has signed in: the device's name, and a mark for each login."""
    device, *marks = cookie.split(".") if _COOKIE.fullmatch(cookie) else [_new()]
    mark = keys.device_mark(device, login)
    return ".".join([device, mark, *(other for other in marks if other != mark)][: MAX_LOGINS + 1])


def _new() -> str:
    return secrets.token_urlsafe(DEVICE_BYTES)
