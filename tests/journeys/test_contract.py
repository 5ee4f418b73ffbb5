"""The promises to outside clients, read from the contract alone, against the running product."""

import json
import time

import pytest
import requests
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.desktops import wait_until
from tests.wall_client import Tile, WallClient


@pytest.fixture
def api(stack, desktops):
    return stack.sign_in()


def error_code(answer):
    return answer.json()["error"]["code"]


def test_the_session_says_who_is_signed_in(api):
    body = api.get("session").json()
    assert body["user"] == api.stack.login
    assert body["name"]
    assert body["roles"] == ["teacher"]
    assert body["csrf_token"]


def test_rooms_and_workstations_are_listed(api, desktops):
    rooms = {room["name"]: room["workstations"] for room in api.get("rooms").json()}
    assert set(desktops["ids"].values()) <= set(rooms["S12"])
    listed = {w["id"]: w for w in api.get("workstations", room="S12").json()}
    entry = listed[desktops["ids"]["pc-01"]]
    assert (entry["name"], entry["room"], entry["user"]) == ("pc-01", "S12", "zoe.martin")
    assert "kind" in entry
    assert "checked_at" in entry


def test_a_listed_workstation_is_looked_at_by_itself(api, desktops):
    for identifier in desktops["ids"].values():
        api.wait_for_state(identifier, {"ready", "viewed", "controlled"}, 10)


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"{", "application/json", 400),
        (b'{"username": 1}', "application/json", 422),
        (b"username=a", "application/x-www-form-urlencoded", 415),
        (b'{"username": "' + b"a" * 200_000 + b'"}', "application/json", 413),
        (b'{"username": "nobody", "password": "wrong"}', "application/json", 401),
    ],
)
def test_a_bad_sign_in_is_told_by_its_status(stack, body, kind, status):
    answer = requests.post(
        f"{stack.url}/api/v1/session", data=body, headers={"Content-Type": kind}, timeout=10
    )
    assert answer.status_code == status
    assert answer.json()["error"]["message"]


def test_a_foreign_origin_may_not_sign_in(stack):
    answer = requests.post(
        f"{stack.url}/api/v1/session",
        json={"username": stack.login, "password": stack.password},
        headers={"Origin": "https://evil.example"},
        timeout=10,
    )
    assert answer.status_code == 403


def test_nothing_is_answered_without_a_session(stack):
    for path in ("session", "rooms", "classes", "workstations"):
        assert requests.get(f"{stack.url}/api/v1/{path}", timeout=10).status_code == 401


def test_a_change_needs_the_csrf_token(api, desktops):
    body = {"kind": "wall", "room": "S12"}
    api.http.headers.pop("X-CSRF-Token")
    assert api.post("tickets", body).status_code == 403


def test_unknown_workstations_rooms_and_modes_are_refused(api, desktops):
    known = desktops["ids"]["pc-01"]
    unknown = api.post("tickets", {"kind": "screen", "workstation": "nope", "mode": "view"})
    assert unknown.status_code == 404
    assert error_code(unknown)
    wrong = api.post("tickets", {"kind": "screen", "workstation": known, "mode": "own"})
    assert wrong.status_code == 422
    assert api.post("tickets", {"kind": "wall", "room": "nowhere"}).status_code in {403, 404}


def test_actions_answer_one_result_for_each_workstation_in_order(api, desktops):
    wanted = [desktops["ids"]["pc-02"], "nope", desktops["ids"]["pc-01"]]
    answer = api.post("actions", {"workstations": wanted, "action": "lock", "arguments": {}})
    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [result["workstation"] for result in results] == wanted
    assert all(result["ok"] is False and result["message"] for result in results)


def test_the_api_describes_itself(stack):
    document = requests.get(f"{stack.url}/api/v1/openapi.json", timeout=10).json()
    assert document["openapi"].startswith("3.")
    assert any(path.endswith("/tickets") for path in document["paths"])


def test_every_answer_carries_the_security_headers(stack):
    for path in ("/", "/login", "/nowhere", "/eoleapps/eop/", "/eoleapps/eop/api/v1/rooms"):
        answer = requests.get(stack.origin + path, allow_redirects=False, timeout=10)
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"], path
        assert "unsafe" not in answer.headers["Content-Security-Policy"], path
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path


def test_documents_on_the_root_lead_to_the_mount_point(stack):
    answer = requests.get(stack.origin + "/documents", allow_redirects=False, timeout=10)
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("/eoleapps/eop/documents/")


def test_a_foreign_cookie_breaks_nothing(stack):
    answer = requests.get(
        stack.origin + "/login",
        headers={"Cookie": "$envole.user=x; a b=c; =;; eop_session=%%%"},
        timeout=10,
    )
    assert answer.status_code == 200


def test_a_screen_carries_rfb_3_8_without_security(api, desktops):
    with api.open(kind="screen", workstation=desktops["ids"]["pc-01"], mode="view") as socket:
        assert socket.subprotocol == "binary"
        reader = Bytes(socket)
        assert reader.exactly(12) == b"RFB 003.008\n"
        socket.send(b"RFB 003.008\n")
        assert reader.exactly(2) == b"\x01\x01"
        socket.send(b"\x01")
        assert reader.exactly(4) == b"\0\0\0\0"
        socket.send(b"\x01")
        init = reader.exactly(24)
        assert init[:4] == (800).to_bytes(2, "big") + (600).to_bytes(2, "big")


def test_a_ticket_opens_once(api, desktops):
    ticket = api.ticket(kind="screen", workstation=desktops["ids"]["pc-01"], mode="view")
    assert ticket["path"] == "/websockify"
    assert 0 < ticket["expires_in"] <= 30
    api.dial(ticket).close()
    with pytest.raises(InvalidStatus) as refused:
        api.dial(ticket)
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("origin", ["https://evil.example", None])
def test_a_foreign_or_absent_origin_is_refused(api, desktops, origin):
    ticket = api.ticket(kind="wall", room="S12")
    with pytest.raises(InvalidStatus) as refused:
        api.dial(ticket, origin=origin)
    assert refused.value.response.status_code == 403


def test_the_gateway_shows_a_small_page_and_no_listing(stack):
    answer = requests.get(f"http://127.0.0.1:{stack.gateway}/", timeout=10)
    assert answer.status_code == 200
    assert "Directory listing" not in answer.text


def test_a_wall_tells_states_sends_tiles_and_proves_them_alive(api, desktops):
    with api.open(kind="wall", room="S12") as socket:
        wall = WallClient(socket)
        snapshot = wall.next()
        assert snapshot["event"] == "snapshot"
        numbers = {w["name"]: w["number"] for w in snapshot["workstations"]}
        wall.show([numbers["pc-01"], numbers["pc-02"], 4_000_000_000])
        before = time.time()
        tiles = wall.first_tiles(numbers.values())
        for tile in tiles.values():
            assert tile.jpeg.startswith(b"\xff\xd8")
            assert before - 60 < tile.captured_at / 1000 < time.time() + 5
        seen = wall.until(
            lambda item: (
                isinstance(item, dict)
                and item.get("event") == "seen"
                and set(numbers.values()) <= set(item["numbers"])
            ),
            15,
        )
        assert abs(seen["now"] / 1000 - time.time()) < 5


def test_a_still_screen_sends_no_second_tile_and_a_change_does(api, desktops):
    with api.open(kind="wall", room="S12") as socket:
        wall = WallClient(socket)
        number = next(w["number"] for w in wall.next()["workstations"] if w["name"] == "pc-01")
        wall.show([number])
        first = wall.tile(number, 10)
        with pytest.raises(TimeoutError):
            wall.tile(number, 1.8)
        desktops["pc-01"].paint("#803020")
        second = wall.tile(number, 5)
        assert second.sequence > first.sequence
        assert second.jpeg != first.jpeg


def test_no_tile_comes_for_what_is_not_visible(api, desktops):
    with api.open(kind="wall", room="S12") as socket:
        wall = WallClient(socket)
        wall.next()
        with pytest.raises(TimeoutError):
            wall.until(lambda item: isinstance(item, Tile), 1.8)


def test_signing_out_closes_walls_and_screens_within_a_second(stack, desktops):
    api = stack.sign_in()
    wall = api.open(kind="wall", room="S12")
    screen = api.open(kind="screen", workstation=desktops["ids"]["pc-01"], mode="control")
    assert api.delete("session").status_code == 204
    since = time.monotonic()
    for socket in (wall, screen):
        with pytest.raises(ConnectionClosed):
            Bytes(socket).exactly(2**30, seconds=2)
    assert time.monotonic() - since < 1.0
    assert api.get("session").status_code == 401


def test_a_student_may_open_no_teacher_page_or_call(stack, desktops, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("a long enough password\n")
    stack.eopctl("user", "add", "lea", "--role", "student", "--password-file", str(secret))
    student = stack.sign_in("lea", "a long enough password")
    assert student.get("rooms").status_code == 403
    assert student.post("tickets", {"kind": "wall", "room": "S12"}).status_code == 403
    for page in ("observe/", "documents/", "passwords/", "lessons/", "admin/"):
        assert student.http.get(f"{stack.url}/{page}", timeout=10).status_code == 403, page


def test_wrong_passwords_lock_the_account_for_that_address(stack, tmp_path):
    secret = tmp_path / "password"
    secret.write_text("a long enough password\n")
    stack.eopctl("user", "add", "tom", "--role", "teacher", "--password-file", str(secret))
    statuses = [
        requests.post(
            f"{stack.url}/api/v1/session", json={"username": "tom", "password": "no"}, timeout=10
        ).status_code
        for _ in range(6)
    ]
    assert statuses[0] == 401
    assert statuses[-1] in {423, 429}


def test_what_was_looked_at_is_kept(stack, api, desktops):
    api.open(kind="screen", workstation=desktops["ids"]["pc-02"], mode="view").close()

    def kept():
        import sqlite3

        with sqlite3.connect(f"file:{stack.home}/var/lib/eop/eop.db?mode=ro", uri=True) as database:
            rows = database.execute('SELECT kind, "user" FROM audit').fetchall()
        database.close()
        return ("screen_opened", stack.login) in rows

    wait_until(kept, 15, "the event in the audit")


def test_diagnose_finds_everything_well(stack, desktops):
    report = json.loads(stack.eopctl("diagnose", "--json"))
    assert "remedy" not in json.dumps([c for c in report["checks"] if c["ok"]]) or report["ok"]
    assert all(check["ok"] for check in report["checks"]), report


class Bytes:
    """Exact reads from a WebSocket whose message borders mean nothing."""

    def __init__(self, socket):
        self.socket = socket
        self.buffer = b""

    def exactly(self, size, seconds=5):
        while len(self.buffer) < size:
            self.buffer += self.socket.recv(timeout=seconds)
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        return taken
