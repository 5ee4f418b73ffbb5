"""What is checked, in order; each check gives a detail, or fails with one line of remedy."""

import contextlib
import ipaddress
import secrets
import socket
import struct
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from controle_vnc import settings as shared_settings
from controle_vnc.control.client import ControlClient, hello
from controle_vnc.control.messages import (
    GetFilesStatus,
    IssueScreenTicket,
    RemoveWorkstation,
    RevokeSessions,
    SaveWorkstation,
    Viewer,
)
from controle_vnc.errors import (
    AuthenticationError,
    ControleVncError,
    DaemonUnreachableError,
    RequestRefusedError,
    SettingsError,
)
from controle_vnc.settings import Settings
from diagnose.loopback import NAME, VERSION, LoopbackWorkstation
from diagnose.websocket import UpgradeRefusedError, WebSocket
from eop import settings as site_settings
from eop.pam import client as pam_client
from eop.pam.protocol import ProtocolError
from eop.settings import SiteSettings

CONNECT_SECONDS = 2.0  # as the original's tcpcheck
SCREEN_SECONDS = 5.0  # from the upgrade to the name of the screen
SESSION_SECONDS = 60.0  # what the self-test's session may live, should its end not be heard
WHO = "eop-diagnose"  # its user and room; the workstation's name is this and a random part

START = "start it: systemctl start {service} (or: eopctl serve)"


@dataclass(frozen=True)
class Check:
    """One line of the report; `milliseconds`: how long it took."""

    name: str
    ok: bool
    detail: str
    remedy: str | None = None
    milliseconds: float = 0.0


Tell = Callable[[Check], None]


def quietly(_: Check) -> None:
    """For who waits for all of them."""


class Results:
    """The checks that were made, each told as it ends."""

    def __init__(self, tell: Tell) -> None:
        self.made: list[Check] = []
        self._tell = tell

    def add(self, check: Check) -> None:
        self.made.append(check)
        self._tell(check)


class FailedError(Exception):
    """A check did not succeed: why, and what to do."""

    def __init__(self, detail: str, remedy: str) -> None:
        super().__init__(detail)
        self.detail, self.remedy = detail, remedy


def run(tell: Tell = quietly) -> list[Check]:
    """Every check; one that cannot be made because an earlier one failed has failed too."""
    results = Results(tell)
    settings = _settings(results)
    _one(results, "application", application)
    _one(results, "secret", secrets_are_equal)
    if _has_session_store():
        _one(results, "session store", session_store)
    if settings is None:
        return results.made
    _one(results, "controle-vnc", lambda: _listens("CONTROL", settings, "controle-vnc"))
    _one(results, "controle-vnc (hello)", lambda: signed_hello(settings), "controle-vnc")
    _one(results, "controle-vnc-files", lambda: files_answer(settings), "controle-vnc (hello)")
    _one(results, "websockify", lambda: _listens("GATEWAY", settings, "controle-vnc-gateway"))
    needed = ("controle-vnc (hello)", "websockify")
    _one(results, "websockify (RFB)", lambda: screen_through_the_gateway(settings), *needed)
    _one(results, "gunicorn", lambda: _listens("WEB", settings, "eoleflask"))
    _one(results, "gunicorn (ping)", lambda: ping(settings), "gunicorn")
    for site in _sites():
        if "pam" in site.AUTHENTICATORS:
            _one(results, "eop-pam", partial(pam_answers, site.pam_socket))
    return results.made


def _settings(results: Results) -> Settings | None:
    try:
        return shared_settings.load()
    except SettingsError as error:
        results.add(Check("settings", False, str(error), "correct the setting, then restart"))
        return None


def _one(results: Results, name: str, check: Callable[[], str], *needed: str) -> None:
    failed = [one for one in results.made if one.name in needed and not one.ok]
    if failed:
        detail = f"not tried: {failed[0].name} failed"
        results.add(Check(name, False, detail, f"first mend {failed[0].name}"))
        return
    began = time.monotonic()
    ok, detail, remedy = _outcome(check)
    milliseconds = (time.monotonic() - began) * 1000
    results.add(Check(name, ok, detail, remedy, round(milliseconds, 1)))


def _outcome(check: Callable[[], str]) -> tuple[bool, str, str | None]:
    """Whether it succeeds, the detail, and what to do where it does not."""
    try:
        return True, check(), None
    except FailedError as error:
        return False, error.detail, error.remedy
    except PermissionError as error:
        return False, str(error), "run it as root: sudo eopctl diagnose"
    except (OSError, ControleVncError) as error:
        return False, str(error), "correct what is named, then try again"


def application() -> str:
    """That an application is enabled and its settings are right."""
    folder = site_settings.enabled_folder()
    links = sorted(folder.glob("*.conf")) if folder.is_dir() else []
    if not links:
        raise FailedError("NoApplicationError: No application loaded", "run: eopctl init")
    for link in links:
        if not link.exists():
            raise FailedError(
                f"{link} leads to {link.readlink()}, which is not there", "run: eopctl init"
            )
    site = None
    for link in sorted(links, key=site_settings.is_other_application):  # the site's own first
        try:
            if not site_settings.is_other_application(link):
                site = site_settings.load(link)
            elif site is not None:
                site_settings.load_application(link, site)
        except SettingsError as error:
            if "the secrets differ" not in str(error):  # the next check says it
                raise FailedError(str(error), f"correct {link.resolve()}, then restart") from error
    return ", ".join(link.stem for link in links)


def secrets_are_equal() -> str:
    """That the site and controle-vnc hold the same secret."""
    settings = Settings()
    conf = site_settings.settings_file()
    ours = shared_settings.read_json(conf).get("SECRET_KEY")
    if not isinstance(ours, str) or not ours:
        raise FailedError(f"{conf} holds no SECRET_KEY", "run: eopctl init")
    try:
        theirs = shared_settings.read_secret(settings.secret_file)
    except (SettingsError, OSError) as error:
        raise FailedError(str(error), "run: eopctl init, as root") from error
    if ours.rstrip("\r\n").encode() != theirs:
        raise FailedError(
            "the secrets differ",
            f"copy the content of {settings.secret_file} to SECRET_KEY of {conf}, restart both",
        )
    return "both sides hold the same"


def _has_session_store() -> bool:
    """Whether sessions are kept elsewhere than in the database."""
    try:
        return bool(site_settings.load().SESSION_STORE)
    except SettingsError:  # the first check has told it
        return False


def session_store() -> str:
    """That the Redis in which sessions are kept answers and takes our password."""
    import redis  # here: who keeps sessions in the database need not have it

    site = site_settings.load()
    try:
        with redis.Redis.from_url(
            site.SESSION_STORE,
            password=site.session_store_password,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=CONNECT_SECONDS,
        ) as client:
            client.ping()
    except redis.RedisError as error:
        raise FailedError(
            str(error), "start Redis, or correct SESSION_STORE and its password"
        ) from error
    return "answers"


def _listens(part: str, settings: Settings, service: str) -> str:
    """That something accepts connections on a port; the original's TCP check."""
    host, port = _reached_at(settings, part)
    try:
        socket.create_connection((host, port), CONNECT_SECONDS).close()
    except OSError as error:
        raise FailedError(f"{host}:{port}: {error}", START.format(service=service)) from error
    return f"{host}:{port}"


def _reached_at(settings: Settings, part: str) -> tuple[str, int]:
    host = getattr(settings, f"{part}_HOST")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104
    return host, getattr(settings, f"{part}_PORT")


def _secret(settings: Settings) -> bytes:
    try:
        return shared_settings.read_secret(settings.secret_file)
    except (SettingsError, OSError):
        conf = shared_settings.read_json(site_settings.settings_file())
        return str(conf.get("SECRET_KEY", "")).rstrip("\r\n").encode()


def signed_hello(settings: Settings) -> str:
    """That what listens on 8788 is controle-vnc, and proves the secret."""
    try:
        return hello(settings, _secret(settings)).daemon
    except AuthenticationError as error:
        raise FailedError(
            str(error),
            "controle-vnc reads its secret at start: restart it, then look at its log "
            f"{settings.log_file}",
        ) from error
    except ControleVncError as error:
        raise FailedError(
            str(error),
            f"see which program has the port: ss -ltnp 'sport = {settings.CONTROL_PORT}'; "
            "then restart controle-vnc",
        ) from error


def files_answer(settings: Settings) -> str:
    """That controle-vnc-files answers controle-vnc, and whose homes it works in."""
    try:
        with ControlClient(settings, _secret(settings)) as client:
            status = client.request(GetFilesStatus(), CONNECT_SECONDS)
    except RequestRefusedError as error:
        raise FailedError(
            str(error), START.format(service="controle-vnc-files.socket") + ", as root"
        ) from error
    except DaemonUnreachableError as error:  # it said hello just now: what it waits for is silent
        raise FailedError(
            f"controle-vnc waits for controle-vnc-files: {error}",
            "the disk of the homes may hang; else restart it: "
            "systemctl restart controle-vnc-files, as root",
        ) from error
    homes = status.homes or "the system's accounts"
    return f"homes: {homes}; {status.uploads} uploads of {status.uploads_bytes} bytes"


def screen_through_the_gateway(settings: Settings) -> str:
    """That a screen opens: ticket, gateway, controle-vnc, a workstation that we are ourselves."""
    name = f"{WHO}-{secrets.token_hex(4)}"
    viewer = Viewer(
        session=secrets.token_hex(16),
        ends_at=int((time.time() + SESSION_SECONDS) * 1000),
        user=WHO,
        name=WHO,
    )
    with (
        LoopbackWorkstation(_own_address(settings)) as workstation,
        ControlClient(settings, _secret(settings)) as client,
    ):
        try:
            with _registered(client, name, workstation.address, viewer.session) as number:
                issued = client.request(
                    IssueScreenTicket(viewer=viewer, workstation=number, mode="view")
                )
                shown = _open_screen(settings, issued.ticket)
        except ControleVncError as error:
            raise FailedError(str(error), f"look at the log {settings.log_file}") from error
    if shown not in (NAME, name.encode()):
        raise FailedError(f"the screen opened is {shown!r}", f"look at {_gateway_log(settings)}")
    return "a screen opens: " + VERSION.decode().strip()


@contextlib.contextmanager
def _registered(client: ControlClient, name: str, address: str, session: str) -> Iterator[str]:
    """A workstation that controle-vnc knows for a moment, whatever happens meanwhile; its id."""
    try:
        yield client.request(SaveWorkstation(name=name, room=WHO, address=address)).id
    finally:
        with contextlib.suppress(ControleVncError):  # it ends by itself, SESSION_SECONDS later
            client.request(RevokeSessions(sessions=[session]))
        try:
            client.request(RemoveWorkstation(workstation=name))
        except RequestRefusedError:
            pass  # it was not saved
        except ControleVncError as error:
            raise FailedError(
                f"the self-test's workstation stays: {error}",
                f"later run: eopctl workstation remove {name}",
            ) from error


def _own_address(settings: Settings) -> str:
    """An address of ours that controle-vnc reaches: loopback where it is on this machine."""
    host = settings.CONTROL_HOST
    with contextlib.suppress(ValueError):
        if ipaddress.ip_address(host).is_loopback:
            return host
    if host == "localhost":
        return "127.0.0.1"
    family, kind, *_, address = socket.getaddrinfo(
        host, settings.CONTROL_PORT, type=socket.SOCK_DGRAM
    )[0]
    with socket.socket(family, kind) as probe:
        probe.connect(address)  # sends nothing: it only chooses the way
        return str(probe.getsockname()[0])


def _gateway_log(settings: Settings) -> Path:
    return settings.log_file.with_name("gateway.log")


def _open_screen(settings: Settings, ticket: str) -> bytes:
    """Open the screen of `ticket` as a page of the site does; the name it tells."""
    host, port = _reached_at(settings, "GATEWAY")
    shown = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    log = _gateway_log(settings)
    secured = bool(settings.GATEWAY_CERTIFICATE)
    try:
        with WebSocket((host, port), secured, SCREEN_SECONDS) as screen:
            screen.upgrade(shown, settings.site_origins[0], ticket)
            return _shake_hands(screen)
    except UpgradeRefusedError as error:
        raise FailedError(
            f"the gateway answers {error}",
            f"restart controle-vnc and its gateway together, then look at {log}",
        ) from error
    except OSError as error:
        raise FailedError(f"{shown}: {error}", f"look at {log}") from error


def _shake_hands(screen: WebSocket) -> bytes:
    """The viewer's half of the RFB handshake; the name of the screen."""
    banner = screen.read(len(VERSION))
    if banner != VERSION:
        raise ConnectionResetError(f"{banner!r} instead of an RFB banner")
    screen.write(VERSION)
    (count,) = screen.read(1)
    if count == 0:
        (length,) = struct.unpack(">I", screen.read(4))
        reason = screen.read(min(length, 256)).decode(errors="replace")
        raise ConnectionResetError(f"controle-vnc refuses the screen: {reason}")
    screen.read(count)
    screen.write(b"\x01")
    screen.read(4)
    screen.write(b"\x01")
    (length,) = struct.unpack(">20xI", screen.read(24))
    return screen.read(min(length, 256))


def ping(settings: Settings) -> str:
    """That the site answers, not only its port."""
    host, port = _reached_at(settings, "WEB")
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}/ping"
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    log = site_settings.log_folder() / "eop.log"
    try:
        with opener.open(url, timeout=CONNECT_SECONDS):
            return url
    except urllib.error.HTTPError as error:
        raise FailedError(f"{url} answers {error.code}", f"look at {log}") from error
    except OSError as error:
        raise FailedError(f"{url}: {error}", f"look at {log}") from error


def _sites() -> list[SiteSettings]:
    """The settings of the enabled applications that can be read; `application` says the rest."""
    found = []
    for link in sorted(site_settings.enabled_folder().glob("*.conf")):
        with contextlib.suppress(SettingsError, OSError):
            found.append(site_settings.load(link))
    return found


def pam_answers(path: Path) -> str:
    """That eop-pam answers, and to us."""
    try:
        return f"{path}: PAM service {pam_client.hello(path)}"
    except PermissionError:
        raise  # `_one` says it
    except pam_client.ImpostorError as error:
        raise FailedError(
            f"{path}: {error}", f"see which program it is: ss -lxp src {path}; then end it"
        ) from error
    except (ProtocolError, BrokenPipeError, ConnectionResetError) as error:
        raise FailedError(
            f"{path}: it turns us away ({error})",
            "run this as root or as the user of the site; else name us in eop-pam's --user",
        ) from error
    except OSError as error:
        raise FailedError(
            f"{path}: {error}", START.format(service="eop-pam.socket") + ", as root"
        ) from error
