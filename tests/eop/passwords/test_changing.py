import re
from dataclasses import replace

import pytest

from eop.aaa.password_policy import PasswordPolicy
from eop.application import create_site
from eop.directory.ldap_passwords import Outcome
from eop.passwords import changing, students
from eop.passwords.changing import ObstaclesError, Office, Order, Planned
from eop.passwords.making import split
from eop.passwords.students import Student
from tests.eop.passwords.test_pages import events_of


def student(number=1, name="Inès AMRANI", born=True):
    return Student(number, f"s{number}", name, split(name), ("3eB",), born)


@pytest.mark.parametrize(
    ("rule", "shape"),
    [
        ("", r"[a-z]+-\d{3}-[A-Z][a-z]+"),
        ("[A-Za-z0-9]{8,}", r"[a-z]+\d{3}[A-Z][a-z]+"),
        (r"(?=.*[A-Z].*[A-Z])(?=.*[*+=?!-]).{8,12}", r"[a-z].{9}"),
        ("[a-z]+", "[a-z]{12}"),
        (r"\d{8,}", r"\d{10}"),
    ],
)
def test_random_passwords_take_the_shape_that_the_rule_allows(rule, shape):
    policy = PasswordPolicy(rules={"student": rule} if rule else {}, min_score=0)
    planned = changing.plan(policy, [student(), student(2)], {}, Order("random", True))
    for one in planned:
        assert re.fullmatch(shape, one.password), one.password


def test_a_rule_that_no_random_password_follows_is_told():
    policy = PasswordPolicy(rules={"*": "[é]+"}, rule_texts={"*": "Only é."})
    with pytest.raises(ObstaclesError, match="No random password follows the rule. Only é."):
        changing.plan(policy, [student()], {}, Order("random", True))


class RefusingWriter:
    """A directory that refuses some and takes others."""

    def __init__(self):
        self.asked = []

    def set_password(self, account, password, *, must_change):
        self.asked.append((account.login, account.external_id))
        if account.login == "malo.colin":
            return Outcome("refused", "no passwords on sundays")
        return Outcome(must_change=must_change)


def test_one_that_the_directory_refuses_keeps_no_other_from_his(school):
    with school.parts.database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE \"user\" SET source = 'ldap', external_id = login, password = NULL "
            "WHERE role = 'student'"
        )
    writer = RefusingWriter()
    office = Office(school.parts, "anna", writer)
    with school.parts.database.read() as connection:
        them = students.in_order(students.of_class(connection, "3eB"), "login", "")
    app = create_site(school.site, school.parts)
    with app.test_request_context("/?language=en"):
        done = office.carry_out([Planned(one, "a secret one") for one in them], must_change=True)
        told = [(one.student.login, one.code, one.password) for one in done]
        assert told == [
            ("ines.amrani", "", "a secret one"), ("malo.colin", "refused", ""),
            ("zoe.dubois", "", "a secret one"),
        ]  # fmt: skip
        assert done[1].reason() == "the directory refuses it (no passwords on sundays)"
    assert writer.asked[0] == ("ines.amrani", "ines.amrani")
    kept = [one[:2] for one in events_of(school) if one[0].startswith("password_")]
    assert kept == [
        ("password_set", "anna"),
        ("password_refused", "anna"),
        ("password_set", "anna"),
    ]
    assert "a secret one" not in str(events_of(school))


class BreakingWriter:
    """A directory that ends with what `troubles` says of some, and takes the others."""

    def __init__(self, troubles):
        self.troubles, self.asked = troubles, []

    def set_password(self, account, password, *, must_change):
        self.asked.append(account.login)
        trouble = self.troubles.get(account.login)
        if isinstance(trouble, Exception):
            raise trouble
        return trouble or Outcome(must_change=must_change)


def in_directory(school):
    with school.parts.database.write() as connection:
        connection.exec_driver_sql(
            "UPDATE \"user\" SET source = 'ldap', external_id = login, password = NULL "
            "WHERE role = 'student'"
        )
    with school.parts.database.read() as connection:
        return students.in_order(students.of_class(connection, "3eB"), "login", "")


def codes(school, troubles):
    them, writer = in_directory(school), BreakingWriter(troubles)
    office = Office(school.parts, "anna", writer)
    done = office.carry_out([Planned(one, "a secret one") for one in them], must_change=True)
    return [one.code for one in done], [one.password for one in done], writer.asked


def test_an_error_in_the_middle_loses_nothing_that_was_set(school, caplog):
    told = codes(school, {"malo.colin": RuntimeError("ldap3 is confused")})
    assert told[0] == ["", "failed", ""]
    assert told[1] == ["a secret one", "", "a secret one"]
    assert "ldap3 is confused" in caplog.text
    assert "a secret one" not in caplog.text


def test_nobody_is_tried_any_more_once_the_directory_is_down(school):
    told = codes(school, {"malo.colin": Outcome("down", "no answer within 5 s")})
    assert told[0] == ["", "down", "untried"]
    assert told[1] == ["a secret one", "", ""]
    assert told[2] == ["ines.amrani", "malo.colin"]


def test_nobody_is_tried_any_more_after_errors_one_after_the_other(school, monkeypatch):
    monkeypatch.setattr(changing, "MAX_FAILURES", 2)
    trouble = RuntimeError("the disk is full")
    told = codes(school, {"ines.amrani": trouble, "malo.colin": trouble})
    assert told[0] == ["failed", "failed", "untried"]
    monkeypatch.setattr(changing, "MAX_FAILURES", 3)
    assert codes(school, {"ines.amrani": trouble, "malo.colin": trouble})[0][2] == ""


@pytest.fixture
def without_room(school):
    """The site's database reads, and takes nothing any more."""
    them = in_directory(school)
    with school.parts.database.write() as connection:
        for table in ("session", "audit"):
            connection.exec_driver_sql(
                f"CREATE TRIGGER full_{table} BEFORE INSERT ON {table} "
                "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
            )
    return them


def test_what_the_directory_has_taken_is_not_lost_where_it_cannot_be_noted(school, without_room):
    office = Office(school.parts, "anna", BreakingWriter({"malo.colin": Outcome("weak")}))
    planned = [Planned(one, "a secret one") for one in without_room]
    done = office.carry_out(planned, must_change=True)
    assert [(one.code, one.password, one.is_noted) for one in done] == [
        ("", "a secret one", False), ("weak", "", True), ("", "a secret one", False),
    ]  # fmt: skip


def test_settings_of_the_directory_that_hold_no_more_lose_nothing(school, caplog):
    site = replace(
        school.site, LDAP_SERVERS=["ldaps://ldap.example"], LDAP_BASE="dc=x",
        LDAP_WRITE_DN="cn=w", LDAP_WRITE_PASSWORD_FILE="/nowhere/writer.txt",
    )  # fmt: skip
    office = changing.office(replace(school.parts, site=site), "anna")
    assert office.writer is None
    assert "LDAP_WRITE_PASSWORD_FILE: there is no file" in caplog.text


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE \"user\" SET role = 'teacher' WHERE login = 'zoe.dubois'", "gone"),
        ("DELETE FROM \"user\" WHERE login = 'zoe.dubois'", "gone"),
        ("UPDATE \"user\" SET source = 'ldap' WHERE login = 'zoe.dubois'", "no_writer"),
    ],
)
def test_an_account_that_has_become_another_is_left_alone(school, change, code):
    with school.parts.database.read() as connection:
        [zoe] = [one for one in students.of_class(connection, "3eB") if one.login == "zoe.dubois"]
    with school.parts.database.write() as connection:
        connection.exec_driver_sql(change)
    [done] = Office(school.parts, "anna").carry_out(
        [Planned(zoe, "a secret one")], must_change=False
    )
    assert (done.code, done.password) == (code, "")


def test_where_the_server_signs_people_in_no_second_way_is_made(school):
    with school.parts.database.write() as connection:
        connection.exec_driver_sql("UPDATE \"user\" SET password = NULL WHERE login = 'zoe.dubois'")
    with school.parts.database.read() as connection:
        [zoe] = [one for one in students.of_class(connection, "3eB") if one.login == "zoe.dubois"]
    parts = replace(school.parts, site=replace(school.site, CAS_URL="https://sso.example/cas"))
    [done] = Office(parts, "anna").carry_out([Planned(zoe, "a secret one")], must_change=False)
    assert done.code == "elsewhere"
