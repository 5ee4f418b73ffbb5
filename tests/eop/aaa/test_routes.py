import re

import pytest

from tests.eop.installation import MOUNT, PASSWORD


def login(browser, username="camille", password=PASSWORD, **more):
    form = {"username": username, "password": password, **more}
    return browser.open("/login", "POST", data=form)


def test_a_page_leads_to_the_door_and_the_door_back_to_the_page(house):
    browser = house.browser()
    asked = browser.open(MOUNT + "/observe/?x=1")
    assert asked.status_code == 303
    assert asked.headers["Location"] == f"/login?next={MOUNT}/observe/%3Fx%3D1"
    door = browser.open(asked.headers["Location"])
    assert door.status_code == 200
    following = re.search(r'name="next" value="([^"]*)"', door.text).group(1)
    entered = login(browser, next=following)
    assert entered.status_code == 303
    assert entered.headers["Location"] == f"{MOUNT}/observe/?x=1"
    assert browser.open(MOUNT + "/").status_code == 200


@pytest.mark.parametrize(
    "following",
    [
        "https://evil.example/", "//evil.example", "/\\evil.example", "evil", "/a\nb", "/é",
        "/" + "a" * 2000, "",
    ],
)  # fmt: skip
def test_the_door_leads_nowhere_else(house, following):
    assert login(house.browser(), next=following).headers["Location"] == MOUNT + "/"


def test_a_wrong_password_keeps_the_name_and_says_so(house):
    answer = login(house.browser(), "<b>cam", "wrong")
    assert answer.status_code == 401
    assert "Wrong user name or password." in answer.text
    assert "<b>cam" not in answer.text
    assert "&lt;b&gt;cam" in answer.text
    assert login(house.browser(), "", "").status_code == 401


def test_a_locked_account_is_told_at_the_door(house):
    for _ in range(5):
        login(house.browser(), password="wrong")
    answer = login(house.browser())
    assert answer.status_code == 423
    assert int(answer.headers["Retry-After"]) > 0
    assert "Set-Cookie" not in answer.headers


def test_the_door_knows_a_device_again(house, monkeypatch):
    monkeypatch.setattr("eop.aaa.throttle.EVERYWHERE_TIMES", 1)
    browser = house.browser()
    assert login(browser).status_code == 303
    stranger = {"username": "camille", "password": "no"}
    for number in range(5):
        place = {"REMOTE_ADDR": f"192.0.2.{number}"}
        house.browser().open("/login", "POST", data=stranger, environ=place)
    assert login(house.browser()).status_code == 423
    assert login(browser).status_code == 303


def test_signing_out_asks_first_and_needs_the_token(house):
    browser = house.signed_in()
    question = browser.open("/logout")
    assert question.status_code == 200
    assert browser.csrf in question.text
    assert browser.open("/logout", "POST", data={}).status_code == 403
    assert browser.get("session").status_code == 200
    done = browser.open("/logout", "POST", data={"csrf_token": browser.csrf})
    assert done.status_code == 303
    assert done.headers["Location"] == "/login"
    assert browser.get("session").status_code == 401
    assert browser.open("/logout").status_code == 303
    assert browser.open("/logout", "POST").status_code == 303


def test_eoleauth_names_who_is_signed_in(house):
    assert house.browser().open("/eoleauth").status_code == 401
    answer = house.signed_in().open("/eoleauth")
    assert (answer.text, answer.mimetype) == ("camille", "text/plain")


def test_the_root_answers_and_leads_to_the_site(house):
    browser = house.browser()
    assert browser.open("/ping").text == "pong"
    for asked, expected in (("/", "/"), ("/documents", "/documents/")):
        answer = browser.open(asked)
        assert (answer.status_code, answer.headers["Location"]) == (303, MOUNT + expected)


def test_the_door_is_open_once_for_who_is_inside(house):
    assert house.signed_in().open("/login").headers["Location"] == MOUNT + "/"


def test_a_foreign_form_signs_nobody_in(house):
    answer = house.browser().open(
        "/login",
        "POST",
        data={"username": "camille", "password": PASSWORD},
        headers={"Origin": "https://evil.example"},
    )
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers
