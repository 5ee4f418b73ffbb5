import re
from pathlib import Path

import pytest

import eop
from eop.assistance import shortcuts
from eop.assistance.shortcuts import EVERYWHERE, GROUPS, SCREEN, WALL, How

TEMPLATES = Path(eop.__file__).parent / "templates"


def test_a_page_shows_its_own_shortcuts_before_what_holds_everywhere():
    assert shortcuts.groups_of("observation_pages.wall") == (WALL, EVERYWHERE)
    assert shortcuts.groups_of("observation_pages.screen") == (SCREEN, EVERYWHERE)
    assert shortcuts.groups_of("pages.home") == (EVERYWHERE,)
    assert shortcuts.groups_of(None) == (EVERYWHERE,)


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_what_is_one_letter_or_sign_is_known_to_be_and_can_be_switched_off(group):
    for one in group.shortcuts:
        signs = one.how is not How.TOGETHER and all(
            len(key) == 1 and key not in "←↑→↓" for key in one.keys
        )
        assert one.is_single == signs, one.keys


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.name)
def test_no_key_has_two_meanings_at_one_place(group):
    here = (*group.shortcuts, *(() if group is EVERYWHERE else EVERYWHERE.shortcuts))
    taken = [key for one in here if one.is_single and one.how is How.ANY for key in one.keys]
    assert len(taken) == len(set(taken))


def test_every_letter_after_g_has_its_link_in_the_banner_and_the_other_way_round():
    told = {one.keys[1].lower() for one in EVERYWHERE.shortcuts if one.how is How.THEN}
    linked = set(re.findall(r'data-go="(\w)"', (TEMPLATES / "base.html").read_text("utf-8")))
    assert told == linked
