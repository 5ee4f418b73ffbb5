"""A school with two rooms, a class, three teachers, and blinds in every room."""

from dataclasses import replace

import pytest

from eop.lessons.closed_screens import ClosedScreens
from eop.restraints import Restraints
from tests.fakes.restraint import Blinds


@pytest.fixture
def school(house):
    """Zoe sits in S12, Malo of the same class in S14, Lina of another class in S12; Ada nowhere."""
    for login in ("zoe", "malo", "lina", "ada"):
        house.add_user(login, role="student", rooms=(), classes=())
    house.add_workstation("pc-01", "S12", "zoe")
    house.add_workstation("pc-02", "S12", "lina")
    house.add_workstation("pc-03", "S14", "malo")
    house.add_workstation("pc-04", "S14")
    house.add_class("3eB", "zoe", "malo", "ada")
    house.add_user("roux", rooms=("S12",), classes=())
    house.add_user("klein", rooms=(), classes=("3eB",))
    house.blinds = Blinds()
    house.parts = replace(house.parts, restraints=Restraints([ClosedScreens(), house.blinds]))
    return house
