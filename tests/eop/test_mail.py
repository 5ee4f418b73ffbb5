import json
from dataclasses import replace

import pytest

from controle_vnc.errors import SettingsError
from eop import mail, mail_settings
from eop import settings as site_settings
from eop.cli.init import initialise
from eop.mail import Letter, MailError
from eop.settings import SiteSettings
from tests.desktops import free_port
from tests.fakes.certificate import certificate
from tests.smtp_server import PASSWORD, USER, MailServer

LETTER = Letter(
    "zoe@school.example", "Retour de « Rédaction »", "Voilà ✅\nÀ demain", "a1" * 16, "Élise"
)
NOW = 1_795_000_000_000


@pytest.fixture
def post():
    with MailServer() as server:
        yield server


@pytest.fixture
def plain(post):
    return site(SMTP_SERVER=post.address, SMTP_SECURITY="none")


@pytest.fixture
def strict(tmp_path):
    """A server with STARTTLS and an account, and the settings for it."""
    pem, key = certificate(tmp_path)
    secret = tmp_path / "password.txt"
    secret.write_text(PASSWORD + "\n")
    secret.chmod(0o600)
    with MailServer((pem, key)) as server:
        server.settings = site(
            SMTP_SERVER=server.address, SMTP_USER=USER, SMTP_PASSWORD_FILE=str(secret),
            SMTP_CA_FILE=str(pem),
        )  # fmt: skip
        yield server


def site(**settings):
    return SiteSettings(
        MAIL_FROM="eop@school.example", MAIL_ADDRESS="{login}@school.example", **settings
    )


def send(settings, letter=LETTER):
    with mail.line(settings) as server:
        mail.send(server, settings, letter, NOW)


def refused(settings, letter=LETTER):
    with pytest.raises(MailError) as raised:
        send(settings, letter)
    return raised.value


def test_a_mail_arrives_as_it_was_written(post, plain):
    send(plain)
    (letter,) = post.letters
    assert letter["Subject"] == LETTER.title
    assert letter["From"].addresses[0].display_name == "Élise"
    assert letter["Message-ID"] == f"<{LETTER.number}@school.example>"
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter.get_content().splitlines() == ["Voilà ✅", "À demain"]


def test_no_text_adds_a_line_to_the_head(post, plain):
    title = "Hello\r\nBcc: all@school.example\n\nbody"
    send(plain, replace(LETTER, title=title, sender_name="A\nB: c"))
    (letter,) = post.letters
    assert letter["Bcc"] is None
    assert letter["B"] is None
    assert letter["Subject"] == "Hello Bcc: all@school.example body"


def test_the_line_is_encrypted_and_the_account_proven(strict):
    send(strict.settings)
    assert len(strict.letters) == 1


def test_a_wrong_password_is_told_and_nothing_is_sent(strict, tmp_path):
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("nonsense\n")
    wrong.chmod(0o600)
    error = refused(replace(strict.settings, SMTP_PASSWORD_FILE=str(wrong)))
    assert (error.code, error.is_lasting) == ("mail_account", True)
    error = refused(replace(strict.settings, SMTP_PASSWORD_FILE=str(tmp_path / "none")))
    assert (error.code, error.is_lasting) == ("mail_account", True)
    assert not strict.letters


def test_a_server_that_stops_answering_at_the_account_is_down(strict, tmp_path, monkeypatch):
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("nonsense\n")
    wrong.chmod(0o600)
    strict.is_silent = True
    monkeypatch.setattr(mail, "TIMEOUT_SECONDS", 0.3)
    error = refused(replace(strict.settings, SMTP_PASSWORD_FILE=str(wrong)))
    assert (error.code, error.is_lasting) == ("mail_down", False)


def test_a_certificate_nobody_signed_is_refused(strict):
    error = refused(replace(strict.settings, SMTP_CA_FILE=""))
    assert error.code == "mail_certificate"
    assert "self-signed" in str(error)
    assert not strict.letters


def test_what_the_server_says_decides_whether_to_try_again(post, plain):
    post.mailbox.refused[LETTER.to] = "550 no such user"
    error = refused(plain)
    assert (error.code, error.is_lasting, str(error)) == ("mail_refused", True, "no such user")
    post.mailbox.refused[LETTER.to] = "451 come back later"
    error = refused(plain)
    assert (error.code, error.is_lasting) == ("mail_refused", False)


def test_a_server_that_is_away_is_told():
    error = refused(site(SMTP_SERVER=f"127.0.0.1:{free_port()}", SMTP_SECURITY="none"))
    assert (error.code, error.is_lasting) == ("mail_down", False)
    error = refused(site())
    assert (error.code, error.is_lasting) == ("mail_not_set", True)


def test_a_login_becomes_an_address_or_none():
    assert mail.address_of(site(), "zoe.martin") == "zoe.martin@school.example"
    for login in ("zoé", "a b", "x@y", "x" * 250):
        assert mail.address_of(site(), login) is None
    assert mail.address_of(replace(site(), MAIL_ADDRESS=""), "zoe") is None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"SMTP_SERVER": "mail host"}, "SMTP_SERVER must look like"),
        ({"SMTP_SERVER": "mail:70000"}, "SMTP_SERVER must look like"),
        ({"SMTP_SECURITY": "ssl"}, "SMTP_SECURITY must be"),
        ({"SMTP_SECURITY": "none"}, "is for a server on this machine"),
        ({"MAIL_FROM": "EOP <eop@school.lan>"}, "MAIL_FROM must be an address"),
        ({"SMTP_USER": "eop"}, "go together"),
        ({"MAIL_ADDRESS": "zoe@school.lan"}, "MAIL_ADDRESS must look like"),
        ({"MAIL_ADDRESS": "{login}"}, "MAIL_ADDRESS must look like"),
    ],
)
def test_settings_that_cannot_work_are_refused(tmp_path, changes, told):
    environ = {"EOP_HOME": str(tmp_path)}
    initialise(environ)
    path = site_settings.settings_file(environ)
    well = {"SMTP_SERVER": "mail.school.lan", "MAIL_FROM": "eop@school.lan"}
    path.write_text(json.dumps({**json.loads(path.read_text()), **well}))
    loaded = site_settings.load(environ=environ)
    assert mail_settings.server_of(loaded) == ("mail.school.lan", 587)
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    with pytest.raises(SettingsError, match=told):
        site_settings.load(environ=environ)
