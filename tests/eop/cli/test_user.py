import pytest

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
        "rooms": ["*"], "classes": ["*"],
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
