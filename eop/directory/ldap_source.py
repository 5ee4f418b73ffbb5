"""The school's directory as a source: people, classes and groups, rooms of computers."""

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace

from eop.directory import births
from eop.directory.classes import MAX_CLASS_CHARACTERS, MAX_STUDENTS
from eop.directory.ldap_adapter import Entry, Link, escaped, normal_dn
from eop.directory.ldap_directory import Directory
from eop.directory.ldap_groups import Members, People
from eop.directory.ldap_layout import CLASS_MARK, ROLES, Access, Layout, RoleRule
from eop.directory.ldap_state import ATTRIBUTES, account_state
from eop.directory.ldap_trouble import LdapError
from eop.directory.snapshot import Group, Person, Snapshot, SourceError
from eop.directory.users import (
    HEAD_TEACHER,
    MAX_GRANT_CHARACTERS,
    MAX_GRANTS,
    MAX_NAME_CHARACTERS,
    canonical_login,
    checked_login,
)
from eop.errors import InvalidError

MAX_ID_CHARACTERS = 128
MAX_WARNINGS = 100
TEACHING = ("teacher", "head_teacher")
STUDENT = "student"


class LdapSource:
    """Everything that the layout finds, at once; `name` is kept with each person."""

    name = "ldap"

    def __init__(
        self, access: Access, layout: Layout, clock: Callable[[], float] = time.time
    ) -> None:
        self._directory = Directory(access)
        self._layout = layout
        self._clock = clock

    def read(self, progress: Callable[[int], None]) -> Snapshot:
        """All of it, from the first server that works. Raises `SourceError`."""
        if not self._layout.roles and not self._layout.default_role:
            raise SourceError(
                "LDAP_ROLES is empty: nobody of the directory would have a role; "
                'give for example ["professeurs=teacher", "eleves=student"]'
            )
        try:
            return self._directory.ask(
                lambda link: Reading(link, self._layout, self._clock(), progress).snapshot(),
                is_whole=False,
            )
        except LdapError as error:
            raise SourceError(str(error)) from error


class Reading:
    """One reading of a directory; what is left out is said in `warnings`."""

    def __init__(
        self, link: Link, layout: Layout, now: float, progress: Callable[[int], None]
    ) -> None:
        self._link = link
        self._layout = layout
        self._now = now
        self._progress = progress
        self._count = 0
        self.warnings: list[str] = []

    def snapshot(self) -> Snapshot:
        """People with their roles, classes with their students, rooms."""
        entries = self._people()
        by_uid = {canonical_login(e.text("uid")) or login: login for login, e in entries.items()}
        by_dn = {normal_dn(entry.dn): login for login, entry in entries.items()}
        members = Members(self._link, self._layout, People(by_dn, by_uid))
        roles, role_groups = self._roles(entries, members)
        groups, watched = self._classes(entries, members, roles, role_groups)
        heads = self._heads(members, groups, roles, watched)
        people = tuple(
            replace(
                self._person(login, entry, roles[login], watched.get(login, frozenset())),
                heads=heads.get(login, frozenset()),
            )
            for login, entry in entries.items()
            if login in roles
        )
        without = len(entries) - len(people)
        if without:
            self.warnings.append(f"{without} people were left out: they have no role by LDAP_ROLES")
        return Snapshot(people, groups, self._rooms(), self._told_warnings())

    def _told_warnings(self) -> tuple[str, ...]:
        more = len(self.warnings) - MAX_WARNINGS
        told = self.warnings[:MAX_WARNINGS]
        return tuple([*told, f"and {more} more"] if more > 0 else told)

    def _pages(
        self, bases: Iterable[str], wanted: str, attributes: list[str], scope: str = ""
    ) -> list[Entry]:
        """The entries of several bases, each once."""
        found: dict[str, Entry] = {}
        for base in bases:
            for entry in self._link.pages(base, wanted, attributes, scope=scope):
                found.setdefault(normal_dn(entry.dn), entry)
                self._count += 1
                if self._count % 100 == 0:
                    self._progress(self._count)
        self._progress(self._count)
        return list(found.values())

    def _people(self) -> dict[str, Entry]:
        """Entry by login; those that cannot be kept are left out."""
        layout = self._layout
        attributes = [layout.login, layout.id, layout.name, "cn", "uid", *ATTRIBUTES]
        attributes += [name for name in (layout.last_name, layout.birth) if name]
        found = self._pages(layout.people.bases, layout.people.filter, attributes)
        logins = Counter(canonical_login(entry.text(layout.login)) for entry in found)
        kept: dict[str, Entry] = {}
        for entry in found:
            try:
                login = checked_login(entry.text(layout.login))
            except InvalidError as error:
                self.warnings.append(f"{_short(entry.dn)} was left out: {error}")
                continue
            if logins[login] > 1:
                self.warnings.append(f"{_short(entry.dn)} was left out: {login} is there twice")
            elif not external_id(entry, layout.id):
                self.warnings.append(f"{_short(entry.dn)} was left out: it has no {layout.id}")
            else:
                kept[login] = entry
        if found and not kept:
            raise LdapError(
                f"none of {len(found)} people can be kept; check LDAP_LOGIN_ATTRIBUTE and "
                f"LDAP_ID_ATTRIBUTE ({self.warnings[0]})"
            )
        return kept

    def _roles(
        self, entries: dict[str, Entry], members: Members
    ) -> tuple[dict[str, str], set[str]]:
        """Login → the highest of its roles; and the groups that give one, which are no classes."""
        roles: dict[str, str] = {}
        if self._layout.default_role:
            roles = dict.fromkeys(entries, self._layout.default_role)
        role_groups: set[str] = set()
        for rule in self._layout.roles:
            logins, groups = self._having(rule, entries, members)
            role_groups |= groups
            if not logins:
                self.warnings.append(f"LDAP_ROLES: nobody is {rule.role} by {rule.key}")
            for login in logins:
                roles[login] = max(roles.get(login, ROLES[0]), rule.role, key=ROLES.index)
        return roles, role_groups

    def _having(
        self, rule: RoleRule, entries: dict[str, Entry], members: Members
    ) -> tuple[set[str], set[str]]:
        """Who has a role by this rule; and the groups it names."""
        layout = self._layout
        if rule.kind == "filter":
            wanted = f"(&{layout.people.filter}{rule.key})"
            found = self._pages(layout.people.bases, wanted, [layout.login])
            return {canonical_login(one.text(layout.login)) for one in found} & set(entries), set()
        if rule.kind == "name":
            below = _below(rule.key, entries)
            named = self._link.read(rule.key, layout.members)
            groups = [named] if named else []
        else:
            below = set()
            wanted = f"({layout.group_name}={escaped(rule.key)})"
            groups = self._pages(layout.groups.bases, wanted, [*layout.members])
            _refuse_alike(rule, groups)
        logins = {login for group in groups for login in members.of(group)}
        return logins | below, {normal_dn(group.dn) for group in groups}

    def _classes(
        self,
        entries: dict[str, Entry],
        members: Members,
        roles: dict[str, str],
        role_groups: set[str],
    ) -> tuple[tuple[Group, ...], dict[str, frozenset[str]]]:
        """The classes; and for each teacher which of them he watches."""
        layout = self._layout
        attributes = [layout.id, layout.group_name, *layout.members]
        found = [
            (entry, entry.text(layout.group_name), members.of(entry))
            for entry in self._pages(layout.groups.bases, layout.groups.filter, attributes)
            if normal_dn(entry.dn) not in role_groups
        ]
        found += self._branches(entries)
        teams = self._teams(members, layout.teams)
        groups: list[Group] = []
        watched: dict[str, set[str]] = {}
        names = Counter(name for _, name, _ in found)
        for entry, name, logins in found:
            students = frozenset(login for login in logins if roles.get(login) == STUDENT)
            trouble = self._trouble(entry, name, students, names)
            if trouble:
                self.warnings.append(f"the group {_short(name)} was left out: {trouble}")
            elif students:
                groups.append(Group(external_id(entry, layout.id), name, students))
                for login in logins | teams.get(name.lower(), frozenset()):
                    if roles.get(login) in TEACHING:
                        watched.setdefault(login, set()).add(name)
        return tuple(groups), {login: frozenset(names) for login, names in watched.items()}

    def _trouble(
        self, entry: Entry, name: str, students: frozenset[str], names: Counter[str]
    ) -> str:
        """Why a group cannot be a class; or nothing."""
        if not name or len(name) > MAX_CLASS_CHARACTERS or not name.isprintable():
            return f"a class has a name of 1 to {MAX_CLASS_CHARACTERS} printable characters"
        if names[name] > 1:
            return "its name is there twice"
        if not external_id(entry, self._layout.id):
            return f"it has no {self._layout.id}"
        if len(students) > MAX_STUDENTS:
            return f"it has more than {MAX_STUDENTS} students; narrow LDAP_GROUP_FILTER"
        return ""

    def _branches(self, entries: dict[str, Entry]) -> list[tuple[Entry, str, frozenset[str]]]:
        """Organizational units that are classes, with everyone below."""
        found = self._pages(
            self._layout.class_branches,
            "(objectClass=organizationalUnit)",
            [self._layout.id, "ou"],
            scope="LEVEL",
        )
        return [(unit, unit.text("ou"), frozenset(_below(unit.dn, entries))) for unit in found]

    def _heads(
        self,
        members: Members,
        groups: tuple[Group, ...],
        roles: dict[str, str],
        watched: dict[str, frozenset[str]],
    ) -> dict[str, frozenset[str]]:
        """For each head teacher, of which classes: those of their groups, else all he watches."""
        ours = [login for login, role in roles.items() if role == HEAD_TEACHER]
        if not self._layout.heads:
            return {login: watched.get(login, frozenset()) for login in ours}
        teams = self._teams(members, self._layout.heads)
        return {
            login: frozenset(
                one.name for one in groups if login in teams.get(one.name.lower(), frozenset())
            )
            for login in ours
        }

    def _teams(self, members: Members, named: str) -> dict[str, frozenset[str]]:
        """Lower-case name of a class → the members of its team, whose group is `named` so."""
        if not named:
            return {}
        before, after = named.split(CLASS_MARK)
        name = self._layout.group_name
        wanted = f"({name}={escaped(before)}*{escaped(after)})"
        found = self._pages(self._layout.groups.bases, wanted, [name, *self._layout.members])
        return {_between(entry.text(name), before, after): members.of(entry) for entry in found}

    def _person(self, login: str, entry: Entry, role: str, watched: frozenset[str]) -> Person:
        layout = self._layout
        if len(watched) > MAX_GRANTS:
            self.warnings.append(f"{login} watches more than {MAX_GRANTS} classes: none was given")
            watched = frozenset()
        is_student = role == STUDENT
        return Person(
            external_id=external_id(entry, layout.id),
            login=login,
            name=_line(entry.text(layout.name)) or _line(entry.text("cn")) or login,
            role=role,
            classes=watched,
            rooms=layout.teacher_rooms if role in TEACHING else frozenset(),
            state=account_state(entry, self._now),
            last_name=_line(entry.text(layout.last_name)) if is_student else "",
            birth_date=self._birth(login, entry) if is_student else "",
        )

    def _birth(self, login: str, entry: Entry) -> str:
        try:
            return births.read(entry.text(self._layout.birth)) if self._layout.birth else ""
        except ValueError:
            self.warnings.append(f"the birth date of {login} was left out: it is no date")
            return ""

    def _rooms(self) -> dict[str, str]:
        """Lower-case name of a computer → its room."""
        layout = self._layout
        found = self._pages(
            layout.computers.bases, layout.computers.filter, [layout.host, layout.room]
        )
        rooms: dict[str, str] = {}
        for entry in found:
            host = entry.text(layout.host).strip().rstrip("$").lower()
            room = " ".join(entry.text(layout.room).split())
            if host and room and len(room) <= MAX_GRANT_CHARACTERS and room.isprintable():
                rooms[host] = room
            elif room:
                self.warnings.append(
                    f"the room of {_short(entry.dn)} was left out: {_short(room)!r}"
                )
        return rooms


def external_id(entry: Entry, attribute: str) -> str:
    """What names an entry for ever, as text; objectGUID in Microsoft's spelling."""
    values = entry.values(attribute)
    if not values:
        return ""
    if attribute.lower() == "objectguid" and len(values[0]) == 16:  # noqa: PLR2004 - a GUID's bytes
        return str(uuid.UUID(bytes_le=bytes(values[0])))
    text = entry.text(attribute).strip()
    return text if len(text) <= MAX_ID_CHARACTERS and text.isprintable() else ""


def _refuse_alike(rule: RoleRule, groups: list[Entry]) -> None:
    """Whoever may make a group anywhere would give a role by calling it as the right one."""
    if len(groups) > 1:
        named = " and ".join(_short(group.dn) for group in groups[:2])
        raise LdapError(
            f"LDAP_ROLES: {len(groups)} groups are called {rule.key} ({named}); "
            f"name the one that makes {rule.role} by its DN"
        )


def _below(name: str, entries: dict[str, Entry]) -> set[str]:
    """The logins of those whose entry is within a branch."""
    ending = "," + normal_dn(name)
    return {login for login, entry in entries.items() if normal_dn(entry.dn).endswith(ending)}


def _between(name: str, before: str, after: str) -> str:
    return name[len(before) : len(name) - len(after)].lower()


def _line(text: str) -> str:
    """One printable line of what a directory calls someone."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(plain.split())[:MAX_NAME_CHARACTERS].strip()


def _short(text: str) -> str:
    """A directory's name in a sentence: one line, not too long."""
    return "".join(letter if letter.isprintable() else "?" for letter in text[:200])
