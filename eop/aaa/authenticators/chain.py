"""Who checks passwords, in which order: the settings' names made into authenticators.

A local administrator can always sign in, last of all where "local" is not listed. And a local
account that has a password of its own is opened by that alone: whoever can make an account in a
directory does not become this site's administrator by calling it as he is called.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from eop.aaa import keeper
from eop.aaa.authenticators.base import Authenticator, Trouble, Who
from eop.aaa.authenticators.local import LocalAuthenticator
from eop.database import Database
from eop.directory import users

if TYPE_CHECKING:
    from eop.settings import SiteSettings

ADMINISTRATOR = "administrator"

Factory = Callable[["SiteSettings", Database], Authenticator]


def _local(_: "SiteSettings", database: Database) -> Authenticator:
    return LocalAuthenticator(database)


def _ldap(site: "SiteSettings", _: Database) -> Authenticator:
    from eop.aaa.authenticators.ldap import LdapAuthenticator  # ldap3 only where it is used
    from eop.directory import ldap_layout

    return LdapAuthenticator(ldap_layout.access_of(site), ldap_layout.layout_of(site))


def _pam(site: "SiteSettings", _: Database) -> Authenticator:
    from eop.aaa.authenticators.pam import PamAuthenticator

    return PamAuthenticator(site.pam_socket)


FACTORIES: dict[str, Factory] = {"local": _local, "ldap": _ldap, "pam": _pam}
"""Name in `AUTHENTICATORS` → what makes it; `eop.settings_checks` has the same names."""


def authenticators(site: "SiteSettings", database: Database) -> tuple[Authenticator, ...]:
    """Those of the settings, in their order; nothing is connected yet."""
    chosen: list[Authenticator] = []
    for name in site.AUTHENTICATORS:
        made = FACTORIES[name](site, database)
        chosen.append(made if name == users.LOCAL else NotForLocalPasswords(made, database))
    if users.LOCAL not in site.AUTHENTICATORS:
        chosen.append(AdministratorsOnly(LocalAuthenticator(database), database))
    return tuple(chosen)


class NotForLocalPasswords:
    """Another authenticator, whose word does not count for accounts that have a password here."""

    def __init__(self, other: Authenticator, database: Database) -> None:
        self.name = other.name
        self.other = other
        self._database = database

    def authenticate(self, login: str, password: str) -> Who | Trouble | None:
        """What the other says; it is asked in every case, so that time tells nothing."""
        answer = self.other.authenticate(login, password)
        if answer is None:
            return None
        with self._database.read() as connection:
            user = users.find(connection, answer.login)
            stored = users.password_of(connection, answer.login)
        return None if keeper.is_kept_here(user, stored) else answer


class AdministratorsOnly:
    """Local accounts, where they are not asked otherwise: the way in when directories are down."""

    def __init__(self, other: Authenticator, database: Database) -> None:
        self.name = other.name
        self._other = other
        self._database = database

    def authenticate(self, login: str, password: str) -> Who | Trouble | None:
        """Who it is, if an administrator."""
        answer = self._other.authenticate(login, password)
        if answer is None:
            return None
        with self._database.read() as connection:
            user = users.find(connection, answer.login)
        return answer if user is not None and user.role == ADMINISTRATOR else None
