import pytest
from sqlalchemy import select

from eop.aaa import second_factor
from eop.audit.tables import audit
from eop.directory import users


def add(eopctl, password_file, *more, name="camille.lefevre", role="teacher"):
    return eopctl("user", "add", name, "--role", role, "--password-file", password_file, *more)


def test_a_teacher_without_room_or_class_is_granted_all_and_told_so(house, eopctl, password_file):
    done = add(eopctl, password_file)
    assert done.code == 0
    assert "every room and every class is granted" in done.out
    (user,) = [u for u in eopctl("user", "list", "--json").json if u["login"] != "camille"]
    assert user == {
        "login": "camille.lefevre", "name": "Camille Lefevre", "role": "teacher",
        "rooms": ["*"], "classes": ["*"], "state": "active",
    }  # fmt: skip
    assert house.signed_in("camille.lefevre").get("rooms").status_code == 200


def test_named_rooms_and_classes_are_granted_alone(house, eopctl, password_file):
    done = add(
        eopctl, password_file, "--room", "S12", "--room", "S14", "--class", "3eB",
        "--display-name", "Mme Lefèvre", "--json",
    )  # fmt: skip
    assert done.json["rooms"] == ["S12", "S14"]
    assert done.json["classes"] == ["3eB"]
    assert done.json["name"] == "Mme Lefèvre"
    assert "Mme Lefèvre" in eopctl("user", "list").out


@pytest.mark.parametrize("role", ["student", "administrator"])
def test_other_roles_are_granted_nothing_by_default(house, eopctl, password_file, role):
    assert add(eopctl, password_file, "--json", role=role).json["rooms"] == []


def test_a_user_is_added_once_unless_replaced(house, eopctl, password_file):
    add(eopctl, password_file)
    again = add(eopctl, password_file)
    assert again.code == 1
    assert "exists already" in again.err
    browser = house.signed_in("camille.lefevre")
    done = add(eopctl, password_file, "--replace", "--room", "S12")
    assert done.code == 0
    assert done.out.startswith("changed camille.lefevre")
    assert browser.get("session").status_code == 401


def test_a_new_password_signs_everyone_out_and_is_told_to_the_daemon(house, eopctl, password_file):
    browser = house.signed_in()
    password_file.write_text("a new long password\n")
    done = eopctl("user", "passwd", "camille", "--password-file", password_file)
    assert done.code == 0, done.err
    assert browser.get("session").status_code == 401
    assert len(house.daemon.leases._tombstones) == 1
    assert house.browser().sign_in(password="a new long password").status_code == 200


def test_a_user_whose_password_is_kept_elsewhere_has_none_here(house, eopctl, password_file):
    add = ("user", "add", "sasha", "--role", "teacher")
    assert eopctl(*add, "--no-password").code == 0
    with house.parts.database.read() as connection:
        assert users.password_of(connection, "sasha") is None
    assert house.browser().sign_in("sasha", "x").status_code == 401
    assert eopctl(*add, "--no-password", "--replace", "--room", "S12").code == 0
    for wrong in ((), ("--no-password", "--password-file", password_file)):
        done = eopctl(*add, *wrong)
        assert done.code == 2
        assert "give --password-file or --no-password" in done.err
    assert eopctl(*add, "--replace", "--password-file", password_file).code == 0
    kept = eopctl(*add, "--replace", "--no-password")
    assert kept.code == 2
    assert "run first: eopctl user remove sasha" in kept.err


def test_a_removed_user_is_gone(house, eopctl):
    assert eopctl("user", "remove", "camille").code == 0
    gone = eopctl("user", "remove", "camille")
    assert gone.code == 1
    assert "there is no user" in gone.err


def test_commands_work_while_the_daemon_is_down(quiet, eopctl, password_file):
    assert add(eopctl, password_file).code == 0
    assert eopctl("user", "passwd", "camille.lefevre", "--password-file", password_file).code == 0
    assert eopctl("user", "remove", "camille.lefevre").code == 0


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"", 2), (b"\nsecond", 2), (b"\xff\xfe\xfd", 2), (b"x" * 5000, 2), (b"short", 1)],
)
def test_a_bad_password_file_is_refused(house, eopctl, password_file, content, code):
    password_file.write_bytes(content)
    done = add(eopctl, password_file)
    assert done.code == code
    assert done.err


def test_an_absent_password_file_is_wrong_usage(house, eopctl, tmp_path):
    assert add(eopctl, tmp_path / "none").code == 2


def test_no_password_is_printed(house, eopctl, password_file):
    done = add(eopctl, password_file, "--json")
    assert "correct horse" not in done.out + done.err
    assert "argon2" not in eopctl("user", "list", "--json").out


def stored(house, login="camille.lefevre"):
    with house.parts.database.read() as connection:
        return users.get(connection, login)


def recorded(house, kind):
    with house.parts.database.read() as connection:
        return connection.execute(select(audit).where(audit.c.kind == kind)).all()


def test_a_password_that_someone_else_set_is_changed_where_the_site_says_so(
    house, eopctl, password_file, monkeypatch
):
    add(eopctl, password_file)
    assert not stored(house).must_change
    add(eopctl, password_file, "--replace", "--change")
    assert stored(house).must_change
    assert house.browser().sign_in("camille.lefevre").json["error"]["code"] == "must_change"
    monkeypatch.setenv("EOP_PASSWORD_INITIAL", "yes")
    done = eopctl("user", "passwd", "camille", "--password-file", password_file, "--json")
    assert done.json == {"login": "camille", "must_change": True}
    assert stored(house, "camille").must_change
    eopctl("user", "passwd", "camille", "--password-file", password_file, "--no-change")
    assert not stored(house, "camille").must_change
    assert len(recorded(house, "password_set")) == 2


@pytest.mark.parametrize("verb", ["add", "passwd"])
def test_a_weak_password_is_refused_with_advice(house, eopctl, password_file, verb):
    password_file.write_text("password\n")
    role = ["--role", "teacher"] if verb == "add" else []
    done = eopctl("user", verb, "camille", *role, "--password-file", password_file)
    assert done.code == 1
    assert "too easy to guess" in done.err


def test_the_sites_rule_holds_for_commands_too(house, eopctl, password_file, monkeypatch):
    monkeypatch.setenv("EOP_PASSWORD_RULE", '{"teacher": ".*[0-9].*"}')
    monkeypatch.setenv("EOP_PASSWORD_RULE_TEXT", "One digit.")
    done = add(eopctl, password_file)
    assert (done.code, "One digit." in done.err) == (1, True)
    assert add(eopctl, password_file, role="student").code == 0


def test_an_account_is_locked_and_opened_again(house, eopctl):
    browser = house.signed_in()
    done = eopctl("user", "lock", "camille", "--json")
    assert done.json["state"] == "locked"
    assert browser.get("session").status_code == 401
    assert len(house.daemon.leases._tombstones) == 1
    assert house.browser().sign_in().json["error"]["code"] == "account_locked"
    assert "locked" in eopctl("user", "list").out
    for verb in ("unlock", "enable"):
        assert eopctl("user", verb, "camille", "--json").json["state"] == "active"
        assert house.browser().sign_in().status_code == 200
        eopctl("user", "lock", "camille")
    assert len(recorded(house, "account_locked")) == 3
    assert len(recorded(house, "account_enabled")) == 1
    assert eopctl("user", "lock", "nobody").code == 1


def test_unlocking_lifts_what_failures_locked_and_opens_no_disabled_account(house, eopctl):
    for _ in range(5):
        house.browser().sign_in(password="wrong")
    assert house.browser().sign_in().status_code == 423
    assert eopctl("user", "unlock", "Camille").code == 0
    assert house.browser().sign_in().status_code == 200
    with house.parts.database.write() as connection:
        users.set_state(connection, "camille", "disabled")
    assert eopctl("user", "unlock", "camille", "--json").json["state"] == "disabled"
    assert len(recorded(house, "account_unlocked")) == 2


def test_a_lost_phone_is_forgotten(house, eopctl):
    with house.parts.database.write() as connection:
        camille = users.get(connection, "camille")
        second_factor.enrol(connection, house.parts.door.keys, camille.id, "K" * 32, 0)
    assert house.browser().sign_in().status_code == 401
    done = eopctl("user", "totp-reset", "camille", "--json")
    assert done.json == {"login": "camille", "had_second_factor": True}
    assert house.browser().sign_in().status_code == 200
    assert "had no second factor" in eopctl("user", "totp-reset", "camille").out
    assert len(recorded(house, "second_factor_reset")) == 2
