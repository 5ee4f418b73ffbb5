"""The role of one person is that of an import, on real directories; an AD's chains by a double."""

import pytest

from eop.directory import ldap_layout, ldap_lookup, ldap_roles
from eop.directory.ldap_adapter import Link
from eop.directory.ldap_source import LdapSource
from eop.settings import SiteSettings
from tests.fakes.ad_server import BASE, AdServer
from tests.ldap_fixtures import AD_SETTINGS, configured


def roles_of(server, logins, **changes):
    access, layout = configured(server.settings(**changes))
    return roles(access, layout, logins)


def roles(access, layout, logins):
    found = {}
    with Link(access.servers[0], access, is_whole=False) as link:
        link.sign_in()
        for login in logins:
            entry = ldap_lookup.find(link, layout, login, [ldap_roles.UID])
            found[login] = ldap_roles.role_of(link, layout, entry)
    return found


def imported(server, **changes):
    snapshot = LdapSource(*configured(server.settings(**changes))).read(lambda _: None)
    return {one.login: one.role for one in snapshot.people}


SOME = ["eleve.0", "eleve.200", "prof.0", "prof.5", "admin", "secretaire"]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"LDAP_DEFAULT_ROLE": "student", "LDAP_ROLES": ["professeurs=teacher"]},
        {"LDAP_ROLES": ["(typeadmin=2)=head_teacher", "professeurs=teacher", "eleves=student"]},
    ],
)
def test_a_scribe_gives_one_person_the_role_of_an_import(scribe, changes):
    wanted = imported(scribe, **changes)
    assert roles_of(scribe, SOME, **changes) == {one: wanted.get(one, "") for one in SOME}


def test_groups_within_groups_and_rings_give_the_role_of_an_import(ad):
    some = ["eleve0", "eleve59", "prof0", "prof1", "prof3", "parti", "neuf"]
    wanted = imported(ad, **AD_SETTINGS)
    assert {wanted.get(one, "") for one in some} == {"student", "teacher", "head_teacher", ""}
    assert roles_of(ad, some, **AD_SETTINGS) == {one: wanted.get(one, "") for one in some}


@pytest.mark.parametrize("rule", ["nowhere=teacher", "cn=nowhere,ou=groupes=teacher"])
def test_nobody_is_a_student_by_default_while_a_group_is_out_of_sight(scribe, rule, caplog):
    given = {"LDAP_DEFAULT_ROLE": "student", "LDAP_ROLES": [rule]}
    assert roles_of(scribe, ["prof.0", "eleve.0"], **given) == {"prof.0": "", "eleve.0": ""}
    assert "not shown to this account" in caplog.text
    given["LDAP_ROLES"].append("eleves=student")
    assert roles_of(scribe, ["prof.0", "eleve.0"], **given) == {"prof.0": "", "eleve.0": "student"}


def test_without_any_rule_nobody_has_a_role(ad):
    assert roles_of(ad, ["eleve0"]) == {"eleve0": ""}


def test_an_active_directory_is_asked_for_its_chains(tmp_path):
    secret = tmp_path / "eop.txt"
    secret.write_text("eop secret\n")
    secret.chmod(0o600)
    with AdServer() as server:
        server.add("CN=eop", "eop secret", cn="eop")
        zoe, paul = (
            server.add(f"CN={name}", objectClass=["user"], sAMAccountName=name)
            for name in ("zoe", "paul")
        )
        inner = server.add("CN=Inner", objectClass=["group"], cn="Inner", member=[paul])
        server.add("CN=Profs", objectClass=["group"], cn="Profs", member=[inner])
        server.add("CN=Eleves", objectClass=["group"], cn="Eleves", member=[zoe, paul])
        site = SiteSettings(
            LDAP_SERVERS=[f"ldap://127.0.0.1:{server.port}"], LDAP_STARTTLS=False, LDAP_BASE=BASE,
            LDAP_LAYOUT="ad", LDAP_ROLES=["Profs=teacher", "Eleves=student"],
            LDAP_BIND_DN=f"CN=eop,{BASE}", LDAP_PASSWORD_FILE=str(secret),
        )  # fmt: skip
        found = roles(ldap_layout.access_of(site), ldap_layout.layout_of(site), ["zoe", "paul"])
    assert found == {"zoe": "student", "paul": "teacher"}
