"""Which role a directory gives one person by LDAP_ROLES: what an import asks for everybody at once.

Groups within groups are followed upwards, from the person: reading a group of the whole school for
each of its students would take minutes.
"""

import logging
from collections.abc import Iterable
from functools import cached_property

from eop.directory.ldap_adapter import Entry, Link, escaped, normal_dn
from eop.directory.ldap_groups import IN_CHAIN, IS_ACTIVE_DIRECTORY, MAX_DEPTH, MAX_GROUPS_READ
from eop.directory.ldap_layout import ROLES, Layout, RoleRule
from eop.directory.ldap_trouble import LdapError
from eop.directory.users import canonical_login

UID = "uid"  # by which `memberUid` names people

logger = logging.getLogger(__name__)


def role_of(link: Link, layout: Layout, entry: Entry) -> str:
    """The highest role of a person whose entry was read with its login and `UID`; or nothing.

    Nothing, too, where only LDAP_DEFAULT_ROLE would give one and a group that gives another cannot
    be seen by this account.
    """
    return _Person(link, layout, entry).role()


class _Person:
    def __init__(self, link: Link, layout: Layout, entry: Entry) -> None:
        self._link = link
        self._layout = layout
        self._entry = entry
        self._dn = normal_dn(entry.dn)
        self._uid = canonical_login(entry.text(UID)) or canonical_login(entry.text(layout.login))
        self._is_all_seen = True

    def role(self) -> str:
        default = self._layout.default_role
        found = [rule.role for rule in self._layout.roles if self._has(rule)]
        if default and (found or self._is_all_seen):
            found.append(default)
        return max(found, key=ROLES.index, default="")

    def _has(self, rule: RoleRule) -> bool:
        if rule.kind == "filter":
            return self._matches(rule.key)
        if rule.kind == "name" and self._dn.endswith("," + normal_dn(rule.key)):
            return True
        groups = self._groups_of(rule)
        if not groups and rule.role != self._layout.default_role:
            self._is_all_seen = False
            logger.warning("LDAP_ROLES: %s is not there, or not shown to this account", rule.key)
        return any(self._is_in(group) for group in groups)

    def _groups_of(self, rule: RoleRule) -> list[Entry]:
        layout = self._layout
        if rule.kind == "name":
            named = self._link.read(rule.key, layout.members)
            return [named] if named else []
        wanted = f"({layout.group_name}={escaped(rule.key)})"
        found = {
            normal_dn(group.dn): group
            for base in layout.groups.bases
            for group in self._link.pages(base, wanted, [*layout.members])
        }
        if len(found) > 1:  # as at an import: whoever may make a group would give a role
            raise LdapError(f"LDAP_ROLES: {len(found)} groups are called {rule.key}")
        return list(found.values())

    def _is_in(self, group: Entry) -> bool:
        others: list[str] = []
        for attribute in self._layout.members:
            texts = group.texts(attribute)
            if attribute.lower() == "memberuid":
                if self._uid in map(canonical_login, texts):
                    return True
            else:
                others += map(normal_dn, texts)
        if self._dn in others:
            return True
        if not others:
            return False
        if self._knows_chains:
            return self._matches(f"(memberOf:{IN_CHAIN}:={escaped(group.dn)})")
        return not self._around.isdisjoint(others)

    def _matches(self, wanted: str) -> bool:
        both = f"(&{self._layout.people.filter}{wanted})"
        found = self._link.pages(self._entry.dn, both, [self._layout.login], scope="BASE")
        return any(normal_dn(one.dn) == self._dn for one in found)

    @cached_property
    def _knows_chains(self) -> bool:
        return IS_ACTIVE_DIRECTORY in self._link.root().texts("supportedCapabilities")

    @cached_property
    def _around(self) -> frozenset[str]:
        """The normal names of all groups that this person is in, directly or not."""
        known: set[str] = set()
        level = self._holding(self._entry.dn, self._uids())
        for _ in range(MAX_DEPTH):
            level = {dn: full for dn, full in level.items() if dn not in known}
            if not level:
                return frozenset(known)
            known |= set(level)
            if len(known) > MAX_GROUPS_READ:
                break
            above: dict[str, str] = {}
            for full in level.values():
                above |= self._holding(full)
            level = above
        raise LdapError(f"{self._entry.dn} is in too many groups, or in groups too deep")

    def _uids(self) -> list[str]:
        return self._entry.texts(UID) or self._entry.texts(self._layout.login)

    def _holding(self, dn: str, uids: Iterable[str] = ()) -> dict[str, str]:
        """The groups in which a name stands: normal and full name of each."""
        parts = "".join(
            f"({attribute}={escaped(value)})"
            for attribute in self._layout.members
            for value in (uids if attribute.lower() == "memberuid" else [dn])
        )
        if not parts:
            return {}
        found = (
            group
            for base in self._layout.groups.bases
            for group in self._link.pages(base, f"(|{parts})", [])
        )
        return {normal_dn(group.dn): group.dn for group in found}
