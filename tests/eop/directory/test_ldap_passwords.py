"""New passwords in real directories; an AD's answers by a double, for no AD can be had here."""

import pytest

from eop.aaa.authenticators.ldap import LdapAuthenticator
from eop.directory import ldap_layout
from eop.directory.ldap_adapter import Link
from eop.directory.ldap_passwords import Account, Writer
from eop.directory.ldap_trouble import LdapError
from eop.settings import SiteSettings
from tests.desktops import free_port
from tests.fakes.ad_server import BASE, AdServer
from tests.ldap_server import PASSWORD, Slapd, scribe_dn, scribe_tree

NEW = "lune-729-Cadre"
POLICY = """dn: cn=policy,o=gouv,c=fr
changetype: modify
replace: pwdMinLength
pwdMinLength: 6
-
replace: pwdInHistory
pwdInHistory: 3
-
replace: pwdCheckQuality
pwdCheckQuality: 2
-
replace: pwdMustChange
pwdMustChange: FALSE
"""


@pytest.fixture(scope="module")
def strict(certificates):
    """A Scribe whose policy refuses short passwords and those that were used."""
    with Slapd("o=gouv,c=fr", scribe_tree(), certificates.issue("127.0.0.1")) as running:
        running.change(POLICY)
        yield running


def site(server, **changes):
    own = {"LDAP_WRITE_DN": server.writer, "LDAP_WRITE_PASSWORD_FILE": str(server.writer_file)}
    return SiteSettings(**server.settings(**{**own, **changes}))


def writer(server, **changes):
    settings = site(server, **changes)
    return Writer(ldap_layout.writing_access_of(settings), ldap_layout.layout_of(settings))


def signs_in(server, login, password):
    settings = site(server)
    access, layout = ldap_layout.access_of(settings), ldap_layout.layout_of(settings)
    return LdapAuthenticator(access, layout).authenticate(login, password)


def test_a_student_signs_in_with_the_new_password_and_not_with_the_old(strict):
    done = writer(strict).set_password(Account("eleve.1"), NEW, must_change=False)
    assert (done.code, done.must_change) == (None, False)
    assert signs_in(strict, "eleve.1", NEW).login == "eleve.1"
    assert signs_in(strict, "eleve.1", PASSWORD).code == "wrong"


def test_a_change_at_the_first_sign_in_is_the_directorys_to_ask_for(strict):
    done = writer(strict).set_password(Account("eleve.2"), NEW, must_change=True)
    assert (done.code, done.must_change) == (None, True)
    trouble = signs_in(strict, "eleve.2", NEW)
    assert (trouble.code, trouble.is_proven) == ("must_change", True)


def test_a_change_that_is_asked_for_no_longer_is_lifted(scribe):
    settled = writer(scribe)
    assert settled.set_password(Account("eleve.3"), NEW, must_change=True).must_change
    assert signs_in(scribe, "eleve.3", NEW).code == "must_change"
    done = settled.set_password(Account("eleve.3"), NEW + "2", must_change=False)
    assert (done.code, done.must_change) == (None, False)
    assert signs_in(scribe, "eleve.3", NEW + "2").login == "eleve.3"


@pytest.mark.parametrize(("password", "code"), [("abc12", "short"), (PASSWORD, "used")])
def test_the_directory_says_what_it_refuses(strict, password, code):
    settled = writer(strict)
    if code == "used":
        settled.set_password(Account("eleve.4"), PASSWORD + "!", must_change=False)
        settled.set_password(Account("eleve.4"), NEW, must_change=False)
        password = PASSWORD + "!"
    done = settled.set_password(Account("eleve.4"), password, must_change=False)
    assert done.code == code
    assert password not in done.words
    assert signs_in(strict, "eleve.4", password).code == "wrong"


def test_an_account_that_may_only_read_is_told_so(strict):
    done = writer(strict, LDAP_WRITE_DN="", LDAP_WRITE_PASSWORD_FILE="").set_password(
        Account("eleve.5"), NEW, must_change=False
    )
    assert done.code == "not_allowed"
    assert signs_in(strict, "eleve.5", PASSWORD).login == "eleve.5"


def test_without_any_account_nothing_is_tried():
    access = ldap_layout.Access((ldap_layout.Server("127.0.0.1", free_port(), "none"),), 1.0)
    layout = ldap_layout.layout_of(SiteSettings(LDAP_BASE="dc=x"))
    done = Writer(access, layout).set_password(Account("zoe"), NEW, must_change=False)
    assert done.code == "no_writer"


def test_nobody_of_that_login_and_somebody_else_of_it_are_left_alone(strict):
    settled = writer(strict)
    assert settled.set_password(Account("nobody"), NEW, must_change=False).code == "unknown"
    other = Account("eleve.6", "6f9619ff-8b86-d011-b42d-00c04fc964ff")
    assert settled.set_password(other, NEW, must_change=False).code == "other_person"
    assert signs_in(strict, "eleve.6", PASSWORD).login == "eleve.6"


@pytest.mark.parametrize("login", ["prof.1", "admin", "secretaire"])
def test_who_is_no_student_there_keeps_his_password_whatever_he_is_here(strict, login):
    done = writer(strict).set_password(Account(login), NEW, must_change=False)
    assert done.code == "not_student"
    assert signs_in(strict, login, PASSWORD).login == login


def test_at_the_console_others_get_one_too(strict):
    named = Account("prof.2", is_student=False)
    assert writer(strict).set_password(named, NEW, must_change=False).code is None
    assert signs_in(strict, "prof.2", NEW).login == "prof.2"


def test_the_narrow_rule_of_the_howto_lets_students_passwords_be_changed_alone(certificates):
    tree, below = scribe_tree(), scribe_dn("x", "eleves").partition(",")[2]
    issued = certificates.issue("127.0.0.1")
    with Slapd("o=gouv,c=fr", tree, issued, writer_below=below) as narrow:
        settled = writer(narrow)
        done = settled.set_password(Account("eleve.1"), NEW, must_change=True)
        assert (done.code, done.must_change) == (None, True)
        assert signs_in(narrow, "eleve.1", NEW).code == "must_change"
        named = Account("prof.1", is_student=False)
        assert settled.set_password(named, NEW, must_change=False).code == "not_allowed"
        assert signs_in(narrow, "prof.1", PASSWORD).login == "prof.1"


def test_what_breaks_after_the_password_is_set_does_not_take_it_away(strict, monkeypatch):
    def broken(*_):
        raise LdapError("the conversation broke off")

    monkeypatch.setattr(Link, "replace_values", broken)
    done = writer(strict).set_password(Account("eleve.9"), NEW, must_change=True)
    assert (done.code, done.must_change) == (None, False)


def test_a_directory_that_does_not_answer_is_told(strict):
    done = writer(strict, LDAP_SERVERS=[f"ldaps://127.0.0.1:{free_port()}"]).set_password(
        Account("eleve.7"), NEW, must_change=False
    )
    assert done.code == "down"
    assert "is the directory's server running?" in done.words


def test_a_shadow_account_without_a_policy_is_marked_by_its_day(strict):
    dn = scribe_dn("eleve.8", "eleves")
    strict.change(f"dn: {dn}\nchangetype: modify\nreplace: shadowLastChange\nshadowLastChange: 9\n")
    settled = writer(strict)
    assert settled.set_password(Account("eleve.8"), NEW, must_change=False).code is None
    assert signs_in(strict, "eleve.8", NEW).login == "eleve.8"


@pytest.fixture
def domain(certificates):
    with AdServer(certificate=certificates.issue("127.0.0.1")) as server:
        server.add("CN=eop", "eop secret", cn="eop")
        server.add(
            "CN=Zoe", "old", objectClass=["user"], sAMAccountName="zoe", objectGUID="g",
            userAccountControl="512", pwdLastSet="1330",
        )  # fmt: skip
        yield server


def ad_writer(server, tmp_path, certificates, scheme="ldaps", also=()):
    secret = tmp_path / "eop.txt"
    secret.write_text("eop secret\n")
    secret.chmod(0o600)
    settings = SiteSettings(
        LDAP_SERVERS=[f"{scheme}://127.0.0.1:{one.port}" for one in (*also, server)],
        LDAP_STARTTLS=False,
        LDAP_CA_FILE=certificates.file, LDAP_BASE=BASE, LDAP_LAYOUT="ad",
        LDAP_DEFAULT_ROLE="student", LDAP_BIND_DN=f"CN=eop,{BASE}", LDAP_PASSWORD_FILE=str(secret),
    )  # fmt: skip
    return Writer(ldap_layout.writing_access_of(settings), ldap_layout.layout_of(settings))


@pytest.mark.parametrize("must_change", [False, True])
def test_an_active_directory_gets_the_password_in_its_own_spelling(
    domain, tmp_path, certificates, must_change
):
    settled = ad_writer(domain, tmp_path, certificates)
    done = settled.set_password(Account("zoe"), "Été-729-Cadre", must_change=must_change)
    assert (done.code, done.must_change) == (None, must_change)
    assert domain.passwords[f"CN=Zoe,{BASE}"] == "Été-729-Cadre"
    [(_, given)] = domain.changes
    assert given["unicodePwd"] == '"Été-729-Cadre"'.encode("utf-16-le")
    assert given.get("pwdLastSet") == (b"0" if must_change else None)


@pytest.mark.parametrize(
    ("result", "words", "code"),
    [
        (19, "0000052D: AtrErr: DSID-03191083, #1: 0: 0000052D: DSID-03191083", "weak"),
        (53, "0000052D: SvcErr: DSID-031A12D2, problem 5003 (WILL_NOT_PERFORM)", "weak"),
        (50, "00000005: SecErr: DSID-031A1190, problem 4003 (INSUFF_ACCESS_RIGHTS)", "not_allowed"),
        (53, "00002077: SvcErr: DSID-031903CF, problem 5003", "refused"),
    ],
)
def test_an_active_directory_says_what_it_refuses(
    domain, tmp_path, certificates, result, words, code
):
    domain.words[f"CN=Zoe,{BASE}"] = (result, words)
    done = ad_writer(domain, tmp_path, certificates).set_password(
        Account("zoe"), NEW, must_change=True
    )
    assert (done.code, done.words) == (code, words)
    assert domain.passwords[f"CN=Zoe,{BASE}"] == "old"


def test_where_one_server_is_only_read_the_next_is_asked(domain, tmp_path, certificates):
    with AdServer(certificate=certificates.issue("127.0.0.1")) as copy:
        copy.entries, copy.passwords = dict(domain.entries), dict(domain.passwords)
        copy.words[f"CN=Zoe,{BASE}"] = (10, "0000202B: RefErr: DSID-03100781")
        settled = ad_writer(domain, tmp_path, certificates, also=[copy])
        done = settled.set_password(Account("zoe"), NEW, must_change=False)
        assert done.code is None
        assert len(copy.changes) == 1
        assert domain.passwords[f"CN=Zoe,{BASE}"] == NEW
        alone = ad_writer(copy, tmp_path, certificates)
        told = alone.set_password(Account("zoe"), NEW, must_change=False)
        assert (told.code, "name the one that does" in told.words) == ("down", True)


def test_no_password_goes_to_an_active_directory_without_tls(tmp_path, certificates):
    with AdServer() as server:
        server.add("CN=eop", "eop secret", cn="eop")
        server.add("CN=Zoe", "old", objectClass=["user"], sAMAccountName="zoe")
        done = ad_writer(server, tmp_path, certificates, "ldap").set_password(
            Account("zoe"), NEW, must_change=False
        )
        assert done.code == "no_tls"
        assert server.changes == []
