"""Where no VNC server is installed, desktops are drawn, and the page says so."""

import os
from pathlib import Path

import pytest

from tests.journeys.conftest import sign_in
from tests.stack import EOPCTL, Stack
from tests.wall_client import Tile, WallClient


@pytest.fixture(scope="module")
def drawn():
    with Stack(workstations=2, PATH=str(Path(EOPCTL).parent)) as running:
        yield running


def test_drawn_desktops_are_of_their_own_kind_and_move(drawn):
    assert os.environ["PATH"] != drawn.environment["PATH"]
    api = drawn.sign_in()
    assert {entry["kind"] for entry in api.get("workstations").json()} == {"demo"}
    with api.open(kind="wall", room="S12") as socket:
        wall = WallClient(socket)
        wall.show([one["number"] for one in wall.next()["workstations"]])
        tiles = {wall.until(lambda item: isinstance(item, Tile), 15).jpeg for _ in range(3)}
    assert len(tiles) == 3


def test_the_wall_says_that_it_shows_drawn_desktops(drawn, page):
    sign_in(page, drawn)
    page.goto(f"{drawn.url}/observe/wall?room=S12")
    page.wait_for_selector('li.tile[data-fresh="live"] img[src^="data:"]', timeout=15_000)
    assert "drawn" in page.locator("main").inner_text().lower()
