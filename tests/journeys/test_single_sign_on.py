"""Single sign-on in a real browser, at servers that others maintain: django-cas-server for CAS,
oidc-provider for OpenID Connect.

Both are at `localhost`, EOP at `127.0.0.1`: to a browser, two sites.
"""

import re

import pytest

from tests.desktops import XvncDesktop, free_port, missing_programs
from tests.journeys.conftest import new_page
from tests.journeys.test_browser import until_live, until_status, wall_of
from tests.oidc_server import OidcServer
from tests.server_process import ModuleProcess
from tests.stack import Stack

USERS = {"anne.petit": "her own", "stranger": "his own"}
SECRET = "the client's secret: 100 % + more"
LABELS = ["ENT", "EduConnect"]
SHOWN_MS = 1000


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    """A product that knows both servers, and a teacher who has no password here."""
    assert not missing_programs(), f"install {missing_programs()}"
    secret = tmp_path_factory.mktemp("school") / "secret.txt"
    secret.write_text(SECRET + "\n")
    secret.chmod(0o600)
    stack, port = Stack(), free_port()
    here = f"http://127.0.0.1:{stack.web}"
    client = {
        "client_id": "eop",
        "client_secret": SECRET,
        "redirect_uris": [f"{here}/login/oidc/callback"],
        "post_logout_redirect_uris": [f"{here}/login"],
        "backchannel_logout_uri": f"{here}/login/oidc",
        "backchannel_logout_session_required": True,
    }
    accounts = [one for user in USERS.items() for one in ("--user", ":".join(user))]
    service = ("--service", r"^http://127\.0\.0\.1:\d+/login")
    with (
        ModuleProcess("tests.cas_server", "--port", str(port), *service, *accounts),
        OidcServer(client, USERS) as provider,
    ):
        stack.environment |= {
            "EOP_CAS_URL": f"http://localhost:{port}/cas",
            "EOP_CAS_LABEL": "ENT",
            "EOP_OIDC_ISSUER": provider.issuer,
            "EOP_OIDC_CLIENT_ID": "eop",
            "EOP_OIDC_CLIENT_SECRET_FILE": str(secret),
            "EOP_OIDC_LABEL": "EduConnect",
            "EOP_SINGLE_SIGN_OUT": "yes",
        }
        with stack:
            stack.eopctl("user", "add", "anne.petit", "--role", "teacher", "--no-password")
            stack.cas = stack.environment["EOP_CAS_URL"]
            stack.sign_out = {"ENT": stack.cas + "/logout", "EduConnect": provider.sign_out}
            yield stack


@pytest.fixture(scope="module")
def desktop(school, tmp_path_factory):
    with XvncDesktop(tmp_path_factory.mktemp("desktop")) as running:
        running.paint("#204080")
        yield school.add_workstation("pc-01", running)


def sign_on(page, label, username="anne.petit", password="her own"):
    """From the page one is on, the sign-in page, by its button to the server's own form."""
    page.click(f"text=Sign in with {label}")
    page.wait_for_url(re.compile("^http://localhost:"))  # EOP's own form has the same fields
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", password)
    page.click("button")


def until_in(page, url):
    """EOP lets one in at `url`, or the failure says what it said instead."""
    page.wait_for_url(re.compile(f"^{re.escape(url)}$|/callback"))
    assert page.url == url, page.inner_text("body")


def test_cas_leads_to_the_wall_that_was_asked_for(page, school, desktop):
    page.goto(wall_of(school))
    sign_on(page, "ENT")
    page.wait_for_url(wall_of(school))
    until_live(page, desktop)
    assert "Anne Petit" in page.locator(".me-name").inner_text()


def confirm(page, label):
    """OpenID Connect's provider asks whether one means it."""
    if label == "EduConnect":
        page.click("text=Yes, sign me out")


@pytest.mark.parametrize("label", LABELS)
def test_the_server_s_own_sign_out_closes_an_open_screen(page, school, desktop, label):
    page.goto(f"{school.url}/observe/screen/{desktop}")
    sign_on(page, label)
    page.wait_for_url(f"{school.url}/observe/screen/{desktop}")
    until_status(page, "open")
    elsewhere = page.context.new_page()
    elsewhere.goto(school.sign_out[label])
    confirm(elsewhere, label)
    assert "Signed out" in elsewhere.inner_text("h1")
    page.wait_for_selector('#stage:not([data-status="open"])', timeout=SHOWN_MS)
    page.goto(school.url + "/")
    assert "/login" in page.url


def test_openid_connect_leads_to_the_page_that_was_asked_for(page, school, desktop):
    page.goto(f"{school.url}/observe/screen/{desktop}")
    sign_on(page, "EduConnect")
    page.wait_for_url(f"{school.url}/observe/screen/{desktop}")
    until_status(page, "open")


def test_a_wrong_password_is_the_server_s_to_tell_and_the_way_goes_on(page, school):
    page.goto(school.url + "/")
    sign_on(page, "EduConnect", password="wrong")
    assert "Wrong." in page.inner_text("[role=alert]")
    page.fill("input[name=username]", "anne.petit")
    page.fill("input[name=password]", "her own")
    page.click("button")
    page.wait_for_url(school.url + "/")


@pytest.mark.parametrize("label", LABELS)
def test_signing_out_of_eop_signs_out_of_the_server(page, school, label):
    page.goto(school.url + "/")
    sign_on(page, label)
    until_in(page, school.url + "/")
    page.click(".banner .out >> visible=true")
    confirm(page, label)
    page.wait_for_url(school.origin + "/login")
    page.click(f"text=Sign in with {label}")
    page.wait_for_url(re.compile("^http://localhost:"))
    page.wait_for_selector("input[name=password]")  # asked again


@pytest.mark.parametrize("label", LABELS)
def test_whom_eop_does_not_know_reads_what_to_do(page, school, label):
    page.goto(school.url + "/")
    sign_on(page, label, "stranger", "his own")
    told = page.locator("#login-error").inner_text()
    assert "EOP does not yet. Tell your IT staff." in told
    assert page.locator("input[name=password]").is_visible()


def test_the_buttons_are_reached_by_keyboard_and_fit_a_phone(browser, school):
    with new_page(browser) as page:
        page.set_viewport_size({"width": 390, "height": 844})
        page.goto(school.origin + "/login")
        page.locator("form button[type=submit]").focus()
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Sign in with ENT"
        overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert page.evaluate(overflow) <= 0


def test_with_one_server_alone_every_way_leads_there(browser, school):
    """The same site again, set so; a form that was sent too late gets there, too."""
    only = Stack()
    only.environment |= {
        "EOP_CAS_URL": school.cas,
        "EOP_SINGLE_SIGN_ON_ONLY": "yes",
    }
    with only:
        only.eopctl("user", "add", "anne.petit", "--role", "teacher", "--no-password")
        with new_page(browser) as page:
            page.goto(only.url + "/")
            page.wait_for_url(school.cas + "/login**")
            page.fill("input[name=username]", "anne.petit")
            page.fill("input[name=password]", "her own")
            page.click("button")
            page.wait_for_url(only.url + "/")
            page.context.new_page().goto(school.cas + "/logout")
            page.click("summary[aria-label=Language]")
            page.click("button[value=fr] >> visible=true")
            page.wait_for_url(school.cas + "/login**")
            page.goto(only.origin + "/login?local=1")
            page.fill("input[name=username]", only.login)
            page.fill("input[name=password]", only.password)
            page.click("form button[data-kind=main]")
            page.wait_for_url(only.url + "/")
            page.click(".banner .out >> visible=true")
            page.wait_for_url(only.origin + "/login?out=1")
            assert page.locator("text=Sign in with CAS").is_visible()
