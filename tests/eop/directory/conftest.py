"""What the directory's tests share: directories to ask."""

from tests.ldap_fixtures import ad, certificates, foreign_authority, scribe

__all__ = ["ad", "certificates", "foreign_authority", "scribe"]
