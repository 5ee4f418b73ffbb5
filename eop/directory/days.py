"""Days and times as people write them, by the clock of this machine; ms since 1970."""

from datetime import datetime, timedelta

from eop.errors import N_, InvalidError

DAY = "%Y-%m-%d"
DAY_AND_TIME = (f"{DAY} %H:%M", f"{DAY}T%H:%M")
LONGEST = 16  # characters


def begin(text: str) -> int:
    """When a day begins, or the moment that is written; raises `InvalidError`."""
    return _milliseconds(_read(text)[0])


def end(text: str) -> int:
    """When a day ends, or the moment that is written; raises `InvalidError`."""
    moment, is_day = _read(text)
    return _milliseconds(moment + timedelta(days=1) if is_day else moment)


def told(milliseconds: int) -> str:
    """A moment, to the minute: 2026-11-23 14:00."""
    return datetime.fromtimestamp(milliseconds / 1000).strftime(DAY_AND_TIME[0])


def told_end(milliseconds: int) -> str:
    """A moment at which something ends: the end of a day is 24:00 of that day."""
    moment = datetime.fromtimestamp(milliseconds / 1000)
    if (moment.hour, moment.minute) == (0, 0):
        return (moment - timedelta(days=1)).strftime(DAY) + " 24:00"
    return told(milliseconds)


def today(now_ms: int) -> str:
    """The day of a moment."""
    return datetime.fromtimestamp(now_ms / 1000).strftime(DAY)


def _read(text: str) -> tuple[datetime, bool]:
    text = text.strip()
    if len(text) <= LONGEST and text.isascii():
        for form in (DAY, *DAY_AND_TIME):
            try:
                return datetime.strptime(text, form), form == DAY
            except ValueError:
                continue
    wrong = text[:LONGEST]
    raise InvalidError(
        N_("“%(text)s” is no day: write 2026-11-23 or 2026-11-23 14:00."), text=wrong
    )


def _milliseconds(moment: datetime) -> int:
    try:
        return int(moment.timestamp() * 1000)  # by the clock of this machine, summer time included
    except (OverflowError, ValueError, OSError) as error:
        raise InvalidError(N_("This day is out of reach.")) from error
