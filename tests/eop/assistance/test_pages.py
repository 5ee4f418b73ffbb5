import html
import re
from dataclasses import replace

import pytest

from eop import runner
from eop.assistance.pages import address_of
from tests.eop.installation import MOUNT, Browser

HELP = MOUNT + "/help"
STATEMENT = MOUNT + "/accessibility"
FRENCH = {"Accept-Language": "fr"}


def words(answer):
    """The text of a page, without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def told_to(house, contact):
    """The statement of an installation with this contact."""
    parts = replace(house.parts, site=replace(house.site, ACCESSIBILITY_CONTACT=contact))
    browser = Browser(house, "127.0.0.1")
    browser.client.application = runner.compose([parts.site], parts)
    return browser.open(STATEMENT)


def test_everyone_reads_the_statement_signed_in_or_not(house):
    for browser in (house.browser(), house.signed_in()):
        page = browser.open(STATEMENT)
        assert page.status_code == 200
        assert "partially conformant" in words(page)
        assert "Whom to write to: your IT staff" in words(page)


@pytest.mark.parametrize(
    ("contact", "link"),
    [
        ("help@school.test", 'href="mailto:help@school.test"'),
        ("https://school.test/help", 'href="https://school.test/help"'),
        ("Mme Roux, room 12", "<strong>Mme Roux, room 12</strong>"),
        ("javascript:alert(1)", "<strong>javascript:alert(1)</strong>"),
        ("<b>@x", 'href="mailto:&lt;b&gt;@x"'),
    ],
)
def test_the_statement_names_whom_the_setting_names(house, contact, link):
    assert link in told_to(house, contact).text


def test_a_contact_is_a_page_a_mail_or_words():
    assert address_of("") == ""
    assert address_of("a@b c@d") == ""
    assert address_of("ask a@b.test") == ""
    assert address_of("http://x.test") == "http://x.test"


def test_every_page_leads_to_the_statement_at_its_foot(house):
    house.add_workstation("pc-01", "S12")
    out, teacher = house.browser(), house.signed_in()
    pages = [out.open("/login"), out.open(MOUNT + "/nowhere"), out.open(STATEMENT)]
    pages += [
        teacher.open(path)
        for path in ("/account", MOUNT + "/", HELP, MOUNT + "/observe/wall?room=S12", "/logout")
    ]
    for page in pages:
        foot = re.search(r'<footer class="foot".*?</footer>', page.text, re.DOTALL)[0]
        assert f'href="{STATEMENT}"' in foot


def test_a_sign_in_service_alone_has_the_statement_at_its_door(house):
    browser = Browser(house, "127.0.0.1")
    browser.client.application = runner.compose([house.site], house.parts, "aaa")
    assert 'href="/login/accessibility"' in browser.open("/login").text
    page = browser.open("/login/accessibility")
    assert page.status_code == 200
    assert "Accessibility statement" in words(page)


def test_help_is_for_who_is_signed_in(house):
    answer = house.browser().open(HELP)
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith("/login?next=/eoleapps/eop/help")


def test_help_shows_every_place_to_a_teacher_and_what_is_theirs_to_others(house):
    house.add_user("zoe.martin", role="student")
    house.add_user("carla", role="administrator")
    teacher = words(house.signed_in().open(HELP))
    assert "On the wall" in teacher
    assert "How do I take control?" in teacher
    assert "G then W" in teacher
    assert "G then A" not in teacher
    assert "G then A" in words(house.signed_in("carla").open(HELP))
    student = words(house.signed_in("zoe.martin").open(HELP))
    assert "On the wall" not in student
    assert "G then M" in student


def test_the_dialog_of_a_page_holds_its_own_shortcuts(house):
    house.add_workstation("pc-01", "S12")
    browser = house.signed_in()
    dialogs = {}
    for path in ("/", "/observe/wall?room=S12"):
        page = browser.open(MOUNT + path).text
        dialogs[path] = re.search(r'<dialog class="dialog help".*?</dialog>', page, re.DOTALL)[0]
    assert "On the wall" in dialogs["/observe/wall?room=S12"]
    assert "On the wall" not in dialogs["/"]
    assert "Everywhere" in dialogs["/"]


def test_the_statement_has_no_help_for_who_is_not_signed_in(house):
    page = house.browser().open(STATEMENT).text
    assert "<dialog" not in page
    assert "help.js" not in page
