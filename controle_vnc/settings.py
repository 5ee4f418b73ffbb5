"""Settings: declared once as fields, read once at start from file and environment.

Each field carries its default and the sentence that the README's table shows. An unknown key,
a wrong type or an unsafe value refuses to start, naming the file, the key and the remedy.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from controle_vnc.errors import SettingsError

ENVIRONMENT_PREFIX = "EOP_"
MAX_SETTINGS_BYTES = 64 * 1024  # a settings file is a page; a larger one is a mistake

T = TypeVar("T")

TextOrTable = str | dict[str, str]
"""One text, or several by name; in the environment a text that begins with { is a JSON object."""

_WORDS = {
    list: "a list of strings",
    TextOrTable: "a text or an object of texts",
}


def setting(default: Any, sentence: str, *, is_secret: bool = False) -> Any:
    """A field of a settings class: its default, and what it is for in one sentence.

    `is_secret`: it is or may hold a password or a key, so that no page shows it.
    """
    metadata = {"sentence": sentence, "is_secret": is_secret}
    if isinstance(default, list):
        return field(default_factory=lambda: list(default), metadata=metadata)
    return field(default=default, metadata=metadata)


def home(environ: Mapping[str, str] | None = None) -> Path:
    """The folder under which every file lives: `EOP_HOME`, a checkout's `var/`, else `/`."""
    environ = os.environ if environ is None else environ
    if chosen := environ.get("EOP_HOME"):
        return Path(chosen).resolve()
    root = Path(__file__).resolve().parent.parent
    return (
        root / "var" if (root / "Makefile").exists() and (root / "setup.py").exists() else Path("/")
    )


@dataclass(frozen=True)
class Settings:
    """What the daemon, the gateway and the site must agree on."""

    WEB_HOST: str = setting("127.0.0.1", "Address gunicorn listens on.")
    WEB_PORT: int = setting(5000, "Port of the site (gunicorn).")
    GATEWAY_HOST: str = setting("127.0.0.1", "Address the gateway listens on.")
    GATEWAY_PORT: int = setting(6080, "Port of the gateway (websockify).")
    GATEWAY_CERTIFICATE: str = setting("", "PEM certificate chain of the gateway; empty: no TLS.")
    GATEWAY_KEY: str = setting("", "PEM private key of the gateway's certificate.")
    GATEWAY_CONNECTIONS: int = setting(200, "Most WebSockets open at once; one more gets 503.")
    GATEWAY_PROCESSES: int = setting(
        1, "Processes of the gateway (1 to 16); one carries a school, more are for TLS on 6080."
    )
    ALLOWED_ORIGINS: list[str] = setting(
        [], "Origins allowed to open a WebSocket beside the site's own (scheme://host:port)."
    )
    CONTROL_HOST: str = setting("127.0.0.1", "Address controle-vnc listens on and is reached at.")
    CONTROL_PORT: int = setting(8788, "Port of controle-vnc.")
    CONTROL_CERTIFICATE: str = setting(
        "", "PEM certificate of controle-vnc; empty: no TLS, and then only on loopback."
    )
    CONTROL_KEY: str = setting("", "PEM private key of controle-vnc's certificate.")
    CONTROL_PEERS: list[str] = setting(
        ["127.0.0.1", "::1"], "Addresses from which the site may speak to controle-vnc."
    )
    CLIPBOARD: bool = setting(True, "Whether a controlled screen shares its clipboard.")
    UPLOAD_LIMIT: int = setting(100, "Largest file of a document, in MB.")
    UPLOAD_EXPIRES: int = setting(
        60, "Minutes after which an upload that was begun and never used is dropped."
    )
    UPLOAD_SPACE: int = setting(
        2000, "Most that all uploads together take on the disk of controle-vnc-files, in MB."
    )
    FILES_HOMES: str = setting(
        "", "Folder with a home for each login; empty: the homes of the system's accounts."
    )
    FILES_SOCKET: str = setting(
        "", "Unix socket of controle-vnc-files; empty: run/controle-vnc-files/files.sock."
    )
    RUN_DIR: str = setting("", "Private folder of unix sockets; empty: run/controle-vnc.")
    LOG_LEVEL: str = setting("INFO", "DEBUG, INFO, WARNING or ERROR.")

    @property
    def secret_file(self) -> Path:
        return home() / "etc/controlevnc/.secret"

    @property
    def store_file(self) -> Path:
        return home() / "var/lib/controle-vnc/store.db"

    @property
    def switch_file(self) -> Path:
        """Whether all screens are closed."""
        return self.store_file.with_name("screens.json")

    @property
    def store_key_file(self) -> Path:
        return home() / "etc/controlevnc/.store-key"

    @property
    def log_file(self) -> Path:
        return home() / "var/log/controle-vnc/main.log"

    @property
    def run_dir(self) -> Path:
        return Path(self.RUN_DIR) if self.RUN_DIR else home() / "run/controle-vnc"

    @property
    def redeem_socket(self) -> Path:
        """Where the gateway asks the daemon what a ticket is worth."""
        return self.run_dir / "gateway.sock"

    @property
    def files_socket(self) -> Path:
        """Where controle-vnc-files listens."""
        if self.FILES_SOCKET:
            return Path(self.FILES_SOCKET)
        return home() / "run/controle-vnc-files/files.sock"

    @property
    def files_dir(self) -> Path:
        """What controle-vnc-files keeps for itself: uploads, marks, homes of who has none."""
        return home() / "var/lib/controle-vnc-files"

    @property
    def site_origins(self) -> list[str]:
        """The site's own origins when it is reached without a proxy, then the configured ones."""
        own = [f"http://{host}:{self.WEB_PORT}" for host in ("127.0.0.1", "localhost")]
        return [*own, *self.ALLOWED_ORIGINS]


def settings_file(environ: Mapping[str, str] | None = None) -> Path:
    """The daemon's settings file; it may be absent."""
    return home(environ) / "etc/controlevnc/controle-vnc.conf"


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the daemon's settings: defaults, then the file, then `EOP_…` of the environment."""
    environ = os.environ if environ is None else environ
    return build(Settings, read_json(settings_file(environ)), settings_file(environ), environ)


def read_json(path: Path) -> dict[str, Any]:
    """The JSON object in `path`, or an empty one where the file is absent."""
    try:
        text = path.read_bytes()
    except FileNotFoundError:
        return {}
    if len(text) > MAX_SETTINGS_BYTES:
        raise SettingsError(f"{path}: larger than {MAX_SETTINGS_BYTES} bytes")
    try:
        values = json.loads(text)
    except ValueError as error:
        raise SettingsError(f"{path}: not valid JSON ({error})") from error
    if not isinstance(values, dict):
        raise SettingsError(f"{path}: must hold one JSON object")
    return values


def build(kind: type[T], values: Mapping[str, Any], path: Path, environ: Mapping[str, str]) -> T:
    """An instance of the settings class `kind` from a file's values and the environment."""
    hints = get_type_hints(kind)
    names = [entry.name for entry in fields(kind)]  # type: ignore[arg-type]
    for key in values:
        if key not in names:
            raise SettingsError(f"{path}: unknown key {key}; known keys: {', '.join(names)}")
    chosen: dict[str, Any] = {}
    for name in names:
        if name in values:
            chosen[name] = _checked(values[name], hints[name], f"{path}: {name}")
        if (text := environ.get(ENVIRONMENT_PREFIX + name)) is not None:
            chosen[name] = _parsed(text, hints[name], ENVIRONMENT_PREFIX + name)
    return kind(**chosen)


def _checked(value: Any, hint: Any, where: str) -> Any:
    plain = list if hint == list[str] else hint
    if not _is_of(value, plain):
        word = _WORDS.get(plain) or f"of type {plain.__name__}"
        raise SettingsError(f"{where} must be {word}, not {value!r}")
    return value


def _is_of(value: Any, plain: Any) -> bool:
    if plain == TextOrTable:
        texts = value.values() if isinstance(value, dict) else [value]
        return all(isinstance(text, str) for text in texts)
    if plain is list:
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    return isinstance(value, plain) and not (plain is int and isinstance(value, bool))


def _parsed(text: str, hint: Any, where: str) -> Any:
    if hint is str:
        return text
    if hint == TextOrTable:
        return _text_or_table(text, where)
    if hint is bool:
        if text.lower() in {"1", "true", "yes"}:
            return True
        if text.lower() in {"0", "false", "no"}:
            return False
        raise SettingsError(f"{where} must be yes or no, not {text!r}")
    if hint == list[str]:
        return [item.strip() for item in text.split(",") if item.strip()]
    try:
        return int(text)
    except ValueError as error:
        raise SettingsError(f"{where} must be a whole number, not {text!r}") from error


def _text_or_table(text: str, where: str) -> Any:
    if not text.startswith("{"):
        return text
    try:
        return _checked(json.loads(text), TextOrTable, where)
    except ValueError as error:
        raise SettingsError(f"{where}: not valid JSON ({error})") from error


def read_secret(path: Path) -> bytes:
    """The shared secret in `path`, without its final newline.

    Raises `SettingsError` where it is absent, readable by others, too short or a known default.
    """
    try:
        text = path.read_bytes().rstrip(b"\r\n")
    except FileNotFoundError as error:
        raise SettingsError(f"{path}: no such file; `eopctl init` makes one") from error
    check_private(path)
    check_secret(text.decode("utf-8", "replace"), str(path))
    return text


def check_private(path: Path) -> None:
    """Refuse a file with a secret in it that is everyone's to read."""
    if path.stat().st_mode & 0o007:
        raise SettingsError(f"{path}: readable by everyone; run: chmod 640 {path}")


MIN_SECRET_CHARACTERS = (
    16  # the original's generated secrets were longer; shorter ones are typed by hand
)
DEFAULT_SECRETS = {"secret", "changeme", "change-me", "default", "password", "eole", "SECRET_KEY"}


def check_secret(secret: str, where: str) -> None:
    """Refuse a secret that is short or a known default."""
    if secret.lower() in {known.lower() for known in DEFAULT_SECRETS}:
        raise SettingsError(f"{where}: is a default secret; make another one with `eopctl init`")
    if len(secret) < MIN_SECRET_CHARACTERS:
        raise SettingsError(f"{where}: shorter than {MIN_SECRET_CHARACTERS} characters")
