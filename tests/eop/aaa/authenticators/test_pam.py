"""The machine's accounts at the door, with eop-pam on a real PAM stack behind it."""

import logging
import socket
import threading
from dataclasses import replace

import pytest

from eop.aaa import accounts, throttle
from eop.aaa.authenticators import chain, pam
from eop.aaa.authenticators.base import AuthenticatorDownError, Trouble, Who
from eop.aaa.authenticators.pam import PamAuthenticator
from eop.directory.users import NewUser
from eop.errors import RefusedError
from eop.pam import client
from eop.pam.protocol import Answer, pack
from tests.eop.installation import PASSWORD as LOCAL_PASSWORD
from tests.eop.installation import Installation, error
from tests.machine import HASH, PASSWORD, Account, Helper, needs_machine, new_machine, today


@pytest.fixture(scope="module")
def helper():
    with new_machine() as machine:
        machine.add(
            Account("camille"),
            Account("must-change", changed=0),
            Account("expired", expires=today() - 1),
            Account("locked", "!" + HASH),
            Account("stranger"),
        )
        with Helper(machine, constants="server.PAUSE_SECONDS = 0.05") as running:
            yield running


@pytest.fixture
def authenticator(helper):
    return PamAuthenticator(helper.socket)


@needs_machine
@pytest.mark.parametrize(
    ("login", "password", "answer"),
    [
        ("camille", PASSWORD, Who("camille", "pam")),
        (" Camille ", PASSWORD, Who("camille", "pam")),
        ("camille", "wrong", None),
        ("unknown", PASSWORD, None),
        ("root", PASSWORD, None),
        ("must-change", PASSWORD, Trouble("must-change", "pam", "must_change", True)),
        ("expired", PASSWORD, Trouble("expired", "pam", "expired", True)),
        ("locked", PASSWORD, Trouble("locked", "pam", "locked", False)),
    ],
)
def test_the_answer_is_what_the_machine_says(authenticator, login, password, answer):
    assert authenticator.authenticate(login, password) == answer


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("camille", ""), ("", "x"), ("-rf", "x"), ("élodie", "x"), ("a" * 65, "x"),
        ("camille", "x" * 512), ("camille", "\udc80"), ("camille", "a\0b"),
    ],
)  # fmt: skip
def test_what_no_machine_could_know_is_not_asked(tmp_path, login, password):
    nobody_there = PamAuthenticator(tmp_path / "absent")
    assert nobody_there.authenticate(login, password) is None


def test_an_absent_helper_is_down(tmp_path):
    with pytest.raises(AuthenticatorDownError, match=f"eop-pam at {tmp_path}/s: .*No such file"):
        PamAuthenticator(tmp_path / "s").authenticate("camille", PASSWORD)


@pytest.fixture
def answering(tmp_path):
    """`answering(data)` → an authenticator whose helper sends just that and ends."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen()
    threads = []

    def serve(data):
        def one():
            connection, _ = listener.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(data)

        threads.append(threading.Thread(target=one))
        threads[-1].start()
        return PamAuthenticator(tmp_path / "s")

    yield serve
    for thread in threads:
        thread.join(5)
    listener.close()


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "ended within a message"),
        (b"\0", "ended within a message"),
        (b"\xff\xff", "a message of 65535 bytes"),
        (b"\0\x01\xc1", "a reply that cannot be read"),
        (b"\0\x0c" + b"\x81\xa4kind\xa5hello", "a reply that cannot be read"),
        (pack(Answer("error")), "PAM cannot answer"),
    ],
)
def test_a_helper_that_does_not_answer_as_it_should_is_down(answering, data, words):
    with pytest.raises(AuthenticatorDownError, match=words):
        answering(data).authenticate("camille", PASSWORD)


def test_a_success_that_is_not_proven_is_none(answering):
    assert answering(pack(Answer("ok"))).authenticate("camille", PASSWORD) is None


def test_a_silent_helper_is_down_in_time(tmp_path, monkeypatch):
    monkeypatch.setattr(client, "ANSWER_SECONDS", 0.2)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s"))
        listener.listen()
        with pytest.raises(AuthenticatorDownError, match="timed out"):
            PamAuthenticator(tmp_path / "s").authenticate("camille", PASSWORD)


def test_a_helper_that_hangs_does_not_take_every_thread(tmp_path, monkeypatch):
    monkeypatch.setattr(pam, "WAIT_SECONDS", 0)
    with socket.socket(socket.AF_UNIX) as mute:
        mute.bind(str(tmp_path / "s"))
        mute.listen(pam.AT_ONCE)
        hanging = PamAuthenticator(tmp_path / "s")

        def hang():
            with pytest.raises(AuthenticatorDownError):
                hanging.authenticate("camille", PASSWORD)

        threads = [threading.Thread(target=hang) for _ in range(pam.AT_ONCE)]
        for thread in threads:
            thread.start()
        held = [mute.accept()[0] for _ in threads]  # each of them waits for its answer now
        with pytest.raises(RefusedError) as refused:
            hanging.authenticate("camille", PASSWORD)
        assert (refused.value.code, refused.value.retry_after) == ("busy", 0)
        for connection in held:
            connection.close()
        for thread in threads:
            thread.join(5)
    with pytest.raises(AuthenticatorDownError):  # every turn was given back
        hanging.authenticate("camille", PASSWORD)


class Site:
    """An installation whose door asks the directory, then the machine."""

    def __init__(self, path):
        self.installation = Installation()
        parts = self.installation.parts
        site = replace(
            self.installation.site, AUTHENTICATORS=["local", "pam"], PAM_SOCKET=str(path)
        )
        door = replace(parts.door, authenticators=chain.authenticators(site, parts.database))
        self.installation.site = site
        self.installation.parts = replace(parts, site=site, door=door)
        for login in ("camille", "must-change", "expired", "locked"):
            new = NewUser(login, "teacher", login, None, ("*",), ("*",))
            accounts.add(parts.database, new, parts.now_ms())
        self.installation.add_user("lou")

    def failures(self):
        """The reasons that administrators read, oldest first."""
        from sqlalchemy import select

        from eop.audit.tables import audit

        with self.installation.parts.database.read() as connection:
            rows = connection.execute(select(audit).order_by(audit.c.id)).all()
        return [row.details["reason"] for row in rows if row.kind == "sign_in_failed"]


@pytest.fixture
def site(helper, monkeypatch):
    made = Site(helper.socket)
    for name, value in made.installation.environ.items():
        monkeypatch.setenv(name, value)
    yield made
    made.installation.close()


@needs_machine
def test_both_kinds_of_account_sign_in_at_one_door(site):
    browser = site.installation.browser()
    assert browser.sign_in("camille", PASSWORD).json["user"] == "camille"
    assert site.installation.browser().sign_in("lou", LOCAL_PASSWORD).status_code == 200
    assert error(site.installation.browser().sign_in("camille", LOCAL_PASSWORD)) == (401, "wrong")


@needs_machine
@pytest.mark.parametrize(
    ("login", "code", "words"),
    [
        ("must-change", "account_must_change", "must be changed first"),
        ("expired", "account_expired", "has expired"),
        ("stranger", "account_unknown", "does not know you yet"),
    ],
)
def test_who_proves_his_password_is_told_what_keeps_him_out(site, login, code, words):
    answer = site.installation.browser().sign_in(login, PASSWORD)
    assert error(answer) == (403, code)
    assert words in answer.json["error"]["message"]
    assert site.failures() == [code.removeprefix("account_")]


@needs_machine
def test_a_locked_account_is_told_to_administrators_alone(site):
    assert error(site.installation.browser().sign_in("locked", PASSWORD)) == (401, "wrong")
    assert site.failures() == ["locked"]


@needs_machine
def test_failures_lock_a_machine_account_as_any_other(site):
    for _ in range(throttle.ATTEMPTS):
        assert error(site.installation.browser().sign_in("camille", "wrong")) == (401, "wrong")
    assert error(site.installation.browser().sign_in("camille", PASSWORD)) == (423, "locked")


@pytest.fixture
def helpless(tmp_path, monkeypatch):
    made = Site(tmp_path / "absent")
    for name, value in made.installation.environ.items():
        monkeypatch.setenv(name, value)
    yield made
    made.installation.close()


def test_without_its_helper_nobody_is_locked_out_and_local_accounts_sign_in(helpless, caplog):
    caplog.set_level(logging.ERROR)
    for _ in range(throttle.ATTEMPTS + 1):
        answer = helpless.installation.browser().sign_in("camille", PASSWORD)
        assert error(answer) == (503, "directory_down")
    assert helpless.installation.browser().sign_in("lou", LOCAL_PASSWORD).status_code == 200
    assert "the authenticator pam does not work: eop-pam at" in caplog.text
    assert PASSWORD not in caplog.text


def test_without_its_helper_a_local_password_is_still_guessed_at_a_price(helpless):
    site = helpless.installation
    for _ in range(throttle.FAILURES_AN_ADDRESS):
        assert error(site.browser().sign_in("lou", "wrong")) == (503, "directory_down")
    assert error(site.browser().sign_in("lou", LOCAL_PASSWORD)) == (429, "throttled")
