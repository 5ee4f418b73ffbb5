"""`eopctl serve`: the whole product in the foreground, each part looked after."""

import errno
import hashlib
import os
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from controle_vnc import settings as shared_settings
from controle_vnc.control.client import hello
from controle_vnc.errors import AuthenticationError, DaemonUnreachableError
from controle_vnc.settings import Settings
from eop import runner
from eop.cli import files, pam
from eop.cli.processes import Claim
from eop.cli.supervisor import Program, Supervisor
from eop.errors import EopError
from eop.pam import client as pam_client
from eop.settings import SiteSettings

READY_SECONDS = 45.0  # on a slow and busy machine; usually three
ASK_SECONDS = 2.0
MAX_PORT = 65535
ALL_PORTS = ("WEB", "GATEWAY", "CONTROL")
PORTS = {"aaa": ("WEB",), "files": ()}
MAX_FOLDER_BYTES = 80  # a unix socket's path has 107, and its name needs some of them
SHORT_FOLDERS = Path("/tmp")  # noqa: S108 - a folder of ours is made there, and checked
DEMO_PASSWORD = "EOP_DEMO_PASSWORD"  # noqa: S105 - the variable's name

ENTRIES = {"": "application", "aaa": "root", "eop": "site"}
"""What is served → the application of `eop.wsgi`."""


class PortInUseError(EopError):
    """Another program listens where one of ours should."""


@click.command()
@click.option(
    "--app",
    "part",
    type=click.Choice(["aaa", "eop", "files"]),
    help="aaa: the sign-in service alone; files: controle-vnc-files alone, where the homes are; "
    "eop: everything but the sign-in service.",
)
def serve(part: str | None) -> None:
    """Run controle-vnc, the gateway, the site and its worker, until Ctrl-C.

    As root eop-pam too, where AUTHENTICATORS names pam and it does not run yet; and
    controle-vnc-files, as root or where FILES_HOMES names a folder.
    Each speaks to standard error. What dies is started again.
    """
    if part == "files":
        serve_files()
        return
    part, site = part or "", enabled_site()
    with supervised(logs=None, part=part) as supervisor:
        if start(supervisor, site, part):
            settings = shared_settings.load()
            url = f"{site_origin(settings)}/login" if part == "aaa" else site_url(settings, site)
            tell(f"{'The sign-in service' if part == 'aaa' else 'EOP'} is served at {url}")
            supervisor.run()


def serve_files() -> None:
    """Run controle-vnc-files alone, until Ctrl-C."""
    with supervised(logs=None, part="files") as supervisor:
        settings = shared_settings.load(supervisor.environment)
        helper = files.program(settings, tell)
        if helper is None:
            raise EopError(f"controle-vnc-files is not started for {settings.files_socket}")
        supervisor.start(helper)
        if supervisor.wait_until(
            lambda: files.answers(settings), READY_SECONDS, "controle-vnc-files does not answer"
        ):
            tell(f"controle-vnc-files listens at {settings.files_socket}")
            supervisor.run()


def programs(part: str = "") -> tuple[Program, ...]:
    """What is started for the whole product or a part of it: the sign-in service is gunicorn."""
    web = Program(
        "gunicorn",
        (sys.executable, "-m", "gunicorn", "-c", "python:eop.gunicorn_conf",
         f"eop.wsgi:{ENTRIES[part]}"),
    )  # fmt: skip
    if part == "aaa":
        return (web,)
    return (
        Program("controle-vnc", (sys.executable, "-m", "controle_vnc")),
        Program("gateway", (sys.executable, "-m", "controle_vnc.gateway")),
        web,
        Program("worker", (sys.executable, "-m", "eop.worker")),
    )


def tell(text: str) -> None:
    """A sentence for whoever started us."""
    click.echo(f"eopctl: {text}", err=True)


def enabled_site() -> SiteSettings:
    """The settings of the enabled application; raises as the runner does."""
    return next(iter(runner.enabled().values()))


@contextmanager
def supervised(logs: Path | None, part: str = "") -> Iterator[Supervisor]:
    """This installation, claimed, its ports free; everything is over when the block is."""
    home = shared_settings.home()
    os.environ.pop(DEMO_PASSWORD, None)  # children, and theirs, have no use for it
    environment = dict(os.environ)
    with Claim(home / "run/supervisor.json", tell) as claim:
        if not shared_settings.load().RUN_DIR:
            environment["EOP_RUN_DIR"] = str(short_folder("controle-vnc"))
        if is_ours := not shared_settings.load().FILES_SOCKET:
            environment["EOP_FILES_SOCKET"] = str(short_folder(files.NAME) / "files.sock")
        settings = shared_settings.load(environment)
        check_ports(settings, PORTS.get(part, ALL_PORTS))
        try:
            with Supervisor(claim.mark, environment, home, tell, logs) as supervisor:
                yield supervisor
        finally:
            _tidy(settings.run_dir)
            if is_ours and not files.answers(settings):  # systemd's may be at the same place
                _tidy(settings.files_socket.parent)


def _tidy(folder: Path) -> None:
    """Remove the sockets of a daemon that had to be killed, and a folder made in /tmp."""
    for path in folder.glob("*.sock"):
        path.unlink(missing_ok=True)
    if folder.parent == SHORT_FOLDERS and folder.name.startswith("eop-"):
        folder.rmdir()


def short_folder(name: str) -> Path:
    """`run/NAME` of this installation, or where that is too long for sockets, one in /tmp."""
    folder = shared_settings.home() / "run" / name
    if len(os.fsencode(folder)) <= MAX_FOLDER_BYTES:
        return folder
    installation = hashlib.sha256(os.fsencode(shared_settings.home())).hexdigest()[:12]
    short = SHORT_FOLDERS / f"eop-{os.getuid()}-{installation}-{name}"
    short.mkdir(mode=0o700, exist_ok=True)
    status = short.lstat()
    if short.is_symlink() or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise EopError(f"{short} belongs to somebody else; remove it, or set EOP_RUN_DIR")
    return short


def check_ports(settings: Settings, parts: tuple[str, ...] = ALL_PORTS) -> None:
    """Raise `PortInUseError` where one of the ports is taken."""
    for part in parts:
        host = getattr(settings, f"{part}_HOST")
        port = getattr(settings, f"{part}_PORT")
        try:
            if not 1 <= port <= MAX_PORT:  # getaddrinfo would take what is left of it
                raise OverflowError(f"a port is between 1 and {MAX_PORT}")
            family, kind, protocol, _, address = socket.getaddrinfo(
                host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
            )[0]
            with socket.socket(family, kind, protocol) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(address)
                probe.listen(1)
        except (OSError, OverflowError) as error:
            raise PortInUseError(_why(error, host, port, f"EOP_{part}")) from error


def _why(error: Exception, host: str, port: int, setting: str) -> str:
    if getattr(error, "errno", None) == errno.EADDRINUSE:
        return (
            f"port {port} is in use: stop the program that listens there, "
            f"or set {setting}_PORT to another port"
        )
    return f"cannot listen on {host}:{port} ({error}): change {setting}_HOST or {setting}_PORT"


def start(supervisor: Supervisor, site: SiteSettings, part: str = "") -> bool:
    """Start every program and wait until all of them answer; False when we were asked to stop."""
    for program in programs(part):
        supervisor.start(program)
    helper = None if part == "eop" else pam.program(site, tell)
    if helper is not None:
        supervisor.start(helper)
    settings = shared_settings.load(supervisor.environment)
    for_files = None if part == "aaa" else files.program(settings, tell)
    if for_files is not None:
        supervisor.start(for_files)
    secret = site.SECRET_KEY.rstrip("\r\n").encode()
    wanted: list[tuple[str, Callable[[], bool]]] = [
        ("controle-vnc", lambda: _daemon_answers(settings, secret)),
        ("the gateway", lambda: _answers(gateway_url(settings))),
        ("the site", lambda: _answers(f"{site_origin(settings)}/ping")),
        ("controle-vnc-files", lambda: for_files is None or files.answers(settings)),
        ("eop-pam", lambda: helper is None or pam_client.answers(site.pam_socket)),
    ]
    if part == "aaa":
        wanted = [one for one in wanted if one[0] in {"the site", "eop-pam"}]
    for what, answers in wanted:
        if not supervisor.wait_until(answers, READY_SECONDS, f"{what} does not answer"):
            return False
    return True


def _daemon_answers(settings: Settings, secret: bytes) -> bool:
    try:
        hello(settings, secret)
    except (DaemonUnreachableError, AuthenticationError):
        return False
    return True


def _answers(url: str) -> bool:
    # our own address, without any proxy that the environment names
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(url, timeout=ASK_SECONDS):
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500
    except OSError:
        # a gateway with a certificate answers, only not to us
        return url.startswith("https:") and _accepts(url)


def _accepts(url: str) -> bool:
    host, _, port = url.removeprefix("https://").rstrip("/").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), ASK_SECONDS).close()
    except OSError:
        return False
    return True


def _reached_at(host: str) -> str:
    """How this machine reaches an address it listens on."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    return f"[{host}]" if ":" in host else host


def gateway_url(settings: Settings) -> str:
    """The gateway, as this machine reaches it."""
    scheme = "https" if settings.GATEWAY_CERTIFICATE else "http"
    return f"{scheme}://{_reached_at(settings.GATEWAY_HOST)}:{settings.GATEWAY_PORT}/"


def site_origin(settings: Settings) -> str:
    """gunicorn, as this machine reaches it."""
    return f"http://{_reached_at(settings.WEB_HOST)}:{settings.WEB_PORT}"


def site_url(settings: Settings, site: SiteSettings) -> str:
    """Where the site is, without a proxy before it."""
    return site_origin(settings) + site.MOUNT_POINT
