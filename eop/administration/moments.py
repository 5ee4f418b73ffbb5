"""Moments as the pages of the administration tell them."""

from datetime import datetime
from typing import Any

from flask_babel import format_datetime, format_time


def told(at_ms: int, now_ms: int) -> str:
    """Today's by the time alone, others with their day; by the clock of this machine."""
    at, now = _local(at_ms), _local(now_ms)
    words: Any = format_time if at.date() == now.date() else format_datetime
    return str(words(at, "short", rebase=False))


def _local(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000).astimezone().replace(tzinfo=None)
