import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eop.errors import InvalidError, RefusedError
from eop.observation import seating
from eop.observation.seating import MAX_COLUMNS, MAX_ROWS, Plan, Seat

PLAN = Plan(3, 2, (1,), (Seat(1, 1, "a"), Seat(2, 3, "b")), at=5, by="camille")


def kept(quiet, room="S12"):
    with quiet.parts.database.read() as connection:
        return seating.find(connection, room)


def save(quiet, plan, room="S12"):
    with quiet.parts.database.write() as connection:
        return seating.save(connection, room, plan)


def test_a_room_has_no_plan_until_one_is_saved(quiet):
    assert kept(quiet) == Plan()
    assert save(quiet, PLAN) == replace(PLAN, version=1)
    assert kept(quiet) == replace(PLAN, version=1)
    assert kept(quiet, "S13") == Plan()


def test_only_the_newest_version_is_replaced(quiet):
    first = save(quiet, PLAN)
    second = save(quiet, replace(first, rows=3, by="anna"))
    assert (second.version, second.rows, second.by) == (2, 3, "anna")
    for version in (0, 1, 3):
        with pytest.raises(RefusedError, match="plan_changed"):
            save(quiet, replace(PLAN, version=version))
    assert kept(quiet) == second


def test_of_two_that_save_at_once_one_is_told(quiet):
    outcomes, begin = [], threading.Barrier(2, timeout=5)

    def one(by):
        begin.wait()
        try:
            outcomes.append(save(quiet, replace(PLAN, by=by)).by)
        except RefusedError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=one, args=(by,)) for by in ("anna", "camille")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(outcomes) == 2
    assert outcomes.count("plan_changed") == 1
    assert kept(quiet).by in outcomes


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        (replace(PLAN, columns=0), "columns"),
        (replace(PLAN, columns=MAX_COLUMNS + 1), "columns"),
        (replace(PLAN, rows=MAX_ROWS + 1), "rows"),
        (replace(PLAN, aisles=(1, 1)), "one aisle"),
        (replace(PLAN, aisles=(3,)), "between two columns"),
        (replace(PLAN, aisles=(0,)), "between two columns"),
        (replace(PLAN, seats=(Seat(3, 1, "a"),)), "outside"),
        (replace(PLAN, seats=(Seat(1, 4, "a"),)), "outside"),
        (replace(PLAN, seats=(Seat(1, 1, "a"), Seat(1, 1, "b"))), "at one place"),
        (replace(PLAN, seats=(Seat(1, 1, "a"), Seat(1, 2, "a"))), "at two places"),
    ],
)
def test_a_plan_that_contradicts_itself_is_refused(plan, told):
    with pytest.raises(InvalidError, match=told):
        seating.check(plan)


def test_the_largest_plan_is_allowed():
    places = [(row, column) for row in range(1, 21) for column in range(1, 21)]
    assert (MAX_ROWS, MAX_COLUMNS) == (20, 20)
    seats = tuple(Seat(row, column, f"{row} {column}") for row, column in places)
    seating.check(Plan(20, 20, tuple(range(1, 20)), seats))


@given(
    st.permutations([Seat(row, column, f"{row}{column}") for row in (1, 2) for column in (1, 2)])
)
def test_workstations_rank_row_by_row(seats):
    plan = Plan(2, 2, (), tuple(seats))
    assert plan.order() == {"11": 0, "12": 1, "21": 2, "22": 3}


def test_seats_of_others_are_left_out():
    assert PLAN.of({"b", "c"}).seats == (Seat(2, 3, "b"),)
