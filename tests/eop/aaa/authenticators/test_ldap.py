import logging
import socket
import threading
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eop.aaa.authenticators import ldap
from eop.aaa.authenticators.base import AuthenticatorDownError, Trouble, Who
from eop.aaa.authenticators.ldap import LdapAuthenticator
from eop.errors import RefusedError
from tests.desktops import free_port, wait_until
from tests.fakes.ad_server import BASE, AdServer
from tests.ldap_fixtures import configured
from tests.ldap_server import PASSWORD, Slapd, scribe_dn, scribe_tree


def wrong(login):
    """What is said of somebody whose password it was not."""
    return Trouble(login, "ldap", "wrong", is_proven=False)


def of(server, **changes):
    return LdapAuthenticator(*configured(server.settings(**changes)))


@pytest.fixture(scope="module")
def teachers(scribe):
    return of(scribe)


@pytest.mark.parametrize("typed", ["prof.1", "PROF.1", "  prof.1 "])
def test_who_knows_the_password_is_told_by_the_directorys_login(teachers, typed):
    assert teachers.authenticate(typed, PASSWORD) == Who("prof.1", "ldap")


@pytest.mark.parametrize("kind", ["ldaps", "ldap"])
def test_it_works_over_ldaps_and_starttls(scribe, kind):
    found = of(scribe, LDAP_SERVERS=[getattr(scribe, kind)])
    assert found.authenticate("eleve.7", PASSWORD) == Who("eleve.7", "ldap")


@pytest.mark.parametrize(
    ("login", "password"),
    [
        ("prof.11", "wrong"),
        ("nobody", PASSWORD),
        ("prof.1", ""),
        ("", PASSWORD),
        ("", ""),
        ("prof.1", "\ud800"),
        ("prof.1", PASSWORD + "\0"),
        ("prof.1", "x" * 1025),
        ("x" * 257, PASSWORD),
        # an injection would find someone, and his password is right
        ("*", PASSWORD),
        ("*)(uid=*", PASSWORD),
        ("prof.1)(uid=prof.1", PASSWORD),
        ("prof.1*", PASSWORD),
        ("prof.1\\2a", PASSWORD),
        ("prof.1)(|(uid=*)", PASSWORD),
        # a directory may find these, as slapd does the second: each would be counted as another
        ("prof\u00ad.1", PASSWORD),
        ("ｐrof.1", PASSWORD),
        # what is not below the bases, or no person
        ("reader", "the reader's own secret"),
        ("3a", PASSWORD),
    ],
)
def test_nobody_else_gets_in(teachers, login, password):
    assert teachers.authenticate(login, password) in (None, wrong(login))


@settings(max_examples=25)
@given(st.text(alphabet="()*\\|&!=~<>,\0 abuidprof.1é", max_size=30))
def test_no_spelling_of_signs_lets_one_in(teachers, typed):
    if typed.strip().lower() not in {"prof.1"}:
        assert teachers.authenticate(typed, PASSWORD) is None


def test_what_may_be_typed_is_a_setting_and_the_login_stays_the_directorys(scribe):
    found = of(scribe, LDAP_TYPED_ATTRIBUTES=["uid", "mail"])
    assert found.authenticate("Prof.2@ac-test.fr", PASSWORD) == Who("prof.2", "ldap")
    assert found.authenticate("prof.2", PASSWORD) == Who("prof.2", "ldap")
    assert found.authenticate("prof.2@ac-test.fr", "wrong") == wrong("prof.2")
    assert of(scribe).authenticate("prof.2@ac-test.fr", PASSWORD) is None


def test_who_is_there_twice_is_not_let_in_and_it_is_written_down(scribe, caplog):
    found = of(scribe, LDAP_TYPED_ATTRIBUTES=["uid", "sn"], LDAP_LOGIN_ATTRIBUTE="uid")
    scribe.change(f"dn: {scribe_dn('prof.3')}\nchangetype: modify\nreplace: sn\nsn: prof.4\n")
    with caplog.at_level(logging.WARNING):
        assert found.authenticate("prof.4", PASSWORD) is None
    assert "several people by one login" in caplog.text
    assert "prof.4" not in caplog.text


def test_too_many_failures_lock_in_the_directory_and_only_administrators_are_told(scribe, teachers):
    for _ in range(4):
        assert teachers.authenticate("prof.9", "wrong") == wrong("prof.9")
    locked = Trouble("prof.9", "ldap", "locked", is_proven=False)
    assert teachers.authenticate("prof.9", "wrong") == locked
    assert teachers.authenticate("prof.9", PASSWORD) == locked
    scribe.change(f"dn: {scribe_dn('prof.9')}\nchangetype: modify\ndelete: pwdAccountLockedTime\n")
    assert teachers.authenticate("prof.9", PASSWORD) == Who("prof.9", "ldap")


def test_a_password_that_must_be_changed_is_told_to_who_knows_it(scribe, teachers):
    scribe.change(
        f"dn: {scribe_dn('prof.8')}\nchangetype: modify\nreplace: pwdReset\npwdReset: TRUE\n"
    )
    told = teachers.authenticate("prof.8", PASSWORD)
    assert told == Trouble("prof.8", "ldap", "must_change", is_proven=True)


def test_an_expired_account_is_told_to_who_knows_the_password(scribe, teachers):
    scribe.change(
        f"dn: {scribe_dn('prof.10')}\nchangetype: modify\nreplace: shadowExpire\nshadowExpire: 9\n"
    )
    told = teachers.authenticate("prof.10", PASSWORD)
    assert told == Trouble("prof.10", "ldap", "expired", is_proven=True)
    told = teachers.authenticate("prof.10", "wrong")
    assert told == Trouble("prof.10", "ldap", "expired", is_proven=False)


@pytest.mark.parametrize(
    ("login", "told"),
    [
        ("prof0", Who("prof0", "ldap")),
        ("PROF0", Who("prof0", "ldap")),
        ("parti", Trouble("parti", "ldap", "disabled", is_proven=True)),
        ("vieux", Trouble("vieux", "ldap", "expired", is_proven=True)),
        ("neuf", Trouble("neuf", "ldap", "must_change", is_proven=True)),
        # the bind has just worked: an old lockoutTime means nothing
        ("bloque", Who("bloque", "ldap")),
        ("pc-01$", None),
    ],
)
def test_accounts_as_an_ad_keeps_them(ad, login, told):
    assert of(ad).authenticate(login, PASSWORD) == told


def test_the_login_may_be_the_principal_name(ad):
    found = of(ad, LDAP_LOGIN_ATTRIBUTE="userPrincipalName")
    assert found.authenticate("Prof1@ecole.lan", PASSWORD) == Who("prof1@ecole.lan", "ldap")
    assert found.authenticate("prof1", PASSWORD) is None


def double(server, **changes):
    return LdapAuthenticator(
        *configured(
            {
                "LDAP_SERVERS": [f"ldap://127.0.0.1:{server.port}"],
                "LDAP_STARTTLS": False,
                "LDAP_BASE": BASE,
                "LDAP_LAYOUT": "ad",
                "LDAP_TIMEOUT": 2,
                **changes,
            }
        )
    )


def person(server, login="zoe", password=PASSWORD):
    return server.add(f"CN={login}", password, objectClass=["user"], sAMAccountName=login)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("525", wrong("zoe")),
        ("52e", wrong("zoe")),
        ("530", Trouble("zoe", "ldap", "disabled", is_proven=True)),
        ("531", Trouble("zoe", "ldap", "disabled", is_proven=True)),
        ("532", Trouble("zoe", "ldap", "must_change", is_proven=True)),
        ("533", Trouble("zoe", "ldap", "disabled", is_proven=True)),
        ("701", Trouble("zoe", "ldap", "expired", is_proven=True)),
        ("773", Trouble("zoe", "ldap", "must_change", is_proven=True)),
        ("775", Trouble("zoe", "ldap", "locked", is_proven=False)),
    ],
)
def test_the_sub_codes_of_an_active_directory(data, told):
    with AdServer() as server:
        server.refuse[person(server)] = data
        assert double(server).authenticate("zoe", PASSWORD) == told


def test_an_empty_password_never_reaches_the_directory_which_would_say_yes():
    with AdServer() as server:
        person(server)
        assert double(server).authenticate("zoe", "") is None
        assert server.binds == []


def test_a_password_of_signs_that_count_for_nothing_is_sent_as_it_is():
    # ldap3 would map it to the empty one, and the directory say yes
    with AdServer() as server:
        dn = person(server)
        assert double(server).authenticate("zoe", "\u00ad") == wrong("zoe")
        assert server.binds == [(dn, "\u00ad".encode())]


def test_an_unknown_login_costs_the_same_steps_as_a_known_one():
    with AdServer() as server:
        person(server)
        found = double(server)
        assert found.authenticate("zoe", "wrong") == wrong("zoe")
        known = len(server.binds), len(server.searches)
        assert found.authenticate("nobody", "wrong") is None
        assert (len(server.binds), len(server.searches)) == (known[0] * 2, known[1] * 2)
        assert server.binds[-1][0].endswith(f",{BASE}")


@pytest.mark.parametrize("code", [8, 51, 52, 80])
def test_a_server_that_does_not_judge_is_down(code):
    with AdServer(bind_code=code) as server:
        server.refuse[person(server)] = "0"
        with pytest.raises(AuthenticatorDownError, match=f"does not judge this password.*{code}"):
            double(server).authenticate("zoe", PASSWORD)


def test_an_account_that_is_not_judged_shuts_nobody_else_out():
    with AdServer(bind_code=80) as server:
        server.refuse[person(server)] = "0"
        person(server, "malo")
        found = double(server)
        for _ in range(2):
            with pytest.raises(AuthenticatorDownError, match="does not judge this password"):
                found.authenticate("zoe", PASSWORD)
            assert found.authenticate("malo", PASSWORD) == Who("malo", "ldap")


def test_the_second_server_answers_while_the_first_is_down(certificates):
    certificate = certificates.issue("127.0.0.1")
    with (
        Slapd("o=gouv,c=fr", scribe_tree(), certificate) as first,
        Slapd("o=gouv,c=fr", scribe_tree(), certificate) as second,
    ):
        found = of(first, LDAP_SERVERS=[first.ldaps, second.ldaps])
        assert found.authenticate("prof.1", PASSWORD) == Who("prof.1", "ldap")
        first.stop()
        assert found.authenticate("prof.1", PASSWORD) == Who("prof.1", "ldap")
        assert [one.port for one in found._directory.usable()] == [second.ports[1]]
        assert found.authenticate("prof.1", "wrong") == wrong("prof.1")
        second.stop()
        with pytest.raises(AuthenticatorDownError):
            found.authenticate("prof.1", PASSWORD)
        first.start()
        found._directory._down_since.clear()
        assert found.authenticate("prof.1", PASSWORD) == Who("prof.1", "ldap")


def test_the_second_server_answers_while_the_first_says_nothing(scribe):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"ldaps://127.0.0.1:{mute.getsockname()[1]}"
        found = of(scribe, LDAP_SERVERS=[address, scribe.ldaps], LDAP_TIMEOUT=1)
        began = time.monotonic()
        assert found.authenticate("prof.1", PASSWORD) == Who("prof.1", "ldap")
        assert time.monotonic() - began < 2.5
        began = time.monotonic()
        assert found.authenticate("prof.1", PASSWORD) == Who("prof.1", "ldap")
        assert time.monotonic() - began < 0.9


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"LDAP_PEOPLE_BASES": ["ou=nowhere"]}, "check LDAP_BASE and the bases"),
        ({"LDAP_BIND_DN": "", "LDAP_PASSWORD_FILE": ""}, "this account may not read here"),
    ],
)
def test_settings_that_find_nobody_are_no_wrong_password(scribe, changes, words):
    with pytest.raises(AuthenticatorDownError, match=words):
        of(scribe, **changes).authenticate("prof.1", PASSWORD)


def test_down_is_told_for_the_log_with_a_remedy_and_no_secret():
    found = LdapAuthenticator(
        *configured({"LDAP_SERVERS": [f"ldaps://127.0.0.1:{free_port()}"], "LDAP_BASE": "dc=x"})
    )
    with pytest.raises(AuthenticatorDownError, match="is the directory's server running") as told:
        found.authenticate("prof.1", PASSWORD)
    assert PASSWORD not in str(told.value)
    assert "prof.1" not in str(told.value)


def test_a_directory_that_hangs_does_not_take_every_thread(monkeypatch):
    monkeypatch.setattr(ldap, "WAIT_SECONDS", 0)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        found = LdapAuthenticator(
            *configured(
                {
                    "LDAP_SERVERS": [f"ldaps://127.0.0.1:{mute.getsockname()[1]}"],
                    "LDAP_BASE": "dc=x",
                    "LDAP_TIMEOUT": 1,
                }
            )
        )

        def hang():
            with pytest.raises(AuthenticatorDownError):
                found.authenticate("prof.1", PASSWORD)

        threads = [threading.Thread(target=hang) for _ in range(ldap.AT_ONCE)]
        for thread in threads:
            thread.start()
        wait_until(lambda: found._turns._value == 0, 5, "every turn taken")
        with pytest.raises(RefusedError) as refused:
            found.authenticate("prof.1", PASSWORD)
        assert refused.value.code == "busy"
        for thread in threads:
            thread.join(5)
        assert found._turns._value == ldap.AT_ONCE
