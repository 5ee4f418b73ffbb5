"""Walls and screens of real servers that encrypt: every VeNCrypt subtype, with real accounts."""

import asyncio
import dataclasses
import hashlib
import ssl
import time

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from controle_vnc.rfb.client_handshake import Handshake
from controle_vnc.rfb.constants import SecurityType as T
from controle_vnc.rfb.security_types import choice
from controle_vnc.viewer import live, wall
from controle_vnc.workstation import upstream
from controle_vnc.workstation.pace import Timing
from tests.controle_vnc.viewer.test_real_servers import is_red, typed
from tests.desktops import START_SECONDS, X11vncDesktop, XvncDesktop, missing_programs, wait_until
from tests.fakes.certificate import certificate
from tests.fakes.house import browsing, house, screen_grant, stored, until, wall_grant
from tests.fakes.rfb_viewer import RfbViewer, pointer, request
from tests.machine import PASSWORD, Account, needs_machine, new_machine

pytestmark = pytest.mark.skipif(bool(missing_programs()), reason=f"lacks {missing_programs()}")


class Xvnc(XvncDesktop):
    """With some security types and, for those that need it, a certificate."""

    def __init__(self, folder, *types, machine=None):
        super().__init__(folder)
        self.security_types = ",".join(types)
        self.certificate, key = certificate(self.folder)  # again: another one in the same place
        self.more = ("-X509Cert", str(self.certificate), "-X509Key", str(key))
        self.machine = machine
        if machine is not None:
            self.more += ("-PlainUsers", "*", "-PAMService", "eop")

    def command(self, *command):
        return command if self.machine is None else self.machine.command(*command)

    @property
    def pin(self):
        der = ssl.PEM_cert_to_DER_cert(self.certificate.read_text())
        return f"x509-sha256:{hashlib.sha256(der).hexdigest()}"


def row(desktop, **changes):
    password = changes.pop("password", desktop.password)
    one = stored(1, desktop.address, password=password and password.encode())
    return dataclasses.replace(one, **changes)


@pytest.fixture
def chosen(monkeypatch):
    """The security types that were taken."""
    kinds = []
    sign_in = Handshake._sign_in

    def watched(handshake, kind):
        kinds.append(kind)
        return sign_in(handshake, kind)

    monkeypatch.setattr(Handshake, "_sign_in", watched)
    return kinds


async def looked_at(place, desktop):
    """A tile of the wall shows what is painted."""
    async with browsing(wall.serve, wall_grant(), place) as page:
        page.show([1])
        await page.event("state", number=1, state="ready")
        await page.tile(1)
        await asyncio.to_thread(desktop.paint, "#c80000")
        painted = time.monotonic()
        while not is_red((await page.tile(1))[3]):
            assert time.monotonic() < painted + 5


async def controlled(place, note):
    """A live screen shows the desktop, and what is typed in it arrives."""
    async with browsing(live.serve, screen_grant(mode="control"), place) as page:
        viewer = await RfbViewer(page).open()
        viewer.send(pointer(0, 100, 100) + typed("hello"))
        for _ in range(3):
            viewer.send(request(16, 16))
            assert (await viewer.message())[0] == "update"
    await until(lambda: "hello" in note.read_text(), "the word typed")


@pytest.mark.parametrize(
    ("types", "password", "kind"),
    [
        (("X509Vnc", "VncAuth"), "s3cret!!", T.X509_VNC),
        (("X509None",), None, T.X509_NONE),
        (("TLSVnc", "VncAuth"), "s3cret!!", T.TLS_VNC),
        (("TLSNone",), None, T.TLS_NONE),
    ],
)
def test_a_server_with_tls_is_watched_and_controlled(types, password, kind, tmp_path, chosen):
    async def play(desktop, note):
        async with house(row(desktop, password=password)) as place:
            await looked_at(place, desktop)
            await controlled(place, note)
            place.hub.find("id1").serve_decoded("session")
            note.write_text("")
            await controlled(place, note)
            shown = place.hub.find("id1").stored.trust
            assert shown == (f"learnt:{desktop.pin}" if kind in choice.X509 else None)

    with Xvnc(tmp_path / "desktop", *types) as desktop:
        note = tmp_path / "note.txt"
        desktop.open_note(note)
        desktop.run("xdotool", "mousemove", "100", "100")
        asyncio.run(play(desktop, note))
    assert set(chosen) == {kind}


@needs_machine
@pytest.mark.parametrize(
    ("name", "kind"),
    [("X509Plain", T.X509_PLAIN), ("TLSPlain", T.TLS_PLAIN), ("Plain", T.PLAIN)],
)
def test_an_account_of_the_machine_signs_in(name, kind, tmp_path, chosen):
    async def play(desktop):
        unknown = row(desktop, password=PASSWORD, vnc_user="camille")
        async with house(unknown) as place:
            probe = await place.hub.probe("id1")
            code = "unconfirmed" if kind is T.X509_PLAIN else "untrusted"
            assert (probe.state, probe.reason.code) == ("unsupported", code)
            assert probe.reason.arguments.get("shown") in (desktop.pin, None)
        trust = desktop.pin if kind is T.X509_PLAIN else "any"
        known = dataclasses.replace(unknown, trust=trust)
        async with house(known) as place:
            await looked_at(place, desktop)
        if kind is not T.X509_PLAIN:
            return  # a wrong one takes PAM its two seconds
        async with house(dataclasses.replace(known, password=b"wrong")) as place:
            probe = await place.hub.probe("id1")
            assert probe.state == "wrong_password"

    with new_machine() as machine:
        machine.add(Account("camille"))
        with Xvnc(tmp_path, name, machine=machine) as desktop:
            asyncio.run(play(desktop))
    assert set(chosen) == {kind}


def test_another_certificate_is_told_loudly_and_no_password_goes_to_it(tmp_path):
    async def play(desktop):
        async with house(row(desktop, trust="x509-sha256:" + "0" * 64)) as place:
            probe = await place.hub.probe("id1")
            assert (probe.state, probe.reason.code) == ("unsupported", "key_changed")
            assert probe.steps[-1].name == "security"
            assert desktop.pin in probe.steps[-1].detail
            async with browsing(live.serve, screen_grant(), place) as page:
                assert "key has changed" in await RfbViewer(page).refusal()
        async with house(row(desktop, trust=desktop.pin)) as place:
            assert (await place.hub.probe("id1")).state == "ready"
        async with house(row(desktop, trust=f"ca:{desktop.certificate}")) as place:
            assert (await place.hub.probe("id1")).state == "ready"

    with Xvnc(tmp_path, "X509Vnc", "VncAuth") as desktop:
        asyncio.run(play(desktop))


def test_a_server_that_drops_its_certificate_is_told_and_gets_nothing(tmp_path):
    async def play(desktop):
        async with house(row(desktop, trust=desktop.pin)) as place:
            probe = await place.hub.probe("id1")
            assert (probe.state, probe.reason.code) == ("unsupported", "untrusted")

    with Xvnc(tmp_path, "TLSVnc", "VncAuth") as desktop:
        asyncio.run(play(desktop))


def test_a_type_that_the_server_cannot_do_gives_way_to_the_next(tmp_path, chosen):
    """A certificate whose key is missing: Xvnc offers X509Vnc, and refuses when it is chosen."""

    async def play(desktop):
        target = (await _place(desktop)).link.target
        opened = await upstream.open_upstream(target, Timing(), asyncio.Lock())
        opened.connection.close()
        assert opened.server_init.width == 800

    async def _place(desktop):
        async with house(row(desktop)) as place:
            return place.hub.find("id1")

    with Xvnc(tmp_path, "X509Vnc", "VncAuth") as desktop:
        (desktop.folder / "key.pem").unlink()
        asyncio.run(play(desktop))
    assert chosen == [T.VNC_AUTHENTICATION]


class X11vncTls(X11vncDesktop):
    """x11vnc as `-ssl` makes it, with a certificate of its own and VeNCrypt for all."""

    def start(self):
        rsa_key = rsa.generate_private_key(65537, 2048)  # it takes no other kind
        certificate_file, key = certificate(self.folder, rsa_key)
        pem = self.folder / "both.pem"
        pem.write_text(key.read_text() + certificate_file.read_text())
        self.start_x("Xvfb", "-screen", "0", f"{self.geometry}x24", "-nolisten", "tcp")
        self.spawn(
            "x11vnc", "-display", self.display, "-rfbport", str(self.port), "-localhost",
            "-rfbauth", str(self.password_file), "-shared", "-forever", "-noxdamage", "-quiet",
            "-ssl", str(pem), "-vencrypt", "force",
        )  # fmt: skip
        wait_until(self.listening, START_SECONDS, "x11vnc listening")


def test_x11vnc_with_tls_is_watched(tmp_path, chosen):
    async def play(desktop):
        async with house(row(desktop)) as place:
            await looked_at(place, desktop)

    with X11vncTls(tmp_path) as desktop:
        asyncio.run(play(desktop))
    assert set(chosen) == {T.X509_VNC}
