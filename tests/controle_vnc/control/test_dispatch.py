import asyncio
import functools

import pytest

from controle_vnc import daemon
from controle_vnc.control import messages as m
from controle_vnc.control.dispatch import Dispatcher
from controle_vnc.errors import RequestRefusedError, TicketRefusedError
from controle_vnc.room.hub import Hub
from controle_vnc.store import Store, make_key, read_key, upgrade
from controle_vnc.viewer.journal import Journal
from controle_vnc.viewer.lease import Leases
from controle_vnc.viewer.ticket import TicketOffice
from tests.desktops import free_port

CAMILLE = m.Viewer(session="s", ends_at=2_000_000, user="camille", name="Camille")


class World:
    """The daemon's parts around one `Dispatcher`, on one loop."""

    def __init__(self, folder):
        upgrade(folder / "store.db")
        make_key(folder / "key")
        self.store = Store(folder / "store.db", read_key(folder / "key"))
        self.journal = Journal(folder / "store.db")
        self.now = 1000.0
        self.leases = Leases(lambda: self.now, lambda: self.now)
        self.office = TicketOffice(b"a secret for these tests", lambda: self.now)

    def play(self, scene):
        """Run `scene(ask)`; `ask` carries out a request."""

        async def stage():
            record = functools.partial(daemon._record, self.journal)
            hub = self.hub = Hub(
                self.store.workstations(), keep_trust=self.store.keep_trust, record=record
            )
            ask = Dispatcher(
                self.store, hub, self.office, self.leases, self.journal, lambda: self.now
            )
            try:
                return await scene(ask)
            finally:
                await hub.close()

        return asyncio.run(stage())

    def close(self):
        self.store.close()
        self.journal.close()


@pytest.fixture
def world(tmp_path):
    world = World(tmp_path)
    yield world
    world.close()


def save(name="pc-01", room="S12", **more):
    return m.SaveWorkstation(
        name=name, room=room, address=f"127.0.0.1:{free_port()}", password="pw", **more
    )


def code(refusal):
    return refusal.value.code


def test_every_request_has_a_method(world):
    async def scene(ask):
        return set(ask._table)

    assert world.play(scene) == set(m.Request.__args__)


def test_a_saved_workstation_is_listed_and_outlives_the_daemon(world):
    async def first(ask):
        saved = await ask(save(user="lea"))
        assert saved.created
        (one,) = (await ask(m.ListWorkstations())).workstations
        assert (one.id, one.name, one.room, one.user) == (saved.id, "pc-01", "S12", "lea")
        assert one.state == "unknown"
        assert (await ask(m.ListRooms())).rooms == [m.Room("S12", [saved.id])]
        return saved.id

    async def second(ask):
        return (await ask(m.ListWorkstations())).workstations[0].id

    assert world.play(first) == world.play(second)


def test_a_list_holds_those_for_which_every_condition_holds(world):
    async def scene(ask):
        await ask(save("a", "S12", user="lea"))
        await ask(save("b", "S12", user="tom"))
        await ask(save("c", "S14", user="lea"))

        async def names(**conditions):
            listed = await ask(m.ListWorkstations(**conditions))
            return [one.name for one in listed.workstations]

        ids = {one.name: one.id for one in (await ask(m.ListWorkstations())).workstations}
        assert await names() == ["a", "b", "c"]
        assert await names(room="S12") == ["a", "b"]
        assert await names(users=["lea"]) == ["a", "c"]
        assert await names(room="S12", users=["lea"]) == ["a"]
        assert await names(ids=[ids["b"], ids["c"], "unknown"]) == ["b", "c"]
        assert await names(ids=[]) == []
        assert await names(users=[]) == []

    world.play(scene)


def test_a_workstation_is_changed_and_removed(world):
    async def scene(ask):
        await ask(save())
        with pytest.raises(RequestRefusedError) as refusal:
            await ask(save())
        assert code(refusal) == "exists"
        assert not (await ask(save(room="S14", replace=True))).created
        assert (await ask(m.ListRooms())).rooms[0].name == "S14"
        await ask(m.RemoveWorkstation(workstation="pc-01"))
        assert (await ask(m.ListWorkstations())).workstations == []
        with pytest.raises(RequestRefusedError) as refusal:
            await ask(m.RemoveWorkstation(workstation="pc-01"))
        assert code(refusal) == "unknown_workstation"

    world.play(scene)


def test_a_probe_by_name_says_what_fails(world):
    async def scene(ask):
        await ask(save())
        probe = await ask(m.ProbeWorkstation(workstation="pc-01"))
        assert probe.state == "refused"
        assert [(step.name, step.ok) for step in probe.steps] == [("connect", False)]
        assert (await ask(m.ListWorkstations())).workstations[0].state == "refused"

    world.play(scene)


@pytest.mark.parametrize("kind", [m.ProbeWorkstation, m.RetryWorkstation])
def test_an_unknown_workstation_is_told(world, kind):
    async def scene(ask):
        with pytest.raises(RequestRefusedError) as refusal:
            await ask(kind(workstation="nowhere"))
        assert code(refusal) == "unknown_workstation"

    world.play(scene)


def test_a_screen_ticket_is_worth_exactly_what_was_asked(world):
    async def scene(ask):
        id_ = (await ask(save(user="lea"))).id
        issued = await ask(m.IssueScreenTicket(viewer=CAMILLE, workstation=id_, mode="view"))
        assert issued.expires_in == 30
        grant = world.office.redeem(issued.ticket)
        assert (grant.kind, grant.workstation, grant.mode) == ("screen", id_, "view")
        assert grant.occupancy == ("S12", "lea")
        assert (grant.session, grant.user, grant.ends_at) == ("s", "camille", 2_000_000)
        assert (await ask(m.GetStatus())).leases == 1

    world.play(scene)


def test_a_wall_ticket_is_of_a_room_or_of_users_and_not_of_both(world):
    async def scene(ask):
        issued = await ask(m.IssueWallTicket(viewer=CAMILLE, room="S12"))
        assert world.office.redeem(issued.ticket).room == "S12"
        issued = await ask(m.IssueWallTicket(viewer=CAMILLE, users=["lea", "tom"]))
        assert world.office.redeem(issued.ticket).users == ("lea", "tom")
        for wrong in ({}, {"room": "S12", "users": []}, {"users": ["u"] * 2001}):
            with pytest.raises(RequestRefusedError) as refusal:
                await ask(m.IssueWallTicket(viewer=CAMILLE, **wrong))
            assert code(refusal) == "invalid"

    world.play(scene)


def test_no_ticket_for_an_unknown_workstation(world):
    async def scene(ask):
        with pytest.raises(RequestRefusedError) as refusal:
            await ask(m.IssueScreenTicket(viewer=CAMILLE, workstation="nowhere", mode="view"))
        assert code(refusal) == "unknown_workstation"

    world.play(scene)


def test_a_session_past_its_end_gets_no_ticket(world):
    async def scene(ask):
        over = m.Viewer(session="s", ends_at=1_000_000, user="camille", name="C")
        with pytest.raises(RequestRefusedError) as refusal:
            await ask(m.IssueWallTicket(viewer=over, room="S12"))
        assert code(refusal) == "not_leased"

    world.play(scene)


def test_a_revoked_session_loses_tickets_and_viewers_and_gets_no_more(world):
    async def scene(ask):
        first = await ask(m.IssueWallTicket(viewer=CAMILLE, room="S12"))
        second = await ask(m.IssueWallTicket(viewer=CAMILLE, room="S12"))
        closing = world.leases.open(world.office.redeem(first.ticket))
        assert (await ask(m.GetStatus())).walls == 1
        assert await ask(m.RevokeSessions(sessions=["s", "other"])) == m.Done(count=2)
        assert closing.code == "signed_out"
        with pytest.raises(TicketRefusedError):
            world.office.redeem(second.ticket)
        with pytest.raises(RequestRefusedError) as refusal:
            await ask(m.IssueWallTicket(viewer=CAMILLE, room="S12"))
        assert code(refusal) == "not_leased"
        renewal = m.RenewLeases(leases=[m.Lease("s", 2_000_000), m.Lease("t", 2_000_000)])
        assert await ask(renewal) == m.Done(count=1)

    world.play(scene)


def test_a_session_whose_rights_changed_asks_for_tickets_anew(world):
    async def scene(ask):
        first = await ask(m.IssueWallTicket(viewer=CAMILLE, room="S12"))
        second = await ask(m.IssueWallTicket(viewer=CAMILLE, room="S12"))
        closing = world.leases.open(world.office.redeem(first.ticket))
        assert await ask(m.CloseViewers(sessions=["s", "other"])) == m.Done(count=2)
        assert closing.code == "rights_changed"
        with pytest.raises(TicketRefusedError):
            world.office.redeem(second.ticket)
        third = await ask(m.IssueWallTicket(viewer=CAMILLE, room="S14"))
        assert world.office.redeem(third.ticket).room == "S14"

    world.play(scene)


def test_while_all_screens_are_closed_there_are_no_tickets(world):
    async def scene(ask):
        saved = await ask(save())
        first = await ask(m.IssueWallTicket(viewer=CAMILLE, room="S12"))
        second = await ask(m.IssueWallTicket(viewer=CAMILLE, room="S12"))
        closing = world.leases.open(world.office.redeem(first.ticket))
        assert await ask(m.SwitchScreens(closed=True, at=5)) == m.Done(count=1)
        assert await ask(m.SwitchScreens(closed=True, at=5)) == m.Done(count=0)
        assert closing.code == "switched_off"
        assert (await ask(m.GetStatus())).screens_closed
        with pytest.raises(TicketRefusedError):
            world.office.redeem(second.ticket)
        for request in (
            m.IssueWallTicket(viewer=CAMILLE, room="S12"),
            m.IssueScreenTicket(viewer=CAMILLE, workstation=saved.id, mode="view"),
        ):
            with pytest.raises(RequestRefusedError) as refusal:
                await ask(request)
            assert code(refusal) == "switched_off"

    world.play(scene)


def test_an_order_that_was_overtaken_is_not_obeyed(world):
    async def scene(ask):
        await ask(m.SwitchScreens(closed=True, at=5))
        await ask(m.SwitchScreens(closed=False, at=4))
        assert (await ask(m.GetStatus())).screens_closed
        await ask(m.SwitchScreens(closed=False, at=6))
        assert not (await ask(m.GetStatus())).screens_closed
        await ask(m.IssueWallTicket(viewer=CAMILLE, room="S12"))

    world.play(scene)


@pytest.mark.parametrize("field", ["session", "user", "name"])
def test_a_viewer_at_the_limit_is_accepted_and_one_past_it_is_not(world, field):
    def viewer(text):
        values = {"session": "s", "user": "u", "name": "n", "ends_at": 2_000_000, field: text}
        return m.Viewer(**values)

    async def scene(ask):
        await ask(m.IssueWallTicket(viewer=viewer("x" * 128), room="S12"))
        for wrong in ("x" * 129, ""):
            with pytest.raises(RequestRefusedError) as refusal:
                await ask(m.IssueWallTicket(viewer=viewer(wrong), room="S12"))
            assert code(refusal) == "invalid"

    world.play(scene)


def test_the_journal_is_pulled_and_acknowledged(world):
    async def scene(ask):
        entry = world.journal.entry("wall_opened", "camille", "s", None, {"room": "S12"})
        world.journal.write([entry])
        assert (await ask(m.GetStatus())).events_waiting == 1
        (event,) = (await ask(m.PullEvents(after=0))).events
        assert (event.kind, event.details) == ("wall_opened", {"room": "S12"})
        assert await ask(m.AcknowledgeEvents(up_to=event.number)) == m.Done(count=1)
        assert (await ask(m.PullEvents(after=0))).events == []

    world.play(scene)


def changes(world):
    return [
        (event.kind, event.user, event.details.get("workstation"), event.details.get("login"))
        for event in world.journal.after(0)
    ]


def test_who_changes_a_workstation_is_in_the_journal_and_only_where_something_changed(world):
    async def scene(ask):
        first = save(user="zoe.martin", by="eopctl:root")
        again = save(user="zoe.martin", by="eopctl:root", replace=True)
        again = m.SaveWorkstation(
            **{name: getattr(again, name) for name in ("name", "room", "password", "user", "by")},
            address=first.address,
            replace=True,
        )
        await ask(first)
        await ask(again)
        await ask(save(room="S13", replace=True, by="eopctl:root"))
        await ask(m.RemoveWorkstation(workstation="pc-01", by="eopctl:root"))
        assert changes(world) == [
            ("workstation_added", "eopctl:root", "pc-01", "zoe.martin"),
            ("workstation_changed", "eopctl:root", "pc-01", None),
            ("workstation_removed", "eopctl:root", "pc-01", None),
        ]

    world.play(scene)


def test_the_journal_tells_which_fields_changed_and_what_a_server_was_known_by(world):
    pin = "x509-sha256:" + "0a" * 32
    path = "ca:/" + "é" * 296  # each is six characters in the journal's JSON

    async def scene(ask):
        saved = await ask(save(by="carla", trust=pin))
        hers = {"id": saved.id, "by": "carla"}
        await ask(save(room="S13", trust=path, vnc_user="eop", **hers))
        await ask(save(room="S13", trust="", **hers))
        first, second, third = [event.details for event in world.journal.after(0)]
        assert (first["known"], first["shown"]) == ("", pin)
        assert second["changed"] == "room address vnc_user trust"
        assert (second["known"], second["shown"]) == (pin, path[:128])
        assert (third["changed"], third["shown"]) == ("address trust", "")
        assert "pw" not in str([first, second, third])

    world.play(scene)


def test_what_a_server_is_known_by_is_told_only_where_it_is_asked_for(world):
    pin = "x509-sha256:" + "0a" * 32

    async def scene(ask):
        await ask(save(trust=pin, vnc_user="eop"))
        (one,) = (await ask(m.ListWorkstations())).workstations
        assert (one.vnc_user, one.trust) == (None, None)
        (one,) = (await ask(m.ListWorkstations(sign_in=True))).workstations
        assert (one.vnc_user, one.trust) == ("eop", pin)

    world.play(scene)


def test_what_was_learnt_a_moment_ago_outlives_a_new_name(world):
    pin = "x509-sha256:" + "0a" * 32

    async def scene(ask):
        saved = await ask(save())
        seat = world.hub.seat(saved.id)
        seat.link.target.met(pin)
        renamed = {"name": "pc-02", "room": "S12", "address": seat.stored.address}
        await ask(m.SaveWorkstation(**renamed, id=saved.id))
        assert seat.stored.name == "pc-02"
        assert seat.stored.trust == world.store.workstations()[0].trust == f"learnt:{pin}"
        await world.hub.kept()
        (learnt,) = [e for e in world.journal.after(0) if e.kind == "workstation_trust_learnt"]
        assert (learnt.user, learnt.workstation) == ("", saved.id)
        assert (learnt.details["workstation"], learnt.details["shown"]) == ("pc-01", pin)

    world.play(scene)


def test_a_room_is_moved_as_one_and_each_workstation_is_in_the_journal(world):
    async def scene(ask):
        ids = {n: (await ask(save(n, by="carla"))).id for n in ("pc-01", "pc-02")}
        moved = [save(name, "S14", id=id_) for name, id_ in ids.items()]
        assert await ask(m.SaveWorkstations(changes=moved, by="carla")) == m.Done(count=2)
        rooms = (await ask(m.ListRooms())).rooms
        assert [(room.name, len(room.workstations)) for room in rooms] == [("S14", 2)]
        assert changes(world)[2:] == [
            ("workstation_changed", "carla", "pc-01", None),
            ("workstation_changed", "carla", "pc-02", None),
        ]
        assert await ask(m.SaveWorkstations(changes=moved, by="carla")) == m.Done(count=0)

    world.play(scene)


def test_of_several_changes_one_that_is_wrong_undoes_all(world):
    async def scene(ask):
        wrong = m.SaveWorkstation(name="pc-02", room="S12", address="nowhere")
        with pytest.raises(RequestRefusedError) as refusal:
            await ask(m.SaveWorkstations(changes=[save(), wrong]))
        assert code(refusal) == "invalid"
        assert (await ask(m.ListWorkstations())).workstations == []
        assert changes(world) == []

    world.play(scene)


def test_more_changes_than_workstations_are_refused(world):
    async def scene(ask):
        many = [save()] * (m.MAX_WORKSTATIONS_A_REQUEST + 1)
        with pytest.raises(RequestRefusedError) as refusal:
            await ask(m.SaveWorkstations(changes=many))
        assert code(refusal) == "invalid"

    world.play(scene)


def test_a_change_that_cannot_be_journalled_is_told(world):
    async def scene(ask):
        world.journal._limit = 0
        with pytest.raises(RequestRefusedError) as refusal:
            await ask(save())
        assert code(refusal) == "journal"

    world.play(scene)


def test_the_label_of_a_wall_has_a_limit(world):
    async def scene(ask):
        users = ["zoe.martin"]
        await ask(m.IssueWallTicket(viewer=CAMILLE, users=users, label="x" * 128))
        with pytest.raises(RequestRefusedError) as refusal:
            await ask(m.IssueWallTicket(viewer=CAMILLE, users=users, label="x" * 129))
        assert code(refusal) == "invalid"

    world.play(scene)


def test_two_thousand_workstations_fit_in_one_reply(world):
    one = m.Workstation(
        id="0" * 12, number=2000, name="n" * 64, room="r" * 64, address="h" * 60 + ":5900",
        kind="vnc", user="u" * 64, state="wrong_password",
        reason=m.Reason("wrong_password", {"detail": "d" * 50}), checked_at=2**40,
    )  # fmt: skip
    reply = m.Workstations(workstations=[one] * m.MAX_WORKSTATIONS_A_REQUEST)
    assert len(m.encode(reply)) < m.MAX_MESSAGE_BYTES


def test_the_last_minutes_are_told_where_the_room_has_them_on(world):
    async def scene(ask):
        id_ = (await ask(save())).id

        async def refused(request):
            with pytest.raises(RequestRefusedError) as refusal:
                await ask(request)
            return code(refusal)

        asked = (m.ListRewind(workstation=id_), m.GetRewind(workstation=id_, at=1))
        assert [await refused(one) for one in asked] == ["rewind_off", "rewind_off"]
        assert await ask(m.SetRewind(rooms=["S12", "S14"], at=5)) == m.Done(count=2)
        now = ask.hub.now_ms()
        ask.hub.seat(id_).rewind.note(now, 320, b"jpeg")
        times = await ask(m.ListRewind(workstation=id_))
        assert times.pictures == [m.RewindSpan(now, None)]
        assert times.now >= now
        picture = await ask(m.GetRewind(workstation=id_, at=now))
        assert (picture.at, picture.width, picture.jpeg) == (now, 320, b"jpeg")
        assert (await ask(m.GetStatus())).rewind_bytes > 4
        assert await refused(m.GetRewind(workstation=id_, at=now - 1)) == "nothing_kept"
        assert await refused(m.ListRewind(workstation="nowhere")) == "unknown_workstation"
        await ask(m.SwitchScreens(closed=True, at=5))
        assert [await refused(one) for one in asked] == ["switched_off", "switched_off"]
        await ask(m.SwitchScreens(closed=False, at=6))
        await ask(m.SetRewind(rooms=["S14"], at=6))
        assert [await refused(one) for one in asked] == ["rewind_off", "rewind_off"]
        assert (await ask(m.GetStatus())).rewind_bytes == 0

    world.play(scene)


def test_an_older_order_of_rooms_is_not_obeyed_and_the_same_one_forgets_nothing(world):
    async def scene(ask):
        id_ = (await ask(save())).id
        await ask(m.SetRewind(rooms=["S12"], at=5))
        ask.hub.seat(id_).rewind.note(ask.hub.now_ms(), 320, b"jpeg")
        assert await ask(m.SetRewind(rooms=[], at=4)) == m.Done(count=0)
        await ask(m.SetRewind(rooms=["S12"], at=5))
        assert len((await ask(m.ListRewind(workstation=id_))).pictures) == 1

    world.play(scene)


def test_rooms_are_told_within_limits(world):
    async def scene(ask):
        most = m.MAX_WORKSTATIONS_A_REQUEST
        assert await ask(m.SetRewind(rooms=["x" * 64] * most, at=1)) == m.Done(count=most)
        for wrong in (["x"] * (most + 1), ["x" * 65], [""]):
            with pytest.raises(RequestRefusedError) as refusal:
                await ask(m.SetRewind(rooms=wrong, at=2))
            assert code(refusal) == "invalid"

    world.play(scene)
