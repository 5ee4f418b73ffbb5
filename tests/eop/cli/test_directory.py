import json
from dataclasses import asdict

import pytest

from eop import settings as site_settings
from tests.desktops import free_port
from tests.ldap_fixtures import AD_SETTINGS, ad, certificates, foreign_authority, scribe

__all__ = ["ad", "certificates", "foreign_authority", "scribe"]


@pytest.fixture
def school(quiet):
    """`school(server, KEY=…)` writes the settings into eop.conf."""
    path = site_settings.settings_file(quiet.environ)

    def configure(server, **changes):
        values = json.loads(path.read_text()) | server.settings(**changes)
        path.write_text(json.dumps(values))

    return configure


def test_it_tells_of_server_people_and_groups(school, scribe, eopctl):
    school(scribe)
    done = eopctl("directory", "test")
    assert done.code == 0, done.err
    assert "TLSv1.3" in done.out
    assert "people: 333 (1 administrator, 320 student, 12 teacher)" in done.out
    assert "classes and groups: 5" in done.out
    assert "1 people were left out: they have no role by LDAP_ROLES" in done.out


def test_it_tells_what_is_known_of_one_login(school, scribe, eopctl):
    school(scribe, LDAP_SERVERS=[scribe.ldap])
    done = eopctl("directory", "test", "PROF.1", "--json")
    assert done.code == 0
    person = done.json["person"]
    assert (person["login"], person["role"], person["classes"]) == ("prof.1", "teacher", ["3a"])
    assert (person["state"], person["must_change"]) == ("active", False)
    student = eopctl("directory", "test", "eleve.0", "--json").json["person"]
    assert student["student_of"] == ["3a", "latin"]
    shown = eopctl("directory", "test", "secretaire").out
    assert "none: an import leaves this person out (see LDAP_ROLES)" in shown


def test_it_tells_the_state_of_an_account_and_rooms(school, ad, eopctl):
    school(ad, **AD_SETTINGS)
    done = eopctl("directory", "test", "parti", "--json")
    assert done.json["person"]["state"] == "disabled"
    assert done.json["rooms"] == 2
    assert "active, must change the password" in eopctl("directory", "test", "neuf").out


def test_a_login_that_is_not_there_is_told_with_the_settings_to_look_at(school, scribe, eopctl):
    school(scribe)
    done = eopctl("directory", "test", "nobody")
    assert done.code == 1
    assert "nobody is called nobody below" in done.out
    assert "LDAP_LOGIN_ATTRIBUTE" in done.out


def test_one_of_two_servers_down_is_done_in_part(school, scribe, eopctl):
    school(scribe, LDAP_SERVERS=[f"ldaps://127.0.0.1:{free_port()}", scribe.ldaps])
    done = eopctl("directory", "test", "--json")
    assert done.code == 3
    first, second = done.json["servers"]
    assert "nothing listens there" in first["trouble"]
    assert (second["trouble"], second["kind"]) == ("", "LDAP")
    assert done.json["people"] == 333


def test_no_server_that_works_is_failed_with_the_remedy(school, scribe, foreign_authority, eopctl):
    school(scribe, LDAP_CA_FILE=foreign_authority.file)
    done = eopctl("directory", "test")
    assert done.code == 1
    assert "LDAP_CA_FILE" in done.out
    assert "people" not in done.out


def test_a_base_that_is_not_there_is_failed_with_the_remedy(school, scribe, eopctl):
    school(scribe, LDAP_PEOPLE_BASES=["ou=nowhere"])
    done = eopctl("directory", "test")
    assert done.code == 1
    assert "check LDAP_BASE and the bases" in done.out


def test_without_servers_the_setting_is_named(quiet, eopctl):
    done = eopctl("directory", "test", "--json")
    assert done.code == 1
    assert "LDAP_SERVERS is empty" in done.json["error"]["message"]


def test_no_password_is_shown(school, scribe, eopctl):
    school(scribe)
    done = eopctl("directory", "test", "prof.1", "--json")
    secret = scribe.password_file.read_text().strip()
    assert secret not in done.out + done.err + str(asdict(site_settings.load()))
