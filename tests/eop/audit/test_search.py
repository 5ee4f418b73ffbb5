from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eop.audit import search
from eop.audit.chain import Entry, whom_of
from eop.audit.search import OLDEST, Criteria, Cursor
from eop.directory.users import NewUser, add
from tests.eop.audit.school import rows, write

PEOPLE = ("camille", "malo", "zoe")
KINDS = ("screen_opened", "signed_in", "action")
PLACES = ("w1", "w2", None)
ENTRIES = st.builds(
    lambda at, kind, user, workstation, watched: Entry(
        at, kind, user, "", workstation, {"watched": " ".join(watched)}
    ),
    st.integers(1, 30),
    st.sampled_from(KINDS),
    st.sampled_from(PEOPLE),
    st.sampled_from(PLACES),
    st.lists(st.sampled_from(PEOPLE), max_size=2),
)
CRITERIA = st.builds(
    Criteria,
    persons=st.none() | st.lists(st.sampled_from(PEOPLE), max_size=2).map(tuple),
    part=st.sampled_from(["any", "who", "whom"]),
    kinds=st.lists(st.sampled_from(KINDS), max_size=2, unique=True).map(tuple),
    workstations=st.none() | st.lists(st.sampled_from(["w1", "w2", "w3"]), max_size=2).map(tuple),
    from_ms=st.none() | st.integers(0, 31),
    until_ms=st.none() | st.integers(0, 31),
)


def fits(row, wanted):
    """The same, read from the words of `Criteria`."""
    who, whom = {row.user}, set(whom_of(row.details))
    people = {"who": who, "whom": whom, "any": who | whom}[wanted.part]
    return (
        (wanted.persons is None or bool(people & set(wanted.persons)))
        and (not wanted.kinds or row.kind in wanted.kinds)
        and (wanted.workstations is None or row.workstation in wanted.workstations)
        and (wanted.from_ms is None or row.at >= wanted.from_ms)
        and (wanted.until_ms is None or row.at < wanted.until_ms)
    )


def find(database, wanted, **options):
    with database.read() as connection:
        return search.search(connection, wanted, **options)


def ids(page):
    return [row.id for row in page.rows]


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(entries=st.lists(ENTRIES, max_size=12), wanted=CRITERIA, size=st.integers(1, 4))
def test_pages_hold_everything_that_fits_once_and_in_order_both_ways(
    database, entries, wanted, size
):
    write(database, *entries)
    fitting = [row for row in rows(database) if fits(row, wanted)]
    expected = [row.id for row in sorted(fitting, key=lambda row: (row.at, row.id), reverse=True)]
    down, page = [], find(database, wanted, limit=size)
    assert page.newer is None
    while True:
        down += ids(page)
        if page.older is None:
            break
        page = find(database, wanted, before=page.older, limit=size)
        assert page.newer is not None
    assert down == expected
    up, page = [], find(database, wanted, after=OLDEST, limit=size)
    assert page.older is None
    while True:
        up = ids(page) + up
        if page.newer is None:
            break
        page = find(database, wanted, after=page.newer, limit=size)
        assert page.older is not None
    assert up == expected
    with database.read() as connection:
        most = len(expected)
        assert search.count(connection, wanted, most) == most
        if most:
            assert search.count(connection, wanted, most - 1) == most


def test_nobody_and_nowhere_is_not_everybody(database):
    write(database, Entry(1, "signed_in", "camille"))
    assert find(database, Criteria(persons=())).rows == []
    assert find(database, Criteria(workstations=())).rows == []
    with database.read() as connection:
        assert search.count(connection, Criteria(persons=()), 5) == 0


def test_a_cursor_that_fits_nothing_is_no_trouble(database):
    write(database, Entry(5, "signed_in", "camille"))
    far = Cursor(2**62, 2**31 - 1)
    assert ids(find(database, Criteria(), before=far)) == [1]
    assert find(database, Criteria(), after=far).rows == []


@pytest.fixture
def people(database):
    with database.write() as connection:
        for login, name in (
            ("camille.l", "Camille Lefèvre"),
            ("c2", "100 % Camille"),
            ("z", "Zoé"),
        ):
            add(connection, NewUser(login, "teacher", name, None), 0)
    return database


@pytest.mark.parametrize(
    ("text", "logins"),
    [
        (" CAMILLE.L ", {"camille.l"}),
        ("camille", {"camille", "c2", "camille.l"}),
        ("%", {"%", "c2"}),
        ("_", {"_"}),
        ("gone.user", {"gone.user"}),
    ],
)
def test_a_person_is_meant_by_login_or_by_a_part_of_the_name(people, text, logins):
    with people.read() as connection:
        assert set(search.persons_of(connection, text)) == logins


def test_so_many_persons_are_searched_and_not_one_more(people):
    with people.write() as connection:
        for number in range(search.MAX_PERSONS + 1):
            add(connection, NewUser(f"many{number}", "student", f"Many {number}", None), 0)
        assert len(search.persons_of(connection, "Many")) == search.MAX_PERSONS + 1  # and "many"


def test_each_search_reads_an_index_and_never_sorts_all(database):
    every = Criteria(from_ms=1, until_ms=9)
    kinds = {
        "ix_audit_user_at": replace(every, persons=("camille",), part="who"),
        "sqlite_autoindex_audit_whom_1": replace(every, persons=("camille",), part="whom"),
        "ix_audit_kind_at": replace(every, kinds=("action",)),
        "ix_audit_workstation_at": replace(every, workstations=("w1",)),
        "ix_audit_at": every,
    }
    for index, wanted in kinds.items():
        query = search._places(wanted, Cursor(5, 5), is_upward=False, limit=51)
        with database.read() as connection:
            compiled = query.compile(connection, compile_kwargs={"literal_binds": True})
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]
        assert any(f"INDEX {index} " in line for line in plan), (index, plan)
        assert not any(line.startswith("SCAN audit") for line in plan), plan
