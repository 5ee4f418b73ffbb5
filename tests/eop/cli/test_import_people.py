import pytest

from eop.administration.import_lock import only_import
from eop.cli import import_people as module
from tests.eop.school_files import School


@pytest.fixture
def school(house, tmp_path, monkeypatch):
    return School(house, tmp_path / "school", monkeypatch)


def test_an_import_is_told_in_words(eopctl, school):
    done = eopctl("import")
    assert done.code == 0, done.err
    assert done.out.startswith("file: 11 new, 1 new class\n")
    assert "  +  t.one  Teacher t.one  role teacher, rooms *\n" in done.out
    assert eopctl("import", "file").out == "file: nothing changes\n"


def test_a_dry_run_says_what_would_change_and_keeps_nothing(eopctl, school):
    done = eopctl("import", "--dry-run")
    assert done.code == 0
    assert done.out.startswith("file: would change: 11 new")
    assert eopctl("import", "history", "--json").json == []
    assert "p1" not in eopctl("user", "list").out


def test_a_braked_import_exits_with_3_and_force_lifts_it(eopctl, school):
    eopctl("import")
    school.remove("p1", "p2", "p3")
    dry = eopctl("import", "--dry-run")
    assert dry.code == 3
    done = eopctl("import")
    assert done.code == 3
    assert "file: nothing was changed; it would be: 3 disabled" in done.out
    assert "brake: 3 of 11 people would be disabled\n" in done.out
    assert "brake: 3 of 10 students" not in done.out  # a few may leave any class
    assert "import with --force" in done.out
    forced = eopctl("import", "--force")
    assert forced.code == 0
    assert "  -  p1  Student 1  state active → disabled, source gone\n" in forced.out


def test_a_source_that_says_nothing_cannot_be_forced(eopctl, school):
    eopctl("import")
    school.remove(*list(school.rows))
    done = eopctl("import", "--force")
    assert done.code == 3
    assert "cannot be forced" in done.out
    assert "with --force" not in done.out


def test_conflicts_exit_with_3(eopctl, school, house):
    house.add_user("p1", role="student")
    done = eopctl("import")
    assert done.code == 3
    assert "1 left as they are:\n  person p1: the name belongs to one that is kept here" in done.out
    assert eopctl("import", "--adopt").code == 0


def test_a_source_that_cannot_be_read_exits_with_1(eopctl, school):
    (school.folder / "people.csv").write_text("what\n")
    for option in ("--dry-run", "--adopt"):
        done = eopctl("import", option)
        assert done.code == 1
        assert "people.csv: line 1: no column is called login or name or role" in done.err


@pytest.mark.parametrize("name", ["ldap", "pigeon"])
def test_a_source_that_is_not_set_exits_with_1(eopctl, school, name):
    done = eopctl("import", name)
    assert done.code == 1
    assert "IMPORT_SOURCES has: file" in done.err


def test_without_any_source_the_remedy_is_told(eopctl, house):
    done = eopctl("import")
    assert done.code == 1
    assert "IMPORT_SOURCES of eop.conf" in done.err


def test_while_another_import_runs_nothing_is_done(eopctl, school):
    with only_import():
        done = eopctl("import")
    assert done.code == 1
    assert "another import is going on" in done.err


def test_history_lists_the_last_imports(eopctl, school):
    eopctl("import")
    (school.folder / "people.csv").write_text("what\n")
    eopctl("import")
    text = eopctl("import", "history").out.split("\n")
    assert "failed" in text[1]
    assert "people.csv: line 1" in text[1]
    assert "(eopctl)" in text[2]
    assert "done     11 new, 1 new class" in text[2]
    assert [one["outcome"] for one in eopctl("import", "history", "--json").json] == [
        "failed",
        "done",
    ]


def test_json_has_the_whole_outcome(eopctl, school):
    (one,) = eopctl("import", "--json").json
    assert one["outcome"] == "done"
    assert one["summary"]["counts"] == {"new": 11, "class_new": 1}
    assert eopctl("import", "file", "--dry-run", "--json").json["outcome"] == "planned"


def test_hostile_names_stay_on_their_line(eopctl, school):
    school.rows["p1"] = "1;p1;\u202eevil;student;3eB;"
    school.write()
    assert "column name" in eopctl("import").err


@pytest.mark.parametrize(
    ("is_terminal", "shown"), [(True, "\rfile: 12 entries read\r\x1b[K"), (False, "")]
)
def test_progress_is_shown_on_a_terminal_alone(capsys, monkeypatch, is_terminal, shown):
    monkeypatch.setattr(module.sys.stderr, "isatty", lambda: is_terminal)
    with module._progress("file") as progress:
        progress(12)
    assert capsys.readouterr().err == shown


def test_import_is_listed_and_helps_itself(eopctl):
    assert "Import people, classes and rooms" in eopctl("--help").out
    assert "--dry-run" in eopctl("import", "--help").out
