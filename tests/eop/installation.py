"""One installation in a temporary folder: its settings, its database, its real 8788, a browser."""

import asyncio
import json
import shutil
import tempfile
import threading
import time
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from werkzeug.test import Client

from controle_vnc import settings as shared_settings
from controle_vnc.control.dispatch import Dispatcher
from controle_vnc.control.relay import FilesRelay
from controle_vnc.control.server import ControlServer
from controle_vnc.room.hub import Hub
from controle_vnc.settings import Settings, read_secret
from controle_vnc.store import Store, make_key, read_key, upgrade
from controle_vnc.viewer.journal import Journal
from controle_vnc.viewer.lease import Leases
from controle_vnc.viewer.ticket import TicketOffice
from eop import database, runner, services
from eop import settings as site_settings
from eop.aaa import accounts, passwords
from eop.cli.init import initialise
from eop.directory import classes
from eop.directory.users import NewUser
from eop.settings import SiteSettings
from tests.desktops import free_port

PASSWORD = "correct horse battery"
HASH = passwords.hashed(PASSWORD)  # made once: each costs 20 ms
MOUNT = "/eoleapps/eop"
API = MOUNT + "/api/v1"


class DaemonThread:
    """8788 with the daemon's real parts behind it, all but pixels, on a loop of its own."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.journal: Journal
        self.hub: Hub
        self.leases: Leases
        self.office: TicketOffice
        self._up = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()
        assert self._up.wait(10)

    def close(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)
        assert not self._thread.is_alive()

    def revoked(self, session: str) -> bool:
        return session in self.leases._tombstones

    async def _run(self) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        settings = self.settings
        secret = read_secret(settings.secret_file)
        store = Store(settings.store_file, read_key(settings.store_key_file))
        self.journal = Journal(settings.store_file)
        hub = self.hub = Hub(store.workstations())
        self.leases, self.office = Leases(), TicketOffice(secret)
        dispatcher = Dispatcher(
            store, hub, self.office, self.leases, self.journal,
            files=FilesRelay(settings.files_socket),
        )  # fmt: skip
        server = ControlServer(settings, secret, dispatcher)
        await server.start()
        self._up.set()
        await self._stop.wait()
        await server.stop()
        await hub.close()
        self.journal.close()
        store.close()


@cache
def migrated_site() -> bytes:
    """The file of an empty site, whose migrations ran once in this process."""
    with tempfile.TemporaryDirectory(prefix="eop-", dir="/tmp") as folder:
        file = Path(folder) / "eop.db"
        database.upgrade(f"sqlite:///{file}")
        return file.read_bytes()


@cache
def migrated_store() -> bytes:
    """The same of an empty daemon."""
    with tempfile.TemporaryDirectory(prefix="eop-", dir="/tmp") as folder:
        file = Path(folder) / "store.db"
        upgrade(file)
        return file.read_bytes()


class Installation:
    """Everything under one `EOP_HOME`; `clock` is the site's, and only moves when told."""

    def __init__(self, database_url: str = "", **environment: str) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="eop-", dir="/tmp"))
        self.environ = {
            "EOP_HOME": str(self.home),
            "EOP_WEB_PORT": str(free_port()),
            "EOP_GATEWAY_PORT": str(free_port()),
            "EOP_CONTROL_PORT": str(free_port()),
            **environment,
        }
        initialise(self.environ)
        self.site = site_settings.load(environ=self.environ)
        # what the daemon and the site derive from EOP_HOME is the same in this process
        self.shared = shared_settings.load(self.environ)
        file = self.home / "var/lib/eop/eop.db"
        self.site = replace(self.site, DATABASE_URL=database_url or f"sqlite:///{file}")
        if database_url:
            database.upgrade(database_url)
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(migrated_site())
        self.offset = 0.0
        self._made: tuple[SiteSettings, services.Services, Any] | None = None
        self.parts = services.make(self.site, self.shared, self.clock)
        self.daemon: DaemonThread | None = None

    def clock(self) -> float:
        return time.time() + self.offset

    def start_daemon(self) -> DaemonThread:
        settings = self.shared
        if not settings.store_key_file.exists():
            make_key(settings.store_key_file)
        if not settings.store_file.exists():
            settings.store_file.write_bytes(migrated_store())
        self.daemon = DaemonThread(settings)
        return self.daemon

    def stop_daemon(self) -> None:
        if self.daemon is not None:
            self.daemon.close()

    def close(self) -> None:
        self.parts.close()
        self.stop_daemon()
        shutil.rmtree(self.home)

    def add_user(  # noqa: PLR0913 - what a test may want to be otherwise
        self, login="camille", role="teacher", rooms=("*",), classes=("*",), password=HASH
    ) -> None:
        new = NewUser(login, role, login.capitalize(), password, tuple(rooms), tuple(classes))
        accounts.add(self.parts.database, new, self.parts.now_ms())

    def add_class(self, name: str, *logins: str) -> None:
        with self.parts.database.write() as connection:
            classes.save(connection, name, logins)

    def add_workstation(self, name: str, room: str, user: str | None = None) -> str:
        from controle_vnc.control.messages import SaveWorkstation

        request = SaveWorkstation(
            name=name, room=room, address=f"127.0.0.1:{free_port()}", password="pw", user=user
        )
        return self.parts.daemon.save(request).id

    @property
    def application(self) -> Any:
        """The site, made again where a test gave it other settings or parts."""
        made = self._made
        if made is None or made[0] is not self.site or made[1] is not self.parts:
            application = runner.compose([self.site], self.parts)
            self._made = made = (self.site, self.parts, application)
        return made[2]

    def browser(self, host: str = "") -> "Browser":
        return Browser(self, host or f"127.0.0.1:{self.shared.WEB_PORT}")

    def signed_in(self, login: str = "camille") -> "Browser":
        browser = self.browser()
        answer = browser.sign_in(login)
        assert answer.status_code == 200, answer.text
        return browser


class Browser:
    """A WSGI client that keeps cookies and sends the token of its session."""

    def __init__(self, installation: Installation, host: str) -> None:
        self.installation = installation
        self.client = Client(installation.application)
        self.host = host
        self.csrf = ""

    def open(self, path, method="GET", **options):
        headers = {"Host": self.host, **options.pop("headers", {})}
        environ = {"REMOTE_ADDR": "127.0.0.1", **options.pop("environ", {})}
        return self.client.open(
            path,
            method=method,
            headers=headers,
            environ_overrides=environ,
            buffered=True,
            **options,
        )

    def sign_in(self, login="camille", password=PASSWORD, **options):
        answer = self.post("session", {"username": login, "password": password}, **options)
        if answer.status_code == 200:
            self.csrf = answer.json["csrf_token"]
        return answer

    def get(self, call, **query):
        return self.open(f"{API}/{call}", query_string=query)

    def post(self, call, body, **options):
        headers = {"X-CSRF-Token": self.csrf} if self.csrf else {}
        headers |= options.pop("headers", {})
        data = body if isinstance(body, bytes) else json.dumps(body)
        options.setdefault("content_type", "application/json")
        return self.open(f"{API}/{call}", "POST", data=data, headers=headers, **options)

    def delete(self, call):
        return self.open(f"{API}/{call}", "DELETE", headers={"X-CSRF-Token": self.csrf})


def error(answer):
    return answer.status_code, answer.json["error"]["code"]
