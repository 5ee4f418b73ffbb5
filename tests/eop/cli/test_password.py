import csv
import io
import stat

import pytest

from tests.eop.installation import PASSWORD, error
from tests.eop.passwords.conftest import school
from tests.eop.passwords.test_pages import events_of
from tests.ldap_fixtures import certificates

__all__ = ["certificates", "school"]


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
