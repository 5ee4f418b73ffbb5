import csv
import io
import stat

import pytest
from sqlalchemy import update

from eop.directory import classes, users
from eop.directory.tables import user
from tests.eop.directory.test_ldap_passwords import signs_in
from tests.eop.installation import PASSWORD, error
from tests.eop.passwords.conftest import school
from tests.eop.passwords.test_pages import events_of
from tests.ldap_fixtures import certificates, scribe

__all__ = ["certificates", "school", "scribe"]


@pytest.fixture
def output(tmp_path):
    return tmp_path / "passwords.csv"


def rows_of(output):
    text = output.read_text(encoding="utf-8-sig")
    return {
        one["login"]: one["password"] for one in csv.DictReader(io.StringIO(text), delimiter=";")
    }


def test_a_class_gets_new_passwords_that_are_in_the_file_alone(school, eopctl, output):
    done = eopctl("password", "class", "3eB", "--output", output, "--json")
    assert done.code == 0, done.err
    assert [one["login"] for one in done.json["changed"]] == [
        "ines.amrani", "malo.colin", "zoe.dubois",
    ]  # fmt: skip
    made = rows_of(output)
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    for login, password in made.items():
        assert password not in done.out + done.err
        assert error(school.browser().sign_in(login, password)) == (401, "must_change")
    assert not [one for one in made.values() if one in str(events_of(school))]


def test_chosen_students_keep_what_they_get(school, eopctl, output, password_file):
    password_file.write_text("trois ruches bleues\n")
    done = eopctl(
        "password", "class", "3eB", "--kind", "same", "--password-file", password_file,
        "--student", "malo.colin", "--no-change", "--output", output,
    )  # fmt: skip
    assert done.code == 0, done.err
    assert rows_of(output) == {"malo.colin": "trois ruches bleues"}
    assert school.browser().sign_in("malo.colin", "trois ruches bleues").status_code == 200
    assert school.browser().sign_in("ines.amrani", PASSWORD).status_code == 200


def test_a_password_that_a_spreadsheet_would_carry_out_is_in_no_file(
    school, eopctl, output, password_file
):
    password_file.write_text("=1+trois ruches\n")
    done = eopctl(
        "password", "class", "3eB", "--kind", "same", "--password-file", password_file,
        "--output", output,
    )  # fmt: skip
    assert done.code == 1
    assert "a spreadsheet would take it for a formula" in done.err
    assert not output.exists()
    assert school.browser().sign_in("ines.amrani", PASSWORD).status_code == 200


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--kind", "birth"], 1, "No birth date is known here. zoe.dubois"),
        (["--kind", "name", "--no-change"], 1, "too easy to guess"),
        (["--kind", "same"], 2, "--password-file goes with --kind same"),
        (["--student", "other.student"], 1, "no student of the class '3eB': other.student"),
    ],
)
def test_what_may_not_be_changes_nothing_and_writes_no_file(
    school, eopctl, output, arguments, code, told
):
    done = eopctl("password", "class", "3eB", *arguments, "--output", output)
    assert done.code == code
    assert told in done.err
    assert not output.exists()
    assert school.browser().sign_in("ines.amrani", PASSWORD).status_code == 200


def test_a_file_that_is_there_is_left_alone(school, eopctl, output):
    output.write_text("mine")
    done = eopctl("password", "class", "3eB", "--output", output)
    assert done.code == 2
    assert "it is there already" in done.err
    assert output.read_text() == "mine"
    assert school.browser().sign_in("ines.amrani", PASSWORD).status_code == 200


def test_a_head_teacher_is_given_a_class_by_name(school, eopctl, password_file):
    add = ("user", "add", "rosa", "--password-file", password_file, "--json")
    done = eopctl(
        *add, "--role", "head_teacher", "--class", "3eB", "--class", "4eC", "--head", "4eC"
    )
    assert done.json["heads"] == ["4eC"]
    wrong = eopctl(*add, "--replace", "--role", "teacher", "--head", "4eC")
    assert wrong.code == 2
    assert "--head is for --role head_teacher" in wrong.err


@pytest.fixture
def in_scribe(school, scribe, monkeypatch):
    """The class has one more student, whom a Scribe keeps."""
    given = scribe.settings(
        LDAP_WRITE_DN=scribe.writer, LDAP_WRITE_PASSWORD_FILE=str(scribe.writer_file),
        AUTHENTICATORS=["ldap", "local"],
    )  # fmt: skip
    for name, value in given.items():
        text = ",".join(value) if isinstance(value, list) else str(value)
        monkeypatch.setenv(f"EOP_{name}", text)
    school.add_user("eleve.1", role="student", rooms=(), classes=(), password=None)
    with school.parts.database.write() as connection:
        of_login = update(user).where(user.c.login == "eleve.1")
        connection.execute(of_login.values(source="ldap"))
        classes.save(connection, "3eB", ["eleve.1", "ines.amrani"], replace=True)
    return scribe


def test_each_gets_his_password_where_it_is_kept(school, in_scribe, eopctl, output):
    done = eopctl("password", "class", "3eB", "--output", output, "--json")
    assert done.code == 0, done.err
    made = rows_of(output)
    assert signs_in(in_scribe, "eleve.1", made["eleve.1"]).code == "must_change"
    assert error(school.browser().sign_in("ines.amrani", made["ines.amrani"]))[1] == "must_change"


def test_a_password_of_the_directory_is_changed_there_and_not_here(
    school, in_scribe, eopctl, password_file
):
    password_file.write_text("trois ruches bleues\n")
    done = eopctl("user", "passwd", "eleve.1", "--password-file", password_file, "--json")
    assert done.code == 0, done.err
    assert done.json == {"login": "eleve.1", "must_change": False}
    assert signs_in(in_scribe, "eleve.1", "trois ruches bleues").login == "eleve.1"
    with school.parts.database.read() as connection:
        assert users.password_of(connection, "eleve.1") is None


def test_what_the_directory_refuses_is_said(school, in_scribe, eopctl, password_file, monkeypatch):
    for name in ("DN", "PASSWORD_FILE"):
        monkeypatch.delenv(f"EOP_LDAP_WRITE_{name}")
    done = eopctl("user", "passwd", "eleve.1", "--password-file", password_file)
    assert done.code == 1
    assert "EOP's account may not change this one: see LDAP_WRITE_DN" in done.err
