"""The directories that these tests ask, each started once."""

from tests.ldap_fixtures import ad, certificates, foreign_authority, scribe

__all__ = ["ad", "certificates", "foreign_authority", "scribe"]
