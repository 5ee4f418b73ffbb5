"""The sign-in service and EOP under two host names, in a real browser."""

import pytest

from tests.eop.aaa.test_codes import served
from tests.eop.conftest import house, quiet
from tests.eop.installation import MOUNT, PASSWORD

__all__ = ["house", "quiet", "served"]

HOME = f"**{MOUNT}/"


def fill(page):
    page.fill("input[name=username]", "camille")
    page.fill("input[name=password]", PASSWORD)
    page.click("form button[data-kind=main]")


@pytest.fixture
def entered(page, served):
    """Signed in by way of the other host, on the page that was asked for."""
    page.goto(f"{served.eop}{MOUNT}/observe/")
    assert page.url.startswith(f"{served.aaa}/login?application=")
    assert page.locator("button[data-kind=main]").evaluate(
        "e => getComputedStyle(e).backgroundColor"
    ) != page.locator("body").evaluate("e => getComputedStyle(e).backgroundColor")  # its files came
    fill(page)
    page.wait_for_url(f"{served.eop}{MOUNT}/observe/")
    return page


def test_the_form_leads_on_to_the_other_host_and_back_to_the_page(entered, served):
    entered.goto(f"{served.eop}{MOUNT}/")
    entered.wait_for_selector("h1:has-text('Camille')")


def test_signing_out_of_eop_signs_out_of_both(entered, served):
    entered.click(".me .out")
    entered.wait_for_selector("text=You are signed out")
    entered.click("text=Sign in again")
    entered.wait_for_url(f"{served.aaa}/login?**")
    fill(entered)
    entered.wait_for_url(f"{served.eop}{MOUNT}/")


def test_signing_out_of_the_service_signs_out_of_eop(entered, served):
    other = entered.context.new_page()
    other.goto(f"{served.aaa}/logout")
    other.click("main button[data-kind=main]")
    other.wait_for_url(f"{served.aaa}/login")
    entered.reload()
    assert entered.url.startswith(f"{served.aaa}/login?application=")
