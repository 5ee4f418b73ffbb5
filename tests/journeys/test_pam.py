"""Teachers whose accounts are the machine's, in a real browser; eop-pam runs beside the rest."""

import os
import signal

import pytest

from eop.pam import client
from tests.desktops import wait_until
from tests.machine import HASH, PASSWORD, Account, hashed, needs_machine, new_machine, today
from tests.stack import EOPCTL, Stack

pytestmark = needs_machine

LOGINS = ("anne.martin", "bruno.petit", "chloe.roux", "denis.blanc")


@pytest.fixture(scope="module")
def machine():
    with new_machine() as made:
        made.add(
            Account("anne.martin"),
            Account("bruno.petit", changed=0),
            Account("chloe.roux", expires=today() - 1),
            Account("denis.blanc", "!" + HASH),
            Account("stranger"),
        )
        yield made


@pytest.fixture(scope="module")
def school(machine):
    """The whole product on that machine; `camille.lefevre` alone has a password of EOP's own."""
    command = machine.command(EOPCTL, "demo")
    with Stack(command=command, EOP_AUTHENTICATORS="local,pam") as running:
        for login in LOGINS:
            running.eopctl("user", "add", login, "--role", "teacher", "--no-password")
        yield running


def socket_of(school):
    return school.home / "run/eop-pam/eop-pam.sock"


def sign_in(page, school, login, password):
    page.goto(f"{school.origin}/eoleapps/eop/")
    page.fill("input[name=username]", login)
    page.fill("input[name=password]", password)
    page.click("form button[data-kind=main]")


def entered(page):
    """Whose name the page that opens shows."""
    return page.wait_for_selector(".me").inner_text()


def told(page):
    """What the door says."""
    return page.locator("#login-error").inner_text()


def test_a_teacher_of_the_machine_signs_in_with_its_password(page, school):
    sign_in(page, school, "Anne.Martin", PASSWORD)
    assert "Anne Martin" in entered(page)
    page.click(".me .out")
    page.goto(f"{school.origin}/eoleapps/eop/")
    page.wait_for_selector("input[name=password]")


def test_a_teacher_of_eop_itself_signs_in_as_before(page, school):
    sign_in(page, school, school.login, school.password)
    assert entered(page)


@pytest.mark.parametrize(
    ("login", "password", "words"),
    [
        ("anne.martin", "wrong", "Wrong user name or password."),
        ("bruno.petit", PASSWORD, "Your password must be changed first"),
        ("bruno.petit", "wrong", "Wrong user name or password."),
        ("chloe.roux", PASSWORD, "Your account has expired."),
        ("denis.blanc", PASSWORD, "Wrong user name or password."),
        ("stranger", PASSWORD, "EOP does not know you yet"),
        ("root", PASSWORD, "Wrong user name or password."),
    ],
)
def test_who_does_not_get_in_is_told_why_only_if_he_proved_who_he_is(
    page, school, login, password, words
):
    sign_in(page, school, login, password)
    assert words in told(page)
    assert page.url.startswith(f"{school.origin}/login")


def test_who_has_changed_his_password_gets_in(page, school, machine):
    sign_in(page, school, "bruno.petit", PASSWORD)
    assert "must be changed first" in told(page)
    machine.change(Account("bruno.petit", hashed("chosen by himself")))
    sign_in(page, school, "bruno.petit", "chosen by himself")
    assert entered(page)


def test_a_killed_helper_comes_back(page, school):
    def helpers():
        return {n for n, line in school.processes().items() if "-m eop.pam" in line}

    (killed,) = wait_until(helpers, 5, "eop-pam runs")
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: not client.answers(socket_of(school)), 5, "nobody answers for the machine")
    wait_until(lambda: client.answers(socket_of(school)), 10, "eop-pam is back")
    sign_in(page, school, "anne.martin", PASSWORD)
    assert entered(page)
