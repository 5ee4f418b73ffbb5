"""A server is known again: what is remembered, when, and what happens where another one answers."""

import asyncio
import ssl
import threading
from dataclasses import replace

import pytest

from controle_vnc.errors import KeyChangedError
from controle_vnc.rfb.constants import SecurityType as T
from controle_vnc.rfb.security_types import ra2
from controle_vnc.rfb.security_types.trust import fingerprint
from controle_vnc.room.hub import Hub
from controle_vnc.viewer import live
from controle_vnc.workstation.pace import Timing
from tests.controle_vnc.rfb.security_types.pairs import (
    PASSWORD,
    lock_of,
    rsa_key,
    server_certificate,
)
from tests.fakes.house import browsing, house, screen_grant, stored, until
from tests.fakes.locked_screen import LockedScreen
from tests.fakes.rfb_viewer import RfbViewer

QUICK = Timing(linger=0.05, wall=0.05, settle=0.0, connect=2, opening=5, handshake=5)


def certificate_pin(number):
    pem = server_certificate(number)[0].read_text()
    return fingerprint("x509", ssl.PEM_cert_to_DER_cert(pem))


PIN, OTHER = certificate_pin(0), certificate_pin(1)
LEARNT = f"learnt:{PIN}"
RSA_PIN = fingerprint("rsa", ra2.public_key(rsa_key()).wire)


class Watcher:
    live, shown_width = True, None

    def __init__(self):
        self.client, self.healths = None, []

    def opened(self, client, has_picture):
        self.client = client

    def event(self, event):
        pass

    def lost(self):
        self.client = None

    def told(self, health):
        self.healths.append(health)


def run(play, screen, **changes):
    """What was stored, and what was journalled."""
    kept, told = [], []

    async def whole():
        row = replace(stored(1, f"127.0.0.1:{screen.port}", password=PASSWORD), **changes)

        def record(kind, stored, details):
            told.append((kind, stored.id, details))

        hub = Hub([row], QUICK, keep_trust=lambda *known: kept.append(known), record=record)
        try:
            await play(hub, hub.find("id1"))
        finally:
            await hub.close()

    asyncio.run(whole())
    return [(id_, trust) for id_, _, trust in kept], told


LEARNING = ([("id1", LEARNT)], [("workstation_trust_learnt", "id1", {"shown": PIN})])


def test_the_first_certificate_is_remembered_once_and_by_every_road():
    async def play(hub, seat):
        assert (await hub.probe("id1")).state == "ready"
        assert seat.describe(with_sign_in=True).trust == seat.link.target.trust == LEARNT
        assert seat.describe().trust is None
        watcher = Watcher()
        seat.watch(watcher)
        await until(lambda: watcher.client is not None, "the link")
        seat.unwatch(watcher)
        await until(lambda: not seat.link.is_busy, "the end of the link")
        hub.look_again(seat)
        await until(lambda: len(screen.kinds) == 3, "a look")

    with LockedScreen(lock_of(T.X509_VNC)) as screen:
        assert run(play, screen) == LEARNING
    assert screen.kinds == [T.X509_VNC] * 3


def test_the_link_remembers_it_too():
    async def play(hub, seat):
        watcher = Watcher()
        seat.watch(watcher)
        await until(lambda: watcher.client is not None, "the link")
        assert seat.stored.trust == LEARNT

    with LockedScreen(lock_of(T.X509_NONE)) as screen:
        assert run(play, screen) == LEARNING


def test_who_refuses_the_password_is_remembered_too():
    """A thief would hang up, and come again with another certificate."""

    async def play(hub, seat):
        assert (await hub.probe("id1")).state == "wrong_password"

    with LockedScreen(lock_of(T.X509_VNC, password=b"another")) as screen:
        assert run(play, screen) == LEARNING


@pytest.mark.parametrize("road", ["probe", "link", "look"])
def test_a_server_that_nobody_has_confirmed_gets_no_password_to_read_by_any_road(road):
    async def play(hub, seat):
        watcher = Watcher()
        if road == "probe":
            probe = await hub.probe("id1")
            assert probe.steps[-1].name == "security"
            assert f"shows {RSA_PIN}, which nobody has confirmed" in probe.steps[-1].detail
        elif road == "link":
            seat.watch(watcher)
        else:
            hub.look_again(seat)
        await until(lambda: seat.link.health.is_held, "what is told")
        assert seat.link.health.reason.code == "unconfirmed"
        assert seat.link.health.reason.arguments["shown"] == RSA_PIN
        assert seat.stored.trust is None
        seat.unwatch(watcher)
        hub.change(replace(seat.stored, trust=RSA_PIN))  # what the page's button does
        assert (await hub.probe("id1")).state == "ready"

    with LockedScreen(lock_of(T.RA2_256)) as screen:
        assert run(play, screen) == ([], [])
    assert screen.kinds == [T.RA2_256]


def test_an_unknown_server_that_takes_a_challenge_is_watched_and_learns_no_password():
    """A list of RA2 and VNC authentication: what every row met before there was RA2."""

    async def play(hub, seat):
        assert (await hub.probe("id1")).state == "ready"

    with LockedScreen(lock_of(T.RA2_256, T.RA2NE, T.VNC_AUTHENTICATION)) as screen:
        assert run(play, screen) == ([], [])
    assert screen.kinds == [T.VNC_AUTHENTICATION]


@pytest.mark.parametrize("road", ["probe", "link"])
def test_another_key_is_told_by_every_road_and_no_password_goes_to_it(road):
    async def play(hub, seat):
        for _ in range(2):
            if road == "probe":
                probe = await hub.probe("id1")
                assert (probe.state, probe.reason.code) == ("unsupported", "key_changed")
            else:
                watcher = Watcher()
                seat.watch(watcher)
                await until(lambda: seat.link.health.is_held, "what is told")
                seat.unwatch(watcher)
                seat.retry()
            assert seat.link.health.reason.code == "key_changed"
            assert PIN in seat.link.health.reason.arguments["detail"]

    with LockedScreen(lock_of(T.X509_VNC, T.VNC_AUTHENTICATION)) as screen:
        kept, told = run(play, screen, trust=OTHER)
    assert kept == []
    assert told == [("workstation_key_changed", "id1", {"shown": PIN, "known": OTHER})]
    assert screen.kinds == []


@pytest.mark.parametrize("road", ["probe", "screen"])
def test_another_key_beside_a_link_that_stands_is_told_once_each(road):
    async def seen(place):
        if road == "probe":
            assert (await place.hub.probe("id1")).reason.code == "key_changed"
            return
        async with browsing(live.serve, screen_grant(), place) as page:
            assert "key has changed" in await RfbViewer(page).refusal()

    async def play(screen):
        row = stored(1, f"127.0.0.1:{screen.port}", password=PASSWORD)
        async with house(replace(row, trust=PIN), timing=QUICK) as place:
            place.hub._record = lambda kind, stored, details: told.append((kind, details))
            seat, watcher = place.hub.find("id1"), Watcher()
            seat.watch(watcher)
            await until(lambda: watcher.client is not None, "the link")
            for number in (1, 1, 2):
                screen.lock = lock_of(T.X509_VNC, number=number)
                await seen(place)
                seat.link.retry()
            assert watcher.client is not None
            assert seat.link.health.state == "ready"
            await place.hub.kept()

    told = []
    with LockedScreen(lock_of(T.X509_VNC)) as screen:
        asyncio.run(play(screen))
    kind = "workstation_key_changed"
    shown = [{"shown": pin, "known": PIN} for pin in (OTHER, certificate_pin(2))]
    assert sorted(told, key=str) == sorted([(kind, one) for one in shown], key=str)


def test_where_the_file_of_authorities_lies_is_told_to_the_log_alone(tmp_path, caplog):
    async def play(hub, seat):
        probe = await hub.probe("id1")
        assert probe.reason.code == "untrusted"
        assert str(tmp_path) not in repr((probe, seat.describe()))
        assert str(tmp_path) in caplog.text

    with LockedScreen(lock_of(T.X509_VNC)) as screen:
        run(play, screen, trust=f"ca:{tmp_path}/school.pem")


def test_what_is_forgotten_is_learnt_anew():
    async def play(hub, seat):
        assert (await hub.probe("id1")).reason.code == "key_changed"
        hub.change(replace(seat.stored, trust=None))
        assert (await hub.probe("id1")).state == "ready"

    with LockedScreen(lock_of(T.X509_VNC)) as screen:
        assert run(play, screen, trust=OTHER)[0] == [("id1", LEARNT)]


def test_of_two_that_answer_at_once_the_second_one_is_told():
    async def play(hub, seat):
        met = seat.link.target.met
        met(PIN)
        met(PIN)
        with pytest.raises(KeyChangedError, match="a moment ago"):
            met(OTHER)
        hub.change(replace(seat.stored, trust="ca:/etc/ssl/school.pem"))
        seat.link.target.met(OTHER)
        await hub.kept()

    with LockedScreen(lock_of(T.X509_VNC)) as screen:
        assert run(play, screen) == ([], [])  # it was changed before it could be stored


@pytest.mark.parametrize(
    "change", [{"address": "127.0.0.2:5900"}, {"password": b"x"}, {"trust": OTHER}]
)
def test_a_try_that_began_before_a_change_teaches_nothing(change):
    async def play(hub, seat):
        before = seat.link.target.met
        hub.change(replace(seat.stored, **change))
        after = seat.stored
        with pytest.raises(KeyChangedError, match="changed meanwhile"):
            before(PIN)
        assert seat.stored == after
        await hub.kept()

    with LockedScreen(lock_of(T.X509_VNC)) as screen:
        assert run(play, screen) == ([], [])


def test_what_was_forgotten_is_not_learnt_from_a_try_on_its_way():
    async def play(hub, seat):
        hub.change(replace(seat.stored, trust=PIN))
        before = seat.link.target.met
        hub.change(replace(seat.stored, trust=None))
        with pytest.raises(KeyChangedError):
            before(PIN)
        assert seat.stored.trust is None

    with LockedScreen(lock_of(T.X509_VNC)) as screen:
        assert run(play, screen) == ([], [])


def test_what_a_former_way_showed_is_not_told_of_the_present_one():
    async def play(hub, seat):
        async with asyncio.TaskGroup() as group:
            probing = group.create_task(hub.probe("id1"))
            await asyncio.sleep(0)
            hub.change(replace(seat.stored, address="unix:/nowhere"))
        assert probing.result().state == "unsupported"
        assert seat.link.health.state == "unknown"

    with LockedScreen(lock_of(T.X509_VNC)) as screen:
        run(play, screen, trust=OTHER)


def test_a_workstation_does_not_show_its_password():
    async def play(hub, seat):
        assert PASSWORD.decode() not in repr(seat.link.target)
        assert repr(PASSWORD)[2:-1] not in repr(seat.link.target)

    with LockedScreen(lock_of(T.X509_VNC)) as screen:
        run(play, screen)


def test_a_type_that_is_refused_gives_way_to_the_next_by_every_road():
    """Plain refuses this user, VNC authentication takes the password's first eight bytes."""

    async def play(hub, seat):
        watcher = Watcher()
        seat.watch(watcher)
        await until(lambda: watcher.client is not None, "the link")
        assert seat.link.health.state == "ready"
        seat.unwatch(watcher)
        await until(lambda: not seat.link.is_busy, "the end of the link")
        hub.look_again(seat)
        await until(lambda: len(screen.kinds) == 2, "a look")
        assert (await hub.probe("id1")).state == "ready"
        await until(lambda: len(screen.kinds) == 3, "a diagnosis")

    lock = lock_of(T.TLS_PLAIN, T.VNC_AUTHENTICATION, password=PASSWORD[:8])
    with LockedScreen(lock) as screen:
        assert run(play, screen, vnc_user="ada", trust="any") == ([], [])
    assert set(screen.kinds) == {T.VNC_AUTHENTICATION}
    assert len(screen.refusals) == len(screen.kinds)


@pytest.mark.parametrize("trust", [None, "any", RSA_PIN], ids=["none", "any", "pin"])
def test_a_refused_password_is_not_said_again(trust):
    async def play(hub, seat):
        assert (await hub.probe("id1")).state == "wrong_password"

    lock = lock_of(T.RA2_256, T.RA2, T.RA2NE, T.VNC_AUTHENTICATION, password=b"another")
    with LockedScreen(lock) as screen:
        run(play, screen, trust=trust)
    assert len(screen.refusals) == 1


@pytest.mark.parametrize("road", ["probe", "link", "look"])
def test_our_own_key_is_made_once_and_not_on_the_event_loop(road, monkeypatch):
    made, makers = rsa_key("ours"), []

    def generate(exponent, size):
        makers.append(threading.current_thread())
        return made

    async def play(hub, seat):
        watcher = Watcher()
        if road == "probe":
            await hub.probe("id1")
        elif road == "link":
            seat.watch(watcher)
            await until(lambda: watcher.client is not None, "the link")
            seat.unwatch(watcher)
        else:
            hub.look_again(seat)
        await until(lambda: seat.link.health.state == "ready", "what is told")
        await hub.probe("id1")

    pin = fingerprint("rsa", ra2.public_key(rsa_key(1)).wire)
    with LockedScreen(lock_of(T.RA2_256, number=1)) as screen:
        monkeypatch.setattr(ra2.rsa, "generate_private_key", generate)
        ra2.own_key.cache_clear()
        run(play, screen, trust=pin)
    assert screen.kinds == [T.RA2_256] * 2
    assert len(makers) == 1
    assert makers[0] is not threading.main_thread()


def test_no_key_is_made_where_there_is_no_password_to_say():
    async def play(hub, seat):
        assert (await hub.probe("id1")).state == "ready"

    with LockedScreen(lock_of(T.NONE)) as screen:
        ra2.own_key.cache_clear()
        run(play, screen, password=None)
    assert ra2.own_key.cache_info().currsize == 0
