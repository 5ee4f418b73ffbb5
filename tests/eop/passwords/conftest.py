"""What the tests of passwords share: a class with a head teacher, and another one."""

import pytest
from sqlalchemy import update

from eop.aaa import accounts
from eop.directory.tables import user
from eop.directory.users import NewUser
from tests.eop.installation import HASH
from tests.ldap_fixtures import certificates

__all__ = ["certificates", "school"]

STUDENTS = {
    "ines.amrani": ("Inès AMRANI", "2012-03-14"),
    "malo.colin": ("Malo COLIN", "2012-11-02"),
    "zoe.dubois": ("Zoé DUBOIS", None),
}


@pytest.fixture
def school(house):
    """3eB with three students; `anna` heads it, `camille` (everything) and `paul` (4eC) do not."""
    for login, (name, born) in STUDENTS.items():
        new = NewUser(login, "student", name, HASH)
        accounts.add(house.parts.database, new, house.parts.now_ms())
        with house.parts.database.write() as connection:
            of_login = update(user).where(user.c.login == login)
            connection.execute(of_login.values(birth_date=born))
    house.add_class("3eB", *STUDENTS, "no.account", "anna")
    house.add_user("other.student", role="student", rooms=(), classes=())
    house.add_class("4eC", "other.student")
    house.add_user("anna", role="head_teacher", rooms=(), classes=("3eB",))
    house.add_user("paul", role="head_teacher", rooms=(), classes=("4eC",))
    house.add_user("carla", role="administrator", rooms=(), classes=())
    return house
