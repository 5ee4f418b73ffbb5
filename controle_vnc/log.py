"""How a process logs: one line an event to standard error and to a file, without secrets."""

import logging
import logging.handlers
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog

from controle_vnc.errors import SettingsError

LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
SECRET_WORDS = ("password", "ticket", "token", "cookie", "secret")


def setup(level: str, file: Path | None = None) -> None:
    """Log from `level` on to standard error, and to `file`; raises `SettingsError`."""
    if level not in LEVELS:
        raise SettingsError(f"LOG_LEVEL must be one of {', '.join(LEVELS)}, not {level!r}")
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if file is not None:
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            # watched: logrotate may move the file away
            handlers.append(logging.handlers.WatchedFileHandler(file))
        except OSError as error:
            raise SettingsError(f"the log {file} cannot be written: {error}") from error
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _hide_secrets,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *shared],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            _line,
        ],
    )
    root = logging.getLogger()
    for old in root.handlers[:]:
        root.removeHandler(old)
        old.close()
    for handler in handlers:
        handler.setFormatter(formatter)
        root.addHandler(handler)
    root.setLevel(level)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _hide_secrets(_: object, __: str, event: Any) -> Any:
    for key in event:
        if any(word in key.lower() for word in SECRET_WORDS):
            event[key] = "…"
    return event


def _line(_: object, __: str, event: Mapping[str, Any]) -> str:
    """`time LEVEL logger: words key=value`; a hostile name cannot begin another line."""
    values = dict(event)
    head = f"{values.pop('timestamp', '')} {str(values.pop('level', '')).upper():7}"
    text = f"{head} {values.pop('logger', '')}: {_printable(str(values.pop('event', '')))}"
    trace = values.pop("exception", "")
    text += "".join(f" {key}={_printable(str(value))}" for key, value in values.items())
    return text + "".join(f"\n    {_printable(line)}" for line in str(trace).splitlines())


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text
    )
