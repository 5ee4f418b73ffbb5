"""`eopctl directory`: the school's directory (LDAP, Active Directory)."""

from typing import TYPE_CHECKING

import click

from eop import settings as site_settings
from eop.cli.output import DONE, FAILED, PARTIAL, json_option, table, tell

if TYPE_CHECKING:
    from eop.directory.ldap_report import PersonReport, Report


@click.group("directory")
def directory() -> None:
    """The school's directory: does it answer, and what does it say?"""


@directory.command("test")
@click.argument("login", required=False)
@json_option
def test(login: str | None, as_json: bool) -> int:
    """Connect to each server, count what is found, and tell what is known of LOGIN.

    Nothing is changed, here or there. Exit code 3: some servers work, others do not.
    """
    from eop.directory import ldap_layout, ldap_report

    site = site_settings.load()
    where = str(site_settings.settings_file())
    access = ldap_layout.access_of(site, where)
    found = ldap_report.report(access, ldap_layout.layout_of(site, where), login)
    tell(found.value(), _text(found), as_json=as_json)
    if found.is_whole:
        return DONE
    return PARTIAL if found.works else FAILED


def _text(found: "Report") -> str:
    rows = [
        [one.address, one.kind, one.tls or "none", one.certificate_ends, one.trouble or "works"]
        for one in found.servers
    ]
    parts = [table(["server", "kind", "TLS", "certificate ends", "state"], rows)]
    if any(not one.trouble for one in found.servers):
        roles = ", ".join(f"{count} {role}" for role, count in sorted(found.roles.items()))
        parts.append(
            f"people: {found.people}" + (f" ({roles})" if roles else "") + f"\n"
            f"classes and groups: {found.groups}\nrooms: {found.rooms}"
        )
    if found.person is not None:
        parts.append(_person(found.person))
    parts += [
        table([head], [[line] for line in lines])
        for head, lines in (("warnings", found.warnings), ("troubles", found.troubles))
        if lines
    ]
    return "\n\n".join(parts)


def _person(one: "PersonReport") -> str:
    role = one.role or "none: an import leaves this person out (see LDAP_ROLES)"
    rows = [
        ["login", one.login],
        ["name", one.name],
        ["entry", one.dn],
        ["state", one.state + (", must change the password" if one.must_change else "")],
        ["role", role],
        ["watches", ", ".join([*one.classes, *one.rooms]) or "nothing"],
        *([["head teacher of", ", ".join(one.heads)]] if one.heads else []),
        ["student of", ", ".join(one.student_of) or "no class"],
    ]
    return table(["person", ""], rows)
