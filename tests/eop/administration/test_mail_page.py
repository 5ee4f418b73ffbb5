from dataclasses import replace

from tests.eop.administration.pages import follow, get, send, words
from tests.eop.administration.pages import school as school
from tests.smtp_server import MailServer


def test_an_administrator_has_a_test_mail_sent(school):
    with MailServer() as post:
        school.parts = replace(
            school.parts,
            site=replace(
                school.site, SMTP_SERVER=post.address, SMTP_SECURITY="none",
                MAIL_FROM="eop@school.example",
            ),
        )  # fmt: skip
        school.site = school.parts.site
        browser = school.signed_in("carla")
        assert post.address in words(get(browser, "/admin/mail"))
        answer = follow(browser, send(browser, "/admin/mail", address="it@school.example"))
        assert "The mail server has taken the mail." in words(answer)
        assert [one["To"] for one in post.letters] == ["it@school.example"]
        post.mailbox.refused["no@school.example"] = "550 no such user"
        answer = send(browser, "/admin/mail", address="no@school.example")
        assert answer.status_code == 502
        assert "The mail server refused the mail. no such user" in words(answer)
        assert send(browser, "/admin/mail", address="nobody").status_code == 422


def test_without_a_server_the_page_says_what_to_set(school):
    assert "SMTP_SERVER is empty" in words(get(school.signed_in("carla"), "/admin/mail"))


def test_a_teacher_has_no_page_of_mail(school):
    assert get(school.signed_in("anna"), "/admin/mail").status_code == 403
