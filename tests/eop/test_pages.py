import re

import pytest

from tests.eop.installation import MOUNT

HOME = MOUNT + "/"
FRENCH = {"Accept-Language": "fr-FR,fr;q=0.9,en;q=0.5"}


def form(browser, path, **fields):
    return browser.open(path, "POST", data={"csrf_token": browser.csrf, **fields})


def test_home_lists_the_rooms_and_classes_one_was_given(house):
    house.add_workstation("pc-01", "S12")
    house.add_workstation("pc-02", "S14")
    house.add_class("3e B", "zoe.martin")
    house.add_class("4e C", "tom.vidal")
    house.add_user("anna", rooms=("S12",), classes=("3e B",))
    page = house.signed_in("anna").open(HOME)
    assert page.status_code == 200
    assert f"{MOUNT}/observe/wall?room=S12" in page.text
    assert f"{MOUNT}/observe/wall?class=3e%20B" in page.text
    assert "S14" not in page.text
    assert "4e C" not in page.text


def test_home_says_that_the_daemon_is_down_and_still_lists_classes(quiet):
    quiet.add_user()
    quiet.add_class("3e B", "zoe.martin")
    page = quiet.signed_in().open(HOME)
    assert page.status_code == 200
    assert "controle-vnc does not answer." in page.text
    assert "3e B" in page.text


def test_who_is_not_signed_in_is_led_to_the_door_and_back(house):
    answer = house.browser().open(MOUNT + "/observe/wall?room=S12")
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith(
        "/login?next=/eoleapps/eop/observe/wall%3Froom%3DS12"
    )


def test_a_student_is_led_to_the_documents_he_was_given(house):
    house.add_user("zoe.martin", role="student")
    answer = house.signed_in("zoe.martin").open(HOME)
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith(MOUNT + "/eleve/documents")


def test_who_has_no_page_here_reads_that_this_is_for_teachers(house):
    house.add_user("sec", role="security_officer", rooms=(), classes=())
    page = house.signed_in("sec").open(HOME)
    assert page.status_code == 403
    assert "it is for teachers" in page.text
    assert "/observe/" not in page.text


@pytest.mark.parametrize("theme", ["light", "dark", "contrast"])
def test_a_theme_is_kept_and_used(house, theme):
    browser = house.signed_in()
    answer = form(browser, MOUNT + "/preferences", theme=theme, next=MOUNT + "/observe/")
    assert answer.status_code == 303
    assert answer.headers["Location"].endswith(MOUNT + "/observe/")
    assert f'data-theme="{theme}"' in browser.open(HOME).text
    form(browser, MOUNT + "/preferences", theme="system")
    assert "data-theme" not in browser.open(HOME).text


def test_a_language_is_kept_for_the_user_and_for_the_door(house):
    browser = house.signed_in()
    form(browser, MOUNT + "/preferences", language="fr", next=HOME)
    assert '<html lang="fr"' in browser.open(HOME, headers={"Accept-Language": "en"}).text
    form(browser, "/logout")
    assert '<html lang="fr"' in browser.open("/login", headers={"Accept-Language": "en"}).text


def test_a_theme_does_not_change_the_language(house):
    browser = house.signed_in()
    form(browser, MOUNT + "/preferences", language="fr")
    form(browser, MOUNT + "/preferences", theme="dark")
    page = browser.open(HOME).text
    assert '<html lang="fr" data-theme="dark"' in page


def test_single_keys_are_switched_off_and_on_for_the_user(house):
    browser = house.signed_in()
    off = 'data-single-keys="off"'
    assert off not in browser.open(HOME).text
    assert form(browser, MOUNT + "/preferences", single_keys="off").status_code == 303
    assert off in browser.open(HOME).text
    form(browser, MOUNT + "/preferences", theme="dark", language="fr")
    assert off in house.signed_in().open(HOME).text
    form(browser, MOUNT + "/preferences", single_keys="on")
    assert off not in browser.open(HOME).text


def test_a_script_keeps_a_preference_and_stays_on_its_page(house):
    browser = house.signed_in()
    token = {"X-CSRF-Token": browser.csrf}
    fields = {"single_keys": "off", "next": HOME}
    answer = browser.open(MOUNT + "/preferences", "POST", data=fields, headers=token)
    assert (answer.status_code, answer.text) == (204, "")
    assert 'data-single-keys="off"' in browser.open(HOME).text


@pytest.mark.parametrize(
    "fields", [{"theme": "pink"}, {"language": "xx"}, {"language": ""}, {"single_keys": "maybe"}]
)
def test_an_unknown_preference_is_refused(house, fields):
    assert form(house.signed_in(), MOUNT + "/preferences", **fields).status_code == 422


def test_preferences_need_the_token_of_the_session(house):
    browser = house.signed_in()
    answer = browser.open(MOUNT + "/preferences", "POST", data={"theme": "dark"})
    assert answer.status_code == 403
    assert "data-theme" not in browser.open(HOME).text


def test_preferences_never_lead_to_another_site(house):
    answer = form(house.signed_in(), MOUNT + "/preferences", theme="dark", next="https://x.test/")
    assert "x.test" not in answer.headers["Location"]


def test_the_door_speaks_the_browsers_language_or_the_one_asked_for(house):
    browser = house.browser()
    assert "Mot de passe" in browser.open("/login", headers=FRENCH).text
    assert "Password" in browser.open("/login?language=en", headers=FRENCH).text
    assert "Password" in browser.open("/login", headers=FRENCH).text  # it was remembered


def test_no_page_holds_inline_style_or_script(house):
    house.add_workstation("pc-01", "S12")
    browser = house.signed_in()
    for path in (
        "/login", HOME, MOUNT + "/observe/", MOUNT + "/observe/wall?room=S12", "/logout",
        MOUNT + "/help", MOUNT + "/accessibility",
    ):  # fmt: skip
        page = browser.open(path).text
        assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:", page), path
        for tag in re.findall(r"<script[^>]*>", page):
            assert 'src="' in tag or 'type="application/json"' in tag
