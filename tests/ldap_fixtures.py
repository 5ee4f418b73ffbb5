"""Fixtures with real directories; a conftest names those that its tests need."""

import pytest

from eop.directory import ldap_layout
from eop.settings import SiteSettings
from tests.ldap_server import AD, Slapd, ad_tree, authority, scribe_tree

AD_SETTINGS = {
    "LDAP_ROLES": ["Eleves=student", "Tous les profs=teacher", "Principaux=head_teacher"],
    "LDAP_TEAMS": "Profs de {class}",
    "LDAP_CLASS_BRANCHES": ["ou=Eleves"],
}


@pytest.fixture(scope="session")
def certificates(tmp_path_factory):
    """An authority of the school."""
    return authority(tmp_path_factory.mktemp("school"))


@pytest.fixture(scope="session")
def foreign_authority(tmp_path_factory):
    """Another one, which signed nothing here."""
    return authority(tmp_path_factory.mktemp("foreign"))


@pytest.fixture(scope="module")
def scribe(certificates):
    with Slapd("o=gouv,c=fr", scribe_tree(), certificates.issue("127.0.0.1")) as running:
        yield running


@pytest.fixture(scope="module")
def ad(certificates):
    with Slapd(AD, ad_tree(), certificates.issue("127.0.0.1"), is_ad=True) as running:
        yield running


def configured(settings):
    """Access and layout of a site with these settings."""
    site = SiteSettings(**settings)
    return ldap_layout.access_of(site), ldap_layout.layout_of(site)
