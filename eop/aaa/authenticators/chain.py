"""The authenticators that the settings name, in their order."""

from collections.abc import Callable

from controle_vnc.errors import SettingsError
from eop.aaa.authenticators.base import Authenticator
from eop.aaa.authenticators.local import LocalAuthenticator
from eop.aaa.authenticators.pam import PamAuthenticator
from eop.database import Database
from eop.settings import SiteSettings

FACTORIES: dict[str, Callable[[SiteSettings, Database], Authenticator]] = {
    "local": lambda _site, database: LocalAuthenticator(database),
    "pam": lambda site, _database: PamAuthenticator(site.pam_socket),
}
"""What may stand in `AUTHENTICATORS`."""


def make(site: SiteSettings, database: Database) -> tuple[Authenticator, ...]:
    """Those of `AUTHENTICATORS`; raises `SettingsError` for a name that is none."""
    for name in site.AUTHENTICATORS:
        if name not in FACTORIES:
            raise SettingsError(
                f"AUTHENTICATORS: there is no {name!r}; there are: {', '.join(FACTORIES)}"
            )
    return tuple(FACTORIES[name](site, database) for name in site.AUTHENTICATORS)
