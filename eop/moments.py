"""Days and times as pages tell them: by the reader's language and the clock of this machine."""

from datetime import datetime, timedelta

from flask_babel import format_date, format_time


def told(milliseconds: int) -> str:
    """A moment (ms since 1970), to the minute; the month is a word, so that none is mistaken."""
    return _day_and_time(local(milliseconds))


def told_lately(milliseconds: int, now: int) -> str:
    """A moment, today's by the time alone."""
    moment = local(milliseconds)
    return _time(moment) if moment.date() == local(now).date() else _day_and_time(moment)


def told_end(milliseconds: int) -> str:
    """A moment at which something ends; where a day ends, that day."""
    moment = local(milliseconds)
    if (moment.hour, moment.minute) == (0, 0):
        return _day(moment - timedelta(days=1))
    return _day_and_time(moment)


def local(milliseconds: int) -> datetime:
    """On the clock of this machine."""
    return datetime.fromtimestamp(milliseconds / 1000).astimezone()


def _day_and_time(moment: datetime) -> str:
    return f"{_day(moment)}, {_time(moment)}"


def _time(moment: datetime) -> str:
    return str(format_time(moment, "short", rebase=False))  # type: ignore[no-untyped-call]


def _day(moment: datetime) -> str:
    return str(format_date(moment, "medium", rebase=False))  # type: ignore[no-untyped-call]
