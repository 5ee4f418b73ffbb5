from tests.smtp_server import MailServer


def test_a_test_mail_is_sent_and_what_the_server_says_is_told(quiet, eopctl, monkeypatch):
    with MailServer() as post:
        for name, value in {
            "SMTP_SERVER": post.address, "SMTP_SECURITY": "none", "MAIL_FROM": "eop@school.example",
        }.items():  # fmt: skip
            monkeypatch.setenv(f"EOP_{name}", value)
        done = eopctl("mail", "test", "it@school.example", "--json")
        assert (done.code, done.json["to"]) == (0, "it@school.example")
        assert [one["To"] for one in post.letters] == ["it@school.example"]
        post.mailbox.refused["no@school.example"] = "550 no such user"
        done = eopctl("mail", "test", "no@school.example")
        assert (done.code, done.err) == (1, "eopctl: no such user\n")
    assert eopctl("mail", "test", "nobody").code == 2


def test_without_a_server_it_says_so(quiet, eopctl):
    done = eopctl("mail", "test", "it@school.example")
    assert (done.code, done.err) == (1, "eopctl: SMTP_SERVER is not set\n")
