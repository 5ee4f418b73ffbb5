"""What `eopctl directory test` tells: of servers, of what is found, and of one person."""

import time
from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any

from eop.directory import ldap_lookup
from eop.directory.ldap_adapter import Entry, Link
from eop.directory.ldap_directory import Directory
from eop.directory.ldap_groups import IS_ACTIVE_DIRECTORY
from eop.directory.ldap_layout import Access, Layout, Server
from eop.directory.ldap_source import LdapSource
from eop.directory.ldap_state import account_state, must_change
from eop.directory.ldap_trouble import LdapError
from eop.directory.snapshot import Snapshot, SourceError
from eop.directory.users import canonical_login


@dataclass(frozen=True)
class ServerReport:
    """One server: `trouble` is a sentence with the remedy, or nothing."""

    address: str
    tls: str = ""
    certificate_ends: str = ""
    kind: str = ""
    trouble: str = ""


@dataclass(frozen=True)
class PersonReport:
    """What would be known of one login."""

    login: str
    dn: str
    name: str
    state: str
    must_change: bool
    role: str = ""
    classes: tuple[str, ...] = ()
    rooms: tuple[str, ...] = ()
    heads: tuple[str, ...] = ()
    student_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Report:
    """Everything; `troubles` are sentences."""

    servers: tuple[ServerReport, ...]
    people: int = 0
    roles: dict[str, int] = field(default_factory=dict)
    groups: int = 0
    rooms: int = 0
    person: PersonReport | None = None
    warnings: tuple[str, ...] = ()
    troubles: tuple[str, ...] = ()

    @property
    def works(self) -> bool:
        return any(not server.trouble for server in self.servers) and not self.troubles

    @property
    def is_whole(self) -> bool:
        return self.works and not any(server.trouble for server in self.servers)

    def value(self) -> dict[str, Any]:
        return asdict(self)


def report(access: Access, layout: Layout, login: str | None) -> Report:
    """Ask every server, read the directory once, and look for `login`."""
    servers = tuple(_server(server, access) for server in access.servers)
    if all(server.trouble for server in servers):
        return Report(servers)
    troubles: list[str] = []
    snapshot = Snapshot((), ())
    try:
        snapshot = LdapSource(access, layout).read(lambda _: None)
    except SourceError as error:
        troubles.append(str(error))
    person = None
    if login is not None:
        try:
            person = _person(access, layout, canonical_login(login), snapshot)
        except LdapError as error:
            troubles.append(str(error))
    return Report(
        servers=servers,
        people=len(snapshot.people),
        roles=dict(Counter(person.role for person in snapshot.people)),
        groups=len(snapshot.groups),
        rooms=len(set(snapshot.rooms.values())),
        person=person,
        warnings=snapshot.warnings,
        troubles=tuple(troubles),
    )


def _server(server: Server, access: Access) -> ServerReport:
    try:
        with Link(server, access) as link:
            link.sign_in()
            capabilities = link.root().texts("supportedCapabilities")
            kind = "Active Directory" if IS_ACTIVE_DIRECTORY in capabilities else "LDAP"
            return ServerReport(server.address, link.tls, link.certificate_ends(), kind)
    except LdapError as error:
        return ServerReport(server.address, trouble=str(error))


def _person(access: Access, layout: Layout, typed: str, snapshot: Snapshot) -> PersonReport:
    found = Directory(access).ask(lambda link: ldap_lookup.find(link, layout, typed))
    if found is None:
        raise LdapError(
            f"nobody is called {typed} below {' or '.join(layout.people.bases)}; check the login, "
            "LDAP_LOGIN_ATTRIBUTE, LDAP_TYPED_ATTRIBUTES and LDAP_PEOPLE_FILTER"
        )
    return _told(found, layout, snapshot)


def _told(entry: Entry, layout: Layout, snapshot: Snapshot) -> PersonReport:
    now = time.time()
    login = canonical_login(entry.text(layout.login))
    known = next((person for person in snapshot.people if person.login == login), None)
    return PersonReport(
        login=login,
        dn=entry.dn,
        name=known.name if known else entry.text(layout.name),
        state=account_state(entry, now),
        must_change=must_change(entry, now),
        role=known.role if known else "",
        classes=tuple(sorted(known.classes)) if known else (),
        rooms=tuple(sorted(known.rooms)) if known else (),
        heads=tuple(sorted(known.heads)) if known else (),
        student_of=tuple(sorted(g.name for g in snapshot.groups if login in g.students)),
    )
