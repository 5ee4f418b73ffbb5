"""Applications beside EOP, in both modes; the sample is what somebody else would write."""

import json
import os
from dataclasses import replace

import pytest
from werkzeug.test import Client

from controle_vnc.errors import SettingsError
from eop import runner, services
from eop.aaa.session import new_token
from eop.settings import available_folder, enabled_folder
from tests.eop.installation import MOUNT, PASSWORD, Browser
from tests.redis_server import RedisServer

FACTORY = "tests.fakes.sample_application:create_app"
SHARED, OWN = "/eoleapps/shared", "/eoleapps/own"


def enable(name, **values):
    """The file of an application, linked as an administrator does."""
    path = available_folder() / f"{name}.conf"
    path.write_text(json.dumps(values))
    path.chmod(0o640)
    (enabled_folder() / f"{name}.conf").symlink_to(path)
    return path


@pytest.fixture
def applications(quiet):
    """EOP, and the sample twice: with the session of all, and with one of its own."""
    quiet.add_user()
    enable("shared", APPNAME="shared", MOUNT_POINT=SHARED, FACTORY=FACTORY)
    enable("own", APPNAME="own", MOUNT_POINT=OWN, FACTORY=FACTORY, SESSION_MODE="local")
    return quiet


class Visitor(Browser):
    """A browser before everything that is enabled."""

    def __init__(self, installation, **settings):
        super().__init__(installation, f"127.0.0.1:{installation.shared.WEB_PORT}")
        sites = [replace(site, **settings) for site in runner.enabled().values()]
        self.client = Client(runner.compose(sites, installation.parts))

    def enter(self, door, username="camille", password=PASSWORD, following=""):
        form = {"username": username, "password": password, "next": following}
        return self.open(door, "POST", data=form)

    def cookies(self):
        return {name for _, _, name in self.client._cookies if "session" in name}

    def leave(self, door):
        page = self.open(door).text
        token = page.split('name="csrf_token" value="')[1].split('"')[0]
        return self.open(door, "POST", data={"csrf_token": token})


@pytest.fixture
def visitor(applications):
    return Visitor(applications)


def test_an_application_leads_to_the_door_of_all_and_back(visitor):
    asked = visitor.open(SHARED + "/?shelf=2")
    assert (asked.status_code, asked.headers["Location"]) == (
        303, f"/login?next={SHARED}/%3Fshelf%3D2",
    )  # fmt: skip
    entered = visitor.enter("/login", following=f"{SHARED}/?shelf=2")
    assert entered.headers["Location"] == f"{SHARED}/?shelf=2"
    assert "Camille (camille)" in visitor.open(SHARED + "/").text


def test_one_sign_in_opens_every_application_with_the_session_of_all(visitor):
    visitor.enter("/login")
    assert visitor.open(MOUNT + "/").status_code == 200
    assert visitor.open(SHARED + "/").status_code == 200
    assert visitor.open("/eoleauth").text == "camille"
    assert visitor.cookies() == {"eop_session"}


def test_an_application_of_its_own_leads_to_its_own_door_and_back(visitor):
    asked = visitor.open(OWN + "/")
    assert asked.headers["Location"] == f"{OWN}/login?next={OWN}/"
    door = visitor.open(asked.headers["Location"])
    assert f'action="{OWN}/login"' in door.text
    assert f'href="{MOUNT}/static/eop.css"' in door.text
    assert "default-src 'none'" in door.headers["Content-Security-Policy"]
    entered = visitor.enter(f"{OWN}/login", following=f"{OWN}/")
    assert entered.headers["Location"] == f"{OWN}/"
    assert "camille" in visitor.open(OWN + "/").text
    assert visitor.cookies() == {"eop_session_own"}


def test_neither_session_opens_what_is_the_others(visitor):
    visitor.enter(f"{OWN}/login")
    assert visitor.open(MOUNT + "/").status_code == 303
    assert visitor.open(SHARED + "/").status_code == 303
    assert visitor.open("/eoleauth").status_code == 401
    other = Visitor(visitor.installation)
    other.enter("/login")
    assert other.open(OWN + "/").status_code == 303


@pytest.mark.parametrize(("given", "taken"), [("eop_session", "eop_session_own"),
                                              ("eop_session_own", "eop_session")])  # fmt: skip
def test_a_token_under_the_name_of_another_cookie_opens_nothing(visitor, given, taken):
    visitor.enter("/login" if given == "eop_session" else f"{OWN}/login")
    token = visitor.client.get_cookie(given, domain="127.0.0.1").value
    thief = Visitor(visitor.installation)
    thief.client.set_cookie(taken, token, domain="127.0.0.1")
    assert thief.open(OWN + "/").status_code == 303
    assert thief.open(SHARED + "/").status_code == 303


def test_the_door_of_one_application_hands_out_no_codes_for_another(applications):
    elsewhere = "https://library.example/library"
    applications.parts = replace(
        applications.parts, site=replace(applications.site, APPLICATIONS=[elsewhere])
    )
    for door, page in ((f"{OWN}/login", f"{OWN}/"), ("/login", f"{elsewhere}/session")):
        visitor = Visitor(applications, APPLICATIONS=[elsewhere])
        visitor.enter(door)
        asked = f"{door}?application={elsewhere}&state={new_token()}"
        answer = visitor.open(asked)
        assert answer.headers["Location"].partition("?")[0] == page


@pytest.mark.parametrize("path", ["/session", "/login/help"])
def test_pages_beside_its_door_arrive_at_an_application_of_its_own(visitor, path):
    assert visitor.open(OWN + path).text == "its own page"


def test_its_page_for_codes_is_the_doors_where_the_sign_in_service_is_elsewhere(applications):
    visitor = Visitor(applications, AAA_URL="https://aaa.example")
    assert visitor.open(OWN + "/session").status_code == 403  # the door's: there was no code
    assert visitor.open(OWN + "/login").headers["Location"].startswith("https://aaa.example/login")
    assert visitor.open(OWN + "/login/help").text == "its own page"


def test_signing_out_of_one_leaves_the_other(visitor):
    visitor.enter("/login")
    visitor.enter(f"{OWN}/login")
    gone = visitor.leave(f"{OWN}/logout")
    assert gone.headers["Location"] == f"{OWN}/login"
    assert visitor.open(OWN + "/").status_code == 303
    assert visitor.open(SHARED + "/").status_code == 200
    visitor.enter(f"{OWN}/login")
    assert visitor.leave("/logout").headers["Location"] == "/login"
    assert visitor.open(OWN + "/").status_code == 200
    assert visitor.open(SHARED + "/").status_code == 303


def test_the_session_says_which_application_it_is_of(visitor):
    visitor.enter("/login")
    visitor.enter(f"{OWN}/login")
    parts = visitor.installation.parts
    with parts.database.read() as connection:
        listed = parts.door.sessions.live(connection, parts.now_ms())
    assert [one.application for one in listed] == ["", "own"]


def test_a_change_needs_the_token_of_the_session(visitor):
    assert visitor.open(SHARED + "/borrow", "POST").headers["Location"] == "/login"
    visitor.enter("/login")
    page = visitor.open(SHARED + "/").text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    assert visitor.open(SHARED + "/borrow", "POST", data={"csrf_token": "x"}).status_code == 403
    done = visitor.open(SHARED + "/borrow", "POST", data={"csrf_token": token})
    assert done.text == "borrowed by camille"
    foreign = {"Origin": "https://evil.example"}
    answer = visitor.open(SHARED + "/borrow", "POST", data={"csrf_token": token}, headers=foreign)
    assert answer.status_code == 403


def test_a_right_that_is_missing_is_told_in_plain_text(visitor):
    visitor.enter("/login")
    answer = visitor.open(SHARED + "/shelves")
    assert (answer.status_code, answer.mimetype) == (403, "text/plain")
    assert answer.text == "Your account does not open EOP: it is for teachers."
    visitor.installation.add_user("root", "administrator")
    administrator = Visitor(visitor.installation)
    administrator.enter("/login", "root")
    assert administrator.open(SHARED + "/shelves").text == "the shelves"


def test_a_page_without_the_decorator_is_everybodys(visitor):
    assert visitor.open(SHARED + "/open").text == "open"


@pytest.mark.parametrize("following", ["//evil.example", "/\\evil.example", "https://evil.example"])
def test_a_door_of_its_own_leads_nowhere_else_either(visitor, following):
    entered = visitor.enter(f"{OWN}/login", following=following)
    assert entered.headers["Location"] == f"{OWN}/"


def test_wrong_passwords_are_counted_over_all_doors_together(visitor):
    for door in ("/login", f"{OWN}/login", f"{OWN}/login", "/login", f"{OWN}/login"):
        assert visitor.enter(door, password="wrong").status_code == 401
    assert visitor.enter("/login").status_code == 423
    assert visitor.enter(f"{OWN}/login").status_code == 423


def test_eop_itself_can_have_sessions_of_its_own(quiet):
    quiet.site = replace(quiet.site, SESSION_MODE="local")
    quiet.parts = replace(quiet.parts, site=quiet.site)
    quiet.add_user()
    browser = quiet.browser()
    assert browser.open(MOUNT + "/").headers["Location"] == f"{MOUNT}/login?next={MOUNT}/"
    assert f'action="{MOUNT}/login"' in browser.open(f"{MOUNT}/login").text
    assert browser.sign_in().headers["Set-Cookie"].startswith("eop_session_eop=")
    assert f'action="{MOUNT}/logout"' in browser.open(MOUNT + "/").text
    assert browser.open("/eoleauth").status_code == 401
    assert browser.delete("session").status_code == 204
    assert browser.get("session").status_code == 401


def test_when_the_store_is_down_every_page_says_so_and_none_opens(applications, caplog):
    with RedisServer() as server:
        site = replace(applications.site, SESSION_STORE=server.url)
        applications.site = site
        applications.parts.close()
        applications.parts = services.make(site, applications.shared, applications.clock)
        visitor = Visitor(applications)
        visitor.enter("/login")
        assert visitor.open(SHARED + "/").status_code == 200
        server.stop()
        for path in (MOUNT + "/", SHARED + "/", "/login", "/eoleauth"):
            answer = visitor.open(path)
            assert answer.status_code == 503, path
            assert "Sign-in does not work just now" in answer.text
        assert visitor.get("session").json["error"]["code"] == "sessions_down"
        stranger = Visitor(applications)
        assert stranger.open("/login").status_code == 200
        entered = stranger.enter("/login")
        assert entered.status_code == 503
        assert "Sign-in does not work just now" in entered.text
        assert "Set-Cookie" not in entered.headers
        assert caplog.text.count("the session store does not answer") == 1
        server.start()
        assert visitor.open(SHARED + "/").status_code == 303


# what the runner takes


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"MOUNT_POINT": None}, "MOUNT_POINT is missing"),
        ({"APPNAME": None}, "APPNAME is missing"),
        ({"SESSION_KEY": "x" * 40}, "SESSION_KEY does not belong here"),
        ({"HSTS": 1}, "HSTS does not belong here"),
        ({"TITLE": "x"}, "TITLE does not belong here"),
        ({"SESSION_MODE": "shared"}, 'SESSION_MODE must be "global" or "local"'),
        ({"FACTORY": "os.system"}, "FACTORY must look like"),
        ({"FACTORY": "package:create app"}, "FACTORY must look like"),
        ({"APPNAME": "Own"}, "APPNAME must be"),
        ({"APPNAME": "a" * 33}, "APPNAME must be"),
        ({"APPNAME": "aaa"}, "is the sign-in service's"),
        ({"APPNAME": "eop"}, "APPNAME eop is taken"),
        ({"MOUNT_POINT": MOUNT}, "is taken"),
        ({"MOUNT_POINT": "/login"}, "belongs to the sign-in service"),
    ],
)
def test_a_wrong_file_of_an_application_is_refused(quiet, values, words):
    right = {"APPNAME": "other", "MOUNT_POINT": "/other", "FACTORY": FACTORY}
    enable("other", **{k: v for k, v in (right | values).items() if v is not None})
    with pytest.raises(SettingsError, match="other.conf") as refused:
        runner.enabled()
    assert words in str(refused.value)


def test_a_file_that_everyone_may_read_or_somebody_else_owns_is_refused(quiet, monkeypatch):
    path = enable("other", APPNAME="other", MOUNT_POINT="/other", FACTORY=FACTORY)
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="readable by everyone"):
        runner.enabled()
    path.chmod(0o640)
    monkeypatch.setattr("eop.settings.os.geteuid", lambda: 12345)
    if os.getuid() == 0:  # whose own files are always good
        os.chown(path, 54321, -1)
    with pytest.raises(SettingsError, match="belongs to somebody else"):
        runner.enabled()


def test_a_factory_that_is_not_there_is_named(quiet):
    enable("other", APPNAME="other", MOUNT_POINT="/other", FACTORY="no.such:thing")
    with pytest.raises(SettingsError, match="FACTORY of other: no.such:thing"):
        runner.load()


def test_other_applications_need_the_site_beside_them(quiet):
    (enabled_folder() / "eop.conf").unlink()
    enable("other", APPNAME="other", MOUNT_POINT="/other", FACTORY=FACTORY)
    with pytest.raises(SettingsError, match="cannot be alone"):
        runner.enabled()


def test_eop_comes_first_whatever_the_names_of_the_files(applications):
    enable("a", APPNAME="first", MOUNT_POINT="/first", FACTORY=FACTORY)
    sites = list(runner.enabled().values())
    assert [site.APPNAME for site in sites] == ["eop", "first", "own", "shared"]
    assert sites[1].SESSION_KEY == sites[0].SESSION_KEY
