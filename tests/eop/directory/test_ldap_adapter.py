import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eop.directory import ldap_adapter
from eop.directory.ldap_adapter import (
    MAX_PASSWORD_FILE_BYTES,
    Link,
    escaped,
    normal_dn,
    parse_range,
)
from eop.directory.ldap_layout import Access, Server
from eop.directory.ldap_trouble import LdapError
from tests.desktops import free_port
from tests.fakes.ad_server import BASE, AdServer
from tests.ldap_fixtures import configured
from tests.ldap_server import PASSWORD, SCRIBE, Slapd, scribe_dn, unit


def access_to(server, **changes):
    return configured(server.settings(**changes))[0]


def link_to(access, **options):
    return Link(access.servers[0], access, **options)


def plain(port, timeout=1.0):
    return Access((Server("127.0.0.1", port, "none"),), timeout)


@pytest.fixture
def small(certificates):
    """A slapd that gives its certificate for the names of `make(…)`."""
    running = []

    def make(*names, **options):
        tree = unit("ou=x") if not running else ""
        server = Slapd("ou=x", tree, certificates.issue(*names, **options))
        running.append(server)
        return server.__enter__()

    yield make
    for server in running:
        server.__exit__()


@pytest.mark.parametrize("kind", ["ldaps", "ldap"])
def test_tls_is_there_from_the_start_or_by_starttls(scribe, kind):
    with link_to(access_to(scribe, LDAP_SERVERS=[getattr(scribe, kind)])) as link:
        assert link.tls == "TLSv1.3"
        assert "GMT" in link.certificate_ends()
        link.sign_in()
        assert len(link.search(SCRIBE, "(uid=prof.*)", ["uid"], limit=20)) == 12


@pytest.mark.parametrize("kind", ["ldaps", "ldap"])
def test_a_certificate_of_a_foreign_authority_is_refused(scribe, foreign_authority, kind):
    access = access_to(
        scribe, LDAP_SERVERS=[getattr(scribe, kind)], LDAP_CA_FILE=foreign_authority.file
    )
    with pytest.raises(LdapError, match="name the PEM file of that authority in LDAP_CA_FILE"):
        link_to(access)


def test_an_authority_that_was_renewed_needs_no_restart(scribe, foreign_authority, tmp_path):
    path = tmp_path / "ca.pem"
    path.write_bytes(Path(foreign_authority.file).read_bytes())
    access = access_to(scribe, LDAP_CA_FILE=str(path))
    with pytest.raises(LdapError, match="LDAP_CA_FILE"):
        link_to(access)
    path.write_bytes(Path(scribe.settings()["LDAP_CA_FILE"]).read_bytes())
    link_to(access).close()
    path.unlink()
    with pytest.raises(LdapError, match="No such file"):
        link_to(access)


def test_the_systems_authorities_know_no_schools_certificate(scribe):
    with pytest.raises(LdapError, match="LDAP_CA_FILE"):
        link_to(access_to(scribe, LDAP_CA_FILE=""))


@pytest.mark.parametrize("kind", ["ldaps", "ldap"])
def test_a_certificate_for_another_name_is_refused(small, certificates, kind):
    server = small("annuaire.ecole.lan", "127.0.0.2")
    access = access_to(server, LDAP_SERVERS=[getattr(server, kind)])
    with pytest.raises(LdapError, match="its certificate is not for 127.0.0.1"):
        link_to(access)


def test_a_certificate_that_ended_is_refused(small):
    with pytest.raises(LdapError, match="its certificate has expired; renew it"):
        link_to(access_to(small("127.0.0.1", days=-1)))


def test_a_server_without_starttls_is_not_spoken_to_in_clear_text():
    with Slapd("ou=x", unit("ou=x")) as server:
        access = Access((Server("127.0.0.1", server.ports[0], "starttls"),), 2)
        with pytest.raises(LdapError, match="the server offers no StartTLS"):
            link_to(access)


def test_plain_ldap_works_where_settings_allow_it(scribe):
    with link_to(plain(scribe.ports[0], 5)) as link:
        assert link.tls == ""
        assert link.bind(scribe_dn("prof.1"), PASSWORD.encode()).code == 0


def test_an_ldaps_address_with_the_port_of_plain_ldap_is_told(scribe):
    access = Access((Server("127.0.0.1", scribe.ports[0], "ldaps"),), 1)
    with pytest.raises(LdapError, match=r"TLS fails|no answer|broke off"):
        link_to(access)


def test_nothing_listening_is_told_with_the_remedy():
    with pytest.raises(LdapError, match="nothing listens there; is the directory's server running"):
        link_to(plain(free_port()))


def test_a_name_that_is_not_known_is_told():
    access = Access((Server("annuaire.invalid", 636, "ldaps"),), 2)
    with pytest.raises(LdapError, match="the name annuaire.invalid is not known"):
        link_to(access)


@pytest.fixture
def mute():
    """A port that accepts and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


@pytest.mark.parametrize("tls", ["ldaps", "starttls"])
def test_a_server_that_never_answers_costs_one_timeout(mute, tls):
    access = Access((Server("127.0.0.1", mute, tls),), 0.3)
    began = time.monotonic()
    with pytest.raises(LdapError, match=r"no answer within 0.3 s; check the address"):
        link_to(access)
    assert time.monotonic() - began < 1.5


def answering(*pieces, pause=0.0):
    """A port that sends these bytes, one piece each `pause` seconds, to who speaks first."""
    listening = socket.create_server(("127.0.0.1", 0))
    stopped = threading.Event()

    def serve():
        with listening:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                for piece in pieces:
                    try:
                        connection.sendall(piece)
                    except OSError:
                        return
                    if stopped.wait(pause):
                        return

    thread = threading.Thread(target=serve)
    thread.start()

    class Answering:
        port = listening.getsockname()[1]

        def __enter__(self):
            return self

        def __exit__(self, *_):
            stopped.set()
            thread.join(5)

    return Answering()


def test_a_server_that_trickles_bytes_meets_the_deadline_of_the_whole():
    trickle = [b"\x30\x84\x00", b"\x00\x01\x00", *([b"\x00"] * 100)]
    with answering(*trickle, pause=0.05) as server, link_to(plain(server.port, 0.4)) as link:
        began = time.monotonic()
        with pytest.raises(LdapError, match=r"no answer within 0.4 s"):
            link.bind("cn=x", b"secret")
        assert time.monotonic() - began < 1.5


def test_an_answer_without_end_is_cut(monkeypatch):
    monkeypatch.setattr(ldap_adapter, "MAX_ANSWER_BYTES", 1000)
    endless = b"\x30\x84\x7f\xff\xff\xff" + b"x" * 995
    with (
        answering(endless) as server,
        link_to(plain(server.port)) as link,
        pytest.raises(LdapError, match="an answer of more than 1000 bytes"),
    ):
        link.bind("cn=x", b"secret")


@pytest.mark.parametrize(
    "rubbish",
    [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x30\x02\x02\x01", b"\x30\x00", b"\x30\x80\x00\x00",
     b"\x30\x0c\x02\x01\x01\x61\x07\x0a\x01\x00\x04\x00\x04"],
)  # fmt: skip
def test_a_server_that_speaks_no_ldap_is_told(rubbish):
    with (
        answering(rubbish) as server,
        link_to(plain(server.port, 0.5)) as link,
        pytest.raises(LdapError, match="127.0.0.1"),
    ):
        link.bind("cn=x", b"secret")


def test_after_a_server_hung_up_no_password_goes_to_a_new_connection():
    with answering(b"") as server, link_to(plain(server.port)) as link:
        with pytest.raises(LdapError):
            link.bind("cn=x", b"secret")
        with pytest.raises(LdapError, match="the server ended the conversation"):
            link.bind("cn=x", b"secret")


@pytest.mark.parametrize(("dn", "password"), [("", b"x"), ("cn=x", b""), ("", b"")])
def test_an_empty_name_or_password_is_never_sent(scribe, dn, password):
    with (
        link_to(access_to(scribe)) as link,
        pytest.raises(LdapError, match="empty name or password is never sent"),
    ):
        link.bind(dn, password)


def test_the_account_of_the_settings_is_told_when_it_is_refused(scribe, tmp_path):
    wrong = tmp_path / "wrong"
    wrong.write_text("not it\n")
    wrong.chmod(0o600)
    with (
        link_to(access_to(scribe, LDAP_PASSWORD_FILE=str(wrong))) as link,
        pytest.raises(LdapError, match="check LDAP_BIND_DN and the password in") as told,
    ):
        link.sign_in()
    assert "not it" not in str(told.value)


def test_a_new_password_in_the_file_needs_no_restart(scribe, tmp_path):
    path = tmp_path / "password"
    path.write_text("old")
    path.chmod(0o600)
    access = access_to(scribe, LDAP_PASSWORD_FILE=str(path))
    path.write_text(scribe.password_file.read_text())
    with link_to(access) as link:
        link.sign_in()
        path.write_text("\nsecond line")
        with pytest.raises(LdapError, match="its first line is empty"):
            link.sign_in()
        path.unlink()
        with pytest.raises(LdapError, match="No such file"):
            link.sign_in()


def test_a_password_has_as_many_bytes_as_the_file_may_have(tmp_path):
    path = tmp_path / "password"
    with AdServer() as server, link_to(plain(server.port)) as link:
        for count in (MAX_PASSWORD_FILE_BYTES, MAX_PASSWORD_FILE_BYTES + 1):
            path.write_bytes(b"x" * count)
            link._access = replace(link._access, bind_dn="cn=x", password_file=str(path))
            with pytest.raises(LdapError) as told:
                link.sign_in()
            is_too_long = count > MAX_PASSWORD_FILE_BYTES
            assert (
                f"longer than {MAX_PASSWORD_FILE_BYTES} bytes" in str(told.value)
            ) is is_too_long
        assert [len(password) for _, password in server.binds] == [MAX_PASSWORD_FILE_BYTES]


def test_more_entries_than_a_page_are_all_read(scribe, monkeypatch):
    monkeypatch.setattr(ldap_adapter, "PAGE_ENTRIES", 50)
    with link_to(access_to(scribe), is_whole=False) as link:
        link.sign_in()
        found = list(link.pages(SCRIBE, "(uid=*)", ["uid"]))
    assert len({entry.text("uid") for entry in found}) == 334


def test_the_number_of_entries_has_a_limit(scribe, monkeypatch):
    with link_to(access_to(scribe), is_whole=False) as link:
        link.sign_in()
        monkeypatch.setattr(ldap_adapter, "MAX_ENTRIES", 334)
        assert len(list(link.pages(SCRIBE, "(uid=*)", ["uid"]))) == 334
        monkeypatch.setattr(ldap_adapter, "MAX_ENTRIES", 333)
        with pytest.raises(LdapError, match="more than 333 entries below"):
            list(link.pages(SCRIBE, "(uid=*)", ["uid"]))


def test_a_search_reads_no_more_than_asked(scribe):
    with link_to(access_to(scribe)) as link:
        link.sign_in()
        assert len(link.search(SCRIBE, "(uid=*)", ["uid"], limit=2)) == 2


@pytest.mark.parametrize(
    ("base", "wanted", "words"),
    [
        (f"ou=none,{SCRIBE}", "(uid=*)", "there is no such base.*check LDAP_BASE"),
        (SCRIBE, "(uid=*", "a filter is malformed"),
        ("rubbish", "(uid=*)", "searching rubbish"),
    ],
)
def test_a_search_that_cannot_be_done_is_told(scribe, base, wanted, words):
    with link_to(access_to(scribe)) as link:
        link.sign_in()
        with pytest.raises(LdapError, match=words):
            list(link.pages(base, wanted, ["uid"]))
        with pytest.raises(LdapError, match=words):
            link.search(base, wanted, ["uid"], limit=2)


def test_an_entry_that_is_not_there_is_none(scribe):
    with link_to(access_to(scribe)) as link:
        link.sign_in()
        assert link.read(f"cn=none,{SCRIBE}", ["cn"]) is None
        assert link.read(scribe_dn("prof.1"), ["uid"]).text("UID") == "prof.1"
        with pytest.raises(LdapError, match="searching rubbish"):
            link.read("rubbish", ["cn"])


def test_an_account_that_gets_only_a_part_is_told(scribe):
    with Slapd("ou=x", "".join([unit("ou=x"), *(unit(f"ou={n},ou=x") for n in range(150))])) as few:
        few.change(
            f"dn: cn=reader,{few.suffix}\nchangetype: add\nobjectClass: organizationalRole\n"
            "objectClass: simpleSecurityObject\nuserPassword: the reader's own secret\n"
        )
        access = plain(few.ports[0], 5)
        with link_to(access) as link:
            assert link.bind(few.root, b"the reader's own secret").code == 0
            assert len(list(link.pages("ou=x", "(ou=*)", ["ou"]))) == 151


def test_members_beyond_the_first_range_are_read():
    members = [f"CN=u{n},{BASE}" for n in range(3001)]
    with AdServer() as server, link_to(plain(server.port, 5), is_whole=False) as link:
        dn = server.add("CN=big", member=members)
        found = list(link.pages(BASE, "(member=*)", ["member"]))
        assert found[0].texts("member") == members
        assert [words for base, words in server.searches if base == dn] == [
            "member;range=1500-*",
            "member;range=3000-*",
        ]


def test_an_entry_that_another_server_keeps_is_none():
    with AdServer() as server, link_to(plain(server.port)) as link:
        assert link.read("CN=x,DC=other,DC=lan", ["cn"]) is None


def test_referrals_to_other_parts_of_a_forest_are_not_followed():
    with AdServer() as server, link_to(plain(server.port), is_whole=False) as link:
        server.add("CN=one", cn="one")
        assert [entry.text("cn") for entry in link.pages(BASE, "(cn=*)", ["cn"])] == ["one"]


def test_the_values_of_one_attribute_have_a_limit(monkeypatch):
    monkeypatch.setattr(ldap_adapter, "MAX_RANGES", 2)
    members = [f"CN=u{n},{BASE}" for n in range(4501)]
    with AdServer() as server, link_to(plain(server.port, 5)) as link:
        server.add("CN=big", member=members[:4500])
        assert (
            link.search(BASE, "(member=*)", ["member"], limit=9)[0].texts("member")
            == members[:4500]
        )
        server.add("CN=big", member=members)
        with pytest.raises(LdapError, match="is not given to its end"):
            link.search(BASE, "(member=*)", ["member"], limit=9)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("member;range=0-1499", ("member", 0, 1499)),
        ("Member;Range=1500-*", ("member", 1500, None)),
        ("msDS-x;range=0-0", ("msds-x", 0, 0)),
        ("member", None),
        ("member;range=1499", None),
        ("member;binary", None),
        ("member;range=a-b", None),
        ("member;range=0-12345678901234", None),
    ],
)
def test_the_name_of_a_ranged_attribute(name, parts):
    assert parse_range(name) == parts


@given(st.text(max_size=60))
def test_any_name_is_read_as_ranged_or_not(name):
    found = parse_range(name)
    assert found is None or ";range=" in name.lower()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("cn=Dupont\\, Zoé,dc=x", "CN=Dupont\\2C Zo\\C3\\A9 , DC=X"),
        ("cn=a\\+b,dc=x", "cn=a\\2bb,dc=x"),
        ("ou=Élèves,dc=x", "OU=élèves,DC=x"),
    ],
)
def test_spellings_of_one_name_are_the_same(one, other):
    assert normal_dn(one) == normal_dn(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("cn=a\\,dc=b,dc=x", "cn=a,dc=b,dc=x"), ("cn=a\\ ,dc=x", "cn=a,dc=x"), ("cn=a\\5c", "cn=a")],
)
def test_other_names_are_not_the_same(one, other):
    assert normal_dn(one) != normal_dn(other)


@given(st.text(max_size=80))
def test_any_text_is_compared_as_a_name(text):
    assert normal_dn(text) == normal_dn("  " + text)


@given(st.text(max_size=40))
def test_what_is_typed_adds_nothing_to_a_filter(text):
    assert not set("()*\0") & set(escaped(text))


def test_ldap3_is_imported_where_warnings_are_errors():
    command = [sys.executable, "-W", "error", "-c", "import eop.directory.ldap_adapter"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
