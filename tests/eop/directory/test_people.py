import pytest
from sqlalchemy import event
from sqlalchemy.dialects import postgresql

from eop.directory import people, users
from eop.directory.people import A_PAGE, Wanted
from eop.errors import InvalidError
from tests.eop.installation import HASH


@pytest.fixture
def school(quiet):
    from eop.directory import users
    from eop.directory.users import NewUser

    with quiet.parts.database.write() as connection:
        for login, role, name in (
            ("anna", "teacher", "Anna Élias"),
            ("bob_1", "student", "Bob 100% Martin"),
            ("carla", "administrator", "Carla Roux"),
        ):
            users.add(connection, NewUser(login, role, name, HASH), 0)
    return quiet


def logins(school, page=1, **wanted):
    with school.parts.database.read() as connection:
        return [one.login for one in people.search(connection, Wanted(**wanted), page).people]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["anna", "bob_1", "carla"]),
        ({"text": "AN"}, ["anna"]),
        ({"text": "roux"}, ["carla"]),
        ({"text": "élias"}, ["anna"]),
        ({"text": "%"}, ["bob_1"]),
        ({"text": "_"}, ["bob_1"]),
        ({"role": "student"}, ["bob_1"]),
        ({"role": "king"}, []),
        ({"source": "local", "text": "a"}, ["anna", "bob_1", "carla"]),
        ({"source": "ldap"}, []),
        ({"state": "disabled"}, []),
        ({"text": "'; DROP TABLE user; --"}, []),
    ],
)
def test_accounts_are_found_by_what_is_wanted(school, wanted, found):
    assert logins(school, **wanted) == found


def test_fifty_are_on_a_page_and_the_rest_on_the_next(school):
    from eop.directory import users
    from eop.directory.users import NewUser

    with school.parts.database.write() as connection:
        for n in range(A_PAGE - 2):
            users.add(connection, NewUser(f"x{n:02}", "student", "X", None), 0)
        first = people.search(connection, Wanted())
        second = people.search(connection, Wanted(), 2)
    assert (len(first.people), first.total, first.pages) == (A_PAGE, A_PAGE + 1, 2)
    assert len(second.people) == 1
    assert logins(school, page=99) == [second.people[0].login]
    assert len(logins(school, page=-1)) == A_PAGE


def test_a_state_is_one_of_those_there_are(school):
    with school.parts.database.write() as connection:
        assert users.set_state(connection, "anna", "disabled").state == "disabled"
        with pytest.raises(InvalidError, match="is no state"):
            users.set_state(connection, "anna", "asleep")
        assert people.of_roles(connection, ("teacher",)) == []
        assert people.other_administrators(connection, "anna") == 1
        assert people.other_administrators(connection, "carla") == 0


def test_every_administrator_is_held_while_they_are_counted(school):
    seen = []

    def note(_connection, clause, *_):
        seen.append(str(clause.compile(dialect=postgresql.dialect())))

    event.listen(school.parts.database.engine, "before_execute", note)
    try:
        with school.parts.database.write() as connection:
            people.other_administrators(connection, "carla")
    finally:
        event.remove(school.parts.database.engine, "before_execute", note)
    (statement,) = seen
    assert statement.endswith("FOR NO KEY UPDATE")
    assert '"user".login !=' not in statement  # the one who is to go is held, too
