"""Who is in a group of a directory: by name, by login, and through groups within groups."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from eop.directory.ldap_adapter import Entry, Link, escaped, normal_dn
from eop.directory.ldap_layout import Layout
from eop.directory.ldap_trouble import LdapError
from eop.directory.users import canonical_login

MAX_DEPTH = 16  # groups within groups
MAX_GROUPS_READ = 2_000  # of those that are found within others
IN_CHAIN = "1.2.840.113556.1.4.1941"
IS_ACTIVE_DIRECTORY = "1.2.840.113556.1.4.800"
"""What a root entry lists among its capabilities where the rule `IN_CHAIN` is known."""


@dataclass(frozen=True)
class People:
    """Those who were read: login by normal full name, and by what `memberUid` calls them."""

    by_dn: Mapping[str, str]
    by_uid: Mapping[str, str]


class Members:
    """Resolves the members of groups to logins; each inner group is read once."""

    def __init__(self, link: Link, layout: Layout, people: People) -> None:
        self._link = link
        self._layout = layout
        self._people = people
        self._read: dict[str, Entry | None] = {}
        capabilities = link.root().texts("supportedCapabilities")
        self.knows_chains = IS_ACTIVE_DIRECTORY in capabilities

    def of(self, group: Entry) -> frozenset[str]:
        """The logins of everyone in a group, directly or not."""
        logins, others = self._direct(group)
        if others:
            logins |= self._chained(group) if self.knows_chains else self._nested(group, others)
        return frozenset(logins)

    def _direct(self, group: Entry) -> tuple[set[str], list[str]]:
        """Who is named in the group itself; and the names of what is not one of our people."""
        logins: set[str] = set()
        others: list[str] = []
        for attribute in self._layout.members:
            is_uid = attribute.lower() == "memberuid"
            for text in group.texts(attribute):
                if is_uid:
                    login = self._people.by_uid.get(canonical_login(text))
                else:
                    login = self._people.by_dn.get(normal_dn(text))
                    others.extend([] if login else [text])
                if login:
                    logins.add(login)
        return logins, others

    def _chained(self, group: Entry) -> set[str]:
        """What Active Directory finds at any depth by its own rule."""
        wanted = f"(&{self._layout.people.filter}(memberOf:{IN_CHAIN}:={escaped(group.dn)}))"
        found = (
            entry
            for base in self._layout.people.bases
            for entry in self._link.pages(base, wanted, [self._layout.login])
        )
        logins = (self._people.by_dn.get(normal_dn(entry.dn)) for entry in found)
        return {login for login in logins if login}

    def _nested(self, group: Entry, others: Iterable[str]) -> set[str]:
        """Level by level; a group that was met already is not entered again."""
        logins: set[str] = set()
        met = {normal_dn(group.dn)}
        level = list(others)
        for depth in range(MAX_DEPTH + 1):
            level = [dn for dn in dict.fromkeys(level) if normal_dn(dn) not in met]
            if not level:
                return logins
            if depth == MAX_DEPTH:
                break
            met |= {normal_dn(dn) for dn in level}
            deeper: list[str] = []
            for dn in level:
                inner = self._group(dn)
                if inner is not None:
                    found, others = self._direct(inner)
                    logins |= found
                    deeper += others
            level = deeper
        raise LdapError(f"the group {group.dn} holds groups more than {MAX_DEPTH} deep")

    def _group(self, dn: str) -> Entry | None:
        """The entry of that name, if it is there and has members."""
        key = normal_dn(dn)
        if key not in self._read:
            if len(self._read) >= MAX_GROUPS_READ:
                raise LdapError(f"more than {MAX_GROUPS_READ} groups are within others")
            self._read[key] = self._link.read(dn, self._layout.members)
        return self._read[key]
