"""How the school's directory is reached and laid out: settings over the defaults of a layout. Pure.

A layout gives every base, filter and attribute; each is a setting of its own, and where that is
empty the layout's value holds.
"""

import ipaddress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from controle_vnc import settings as shared
from controle_vnc.errors import SettingsError

if TYPE_CHECKING:
    from eop.settings import SiteSettings

MAX_SERVERS = 8  # each may cost a sign-in one timeout
MAX_TIMEOUT_SECONDS = 60
LDAP_PORT, LDAPS_PORT = 389, 636
CLASS_MARK = "{class}"
ROLES = ("student", "teacher", "head_teacher", "security_officer", "administrator")
"""From the least to the most: who has several is the last of them."""

PLAIN: dict[str, Any] = {
    "LOGIN_ATTRIBUTE": "uid",
    "NAME_ATTRIBUTE": "displayName",
    "ID_ATTRIBUTE": "entryUUID",
    "PEOPLE_BASES": [""],
    "PEOPLE_FILTER": "(objectClass=inetOrgPerson)",
    "GROUP_BASES": [""],
    "GROUP_FILTER": "(|(objectClass=groupOfNames)(objectClass=posixGroup))",
    "GROUP_NAME_ATTRIBUTE": "cn",
    "MEMBER_ATTRIBUTES": ["member", "memberUid"],
    "CLASS_BRANCHES": [],
    "TEAMS": "",
    "HEADS": "",
    "LAST_NAME_ATTRIBUTE": "sn",
    "BIRTH_ATTRIBUTE": "",
    "ROLES": [],
    "COMPUTER_BASES": [],
    "COMPUTER_FILTER": "(objectClass=device)",
    "HOST_ATTRIBUTE": "cn",
    "ROOM_ATTRIBUTE": "l",
}

SCRIBE: dict[str, Any] = {
    **PLAIN,
    "PEOPLE_BASES": [
        "ou=local,ou=personnels,ou=utilisateurs",
        "ou=local,ou=eleves,ou=utilisateurs",
    ],
    "PEOPLE_FILTER": "(uid=*)",
    "GROUP_BASES": ["ou=local,ou=groupes"],
    "GROUP_FILTER": "(|(type=Classe)(type=Option)(type=Groupe))",
    "MEMBER_ATTRIBUTES": ["memberUid"],
    "TEAMS": "profs-{class}",
    "ROLES": [
        "ou=local,ou=eleves,ou=utilisateurs=student",
        "professeurs=teacher",
        "DomainAdmins=administrator",
    ],
}

ACTIVE_DIRECTORY: dict[str, Any] = {
    **PLAIN,
    "LOGIN_ATTRIBUTE": "sAMAccountName",
    "ID_ATTRIBUTE": "objectGUID",
    "PEOPLE_FILTER": "(&(objectClass=user)(!(objectClass=computer)))",
    "GROUP_FILTER": "(objectClass=group)",
    "MEMBER_ATTRIBUTES": ["member"],
    "COMPUTER_BASES": [""],
    "COMPUTER_FILTER": "(&(objectClass=computer)(location=*))",
    "ROOM_ATTRIBUTE": "location",
}

LAYOUTS = {"plain": PLAIN, "scribe": SCRIBE, "ad": ACTIVE_DIRECTORY}


@dataclass(frozen=True)
class Server:
    """One server; `tls` is "ldaps", "starttls" or "none" (this machine only)."""

    host: str
    port: int
    tls: str

    @property
    def address(self) -> str:
        scheme = "ldaps" if self.tls == "ldaps" else "ldap"
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{host}:{self.port}"


@dataclass(frozen=True)
class Access:
    """How the servers are reached, and as whom; without `bind_dn` as nobody.

    `timeout` is in seconds: of a whole sign-in, or of each step of an import.
    """

    servers: tuple[Server, ...]
    timeout: float
    ca_file: str = ""
    bind_dn: str = ""
    password_file: str = ""


@dataclass(frozen=True)
class Branch:
    """Entries of one kind: below which bases (full names), and which of them."""

    bases: tuple[str, ...]
    filter: str


@dataclass(frozen=True)
class RoleRule:
    """Who has a role: `kind` says what `key` is.

    "group": the name of a group; "name": the full name of a group, or of a branch with people
    below; "filter": a filter that matches them.
    """

    kind: str
    key: str
    role: str


@dataclass(frozen=True)
class Layout:
    """Where people, groups and computers are, and which attribute says what."""

    base: str
    login: str
    typed: tuple[str, ...]
    name: str
    id: str
    people: Branch
    groups: Branch
    group_name: str
    members: tuple[str, ...]
    class_branches: tuple[str, ...]
    teams: str
    heads: str
    last_name: str
    birth: str
    roles: tuple[RoleRule, ...]
    default_role: str
    teacher_rooms: frozenset[str]
    computers: Branch
    host: str
    room: str


def access_of(site: "SiteSettings", where: str = "eop.conf") -> Access:
    """How to reach the servers of the settings; raises `SettingsError`."""
    if not site.LDAP_SERVERS:
        raise SettingsError(f"{where}: LDAP_SERVERS is empty; give for example ldaps://host:636")
    if len(site.LDAP_SERVERS) > MAX_SERVERS:
        raise SettingsError(f"{where}: LDAP_SERVERS: at most {MAX_SERVERS} servers")
    if not 1 <= site.LDAP_TIMEOUT <= MAX_TIMEOUT_SECONDS:
        raise SettingsError(f"{where}: LDAP_TIMEOUT must be between 1 and {MAX_TIMEOUT_SECONDS}")
    if bool(site.LDAP_BIND_DN) != bool(site.LDAP_PASSWORD_FILE):
        raise SettingsError(
            f"{where}: LDAP_BIND_DN and LDAP_PASSWORD_FILE go together; give both or none"
        )
    for key in ("LDAP_PASSWORD_FILE", "LDAP_CA_FILE"):
        name = getattr(site, key)
        if name and not Path(name).is_file():
            raise SettingsError(f"{where}: {key}: there is no file {name}")
    if site.LDAP_PASSWORD_FILE:
        shared.check_private(Path(site.LDAP_PASSWORD_FILE))
    servers = tuple(
        _server(text, f"{where}: LDAP_SERVERS", starttls=site.LDAP_STARTTLS)
        for text in site.LDAP_SERVERS
    )
    return Access(
        servers,
        site.LDAP_TIMEOUT,
        site.LDAP_CA_FILE,
        site.LDAP_BIND_DN,
        site.LDAP_PASSWORD_FILE,
    )


def writing_access_of(site: "SiteSettings", where: str = "eop.conf") -> Access:
    """The same, as the account that may give new passwords; raises `SettingsError`."""
    access = access_of(site, where)
    if bool(site.LDAP_WRITE_DN) != bool(site.LDAP_WRITE_PASSWORD_FILE):
        raise SettingsError(
            f"{where}: LDAP_WRITE_DN and LDAP_WRITE_PASSWORD_FILE go together; give both or none"
        )
    if not site.LDAP_WRITE_DN:
        return access
    if not Path(site.LDAP_WRITE_PASSWORD_FILE).is_file():
        raise SettingsError(
            f"{where}: LDAP_WRITE_PASSWORD_FILE: there is no file {site.LDAP_WRITE_PASSWORD_FILE}"
        )
    shared.check_private(Path(site.LDAP_WRITE_PASSWORD_FILE))
    return replace(access, bind_dn=site.LDAP_WRITE_DN, password_file=site.LDAP_WRITE_PASSWORD_FILE)


def _server(text: str, where: str, *, starttls: bool) -> Server:
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        host, port, parts = "", None, urlsplit("")
    beside = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if parts.scheme not in {"ldap", "ldaps"} or not host or port == 0 or beside:
        raise SettingsError(
            f"{where}: {text!r} must look like ldaps://host:636, or ldap://host:389 for StartTLS"
        )
    if parts.scheme == "ldaps":
        return Server(host, port or LDAPS_PORT, "ldaps")
    if not starttls and not _is_this_machine(host):
        raise SettingsError(
            f"{where}: {text!r} would carry passwords in clear text; use ldaps://, or set "
            "LDAP_STARTTLS to true"
        )
    return Server(host, port or LDAP_PORT, "starttls" if starttls else "none")


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def layout_of(site: "SiteSettings", where: str = "eop.conf") -> Layout:
    """The layout of the settings; raises `SettingsError`."""
    if site.LDAP_LAYOUT not in LAYOUTS:
        raise SettingsError(
            f"{where}: LDAP_LAYOUT must be one of {', '.join(LAYOUTS)}, not {site.LDAP_LAYOUT!r}"
        )
    if not site.LDAP_BASE or "=" not in site.LDAP_BASE:
        raise SettingsError(f"{where}: LDAP_BASE must be a name such as dc=school,dc=lan")
    defaults = LAYOUTS[site.LDAP_LAYOUT]
    chosen = {name: getattr(site, f"LDAP_{name}") or defaults[name] for name in defaults}
    for name in ("PEOPLE_FILTER", "GROUP_FILTER", "COMPUTER_FILTER"):
        _check_filter(chosen[name], f"{where}: LDAP_{name}")
    for name in ("TEAMS", "HEADS"):
        if chosen[name] and chosen[name].count(CLASS_MARK) != 1:
            raise SettingsError(
                f"{where}: LDAP_{name} must hold {CLASS_MARK} once: profs-{CLASS_MARK}"
            )
    if site.LDAP_DEFAULT_ROLE and site.LDAP_DEFAULT_ROLE not in ROLES:
        raise SettingsError(f"{where}: LDAP_DEFAULT_ROLE must be one of {', '.join(ROLES)}")
    return _layout(site, chosen, where)


def _layout(site: "SiteSettings", chosen: dict[str, Any], where: str) -> Layout:
    base = site.LDAP_BASE

    def branch(kind: str) -> Branch:
        return Branch(_full_names(chosen[f"{kind}_BASES"], base), chosen[f"{kind}_FILTER"])

    login = chosen["LOGIN_ATTRIBUTE"]
    return Layout(
        base=base,
        login=login,
        typed=tuple(site.LDAP_TYPED_ATTRIBUTES) or (login,),
        name=chosen["NAME_ATTRIBUTE"],
        id=chosen["ID_ATTRIBUTE"],
        people=branch("PEOPLE"),
        groups=branch("GROUP"),
        group_name=chosen["GROUP_NAME_ATTRIBUTE"],
        members=tuple(chosen["MEMBER_ATTRIBUTES"]),
        class_branches=_full_names(chosen["CLASS_BRANCHES"], base),
        teams=chosen["TEAMS"],
        heads=chosen["HEADS"],
        last_name=chosen["LAST_NAME_ATTRIBUTE"],
        birth=chosen["BIRTH_ATTRIBUTE"],
        roles=tuple(_rule(text, base, f"{where}: LDAP_ROLES") for text in chosen["ROLES"]),
        default_role=site.LDAP_DEFAULT_ROLE,
        teacher_rooms=frozenset(site.LDAP_TEACHER_ROOMS),
        computers=branch("COMPUTER"),
        host=chosen["HOST_ATTRIBUTE"],
        room=chosen["ROOM_ATTRIBUTE"],
    )


def _full_names(names: list[str], base: str) -> tuple[str, ...]:
    return tuple(full_name(name, base) for name in names)


def full_name(name: str, base: str) -> str:
    """A name relative to the base, or one that ends with the base already."""
    if not name:
        return base
    plain, ending = name.replace(" ", "").lower(), base.replace(" ", "").lower()
    return name if plain == ending or plain.endswith("," + ending) else f"{name},{base}"


def _rule(text: str, base: str, where: str) -> RoleRule:
    key, _, role = text.rpartition("=")
    key, role = key.strip(), role.strip()
    if not key or role not in ROLES:
        raise SettingsError(
            f"{where}: {text!r} must look like GROUP=ROLE; roles: {', '.join(ROLES)}"
        )
    if key.startswith("("):
        _check_filter(key, where)
        return RoleRule("filter", key, role)
    if "=" in key:
        return RoleRule("name", full_name(key, base), role)
    return RoleRule("group", key, role)


def _check_filter(text: str, where: str) -> None:
    """What a glance can see; the rest is told when the directory is asked."""
    if not (text.startswith("(") and text.endswith(")") and text.count("(") == text.count(")")):
        raise SettingsError(f"{where}: {text!r} is no filter: it looks like (objectClass=person)")
