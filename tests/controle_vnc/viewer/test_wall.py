import asyncio
import io
import json
import struct
from dataclasses import replace

import pytest
from PIL import Image

from controle_vnc.viewer.wall import serve
from controle_vnc.workstation.pace import Timing
from tests.fakes import vnc_server as fake
from tests.fakes.house import browsing, house, stored, until, wall_grant
from tests.fakes.vnc_server import FakeVncServer

QUICK = Timing(linger=0.05, wall=0.05, settle=0.0, prove=0.2, deadline=0.2, dead=1.0)


def kinds(place):
    return [event.kind for event in place.clerk.journal.after(0)]


def test_a_wall_begins_with_a_snapshot_of_its_room_and_connects_to_nobody():
    async def play():
        async with FakeVncServer() as server:
            rows = [
                stored(1, server.address, user="zoe.martin"),
                stored(2, server.address, room="S13"),
            ]
            async with house(*rows) as place, browsing(serve, wall_grant(), place) as browser:
                snapshot = await browser.frame()
                assert snapshot["event"] == "snapshot"
                assert abs(snapshot["now"] - place.hub.now_ms()) < 5000
                assert snapshot["workstations"] == [
                    {
                        "number": 1, "id": "id1", "name": "pc-01", "room": "S12",
                        "user": "zoe.martin", "state": "unknown", "reason": None,
                        "controllers": [],
                    }
                ]  # fmt: skip
                await asyncio.sleep(0.1)
                assert server.accepted == 0

    asyncio.run(play())


def test_a_visible_workstation_becomes_ready_and_its_tile_comes():
    async def play():
        async with (
            FakeVncServer(size=(640, 480)) as server,
            house(stored(1, server.address), timing=QUICK) as place,
            browsing(serve, wall_grant(), place) as browser,
        ):
            browser.show([1, 99, -5])
            await browser.event("state", number=1, state="connecting")
            await browser.event("state", number=1, state="ready", reason=None)
            number, sequence, captured_at, jpeg = await browser.tile(1)
            assert (number, sequence) == (1, 1)
            assert abs(captured_at - place.hub.now_ms()) < 5000
            picture = Image.open(io.BytesIO(jpeg))
            assert picture.size == (320, 240)
            colour = picture.convert("RGB").getpixel((10, 10))
            assert max(abs(a - b) for a, b in zip(colour, (10, 20, 30), strict=True)) < 12
            seen = await browser.event("seen")
            assert seen["numbers"] == [1]

    asyncio.run(play())


def test_only_changes_bring_a_new_tile_and_it_counts_on():
    async def play():
        async with (
            FakeVncServer() as server,
            house(stored(1, server.address), timing=QUICK) as place,
            browsing(serve, wall_grant(), place) as browser,
        ):
            browser.show([1])
            await browser.tile(1)
            for _ in range(5):
                server.paint(server.colour)
                await asyncio.sleep(0.06)
            await browser.event("seen")
            assert browser.tiles == []
            server.paint((200, 0, 0))
            _, sequence, _, _ = await browser.tile(1)
            assert sequence == 2

    asyncio.run(play())


def test_two_walls_share_one_connection_and_each_tile():
    async def play():
        async with (
            FakeVncServer() as server,
            house(stored(1, server.address), timing=QUICK) as place,
            browsing(serve, wall_grant(), place) as one,
            browsing(serve, wall_grant(), place) as two,
        ):
            one.show([1])
            first = await one.tile(1)
            two.show([1])
            assert await two.tile(1) == first
            assert server.accepted == 1

    asyncio.run(play())


@pytest.mark.parametrize(("asked", "width"), [(1, 320), (330, 320), (470, 480), (9999, 640)])
def test_the_width_is_rounded(asked, width):
    async def play():
        async with (
            FakeVncServer(size=(800, 600)) as server,
            house(stored(1, server.address), timing=QUICK) as place,
            browsing(serve, wall_grant(), place) as browser,
        ):
            browser.show([1], asked)
            jpeg = (await browser.tile(1))[3]
            assert Image.open(io.BytesIO(jpeg)).width == width

    asyncio.run(play())


def test_what_is_shown_large_is_made_640_wide_beside_the_others_and_is_visible():
    async def play():
        async with (
            FakeVncServer(size=(800, 600)) as one,
            FakeVncServer(size=(800, 600)) as other,
            house(stored(1, one.address), stored(2, other.address), timing=QUICK) as place,
            browsing(serve, wall_grant(), place) as browser,
        ):
            browser.show([2], large=[1, 77])
            widths = {}
            while len(widths) < 2:
                frame = await browser.frame()
                if isinstance(frame, tuple):
                    widths[frame[0]] = Image.open(io.BytesIO(frame[3])).width
            assert widths == {1: 640, 2: 320}
            browser.show([1, 2])
            assert Image.open(io.BytesIO((await browser.tile(1))[3])).width == 320

    asyncio.run(play())


def test_a_tile_that_becomes_visible_again_is_sent_at_once():
    async def play():
        async with (
            FakeVncServer() as server,
            house(stored(1, server.address), timing=replace(QUICK, linger=2)) as place,
            browsing(serve, wall_grant(), place) as browser,
        ):
            browser.show([1])
            await browser.tile(1)
            browser.show([])
            await asyncio.sleep(0.2)
            browser.show([1])
            await browser.tile(1, seconds=1.5)  # before the connection may close
            assert server.accepted == 1

    asyncio.run(play())


def test_a_wall_that_closes_leaves_no_connection_and_is_journalled():
    async def play():
        async with (
            FakeVncServer() as server,
            house(stored(1, server.address), timing=QUICK) as place,
        ):
            async with browsing(serve, wall_grant(), place) as browser:
                browser.show([1])
                await browser.tile(1)
            await until(lambda: not server.sessions, "the connection closed")
            assert kinds(place) == ["wall_opened", "wall_closed"]
            closed = place.clerk.journal.after(0)[1]
            assert closed.details == {
                "name": "Camille", "look": "g1", "room": "S12", "seconds": 0, "code": "left"
            }  # fmt: skip

    asyncio.run(play())


def told(place):
    return [(event.kind, event.details.get("watched")) for event in place.clerk.journal.after(0)]


def test_the_journal_names_who_is_shown_before_anyone_is():
    async def play():
        rows = [
            stored(1, "127.0.0.1:1", user="zoe.martin"),
            stored(2, "127.0.0.1:1", user="adele.roux"),
            stored(3, "127.0.0.1:1"),
            stored(4, "127.0.0.1:1", room="S13", user="malo.colin"),
        ]
        grant = replace(wall_grant(users=("zoe.martin", "adele.roux")), label="3eB")
        async with house(*rows) as place:
            async with browsing(serve, wall_grant(), place) as browser:
                await browser.frame()
                assert told(place) == [("wall_opened", "adele.roux zoe.martin")]
            async with browsing(serve, grant, place) as browser:
                await browser.frame()
            details = place.clerk.journal.after(2)[0].details
            assert details == {
                "name": "Camille", "look": "g1", "users": 2, "class": "3eB",
                "watched": "adele.roux zoe.martin",
            }  # fmt: skip

    asyncio.run(play())


def test_the_journal_names_who_sits_down_later_and_once():
    async def play():
        async with (
            house(stored(1, "127.0.0.1:1", user="zoe.martin"), stored(2, "127.0.0.1:1")) as place,
            browsing(serve, wall_grant(), place) as browser,
        ):
            await browser.frame()
            for user in ("leo.petit", None, "leo.petit"):
                place.hub.change(stored(2, "127.0.0.1:1", user=user))
                await browser.event("workstation", user=user)
            await until(lambda: len(told(place)) == 2, "the newcomer in the journal")
            assert told(place) == [("wall_opened", "zoe.martin"), ("wall_shown", "leo.petit")]

    asyncio.run(play())


def test_a_wall_closes_where_a_newcomer_cannot_be_journalled():
    async def play():
        async with (
            house(stored(1, "127.0.0.1:1")) as place,
            browsing(serve, wall_grant(), place) as browser,
        ):
            await browser.frame()
            place.clerk.journal._limit = 0
            place.hub.change(stored(1, "127.0.0.1:1", user="zoe.martin"))
            assert (await browser.event("bye", seconds=1))["code"] == "journal"

    asyncio.run(play())


def test_a_list_of_names_that_is_too_long_for_one_event_takes_several():
    async def play():
        users = [f"{'ñ' * 60}{number:03}" for number in range(60)]
        rows = [stored(n, "127.0.0.1:1", user=user) for n, user in enumerate(users, 1)]
        async with house(*rows) as place, browsing(serve, wall_grant(), place) as browser:
            await browser.frame()
            opened = told(place)
        assert [kind for kind, _ in opened] == ["wall_opened"] + ["wall_shown"] * (len(opened) - 1)
        assert len(opened) > 5
        assert " ".join(watched for _, watched in opened).split() == users

    asyncio.run(play())


def test_a_wall_is_told_why_it_closes():
    async def play():
        async with house() as place, browsing(serve, wall_grant(), place) as browser:
            await browser.frame()
            browser.closing.close("signed_out")
            assert await browser.event("bye", seconds=1) == {"event": "bye", "code": "signed_out"}
            async with asyncio.timeout(1):
                await browser.task

    asyncio.run(play())


def test_a_wall_that_cannot_be_journalled_does_not_open():
    async def play():
        async with FakeVncServer() as server, house(stored(1, server.address)) as place:
            place.clerk.journal._limit = 0
            async with browsing(serve, wall_grant(), place) as browser:
                assert await browser.frame() == {"event": "bye", "code": "journal"}

    asyncio.run(play())


def test_a_wall_follows_additions_changes_and_removals():
    async def play():
        async with (
            house(stored(1, "127.0.0.1:1")) as place,
            browsing(serve, wall_grant(), place) as browser,
        ):
            await browser.frame()
            place.hub.add(stored(2, "127.0.0.1:1"))
            added = await browser.event("workstation", change="added")
            assert (added["number"], added["name"], added["state"]) == (2, "pc-02", "unknown")
            place.hub.change(stored(2, "127.0.0.1:1", user="zoe.martin"))
            changed = await browser.event("workstation", change="changed")
            assert changed["user"] == "zoe.martin"
            place.hub.change(stored(2, "127.0.0.1:1", room="S13"))
            await browser.event("workstation", change="removed", number=2)
            place.hub.remove("id1")
            await browser.event("workstation", change="removed", number=1)

    asyncio.run(play())


def test_a_wall_of_users_shows_where_they_sit():
    async def play():
        rows = [
            stored(1, "127.0.0.1:1", user="zoe.martin"),
            stored(2, "127.0.0.1:1", room="S13", user="leo.petit"),
            stored(3, "127.0.0.1:1", user="other"),
            stored(4, "127.0.0.1:1"),
        ]
        async with house(*rows) as place:
            grant = wall_grant(users=("zoe.martin", "leo.petit"))
            async with browsing(serve, grant, place) as browser:
                snapshot = await browser.frame()
                assert [entry["number"] for entry in snapshot["workstations"]] == [1, 2]
                place.hub.change(replace(rows[3], user="zoe.martin"))
                await browser.event("workstation", change="added", number=4)
                place.hub.change(replace(rows[0], user=None))
                await browser.event("workstation", change="removed", number=1)

    asyncio.run(play())


@pytest.mark.parametrize(
    "frames",
    [
        struct.pack(">I", 0),
        struct.pack(">IB", 64 * 1024 + 1, 1),
        struct.pack(">IB", 2, 1) + b"{",
        struct.pack(">IB", 16, 1) + b'{"visible":"x"}',
        struct.pack(">IB", 29, 1) + b'{"visible":[],"large":["x"]}',
    ],
)
def test_a_frame_that_is_too_long_or_no_event_closes_that_wall_only(frames):
    async def play():
        async with (
            house() as place,
            browsing(serve, wall_grant(), place) as bad,
            browsing(serve, wall_grant(), place) as good,
        ):
            bad.send(frames)
            async with asyncio.timeout(2):
                await bad.task
            assert (await good.frame())["event"] == "snapshot"
            assert not good.task.done()

    asyncio.run(play())


def test_a_frame_of_64_kib_and_unknown_events_and_types_are_taken():
    async def play():
        async with (
            house(stored(1, "127.0.0.1:1")) as place,
            browsing(serve, wall_grant(), place) as browser,
        ):
            longest = json.dumps({"future": "x" * (64 * 1024 - 1 - 14)}).encode()
            assert len(longest) == 64 * 1024 - 1
            browser.send(struct.pack(">IB", 64 * 1024, 1) + longest)
            browser.send(struct.pack(">IB", 4, 77) + b"abc")
            browser.show([1])
            await browser.event("state", number=1, state="refused")

    asyncio.run(play())


@pytest.mark.parametrize(
    "bad",
    [
        fake.silent, fake.garbage, fake.garbage_picture, fake.closes_at_once,
        fake.closes_in_the_middle, fake.announces_65535, fake.rectangle_of_4_gib,
        fake.refuses_password, fake.turns_away, fake.unknown_security, fake.mute_after_init,
    ],
)  # fmt: skip
def test_a_bad_workstation_is_told_and_disturbs_no_other_tile(bad):
    async def play():
        timing = replace(QUICK, told_silent=0.2)
        async with FakeVncServer(bad) as wrong, FakeVncServer() as right:
            rows = [stored(1, wrong.address, password=b"x"), stored(2, right.address)]
            async with (
                house(*rows, timing=timing) as place,
                browsing(serve, wall_grant(), place) as browser,
            ):
                browser.show([1, 2])
                await browser.tile(2)
                right.paint((99, 99, 99))
                await browser.tile(2)
                ill = ("offline", "refused", "wrong_password", "unsupported", "connecting")
                await until(lambda: place.hub.status("id1").state in ill, "told")
                assert place.hub.status("id2").state == "ready"

    asyncio.run(play())


def test_a_browser_that_stops_reading_is_given_the_newest_later():
    async def play():
        async with (
            FakeVncServer(size=(320, 240)) as server,
            house(stored(1, server.address), timing=replace(QUICK, wall=0.01)) as place,
            browsing(serve, wall_grant(), place) as slow,
        ):
            slow.show([1])
            await slow.tile(1)
            slow.reader._transport.pause_reading()
            wall = next(iter(place.hub._listeners))
            for number in range(3000):
                place.hub.add(stored(100 + number, "127.0.0.1:1", name="x" * 60))
            await asyncio.sleep(0.1)
            held = wall._viewer.unsent
            assert held <= 256 * 1024 + 64 * 1024
            for _ in range(5):
                place.hub.change(stored(100, "127.0.0.1:1", name="newest"))
            assert len(wall._workstations) <= 3000
            slow.reader._transport.resume_reading()
            await slow.event("workstation", number=100, name="newest")

    asyncio.run(play())
