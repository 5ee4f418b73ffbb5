import pytest

from controle_vnc.errors import SettingsError
from eop.directory import ldap_layout
from eop.directory.ldap_layout import RoleRule, Server
from eop.settings import SiteSettings

BASE = "dc=ecole,dc=lan"


def site(**changes):
    return SiteSettings(**{"LDAP_SERVERS": ["ldaps://dc1.ecole.lan"], "LDAP_BASE": BASE, **changes})


def access(**changes):
    return ldap_layout.access_of(site(**changes))


def layout(**changes):
    return ldap_layout.layout_of(site(**changes))


def test_addresses_have_the_usual_ports_and_stay_in_order():
    servers = ["ldaps://dc1.ecole.lan", "ldap://dc2:1389", "ldaps://[::1]:1636"]
    assert access(LDAP_SERVERS=servers).servers == (
        Server("dc1.ecole.lan", 636, "ldaps"),
        Server("dc2", 1389, "starttls"),
        Server("::1", 1636, "ldaps"),
    )
    assert [one.address for one in access(LDAP_SERVERS=servers).servers] == [
        "ldaps://dc1.ecole.lan:636", "ldap://dc2:1389", "ldaps://[::1]:1636",
    ]  # fmt: skip


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_without_tls_this_machine_may_be_spoken_to(host):
    found = access(LDAP_SERVERS=[f"ldap://{host}"], LDAP_STARTTLS=False).servers
    assert [one.tls for one in found] == ["none"]


@pytest.mark.parametrize("host", ["dc1.ecole.lan", "10.0.0.1", "localhost.ecole.lan"])
def test_without_tls_no_other_machine_is_spoken_to(host):
    with pytest.raises(SettingsError, match="passwords in clear text; use ldaps://"):
        access(LDAP_SERVERS=[f"ldap://{host}"], LDAP_STARTTLS=False)


@pytest.mark.parametrize(
    "address",
    ["dc1", "http://dc1", "ldaps://", "ldaps://dc1/dc=x", "ldaps://a@dc1", "ldaps://dc1:0",
     "ldaps://dc1:port", "ldaps://[::1", "ldaps://dc1?x"],
)  # fmt: skip
def test_what_is_no_address_is_refused_with_an_example(address):
    with pytest.raises(SettingsError, match="must look like ldaps://host:636"):
        access(LDAP_SERVERS=[address])


def test_the_number_of_servers_and_the_timeout_have_limits():
    assert len(access(LDAP_SERVERS=["ldaps://a"] * 8).servers) == 8
    with pytest.raises(SettingsError, match="at most 8 servers"):
        access(LDAP_SERVERS=["ldaps://a"] * 9)
    for seconds in (1, 60):
        assert access(LDAP_TIMEOUT=seconds).timeout == seconds
    for seconds in (0, 61):
        with pytest.raises(SettingsError, match="between 1 and 60"):
            access(LDAP_TIMEOUT=seconds)


def test_an_account_needs_a_password_file_that_only_we_can_read(tmp_path):
    path = tmp_path / "password"
    with pytest.raises(SettingsError, match="go together"):
        access(LDAP_BIND_DN="cn=reader")
    with pytest.raises(SettingsError, match="there is no file"):
        access(LDAP_BIND_DN="cn=reader", LDAP_PASSWORD_FILE=str(path))
    path.write_text("secret")
    path.chmod(0o644)
    with pytest.raises(SettingsError, match="chmod 640"):
        access(LDAP_BIND_DN="cn=reader", LDAP_PASSWORD_FILE=str(path))
    path.chmod(0o640)
    assert access(LDAP_BIND_DN="cn=reader", LDAP_PASSWORD_FILE=str(path)).bind_dn == "cn=reader"
    with pytest.raises(SettingsError, match="LDAP_CA_FILE: there is no file"):
        access(LDAP_CA_FILE=str(tmp_path / "none.pem"))


def test_a_layout_gives_what_is_not_set():
    found = layout(LDAP_LAYOUT="scribe")
    assert found.people.bases == (
        f"ou=local,ou=personnels,ou=utilisateurs,{BASE}",
        f"ou=local,ou=eleves,ou=utilisateurs,{BASE}",
    )
    assert (found.login, found.typed, found.teams) == ("uid", ("uid",), "profs-{class}")
    ad = layout(LDAP_LAYOUT="ad", LDAP_LOGIN_ATTRIBUTE="userPrincipalName")
    assert (ad.login, ad.id, ad.room) == ("userPrincipalName", "objectGUID", "location")
    assert ad.people.bases == (BASE,)


def test_bases_are_below_the_root_unless_they_name_it():
    found = layout(LDAP_PEOPLE_BASES=["ou=a", f"ou=b,{BASE}", "ou=c,DC=Ecole, DC=lan", BASE])
    assert found.people.bases == (
        f"ou=a,{BASE}", f"ou=b,{BASE}", "ou=c,DC=Ecole, DC=lan", BASE,
    )  # fmt: skip


def test_roles_come_by_group_by_name_and_by_filter():
    rules = ["Profs=teacher", "ou=Eleves=student", "(typeadmin=2)=head_teacher"]
    assert layout(LDAP_ROLES=rules).roles == (
        RoleRule("group", "Profs", "teacher"),
        RoleRule("name", f"ou=Eleves,{BASE}", "student"),
        RoleRule("filter", "(typeadmin=2)", "head_teacher"),
    )


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"LDAP_LAYOUT": "novell"}, "LDAP_LAYOUT must be one of plain, scribe, ad"),
        ({"LDAP_BASE": ""}, "LDAP_BASE must be a name"),
        ({"LDAP_PEOPLE_FILTER": "uid=*"}, "LDAP_PEOPLE_FILTER: 'uid=\\*' is no filter"),
        ({"LDAP_GROUP_FILTER": "((a=b)"}, "LDAP_GROUP_FILTER"),
        ({"LDAP_TEAMS": "profs"}, "LDAP_TEAMS must hold {class} once"),
        ({"LDAP_ROLES": ["Profs"]}, "must look like GROUP=ROLE"),
        ({"LDAP_ROLES": ["Profs=king"]}, "must look like GROUP=ROLE"),
        ({"LDAP_ROLES": ["=teacher"]}, "must look like GROUP=ROLE"),
        ({"LDAP_ROLES": ["(a=b=teacher"]}, "is no filter"),
        ({"LDAP_DEFAULT_ROLE": "king"}, "LDAP_DEFAULT_ROLE must be one of"),
    ],
)
def test_a_wrong_setting_is_named(changes, words):
    with pytest.raises(SettingsError, match=words):
        layout(**changes)
