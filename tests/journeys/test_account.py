"""What stands between a password and the session, and one's own account, in a real browser."""

import re
import time

import pyotp
import pytest

from tests.desktops import missing_programs
from tests.journeys.conftest import new_page
from tests.stack import Stack

FIRST, OWN = "handed out on paper", "seven quiet horses"
PATIENCE = 15_000  # ms; the first picture of a desktop on a busy machine
STEP_SECONDS = 30


@pytest.fixture(scope="module")
def strict():
    """A school where handed-out passwords are changed, and administrators show two factors."""
    assert not missing_programs(), f"install {missing_programs()}"
    with Stack(
        workstations=1, EOP_PASSWORD_INITIAL="yes", EOP_TOTP_REQUIRED_ROLES="administrator"
    ) as running:
        yield running


def add_user(stack, login, role, *more, password=FIRST):
    secret = stack.folder / f"{login}.txt"
    secret.write_text(password + "\n")
    secret.chmod(0o600)
    stack.eopctl("user", "add", login, "--role", role, "--password-file", str(secret), *more)


def enter(page, stack, login, password):
    page.goto(f"{stack.origin}/eoleapps/eop/")
    page.fill("input[name=username]", login)
    page.fill("input[name=password]", password)
    page.click("form button[data-kind=main]")


def key_on(page):
    return page.locator(".secret").inner_text().replace(" ", "")


def unused_code(key, used):
    """A code that is taken now and was not before."""
    totp, now = pyotp.TOTP(key), time.time()
    return next(code for at in (now, now + STEP_SECONDS) if (code := totp.at(int(at))) not in used)


def test_a_handed_out_password_is_changed_at_the_first_sign_in(page, strict):
    add_user(strict, "lea", "teacher")
    enter(page, strict, "lea", FIRST)
    page.wait_for_url("**/login/step")
    assert page.evaluate("document.activeElement.name") == "password"
    page.fill("input[name=password]", OWN)
    page.fill("input[name=again]", "something else")
    page.click("form button[data-kind=main]")
    assert page.evaluate("document.querySelector('[name=again]').validationMessage") == (
        "The two new passwords are not the same."
    )
    page.fill("input[name=password]", "password1")
    page.fill("input[name=again]", "password1")
    page.click("form button[data-kind=main]")
    assert "too easy to guess" in page.locator("[role=alert]").inner_text()
    page.goto(f"{strict.url}/")
    assert "/login" in page.url, "there is no session yet"
    page.goto(f"{strict.origin}/login/step")
    page.fill("input[name=password]", OWN)
    page.fill("input[name=again]", OWN)
    page.click("form button[data-kind=main]")
    page.wait_for_url("**/eoleapps/eop/")
    assert "Lea" in page.locator("h1").inner_text()


def test_an_administrator_sets_up_a_second_factor_and_shows_it_afterwards(page, browser, strict):
    add_user(strict, "root", "administrator", "--no-change", password=OWN)
    enter(page, strict, "root", OWN)
    page.wait_for_url("**/login/step")
    assert page.locator("img.qr").evaluate("e => e.naturalWidth > 100")
    key = key_on(page)
    used = {unused_code(key, set())}
    page.fill("input[name=code]", *used)
    page.click("form button[data-kind=main]")
    page.wait_for_selector(".codes li")
    recovery = page.locator(".codes li").all_inner_texts()
    assert len(recovery) == 10
    page.click("text=I have kept them")
    page.wait_for_url("**/eoleapps/eop/")
    with new_page(browser) as again:
        enter(again, strict, "root", OWN)
        again.wait_for_url("**/login/step")
        again.fill("input[name=code]", *used)
        again.click("form button[data-kind=main]")
        assert "was used already" in again.locator("[role=alert]").inner_text()
        again.fill("input[name=code]", unused_code(key, used))
        again.click("form button[data-kind=main]")
        again.wait_for_url("**/eoleapps/eop/")
    with new_page(browser) as without_phone:
        enter(without_phone, strict, "root", OWN)
        without_phone.fill("input[name=code]", recovery[0])
        without_phone.click("form button[data-kind=main]")
        without_phone.wait_for_url("**/eoleapps/eop/")


def test_five_failures_are_told_to_have_locked_the_account(page, strict):
    add_user(strict, "tom", "teacher", "--no-change", password=OWN)
    for _ in range(5):
        enter(page, strict, "tom", "wrong")
        assert "Wrong user name or password." in page.locator("[role=alert]").inner_text()
    enter(page, strict, "tom", OWN)
    told = page.locator("[role=alert]").inner_text()
    assert re.fullmatch(r"Too many attempts\. Try again in 30 min\.", told.strip())
    strict.eopctl("user", "unlock", "tom")
    enter(page, strict, "tom", OWN)
    page.wait_for_url("**/eoleapps/eop/")


def test_signing_out_elsewhere_closes_the_other_browser_and_its_screen(page, browser, strict):
    (workstation,) = [one["id"] for one in strict.sign_in().get("workstations").json()]
    with new_page(browser) as elsewhere:
        enter(elsewhere, strict, strict.login, strict.password)
        elsewhere.wait_for_url("**/eoleapps/eop/")
        elsewhere.goto(f"{strict.url}/observe/screen/{workstation}")
        elsewhere.wait_for_selector('#stage[data-status="open"]', timeout=PATIENCE)
        enter(page, strict, strict.login, strict.password)
        page.wait_for_url("**/eoleapps/eop/")
        page.click("a.me-name")
        page.wait_for_url("**/account")
        assert page.locator("tbody tr").count() >= 2
        assert "This browser" in page.locator("tbody tr").first.inner_text()
        page.click("text=Sign out everywhere else")
        page.wait_for_url("**/account?done=sessions")
        assert page.locator("tbody tr").count() == 1
        elsewhere.wait_for_selector('#stage:not([data-status="open"])', timeout=5000)
        elsewhere.goto(f"{strict.url}/")
        assert "/login" in elsewhere.url
    page.reload()
    assert page.locator("h1").inner_text() == "My account"


def test_another_password_keeps_this_browser_signed_in_alone(page, browser, strict):
    add_user(strict, "ines", "teacher", "--no-change", password=FIRST)
    with new_page(browser) as elsewhere:
        for one in (elsewhere, page):
            enter(one, strict, "ines", FIRST)
            one.wait_for_url("**/eoleapps/eop/")
        page.goto(f"{strict.origin}/account")
        page.fill("input[name=current]", FIRST)
        page.fill("input[name=password]", OWN)
        page.fill("input[name=again]", OWN)
        page.click("text=Change the password")
        page.wait_for_url("**/account?done=password")
        assert "Your password was changed." in page.locator("[role=status]").inner_text()
        elsewhere.goto(f"{strict.url}/")
        assert "/login" in elsewhere.url
        enter(elsewhere, strict, "ines", OWN)
        elsewhere.wait_for_url("**/eoleapps/eop/")


def test_a_student_has_an_account_page_and_finds_it_by_keyboard(page, strict):
    add_user(strict, "zoe", "student", "--no-change", password=OWN)
    enter(page, strict, "zoe", OWN)
    page.wait_for_url("**/eleve/documents")
    page.locator("a.me-name").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/account")
    assert page.locator("input[name=current]").count() == 1
