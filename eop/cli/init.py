"""`eopctl init`: the folders, secrets, settings and link of a new installation."""

import base64
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

import click

from controle_vnc import settings as shared_settings
from controle_vnc.errors import SettingsError
from eop import settings as site_settings
from eop.cli.output import json_option, tell

SECRET_BYTES = 48
STORE_KEY_BYTES = 32  # what Fernet takes
PRIVATE_FOLDERS = ("run/controle-vnc", "var/lib/controle-vnc", "var/lib/eop")
FOLDERS = ("etc/controlevnc", "var/log/controle-vnc", "var/log/eoleflask")


@click.command()
@json_option
def init(as_json: bool) -> None:
    """Make what an installation needs; what is there already stays as it is."""
    made = initialise(os.environ)
    text = "\n".join(f"made {path}" for path in made) or "everything was there already"
    tell({"made": made}, text, as_json=as_json)


def initialise(environ: Mapping[str, str]) -> list[str]:
    """Make what is missing; the paths made. Raises `SettingsError` for what contradicts."""
    home = shared_settings.home(environ)
    made: list[str] = []
    for name in FOLDERS:
        _make_folder(home / name, 0o755, made)
    for name in PRIVATE_FOLDERS:
        _make_folder(home / name, 0o700, made)
    available = site_settings.available_folder(environ)
    enabled = site_settings.enabled_folder(environ)
    for folder in (available, enabled):
        _make_folder(folder, 0o755, made)
    secret = _make_secret(home / "etc/controlevnc/.secret", available / "eop.conf", made)
    key = base64.urlsafe_b64encode(secrets.token_bytes(STORE_KEY_BYTES))
    _make_file(home / "etc/controlevnc/.store-key", key + b"\n", 0o600, made)
    _complete_settings(available / "eop.conf", secret, made)
    _enable(available / "eop.conf", enabled / "eop.conf", made)
    site_settings.load(available / "eop.conf", environ)
    return made


def _make_folder(path: Path, mode: int, made: list[str]) -> None:
    if not path.is_dir():
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(mode)
        made.append(str(path))


def _make_file(path: Path, content: bytes, mode: int, made: list[str]) -> None:
    """Write a file that is not there yet, in one step and never readable by others."""
    if path.exists():
        return
    partial = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    partial.rename(path)
    made.append(str(path))


def _make_secret(path: Path, conf: Path, made: list[str]) -> str:
    """The shared secret: that of the file, else that of `eop.conf`, else a new one."""
    if not path.exists():
        kept = shared_settings.read_json(conf).get("SECRET_KEY")
        secret = kept if isinstance(kept, str) and kept else secrets.token_urlsafe(SECRET_BYTES)
        _make_file(path, secret.rstrip("\r\n").encode() + b"\n", 0o640, made)
    return shared_settings.read_secret(path).decode()


def _complete_settings(path: Path, secret: str, made: list[str]) -> None:
    """Write `eop.conf`, or add the keys it lacks; what it says already is kept."""
    values = shared_settings.read_json(path)
    wanted = {
        "APPNAME": "eop",
        "MOUNT_POINT": "/eoleapps/eop",
        "LABEL": "EOP",
        "SECRET_KEY": secret,
        "SESSION_KEY": secrets.token_urlsafe(SECRET_BYTES),
    }
    if not set(wanted) - set(values):
        return
    if values.get("SECRET_KEY", secret).rstrip("\r\n") != secret:
        raise SettingsError(
            f"the secrets differ: SECRET_KEY of {path} is not the content of .secret; "
            "copy one over the other"
        )
    # EOLE's packaging reads MOUNT_POINT alone on its line, with a comma after it
    text = json.dumps({**wanted, **values}, ensure_ascii=False, indent=4) + "\n"
    partial = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    partial.rename(path)
    made.append(str(path))


def _enable(conf: Path, link: Path, made: list[str]) -> None:
    if not link.is_symlink() and not link.exists():
        link.symlink_to(Path("..") / "available" / conf.name)
        made.append(str(link))
