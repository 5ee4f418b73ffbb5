"""Every setting as a page may show it, made from the declarations themselves."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from controle_vnc import settings as shared_settings
from controle_vnc.errors import SettingsError
from controle_vnc.settings import ENVIRONMENT_PREFIX
from eop import settings as site_settings
from eop.collation import fold
from eop.errors import N_
from eop.languages import DEFAULT as ENGLISH

FILE, ENVIRONMENT, DEFAULT, UNKNOWN = "file", "environment", "default", "unknown"


@dataclass(frozen=True)
class Setting:
    """One setting. `value` and `default` are None where it is a secret: then only `is_set` tells.

    `is_pending`: the file says otherwise since the site was started. `language`: of the sentence.
    """

    name: str
    sentence: str
    value: Any
    default: Any
    source: str
    is_secret: bool
    is_set: bool
    is_pending: bool = False
    language: str = ENGLISH

    @property
    def variable(self) -> str:
        """What it is called in the environment."""
        return ENVIRONMENT_PREFIX + self.name

    @property
    def is_changed(self) -> bool:
        return self.source in (FILE, ENVIRONMENT)


@dataclass(frozen=True)
class Group:
    """The settings of one class, and the file they are kept in; `trouble`: why it is not read."""

    title: str
    file: Path
    settings: list[Setting]
    trouble: str = ""


def groups(site: Any, shared: Any, environ: Mapping[str, str] | None = None) -> list[Group]:
    """All settings that hold now: the site's, and those it shares with controle-vnc."""
    environ = os.environ if environ is None else environ
    return [
        _group(N_("Site"), site, site_settings.settings_file(environ), environ),
        _group(
            N_("controle-vnc, gateway and ports"),
            shared,
            shared_settings.settings_file(environ),
            environ,
        ),
    ]


def search(found: Iterable[Group], text: str, *, only_changed: bool) -> list[Group]:
    """The settings whose name or sentence holds every word, of the groups that have any.

    Case and accents do not count.
    """
    words = _plain(text).split()

    def fits(one: Setting) -> bool:
        told = _plain(f"{one.name} {one.sentence}")
        return all(word in told for word in words) and (one.is_changed or not only_changed)

    kept = [
        Group(one.title, one.file, [entry for entry in one.settings if fits(entry)], one.trouble)
        for one in found
    ]
    return [one for one in kept if one.settings]


def _plain(text: str) -> str:
    return fold(text).replace("’", "'")  # keyboards write the straight one


def _group(title: str, held: Any, file: Path, environ: Mapping[str, str]) -> Group:
    values: Mapping[str, Any] | None
    trouble = ""
    try:
        values = shared_settings.read_json(file)
    except (SettingsError, OSError) as error:
        values, trouble = None, str(error)
    made = [_setting(entry, held, values, environ) for entry in fields(held)]
    return Group(title, file, made, trouble)


def _setting(
    entry: "Field[Any]", held: Any, values: Mapping[str, Any] | None, environ: Mapping[str, str]
) -> Setting:
    value, default = getattr(held, entry.name), _default(entry)
    is_secret = bool(entry.metadata["is_secret"]) or _holds_password(value)
    source = _source(entry.name, values, environ, is_default=value == default)
    is_pending = False
    if values is not None and source != ENVIRONMENT:
        is_pending = values.get(entry.name, default) != value
    return Setting(
        name=entry.name,
        sentence=entry.metadata["sentence"],
        value=None if is_secret else value,
        default=None if is_secret else default,
        source=source,
        is_secret=is_secret,
        is_set=bool(value),
        is_pending=is_pending,
    )


def _default(entry: "Field[Any]") -> Any:
    if entry.default_factory is not MISSING:
        return entry.default_factory()
    return None if entry.default is MISSING else entry.default


def _source(
    name: str, values: Mapping[str, Any] | None, environ: Mapping[str, str], *, is_default: bool
) -> str:
    """Where the value comes from: the environment goes before the file."""
    if ENVIRONMENT_PREFIX + name in environ:
        return ENVIRONMENT
    if values is None:
        return DEFAULT if is_default else UNKNOWN
    return FILE if name in values else DEFAULT


def _holds_password(value: Any) -> bool:
    """Whether an address of any setting carries a password, whatever its declaration says."""
    texts = value if isinstance(value, list) else list(value.values()) if isinstance(
        value, dict
    ) else [value]  # fmt: skip
    return any(isinstance(text, str) and "://" in text and _has_user_part(text) for text in texts)


def _has_user_part(text: str) -> bool:
    try:
        return "@" in urlsplit(text).netloc
    except ValueError:
        return True  # not an address: better not shown
