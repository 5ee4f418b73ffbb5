from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select, update

from controle_vnc.errors import SettingsError
from eop import services, settings_checks
from eop import settings as site_settings
from eop.aaa import accounts, second_factor
from eop.aaa.authenticators import chain
from eop.aaa.authenticators.base import AuthenticatorDownError, Trouble, Who
from eop.aaa.authenticators.chain import AdministratorsOnly, NotForLocalPasswords
from eop.aaa.authenticators.ldap import LdapAuthenticator
from eop.aaa.authenticators.local import LocalAuthenticator
from eop.aaa.throttle import ATTEMPTS, FAILURES_AN_ADDRESS
from eop.audit.tables import audit
from eop.directory import users
from eop.directory.tables import user
from eop.directory.users import NewUser
from eop.settings import SiteSettings
from tests.eop.installation import PASSWORD as LOCAL_PASSWORD
from tests.eop.installation import Installation, error
from tests.ldap_fixtures import configured
from tests.ldap_server import PASSWORD as LDAP_PASSWORD
from tests.ldap_server import Slapd, scribe_dn, scribe_tree

assert LOCAL_PASSWORD == LDAP_PASSWORD  # so whichever answers, the password alone does not tell


def names(**changes):
    site = SiteSettings(
        LDAP_SERVERS=["ldaps://dc1"], LDAP_BASE="dc=x", SESSION_KEY="x" * 40, **changes
    )
    return [one.name for one in chain.authenticators(site, None)]


def test_local_accounts_are_the_default():
    assert names() == ["local"]


def test_the_order_is_that_of_the_settings_and_administrators_come_last():
    assert names(AUTHENTICATORS=["ldap", "local"]) == ["ldap", "local"]
    assert names(AUTHENTICATORS=["local", "ldap"]) == ["local", "ldap"]
    assert names(AUTHENTICATORS=["ldap"]) == ["ldap", "local"]


def test_the_settings_name_what_can_be_made():
    assert set(settings_checks.AUTHENTICATORS) == set(chain.FACTORIES)


@pytest.mark.parametrize("wrong", [[], ["ldap", "ldap"], ["kerberos"], ["local", ""]])
def test_other_names_are_refused(quiet, wrong):
    site = replace(quiet.site, AUTHENTICATORS=wrong)
    with pytest.raises(SettingsError, match="AUTHENTICATORS must name some of local, ldap, pam"):
        settings_checks.check(site, site_settings.settings_file())


def test_an_ldap_authenticator_needs_its_settings(quiet):
    site = replace(quiet.site, AUTHENTICATORS=["ldap"])
    with pytest.raises(SettingsError, match="LDAP_SERVERS is empty"):
        settings_checks.check(site, site_settings.settings_file())


class Answering:
    name = "ldap"

    def __init__(self, answer):
        self.answer = answer
        self.asked = 0

    def authenticate(self, login, password):
        self.asked += 1
        return self.answer


@pytest.mark.parametrize("answer", [Who("admin", "ldap"), Trouble("admin", "ldap", "locked", True)])
def test_a_directory_has_no_say_for_an_account_with_a_local_password(quiet, answer):
    quiet.add_user("admin", "administrator")
    directory = Answering(answer)
    guarded = NotForLocalPasswords(directory, quiet.parts.database)
    assert guarded.authenticate("admin", "x") is None
    assert directory.asked == 1


def test_a_directory_opens_accounts_without_a_local_password(quiet):
    with quiet.parts.database.write() as connection:
        users.add(connection, NewUser("zoe", "teacher", "Zoé", None), 0)
    for who in (Who("zoe", "ldap"), Who("unknown", "ldap")):
        guarded = NotForLocalPasswords(Answering(who), quiet.parts.database)
        assert guarded.authenticate("x", "x") == who


def test_where_local_is_not_listed_only_administrators_are_let_in_by_it(quiet):
    quiet.add_user("boss", "administrator")
    quiet.add_user("camille", "teacher")
    for login, answer in (("boss", Who("boss", "local")), ("camille", None), ("nobody", None)):
        only = AdministratorsOnly(Answering(answer or Who(login, "local")), quiet.parts.database)
        assert only.authenticate(login, "x") == answer


class Down:
    name = "ldap"

    def authenticate(self, login, password):
        raise AuthenticatorDownError("down")


def test_guesses_that_a_second_directory_judged_are_counted_while_the_first_is_down(quiet):
    other = Answering(None)
    other.name = "pam"
    door = replace(quiet.parts.door, authenticators=(Down(), other))
    quiet.parts = replace(quiet.parts, door=door)
    answers = [error(quiet.browser().sign_in("zoe", "guess")) for _ in range(6)]
    assert answers == [(503, "directory_down")] * 5 + [(423, "locked")]


def test_while_a_directory_is_down_nothing_tells_who_has_a_password_here(quiet):
    quiet.add_user()
    quiet.parts = replace(
        quiet.parts,
        door=replace(
            quiet.parts.door, authenticators=(Down(), LocalAuthenticator(quiet.parts.database))
        ),
    )
    for _ in range(ATTEMPTS + 1):
        for login in ("camille", "zoe", "nobody"):
            assert error(quiet.browser().sign_in(login, "guess")) == (503, "directory_down")
    assert quiet.browser().sign_in().status_code == 200
    left = FAILURES_AN_ADDRESS - 3 * (ATTEMPTS + 1)
    answers = [error(quiet.browser().sign_in(f"zoe{n}", "guess")) for n in range(left + 1)]
    assert answers == [(503, "directory_down")] * left + [(429, "throttled")]


@pytest.fixture
def school(certificates):
    """An installation that asks a slapd of its own, and that alone."""
    with Slapd("o=gouv,c=fr", scribe_tree(), certificates.issue("127.0.0.1")) as server:
        installation = Installation()
        site = replace(
            installation.site, **server.settings(AUTHENTICATORS=["ldap"], LDAP_TIMEOUT=2)
        )
        settings_checks.check(
            site, site_settings.settings_file(installation.environ), installation.environ
        )
        installation.parts.close()
        installation.site = site
        installation.parts = services.make(site, installation.shared, installation.clock)
        installation.server = server
        yield installation
        installation.close()


def add(installation, login, role="teacher", password=None, source="ldap", state="active"):
    with installation.parts.database.write() as connection:
        users.add(connection, NewUser(login, role, login, password), 0)
        connection.execute(
            update(user).where(user.c.login == login).values(source=source, state=state)
        )


def test_a_teacher_of_the_directory_signs_in(school):
    add(school, "prof.1")
    answer = school.browser().sign_in("PROF.1", LDAP_PASSWORD)
    assert answer.status_code == 200
    assert answer.json["user"] == "prof.1"
    assert error(school.browser().sign_in("prof.1", "wrong")) == (401, "wrong")


@pytest.fixture
def mailing(school):
    """The same, where people may type their mail address, too."""
    named = configured(school.server.settings(LDAP_TYPED_ATTRIBUTES=["uid", "mail"]))
    door = replace(school.parts.door, authenticators=(LdapAuthenticator(*named),))
    school.parts = replace(school.parts, door=door)
    add(school, "prof.1")
    return school


def test_what_is_typed_gives_no_more_tries_and_an_unlock_forgives_all(mailing):
    names = ["prof.1@ac-test.fr", "prof.1"] * 3
    answers = [error(mailing.browser().sign_in(one, "wrong"))[1] for one in names]
    assert answers == ["wrong"] * 5 + ["locked"]
    for password in ("wrong", LDAP_PASSWORD):
        assert error(mailing.browser().sign_in(names[0], password))[1] == "locked"
    parts = mailing.parts
    accounts.unlock(parts.database, parts.door.sessions, "prof.1", parts.now_ms())
    lock = "changetype: modify\ndelete: pwdAccountLockedTime\n"  # the directory counts, too
    mailing.server.change(f"dn: {scribe_dn('prof.1')}\n{lock}")
    assert mailing.browser().sign_in(names[0], LDAP_PASSWORD).status_code == 200


def test_a_directory_is_not_asked_without_end_by_another_name_of_who_is_locked(mailing):
    names = ["prof.1"] * ATTEMPTS + ["prof.1@ac-test.fr"] * FAILURES_AN_ADDRESS
    answers = [error(mailing.browser().sign_in(one, "wrong"))[1] for one in names]
    assert (
        answers[ATTEMPTS:]
        == ["locked"] * (FAILURES_AN_ADDRESS - ATTEMPTS) + ["throttled"] * ATTEMPTS
    )


def test_codes_are_counted_for_the_person_whatever_was_typed(mailing):
    with mailing.parts.database.write() as connection:
        found = users.get(connection, "prof.1")
        key = second_factor.new_key()
        second_factor.enrol(connection, mailing.parts.door.keys, found.id, key, 0)
    names = ["prof.1@ac-test.fr", "prof.1"] * 3
    bodies = [{"username": one, "password": LDAP_PASSWORD, "code": "no code"} for one in names]
    answers = [error(mailing.browser().post("session", body))[1] for body in bodies]
    assert answers == ["wrong_code"] * 5 + ["locked"]


def test_who_is_not_imported_yet_is_told(school):
    answer = school.browser().sign_in("prof.2", LDAP_PASSWORD)
    assert error(answer) == (403, "account_unknown")


def test_a_lock_that_an_import_saw_and_that_has_passed_does_not_shut_out(school):
    for login, source in (("prof.1", "ldap"), ("prof.2", "file")):
        add(school, login, state="locked", source=source)
    with school.parts.database.write() as connection:
        connection.execute(update(user).values(source_state="locked"))
    assert school.browser().sign_in("prof.1", LDAP_PASSWORD).status_code == 200
    with school.parts.database.read() as connection:
        lifted = select(audit).where(audit.c.kind == "account_unlocked")
        assert connection.execute(lifted).one().details == {"login": "prof.1", "by": "ldap"}
    assert error(school.browser().sign_in("prof.2", LDAP_PASSWORD)) == (403, "account_locked")
    with school.parts.database.write() as connection:
        users.set_state(connection, "prof.1", "locked")
    assert error(school.browser().sign_in("prof.1", LDAP_PASSWORD)) == (403, "account_locked")


@pytest.mark.parametrize("state", ["locked", "disabled"])
def test_an_account_that_is_closed_here_stays_closed_whatever_the_directory_says(school, state):
    add(school, "prof.1", state=state)
    assert error(school.browser().sign_in("prof.1", LDAP_PASSWORD)) == (403, f"account_{state}")


def test_someone_called_as_a_local_administrator_does_not_become_him(school):
    school.add_user("prof.1", "administrator")
    school.server.change(
        "dn: uid=prof.1,ou=local,ou=personnels,ou=utilisateurs,ou=0210000A,ou=ac-test,"
        "ou=education,o=gouv,c=fr\nchangetype: modify\nreplace: userPassword\n"
        "userPassword: another password\n"
    )
    assert error(school.browser().sign_in("prof.1", "another password")) == (401, "wrong")
    assert school.browser().sign_in("prof.1", LOCAL_PASSWORD).status_code == 200


def test_while_the_directory_is_down_an_administrator_gets_in_and_others_are_told(school):
    add(school, "prof.1")
    school.add_user("boss", "administrator")
    school.add_user("camille", "teacher")
    school.server.stop()
    assert error(school.browser().sign_in("prof.1", LDAP_PASSWORD)) == (503, "directory_down")
    assert school.browser().sign_in("boss", LOCAL_PASSWORD).status_code == 200
    answer = school.browser().sign_in("camille", LOCAL_PASSWORD)
    assert error(answer) == (503, "directory_down")
    for _ in range(6):  # who knows his password is not locked out by a directory that is down
        assert error(school.browser().sign_in("prof.1", "wrong")) == (503, "directory_down")
    school.server.start()
    school.parts.door.authenticators[0].other._directory._down_since.clear()
    assert school.browser().sign_in("prof.1", LDAP_PASSWORD).status_code == 200


def test_the_socket_of_pam_is_that_of_the_settings_or_of_the_installation(quiet):
    assert quiet.site.pam_socket == quiet.home / "run/eop-pam/eop-pam.sock"
    assert replace(quiet.site, PAM_SOCKET="/x/y").pam_socket == Path("/x/y")
