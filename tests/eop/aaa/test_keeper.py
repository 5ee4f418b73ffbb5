import pytest

from eop.aaa import keeper
from eop.directory.users import User

BOTH = ("ldap", "local")


def of(role="administrator", source="local"):
    return User(1, "anne", "Anne", role, source=source)


@pytest.mark.parametrize("role", ["teacher", "administrator", "security_officer"])
@pytest.mark.parametrize("other", ["ldap", "pam", "cas", "oidc"])
def test_a_local_account_with_a_password_is_opened_by_that_alone(role, other):
    assert keeper.refusal(of(role), "a hash", other, BOTH) == "kept_here"
    assert keeper.refusal(of(role), "a hash", "local", BOTH) == ""


@pytest.mark.parametrize("role", ["administrator", "security_officer"])
@pytest.mark.parametrize(
    ("source", "stored", "opened_by"),
    [
        ("local", None, {"local", "pam", "cas", "oidc"}),
        ("ldap", None, {"ldap"}),
        ("ldap", "a hash", {"ldap"}),
        ("file", None, {"local", "pam", "cas", "oidc"}),
        ("file", "a hash", {"local", "pam", "cas", "oidc"}),
    ],
)
def test_who_gives_rights_or_reads_the_audit_is_proven_where_the_account_is_kept(
    role, source, stored, opened_by
):
    ways = ("local", "ldap", "pam", "cas", "oidc")
    found = {way for way in ways if not keeper.refusal(of(role, source), stored, way, BOTH)}
    assert found == opened_by


def test_an_account_of_a_directory_that_takes_no_passwords_here_is_opened_otherwise():
    assert keeper.refusal(of(source="ldap"), None, "cas", ["local"]) == ""


@pytest.mark.parametrize("way", ["local", "ldap", "pam", "cas", "oidc"])
@pytest.mark.parametrize("source", ["ldap", "file"])
def test_a_teacher_of_a_source_comes_whichever_way_proves_him(source, way):
    assert keeper.refusal(of("teacher", source), None, way, BOTH) == ""


@pytest.mark.parametrize(
    ("source", "stored", "asked", "sso", "kept"),
    [
        ("ldap", None, ["ldap"], False, "ldap"),
        ("ldap", "a hash", ["local"], False, "ldap"),
        ("local", "a hash", ["local"], False, "local"),
        ("local", "a hash", ["ldap", "local"], True, "local"),
        ("file", None, ["local"], False, "local"),
        ("file", None, ["local"], True, ""),
        ("file", None, ["ldap", "local"], False, "ldap"),
        ("file", None, ["pam", "local"], False, ""),
        ("local", "a hash", ["ldap"], False, "ldap"),
        ("local", None, ["pam"], False, ""),
    ],
)
def test_a_new_password_goes_where_the_old_one_is_kept(source, stored, asked, sso, kept):
    assert keeper.keeps_password(of("student", source), stored, asked, sso=sso) == kept
