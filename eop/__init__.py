"""EOP: the site that teachers use, and the sign-in service under it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from eop.services import Services
    from eop.settings import SiteSettings

__version__ = "0.1.0"


def create_app(site: "SiteSettings", parts: "Services | None" = None) -> "Flask":
    """The site as one Flask application; `parts` are shared with the sign-in service."""
    from eop import application  # here: `eopctl` starts without Flask

    return application.create_site(site, parts)
