import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eop.directory import csv_school, school
from eop.directory.snapshot import Group, Person, Snapshot, SourceError

BOTH = frozenset({"3eB", "4eC"})
PEOPLE = "id;login;name;role;classes;rooms;state\n"


def parse(people=PEOPLE, classes=None, rooms=None):
    texts = {"people.csv": people}
    if classes is not None:
        texts["classes.csv"] = classes
    if rooms is not None:
        texts["rooms.csv"] = rooms
    return csv_school.parse(texts, lambda count: None)


def complaint(**texts):
    with pytest.raises(SourceError) as raised:
        parse(**texts)
    return str(raised.value)


def test_a_school_is_read_with_every_column():
    found = parse(
        PEOPLE
        + "1;Zoe.Martin;Zoé Martin;student;3eB;;\n2;camille;Mme Lefèvre;teacher;3eB|4eC;S12\n",
        "id;name;students\n77;3eB;\n;4eC;malo.colin, ines\n",
        "host;room\npc-01;S12\n",
    )
    assert found.people == (
        Person("1", "zoe.martin", "Zoé Martin", "student"),
        Person("2", "camille", "Mme Lefèvre", "teacher", BOTH, frozenset({"S12"})),
    )
    assert set(found.groups) == {
        Group("77", "3eB", frozenset({"zoe.martin"})),
        Group("4eC", "4eC", frozenset({"malo.colin", "ines"})),
    }
    assert found.rooms == {"pc-01": "S12"}


def test_a_french_export_is_read_as_it_is():
    text = (
        "sep=;\r\nNom;Prénom;Identifiant;Profil;Classe;Né(e) le;État\r\n"
        'MARTIN;Zoé;zoe.martin;Élève;"3e B";01/02/2013;\r\n'
        "LEFÈVRE;Camille;camille;Professeure principale;3e B;;actif\r\n"
    )
    found = parse(text)
    assert [(one.login, one.name, one.role) for one in found.people] == [
        ("zoe.martin", "Zoé MARTIN", "student"),
        ("camille", "Camille LEFÈVRE", "head_teacher"),
    ]
    assert found.groups == (Group("3e B", "3e B", frozenset({"zoe.martin"})),)


def test_commas_may_stand_between_cells_and_then_bars_within():
    found = parse('login,name,role,classes\ncamille,"Lefèvre, Camille",teacher,3eB|4eC\n')
    assert found.people[0].name == "Lefèvre, Camille"
    assert found.people[0].classes == {"3eB", "4eC"}


def test_without_an_id_the_login_is_the_id_whatever_its_case():
    assert parse("login;nom;role\nZOE;Zoé;élève\n").people[0].external_id == "zoe"


def test_every_state_may_be_said_in_french():
    rows = "".join(
        f"{n};p{n};P;student;;;{word}\n"
        for n, word in enumerate(("", "Actif", "désactivé", "Expiré", "verrouillé"))
    )
    states = [one.state for one in parse(PEOPLE + rows).people]
    assert states == ["active", "active", "disabled", "expired", "locked"]


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("1;two words;X;student", "people.csv, line 2, column login: 'two words' is no login"),
        ("1;x;;student", "people.csv, line 2, column name: name: 1 to 120 printable"),
        ("1;x;X;king", "people.csv, line 2, column role: 'king' is not known"),
        ("1;x;X;student;;;away", "people.csv, line 2, column state: 'away' is not known"),
        (f"{'i' * 129};x;X;student", "people.csv, line 2, column id: at most 128"),
        (f"1;x;X;teacher;{'c' * 65}", "people.csv, line 2, column classes: class: 1 to 64"),
        ("1;x;X;student;*", "people.csv, line 2, column classes: a student sits in no class"),
        ("1;x;X;student\n2;X;Y;student", "people.csv, line 3, column login: x is there twice"),
        ("1;x;X;student\n1;y;Y;student", "people.csv, line 3, column id: 1 is there twice"),
        ("1;x;X;student;;;;;extra", "people.csv: line 2: 9 cells for 7 columns"),
        ('1;x;"X;student', "people.csv: line 2: unexpected end of data"),
        ("1;x\x00;X;student", "people.csv, line 2, column login:"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(row, told):
    assert told in complaint(people=PEOPLE + row + "\n")


def test_empty_lines_and_blank_cells_beyond_the_columns_are_no_error():
    assert len(parse(PEOPLE + "\n;;;;\n1;x;X;student;;;;;;\n").people) == 1


@pytest.mark.parametrize(
    ("texts", "told"),
    [
        ({"people": ""}, "people.csv: line 1: no column is called login or name or role"),
        ({"people": "login;name\n"}, "no column is called role"),
        ({"people": "login;identifiant;name;role\n"}, "line 1: two columns are login"),
        ({"people": ";" * 101}, "line 1: more than 100 columns"),
        ({"classes": "students\n"}, "classes.csv: line 1: no column is called name"),
        ({"classes": "id;name\n1;3eB\n2;3eB\n"}, "line 3, column id: the class 3eB has the id 1"),
        ({"classes": "id;name\n1;3eB\n1;4eC\n"}, "line 3, column id: 1 is there twice"),
        ({"classes": "name;students\n3eB;a b\n"}, "line 2, column students: 'a b' is no login"),
        ({"rooms": "host;room\npc;S1\npc;S2\n"}, "line 3, column host: pc is there twice"),
        ({"rooms": "host;room\npc;\n"}, "line 2, column room: room: 1 to 64"),
    ],
)
def test_wrong_tables_are_told(texts, told):
    assert told in complaint(**texts)


def test_ten_errors_are_told_and_the_rest_counted():
    lines = complaint(people=PEOPLE + "1;;;\n" * 12).split("\n")
    assert len(lines) == 11
    assert lines[-1] == "and 2 more errors"


def test_a_class_has_as_many_students_as_it_may_and_not_one_more():
    def of(count):
        names = ",".join(f"p{n}" for n in range(count))
        return f"name;students\n3eB;{names}\n"

    assert len(parse(PEOPLE, of(500)).groups[0].students) == 500
    assert "more than 500 students" in complaint(people=PEOPLE, classes=of(501))


def test_people_are_bounded(monkeypatch):
    monkeypatch.setattr(school, "MAX_PEOPLE", 3)
    rows = [f"{n};p{n};P;student\n" for n in range(4)]
    assert len(parse(PEOPLE + "".join(rows[:3])).people) == 3
    assert "line 5, column login: more than 3 people" in complaint(people=PEOPLE + "".join(rows))


def test_how_many_were_read_is_told():
    counts = []
    rows = "".join(f"{n};p{n};P;student\n" for n in range(250))
    csv_school.parse({"people.csv": PEOPLE + rows}, counts.append)
    assert counts == [99, 199, 250]


def is_cell(text):
    return text == text.strip() and text.isprintable()


cells = st.text(max_size=20).filter(is_cell)


def attempt(value):
    """The snapshot, or what is told instead."""
    try:
        return parse(value), ""
    except SourceError as error:
        return None, str(error)


@given(st.text())
def test_no_text_is_more_than_wrong(text):
    found, told = attempt(text)
    assert "people.csv" in told if found is None else isinstance(found, Snapshot)


@given(st.lists(st.lists(cells, min_size=7, max_size=7), max_size=5), st.sampled_from(";,"))
def test_no_row_is_more_than_wrong(rows, between):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=between)
    writer.writerow(PEOPLE.strip().split(";"))
    writer.writerows(rows)
    found, told = attempt(out.getvalue())
    assert "people.csv" in told if found is None else len(found.people) <= len(rows)


names = st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=20)


@given(st.lists(names, min_size=1, max_size=8), st.sampled_from([";", ","]), st.booleans())
def test_whatever_a_spreadsheet_writes_is_read_back(people, between, windows):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=between, lineterminator="\r\n" if windows else "\n")
    writer.writerow(["login", "name", "role"])
    for number, name in enumerate(people):
        writer.writerow([f"p{number}", f"{name}{between} {name}", "student"])
    found = parse(out.getvalue()).people
    assert [one.login for one in found] == [f"p{number}" for number in range(len(people))]


def test_people_without_an_id_of_their_own_are_a_warning():
    (told,) = parse(PEOPLE + "1;a;A;student\n;b;B;student\n;c;C;student\n").warnings
    assert told.startswith("2 people have no id of their own, so that it is their login")
    (told,) = parse("login;name;role\na;A;student\n").warnings
    assert told.startswith("1 people have no id")
    assert parse(PEOPLE + "1;a;A;student\n").warnings == ()


HEADS = "login;nom;prénom;role;classe;professeur principal de;date de naissance\n"


def test_a_head_teacher_is_that_of_the_classes_that_are_named():
    found = parse(HEADS + "camille;Lefèvre;Camille;prof;3eB;3eB;\n"
                  "anna;Roux;Anna;professeure principale;3eB|4eC;4eC;\n")  # fmt: skip
    assert [(one.login, one.heads) for one in found.people] == [
        ("camille", frozenset()), ("anna", frozenset({"4eC"})),
    ]  # fmt: skip


def test_without_a_column_a_head_teacher_is_that_of_the_classes_to_watch():
    (anna,) = parse("login;name;role;classes\nanna;Anna;head_teacher;3eB|4eC|*\n").people
    assert anna.heads == {"3eB", "4eC"}


def test_a_head_teacher_of_every_class_is_refused():
    told = complaint(people=HEADS + "anna;Roux;Anna;head_teacher;;*;\n")
    assert "line 2, column heads: a head teacher has each class by its name" in told


def test_last_name_and_birth_date_are_kept_of_students_alone():
    found = parse(HEADS + "zoe;DE LA TOUR;Zoé;élève;3eB;;14/03/2012\n"
                  "camille;Lefèvre;Camille;prof;3eB;;01/02/1970\n"
                  "malo;Colin;Malo;élève;3eB;;hier\n")  # fmt: skip
    kept = {one.login: (one.last_name, one.birth_date) for one in found.people}
    assert kept == {"zoe": ("DE LA TOUR", "2012-03-14"), "camille": ("", ""), "malo": ("Colin", "")}
    assert "1 birth dates were left out" in found.warnings[-1]
