import html
import re
import stat
from dataclasses import replace

import pytest
from sqlalchemy import insert, update

from eop.aaa import accounts, revocations
from eop.audit import sentences
from eop.directory import users
from eop.directory.ldap_passwords import Outcome
from eop.directory.tables import temporary_grant, user
from eop.passwords import changing, files, limits, pages
from tests.eop.installation import MOUNT, PASSWORD, error

PATH = MOUNT + "/passwords/"
BATCH = MOUNT + "/passwords/batch"
ALL = ["ines.amrani", "malo.colin", "zoe.dubois"]


def get(browser, path, **query):
    return browser.open(path, query_string=query or None)


def form_of(answer):
    return re.search(r'name="form" value="([0-9a-f]{32})"', answer.text)[1]


def send(browser, path=BATCH, form=None, **fields):
    if form is None:
        form = form_of(get(browser, path))
    given = {"csrf_token": browser.csrf, "form": form, **fields}
    return browser.open(path, "POST", data=given)


def batch(browser, kind, students=tuple(ALL), name="3eB", **fields):
    given = {"kind": kind, "students": list(students), "change": "yes", **fields}
    return send(browser, **{"class": name, **given})


def passwords_of(answer):
    found = re.findall(r"<code>([^<]+)</code></td>.*?<code class=\"secret\">([^<]+)<", answer.text)
    return {html.unescape(login): html.unescape(password) for login, password in found}


def words(answer):
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def signs_in(house, login, password):
    return house.browser().sign_in(login, password)


def events_of(house):
    with house.parts.database.read() as connection:
        rows = connection.exec_driver_sql('SELECT kind, "user", details FROM audit ORDER BY id')
        return [tuple(row) for row in rows]


def test_a_teacher_gives_one_student_a_random_password_that_opens(school):
    camille = school.signed_in()
    student = school.signed_in("ines.amrani")
    answer = send(camille, PATH + "one/ines.amrani", kind="random")
    assert answer.status_code == 200, words(answer)
    assert answer.headers["Cache-Control"] == "no-store"
    [(login, password)] = passwords_of(answer).items()
    assert re.fullmatch(r"[a-z]+-[2-9]{3}-[A-Z][a-z]+", password)
    assert student.get("session").status_code == 401, "his sessions end"
    assert signs_in(school, login, password).status_code == 200
    assert signs_in(school, login, PASSWORD).status_code == 401


def test_a_password_that_must_be_changed_is_asked_for_at_the_door(school):
    answer = send(school.signed_in(), PATH + "one/malo.colin", kind="random", change="yes")
    password = passwords_of(answer)["malo.colin"]
    assert error(signs_in(school, "malo.colin", password)) == (401, "must_change")
    assert "to be changed" in words(answer)


def test_a_typed_password_follows_the_rules_or_nothing_is_changed(school):
    camille = school.signed_in()
    for typed, why in (("", "Type a password."), ("short", "at least 8 characters"),
                       ("ines.amrani", "too easy to guess")):  # fmt: skip
        answer = send(camille, PATH + "one/ines.amrani", kind="same", password=typed)
        assert answer.status_code == 422
        assert "No password was changed." in words(answer)
        assert why in words(answer)
        assert typed == "" or f'value="{typed}"' not in answer.text.replace("one/ines.amrani", "")
    typed = "trois ruches bleues"
    answer = send(camille, PATH + "one/ines.amrani", kind="same", password=typed)
    assert passwords_of(answer) == {"ines.amrani": typed}
    assert signs_in(school, "ines.amrani", typed).status_code == 200


@pytest.mark.parametrize(
    ("who", "login", "status"),
    [
        ("camille", "ines.amrani", 200), ("anna", "ines.amrani", 200), ("paul", "ines.amrani", 404),
        ("carla", "ines.amrani", 200), ("camille", "anna", 404), ("carla", "camille", 404),
        ("carla", "carla", 404), ("camille", "no.account", 404), ("camille", "nobody", 404),
        ("paul", "other.student", 200),
    ],
)  # fmt: skip
def test_one_may_change_what_policy_allows_and_of_students_alone(school, who, login, status):
    browser = school.signed_in(who)
    assert get(browser, PATH + f"one/{login}").status_code == status
    answer = send(browser, PATH + f"one/{login}", limits.new_form(), kind="random")
    assert answer.status_code == status
    assert bool(passwords_of(answer)) is (status == 200)


def test_a_student_and_a_security_officer_open_no_page_of_passwords(school):
    school.add_user("olga", role="security_officer", rooms=(), classes=())
    for login in ("ines.amrani", "olga"):
        browser = school.signed_in(login)
        assert get(browser, PATH).status_code == 403
        assert get(browser, BATCH).status_code == 403
        assert batch_answer(browser).status_code == 403


def batch_answer(browser, **fields):
    given = {"class": "3eB", "kind": "random", "students": ALL, **fields}
    return send(browser, BATCH, limits.new_form(), **given)


@pytest.mark.parametrize(("who", "status"), [("anna", 200), ("carla", 200), ("camille", 403),
                                             ("paul", 403)])  # fmt: skip
def test_a_batch_is_for_the_head_teacher_of_that_class(school, who, status):
    answer = batch_answer(school.signed_in(who))
    assert answer.status_code == status
    assert len(passwords_of(answer)) == (3 if status == 200 else 0)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("birth", {"ines.amrani": "14032012", "malo.colin": "02112012"}),
     ("name", {"ines.amrani": "ines.amrani", "malo.colin": "malo.colin"}),
     ("same", {"ines.amrani": "bienvenue 3eB", "malo.colin": "bienvenue 3eB"})],
)  # fmt: skip
def test_each_kind_that_can_be_guessed_opens_once(school, kind, expected):
    answer = batch(
        school.signed_in("anna"), kind, ["ines.amrani", "malo.colin"], password="bienvenue 3eB"
    )
    assert passwords_of(answer) == expected
    for login, password in expected.items():
        assert error(signs_in(school, login, password)) == (401, "must_change")


@pytest.mark.parametrize("kind", ["birth", "name"])
def test_what_can_be_guessed_is_not_kept_for_good(school, kind):
    answer = send(
        school.signed_in("anna"),
        **{"class": "3eB", "kind": kind, "students": ["ines.amrani", "malo.colin"]},
    )
    assert answer.status_code == 422
    assert "too easy to guess to be kept: have it changed at the first sign-in" in words(answer)
    assert signs_in(school, "ines.amrani", PASSWORD).status_code == 200


def test_without_a_birth_date_nothing_is_changed_and_it_is_said_of_whom(school):
    answer = batch(school.signed_in("anna"), "birth")
    assert answer.status_code == 422
    assert "No birth date is known here. Zoé DUBOIS" in words(answer)
    assert "2012" not in re.sub(r"14032012, to be", "", answer.text), "no birth date is shown"
    assert signs_in(school, "ines.amrani", PASSWORD).status_code == 200
    assert answer.text.count("checked") >= 3, "the selection is kept"


@pytest.fixture
def ruled(school):
    """Students' passwords have a figure and a capital."""
    policy = replace(
        school.parts.door.passwords,
        rules={"student": "(?=.*[0-9])(?=.*[A-Z]).*"},
        rule_texts={"*": "A figure and a capital."},
    )
    school.parts = replace(school.parts, door=replace(school.parts.door, passwords=policy))
    return school


def test_kinds_are_held_against_the_students_rule_beforehand(ruled):
    anna = ruled.signed_in("anna")
    for kind in ("birth", "name", "same"):
        chosen = ["ines.amrani", "malo.colin"]
        answer = batch(anna, kind, chosen, password="bienvenue 3e")
        assert answer.status_code == 422
        assert "A figure and a capital. Inès AMRANI, Malo COLIN" in words(answer)
    assert signs_in(ruled, "ines.amrani", PASSWORD).status_code == 200
    made = passwords_of(batch(anna, "random"))
    assert len(set(made.values())) == 3


def test_a_form_counts_once_and_an_hour_has_a_limit(school, monkeypatch):
    anna = school.signed_in("anna")
    form = form_of(get(anna, BATCH))
    fields = {"class": "3eB", "kind": "random", "students": ALL}
    first = send(anna, BATCH, form, **fields)
    again = send(anna, BATCH, form, **fields)
    assert (first.status_code, again.status_code) == (200, 409)
    assert "nothing is changed a second time" in words(again)
    assert not passwords_of(again)
    for login, password in passwords_of(first).items():
        assert signs_in(school, login, password).status_code == 200
    monkeypatch.setattr(limits, "AN_HOUR", 5)
    refused = batch(anna, "random")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) <= 3600
    assert batch(anna, "random", ALL[:2]).status_code == 200
    school.offset += 3601
    assert batch(school.signed_in("anna"), "random").status_code == 200


@pytest.mark.parametrize("form", ["", "x" * 32, "a" * 31, "a" * 33])
def test_a_form_without_its_number_changes_nothing(school, form):
    answer = send(school.signed_in("anna"), BATCH, form, **{
        "class": "3eB", "kind": "random", "students": ALL,
    })  # fmt: skip
    assert answer.status_code == 409


def test_nobody_chosen_and_students_of_another_class_are_refused(school):
    anna = school.signed_in("anna")
    for chosen in ([], ["other.student"], ["anna"], ["no.account"]):
        answer = batch(anna, "random", chosen)
        assert answer.status_code == 422
        assert "Choose at least one student." in words(answer)


def test_the_table_is_sorted_by_last_name_first_name_or_login(school):
    anna = school.signed_in("anna")

    def order(key):
        answer = get(anna, BATCH, order=key)
        return re.findall(r'name="students" value="([^"]+)"', answer.text)

    assert order("last") == ["ines.amrani", "malo.colin", "zoe.dubois"]
    assert order("first") == ["ines.amrani", "malo.colin", "zoe.dubois"]
    assert order("password") == order("last")
    page = words(get(anna, BATCH))
    assert "1 more has no account here" in page or "more have no account here" in page


def test_a_search_finds_without_accents_and_only_ones_own_classes(school):
    camille, paul = school.signed_in(), school.signed_in("paul")
    assert "zoe.dubois" in get(camille, PATH, text="ZOE").text
    assert "zoe.dubois" not in get(paul, PATH, text="zoe").text
    assert "No student of your classes is called so." in words(get(paul, PATH, text="zoe"))
    assert "other.student" in get(paul, PATH).text


def test_the_audit_tells_everything_but_passwords(school):
    answer = batch(school.signed_in("anna"), "random", csv="yes")
    made = passwords_of(answer)
    kept = events_of(school)
    text = str(kept)
    assert not [one for one in made.values() if one in text]
    assert [one[:2] for one in kept if one[0] == "password_set"] == [("password_set", "anna")] * 3
    [told] = [one for one in kept if one[0] == "passwords_batch"]
    for part in ('"changed":3', '"kind":"random"', '"class":"3eB"'):
        assert part in told[2].replace(" ", "")
    assert {"passwords_batch", "password_set"} <= set(sentences.KINDS)


def test_no_file_is_written_unless_one_was_asked_for(school):
    batch(school.signed_in("anna"), "random")
    assert not files.folder().exists()


@pytest.mark.parametrize("sign", ["=", "+", "-", "@"])
def test_a_password_that_a_spreadsheet_would_carry_out_is_in_no_file(school, sign):
    anna, typed = school.signed_in("anna"), f"{sign}1+trois ruches"
    refused = batch(anna, "same", csv="yes", password=typed)
    assert refused.status_code == 422
    assert "a spreadsheet would take it for a formula" in words(refused)
    assert not files.folder().exists() or not list(files.folder().rglob("*.csv"))
    assert signs_in(school, "ines.amrani", PASSWORD).status_code == 200
    taken = batch(anna, "same", password=typed)
    assert passwords_of(taken) == dict.fromkeys(ALL, typed)


def test_the_file_that_was_asked_for_is_ones_own_and_goes_after_a_day(school):
    anna = school.signed_in("anna")
    answer = batch(anna, "random", csv="yes")
    [name] = set(re.findall(r"/passwords/files/(mot-de-passe_\d+_\d+_\d+\.csv)", answer.text))
    [path] = files.folder().rglob("*.csv")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(files.folder().stat().st_mode) == 0o700
    fetched = get(anna, f"{PATH}files/{name}")
    assert fetched.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert fetched.headers["Cache-Control"] == "no-store"
    lines = fetched.data.decode("utf-8-sig").splitlines()
    assert lines[0] == '"Last name";"First name";"Login";"Class";"Password"'
    made = passwords_of(answer)
    assert lines[1] == f'"AMRANI";"Inès";"ines.amrani";"3eB";"{made["ines.amrani"]}"'
    for other in ("paul", "carla"):
        assert get(school.signed_in(other), f"{PATH}files/{name}").status_code == 404
    school.offset += files.KEPT_SECONDS + 1
    files.purge(school.parts.now_ms())
    assert not path.exists()


def test_whoever_gets_the_number_of_one_who_is_gone_gets_none_of_his_files(school):
    batch(school.signed_in("carla"), "random", csv="yes")
    [path] = files.folder().rglob("*.csv")
    with school.parts.database.read() as connection:
        gone = users.get(connection, "carla")
    parts = school.parts
    accounts.remove(parts.database, parts.door.sessions, "carla", parts.now_ms())
    school.offset += 1
    school.add_user("carl", role="administrator", rooms=(), classes=())
    with school.parts.database.read() as connection:
        assert users.get(connection, "carl").id == gone.id
    carl = school.signed_in("carl")
    assert path.name not in get(carl, BATCH).text
    assert get(carl, f"{PATH}files/{path.name}").status_code == 404
    assert path.exists()


@pytest.mark.parametrize("name", ["../eop.db", "..%2Feop.db", "mot-de-passe_1_2_3.csv", "x" * 300])
def test_no_other_file_can_be_fetched_or_deleted(school, name):
    anna = school.signed_in("anna")
    assert get(anna, f"{PATH}files/{name}").status_code == 404


def test_a_file_is_deleted_when_its_teacher_says_so(school):
    anna = school.signed_in("anna")
    batch(anna, "random", csv="yes")
    [path] = files.folder().rglob("*.csv")
    answer = send(anna, f"{PATH}files/{path.name}/remove", "")
    assert answer.status_code == 303
    assert not path.exists()


def test_without_its_token_nothing_is_changed(school):
    anna = school.signed_in("anna")
    form = form_of(get(anna, BATCH))
    answer = anna.open(BATCH, "POST", data={"form": form, "class": "3eB", "students": ALL})
    assert answer.status_code == 403
    assert signs_in(school, "ines.amrani", PASSWORD).status_code == 200


def test_a_substitute_gives_nobody_another_password(school):
    school.add_user("remi", rooms=(), classes=())
    now_ms = school.parts.now_ms()
    with school.parts.database.write() as connection:
        connection.execute(
            insert(temporary_grant).values(
                user_id=users.get(connection, "remi").id, kind="class", value="3eB",
                from_at=now_ms - 1, until_at=now_ms + 86_400_000, given_by="carla",
            )
        )  # fmt: skip
    remi = school.signed_in("remi")
    assert get(remi, PATH + "one/ines.amrani").status_code == 404
    assert "No class was given to you." in words(get(remi, PATH))


class Breaks:
    """A directory that fails with an error at the second, after which `seen` is called."""

    def __init__(self, at, seen=lambda: None):
        self.at, self.seen = at, seen

    def set_password(self, account, password, *, must_change):
        if account.login == self.at:
            self.seen()
            raise RuntimeError("in the middle")
        return Outcome(must_change=must_change)


def directory_of(school, monkeypatch, writer):
    with school.parts.database.write() as connection:
        connection.execute(update(user).where(user.c.role == "student").values(source="ldap"))
    monkeypatch.setattr(changing, "office", lambda parts, by: changing.Office(parts, by, writer))


def test_an_error_in_the_middle_of_a_class_loses_no_password(school, monkeypatch):
    rows = []

    def look():
        [path] = files.folder().rglob("*.csv")
        rows.extend(path.read_text(encoding="utf-8-sig").splitlines())

    directory_of(school, monkeypatch, Breaks("malo.colin", look))
    answer = batch(school.signed_in("anna"), "random", csv="yes")
    made = passwords_of(answer)
    assert set(made) == {"ines.amrani", "zoe.dubois"}
    assert "Malo COLIN malo.colin an error came in between" in words(answer)
    assert rows[1] == f'"AMRANI";"Inès";"ines.amrani";"3eB";"{made["ines.amrani"]}"', "at once"
    [path] = files.folder().rglob("*.csv")
    assert len(path.read_text().splitlines()) == 3
    assert made["zoe.dubois"] in path.read_text()


def test_what_fails_after_the_passwords_are_set_loses_none(school, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("the database is away")

    anna, form = school.signed_in("anna"), limits.new_form()
    monkeypatch.setattr(revocations, "deliver", fail)
    monkeypatch.setattr(pages, "_record", fail)
    answer = batch(anna, "random", form=form)
    assert set(passwords_of(answer)) == set(ALL)
    monkeypatch.setattr(pages, "_rendered", fail)
    plain = batch(anna, "random", form=limits.new_form())
    assert (plain.status_code, plain.mimetype) == (200, "text/plain")
    assert plain.headers["Cache-Control"] == "no-store"
    for line in plain.text.splitlines():
        _name, login, password = line.split("\t")
        assert error(signs_in(school, login, password)) == (401, "must_change")


def test_a_file_that_cannot_be_begun_leaves_everything_as_it_was(school):
    anna = school.signed_in("anna")
    files.folder().parent.mkdir(parents=True, exist_ok=True)
    files.folder().write_text("in the way")
    answer = batch(anna, "random", form=limits.new_form(), csv="yes")
    assert answer.status_code == 503
    assert "The file could not be written" in words(answer)
    assert signs_in(school, "ines.amrani", PASSWORD).status_code == 200


def test_a_file_that_cannot_be_written_to_its_end_is_told_and_the_page_has_all(school, monkeypatch):
    def fail(self, text):
        raise OSError("the disk is full")

    anna = school.signed_in("anna")
    write = files.Growing._write
    monkeypatch.setattr(
        files.Growing, "_write", lambda self, text: (fail if "zoe" in text else write)(self, text)
    )
    answer = batch(anna, "random", csv="yes")
    assert set(passwords_of(answer)) == set(ALL)
    assert "There is no CSV file." in words(answer)
    assert not list(files.folder().rglob("*.csv"))


def test_a_password_that_could_not_be_noted_here_is_shown_and_told(school, monkeypatch):
    directory_of(school, monkeypatch, ForgetfulWriter())
    monkeypatch.setattr(changing.Office, "_noted", lambda self, user: False)
    answer = batch(school.signed_in("anna"), "random")
    assert set(passwords_of(answer)) == set(ALL)
    assert "nothing could be noted here: 3." in words(answer)


class ForgetfulWriter:
    """A directory without a policy that could ask for a change."""

    def set_password(self, account, password, *, must_change):
        return Outcome(must_change=False)


def test_a_change_that_the_directory_does_not_ask_for_is_told(school, monkeypatch):
    with school.parts.database.write() as connection:
        connection.execute(update(user).where(user.c.role == "student").values(source="ldap"))
    monkeypatch.setattr(
        changing, "office", lambda parts, by: changing.Office(parts, by, ForgetfulWriter())
    )
    told = words(batch(school.signed_in("anna"), "random"))
    assert "does not ask for a change at the first sign-in, as you wanted: 3." in told
    assert "To be changed at the first sign-in." not in told
