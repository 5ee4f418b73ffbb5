"""What the sign-in must know of the application that answers a request."""

from dataclasses import dataclass
from typing import cast
from urllib.parse import urlsplit

from flask import Flask, current_app

from eop.settings import SiteSettings

EXTENSION = "eop.aaa"
LOCAL = "local"


@dataclass(frozen=True)
class Membership:
    """An application's name and place, and which sessions open it.

    `aaa_url` is where the sign-in service is when that is under another host name; `home` the page
    to go to when none was asked for.
    """

    name: str
    mount_point: str
    mode: str
    home: str
    aaa_url: str = ""

    @property
    def scope(self) -> str:
        """The `application` of its sessions: empty where it shares those of all."""
        return self.name if self.mode == LOCAL or self.aaa_url else ""

    @property
    def door(self) -> str:
        """Under which path it has `/login` and `/logout`."""
        return self.mount_point if self.scope else ""

    @property
    def ends_everywhere(self) -> bool:
        """Whether signing out here ends the session it was made from, too."""
        return self.mode != LOCAL


def of_site(site: SiteSettings) -> Membership:
    """The membership of the application that these settings are of."""
    return Membership(
        name=site.APPNAME,
        mount_point=site.MOUNT_POINT,
        mode=site.SESSION_MODE,
        home=site.MOUNT_POINT + "/",
        aaa_url=site.AAA_URL.rstrip("/") if is_aaa_elsewhere(site) else "",
    )


def of_root(site: SiteSettings, *, is_alone: bool) -> Membership:
    """That of the sign-in service itself, which is alone where no application is beside it."""
    home = site.MOUNT_POINT + "/"
    if is_alone and site.APPLICATIONS:
        home = site.APPLICATIONS[0] + "/"
    return Membership(name="aaa", mount_point="", mode="global", home=home)


def is_aaa_elsewhere(site: SiteSettings) -> bool:
    """Whether the sign-in service has another origin, where our cookie does not reach."""
    return bool(site.AAA_URL) and _origin(site.AAA_URL) != _origin(site.PUBLIC_URL)


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url.lower())
    return parts.scheme, parts.netloc


def join(app: Flask, member: Membership) -> None:
    """Have `app` answer as this member."""
    app.extensions[EXTENSION] = member


def current() -> Membership:
    """The member that answers the current request."""
    return cast(Membership, current_app.extensions[EXTENSION])
