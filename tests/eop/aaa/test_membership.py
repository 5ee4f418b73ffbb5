"""Which sessions open an application, by its settings."""

from dataclasses import replace

import pytest

from eop.aaa.membership import is_aaa_elsewhere, of_root, of_site
from eop.settings import SiteSettings

SITE = SiteSettings()


@pytest.mark.parametrize(
    ("aaa_url", "public_url", "elsewhere"),
    [
        ("", "", False),
        ("", "https://eop.example", False),
        ("https://aaa.example", "https://eop.example", True),
        ("https://aaa.example", "", True),
        ("https://eop.example", "https://eop.example/", False),
        ("https://EOP.example", "https://eop.example", False),
        ("https://eop.example:444", "https://eop.example", True),
        ("http://eop.example", "https://eop.example", True),
    ],
)
def test_the_sign_in_service_is_elsewhere_where_its_origin_is_another(
    aaa_url, public_url, elsewhere
):
    site = replace(SITE, AAA_URL=aaa_url, PUBLIC_URL=public_url)
    assert is_aaa_elsewhere(site) is elsewhere


@pytest.mark.parametrize(
    ("changes", "scope", "door", "everywhere"),
    [
        ({}, "", "", True),
        ({"SESSION_MODE": "local"}, "eop", "/eoleapps/eop", False),
        ({"AAA_URL": "https://aaa.example"}, "eop", "/eoleapps/eop", True),
        (
            {"AAA_URL": "https://aaa.example", "SESSION_MODE": "local"},
            "eop", "/eoleapps/eop", False,
        ),
    ],
)  # fmt: skip
def test_an_application_has_sessions_of_its_own_or_those_of_all(changes, scope, door, everywhere):
    member = of_site(replace(SITE, **changes))
    assert (member.scope, member.door, member.ends_everywhere) == (scope, door, everywhere)


def test_the_home_of_a_service_alone_is_its_first_application():
    site = replace(SITE, APPLICATIONS=["https://eop.example/eop", "https://other.example/x"])
    assert of_root(site, is_alone=True).home == "https://eop.example/eop/"
    assert of_root(site, is_alone=False).home == "/eoleapps/eop/"
    assert of_root(SITE, is_alone=True).home == "/eoleapps/eop/"
