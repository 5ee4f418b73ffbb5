import csv
import io
import threading

import pytest

from controle_vnc.rfb.constants import SecurityType as T
from controle_vnc.rfb.security_types import ra2
from controle_vnc.rfb.security_types.trust import fingerprint
from eop.administration import workstations
from tests.controle_vnc.rfb.security_types.pairs import lock_of, rsa_key
from tests.desktops import free_port, wait_until
from tests.eop.administration.pages import follow, get, send, words
from tests.fakes.locked_screen import LockedScreen

PATH = "/admin/workstations"


@pytest.fixture
def boss(school):
    return school.signed_in("carla")


def fields(**values):
    return {"name": "pc-02", "room": "S14", "address": "127.0.0.1", "port": "5901", **values}


def known(school):
    return {one.name: one for one in school.parts.daemon.workstations(sign_in=True)}


def password_of(school, name):
    """What controle-vnc keeps; no message tells it."""
    from controle_vnc.store import Store, read_key

    store = Store(school.shared.store_file, read_key(school.shared.store_key_file))
    try:
        return next(one.password for one in store.workstations() if one.name == name)
    finally:
        store.close()


def state(school, name="pc-01"):
    return known(school)[name].state


def test_the_list_says_how_each_is_why_and_what_to_do(school, boss):
    school.add_user("zoe", role="student")
    get(boss, PATH)
    wait_until(lambda: state(school) == "refused", 5, "the first look")
    page = get(boss, PATH)
    assert "Workstations: 1, rooms: 1. Answering: 0, to be looked at: 1." in words(page)
    assert "pc-01 Zoe S12 127.0.0.1:" in words(page)
    assert "Connection refused No VNC server listens there." in words(page)
    assert f'action="/eoleapps/eop{PATH}/{school.id}/probe"' in page.text
    assert "data-again" not in page.text


def test_the_list_renews_itself_while_something_is_being_looked_at(school, boss):
    assert "data-again" in get(boss, PATH, done="looking").text


def test_hundreds_of_workstations_are_on_pages_and_found(school, boss):
    from controle_vnc.control.messages import SaveWorkstation

    many = [
        SaveWorkstation(name=f"x-{n}", room=f"R{n % 7}", address="unix:/nowhere")
        for n in range(300)
    ]
    assert school.parts.daemon.save_all(many, "carla") == 300
    page = get(boss, PATH, sort="name")
    assert "1 to 50 of 301" in words(page)
    assert page.text.count("<tr>") == 51
    assert "301 to 301 of 301" in words(get(boss, PATH, sort="name", page="7"))
    one = get(boss, PATH, text="x-299")
    assert "1 to 1 of 1" in words(one)
    assert "1 to 42 of 42" in words(get(boss, PATH, room="R6"))
    assert "No workstation fits." in words(get(boss, PATH, text="nothing of the kind"))


def test_what_is_asked_is_kept_by_the_next_page_and_by_a_head(school, boss):
    page = get(boss, PATH, text="pc", sort="name").text
    assert 'name="sorted" value="name"' in page
    assert 'aria-sort="ascending"' in page
    assert 'value="-name"' in page
    turned = get(boss, PATH, sorted="name", sort="-name").text
    assert 'aria-sort="descending"' in turned
    assert get(boss, PATH, sort="x" * 500, page="9" * 30, text="y" * 500).status_code == 200


def test_a_workstation_is_added_with_a_password_that_is_never_shown(school, boss):
    page = follow(boss, send(boss, PATH + "/new", **fields(password="hush-hush", user="malo")))
    assert "The workstation was added." in words(page)
    assert "hush-hush" not in page.text
    added = known(school)["pc-02"]
    assert (added.room, added.address, added.user) == ("S14", "127.0.0.1:5901", "malo")
    assert password_of(school, "pc-02") == b"hush-hush"
    for verb in ("", "/look", "/probe"):
        assert f'action="/eoleapps/eop{PATH}/{added.id}{verb}"' in page.text
    event = school.daemon.journal.after(0)[-1]
    assert (event.kind, event.user) == ("workstation_added", "carla")


def test_it_is_renamed_and_moved_and_its_password_stays_unless_it_is_told(school, boss):
    here = f"{PATH}/{school.id}"
    page = follow(boss, send(boss, here, **fields(name="pc-99", user="")))
    assert "The workstation was changed." in words(page)
    changed = known(school)["pc-99"]
    assert (changed.id, changed.room, changed.user) == (school.id, "S14", None)
    assert password_of(school, "pc-99") == b"pw"
    send(boss, here, **fields(name="pc-99", password="another"))
    assert password_of(school, "pc-99") == b"another"
    send(boss, here, **fields(name="pc-99", no_password="yes"))
    assert password_of(school, "pc-99") is None


def test_whom_we_sign_in_as_and_what_the_server_is_known_by_are_kept(school, boss):
    here, pin = f"{PATH}/{school.id}", "rsa-sha256:" + "0a" * 32
    page = follow(boss, send(boss, here, **fields(name="pc-01", vnc_user="eop", trust=pin.upper())))
    assert f"It is known by {pin}." in words(page)
    assert 'value="eop"' in page.text
    changed = known(school)["pc-01"]
    assert (changed.vnc_user, changed.trust) == ("eop", pin)
    send(boss, here, **fields(name="pc-01", vnc_user=""))
    changed = known(school)["pc-01"]
    assert (changed.vnc_user, changed.trust) == (None, pin)
    send(boss, here, **fields(name="pc-01", no_trust="yes"))
    assert known(school)["pc-01"].trust is None
    answer = send(boss, here, **fields(name="pc-01", trust="a guess"))
    assert answer.status_code == 422
    assert "Write x509-sha256:, rsa-sha256: or" in words(answer)


def test_a_key_that_nobody_has_confirmed_is_confirmed_with_one_press(school, boss):
    pin = fingerprint("rsa", ra2.public_key(rsa_key()).wire)
    with LockedScreen(lock_of(T.RA2_256, password=b"pw")) as screen:
        here, at = f"{PATH}/{school.id}", str(screen.port)
        form = fields(name="pc-01", address="127.0.0.1", port=at, user="zoe.martin")
        send(boss, here, **form, password="pw")
        words_of = words(send(boss, f"{here}/probe"))
        assert f"the server shows {pin}, which nobody has confirmed" in words_of
        page = get(boss, here)
        assert f'name="shown" value="{pin}"' in page.text
        assert "Nothing was sent to it." in words(page)
        assert screen.kinds == []
        assert send(boss, f"{here}/trust", shown="any").status_code == 422
        assert known(school)["pc-01"].trust is None
        page = follow(boss, send(boss, f"{here}/trust", shown=pin))
        assert "EOP trusts that key from now on." in words(page)
        assert "Trust this key" not in words(page)
        one = known(school)["pc-01"]
        assert (one.trust, one.user, password_of(school, "pc-01")) == (pin, "zoe.martin", b"pw")
        assert "The VNC server refused" not in words(send(boss, f"{here}/probe"))
        assert T.RA2_256 in screen.kinds
        event = school.daemon.journal.after(0)[-1]
        assert (event.user, event.details["changed"]) == ("carla", "trust")
        assert (event.details["known"], event.details["shown"]) == ("", pin)


def test_another_address_offers_to_forget_the_key_of_the_former_one(school, boss):
    here, pin = f"{PATH}/{school.id}", "x509-sha256:" + "0a" * 32
    send(boss, here, **fields(name="pc-01", port="5901", trust=pin))
    same = follow(boss, send(boss, here, **fields(name="pc-01", port="5901")))
    assert "The workstation was changed." in words(same)
    assert "key of its former address" not in words(same)
    moved = follow(boss, send(boss, here, **fields(name="pc-01", port="5902")))
    assert "key of its former address" in words(moved)
    forgot = follow(boss, send(boss, here, **fields(name="pc-01", port="5903", no_trust="yes")))
    assert "key of its former address" not in words(forgot)


def test_what_is_wrong_is_marked_at_its_field_and_what_was_typed_stays(school, boss):
    answer = send(boss, PATH + "/new", **fields(name="", address="a b", port="x", password="hush"))
    assert answer.status_code == 422
    assert answer.text.count('aria-invalid="true"') == 2
    assert "The name has 1 to 64 printable characters." in words(answer)
    assert 'value="a b"' in answer.text
    assert "hush" not in answer.text
    assert list(known(school)) == ["pc-01"]


def test_a_name_that_is_taken_is_told(school, boss):
    answer = send(boss, PATH + "/new", **fields(name="pc-01"))
    assert answer.status_code == 422
    assert "There is a workstation of that name already." in words(answer)
    other = school.add_workstation("pc-02", "S12")
    answer = send(boss, f"{PATH}/{other}", **fields(name="pc-01"))
    assert "There is a workstation of that name already." in words(answer)
    assert set(known(school)) == {"pc-01", "pc-02"}


def test_removing_asks_first(school, boss):
    here = f"{PATH}/{school.id}/remove"
    assert "Remove pc-01 of room S12?" in words(get(boss, here))
    assert "pc-01" in known(school)
    page = follow(boss, send(boss, here))
    assert "The workstation was removed." in words(page)
    assert "There is none yet." in words(page)
    event = school.daemon.journal.after(0)[-1]
    assert (event.kind, event.user) == ("workstation_removed", "carla")


def test_looking_again_finds_what_has_changed(school, boss):
    page = follow(boss, send(boss, f"{PATH}/{school.id}/look", room="S12"))
    assert "They are being looked at" in words(page)
    wait_until(lambda: state(school) == "refused", 5, "the look")
    page = follow(boss, send(boss, f"{PATH}/{school.id}/look", **{"from": "one"}))
    assert "<h1>pc-01</h1>" in page.text


def test_all_of_a_room_are_looked_at(school, boss):
    school.add_workstation("pc-02", "S14")
    follow(boss, send(boss, PATH + "/look", room="S14"))
    wait_until(lambda: state(school, "pc-02") == "refused", 5, "the look")


def test_a_diagnosis_shows_each_step_and_the_command(school, boss):
    page = send(boss, f"{PATH}/{school.id}/probe")
    assert page.status_code == 200
    assert "Error Connection to the address" in words(page)
    assert "eopctl workstation test pc-01" in page.text


def test_few_are_diagnosed_at_once(school, boss, monkeypatch):
    taken = threading.BoundedSemaphore(1)
    taken.acquire()
    monkeypatch.setattr(workstations, "_probes", taken)
    page = send(boss, f"{PATH}/{school.id}/probe")
    assert page.status_code == 503
    assert "Others are being diagnosed just now." in words(page)


def test_the_export_holds_what_the_list_shows_and_no_password(school, boss):
    school.add_workstation("=cmd", "S14")
    answer = get(boss, PATH + "/export", room="S14")
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="workstations-')
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[0] == ["name", "room", "address", "port", "user", "vnc_user", "trust"]
    assert [row[:2] for row in rows[1:]] == [["'=cmd", "S14"]]


def test_a_daemon_that_is_down_is_told(school, boss):
    school.stop_daemon()
    page = get(boss, PATH)
    assert page.status_code == 503
    assert "controle-vnc does not answer." in words(page)
    answer = send(boss, PATH + "/new", **fields(port=str(free_port())))
    assert answer.status_code == 503
    assert 'value="pc-02"' in answer.text


@pytest.mark.parametrize("id_", ["nothing", "x" * 300, "../admin", "0" * 12])
def test_one_that_is_not_there_is_told(school, boss, id_):
    assert get(boss, f"{PATH}/{id_}").status_code == 404
    assert send(boss, f"{PATH}/{id_}/look").status_code == 404


def test_hostile_names_stay_text(school, boss):
    name = '<script>alert("x")</script>'
    send(boss, PATH + "/new", **fields(name=name, room='"><b>'))
    for page in (get(boss, PATH), get(boss, "/admin/rooms")):
        assert "<script>alert" not in page.text
        assert '"><b>' not in page.text
