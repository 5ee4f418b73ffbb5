"""Whose word opens an account: a password that is kept here is not overruled from elsewhere.

Otherwise, whoever can make an account in a directory or at a single sign-on server would become
this site's administrator by calling it as he is called.
"""

from collections.abc import Collection

from eop.directory.users import LOCAL, User

PRIVILEGED = ("administrator", "security_officer")  # they give rights, or read who used them
DIRECTORIES = ("ldap",)  # authenticators whose accounts are a source's, and none but theirs


def is_kept_here(user: User | None, stored: str | None) -> bool:
    """Whether an account signs in with its password here, and in no other way."""
    return user is not None and user.source == LOCAL and stored is not None


def keeps_password(user: User, stored: str | None, asked: Collection[str], *, sso: bool) -> str:
    """Who keeps an account's password and can be given another one: `local`, `ldap` or nobody.

    `asked` are the authenticators that take passwords; `sso` says that people sign in at another
    server, where a password of one's own here would be a second way in.
    """
    if user.source in DIRECTORIES:
        return user.source
    if stored is not None and LOCAL in asked:
        return LOCAL
    if "ldap" in asked:
        return "ldap"
    return LOCAL if set(asked) == {LOCAL} and not sso else ""


def refusal(user: User, stored: str | None, authenticator: str, asked: Collection[str]) -> str:
    """Why the word of an authenticator does not open an account: a code, or nothing.

    `stored` is the hash of its local password, `asked` are the authenticators that take passwords.
    """
    if is_kept_here(user, stored):
        return "" if authenticator == LOCAL else "kept_here"
    if user.role not in PRIVILEGED:
        return ""
    if user.source != LOCAL and user.source in asked:
        return "" if authenticator == user.source else "kept_elsewhere"
    return "kept_elsewhere" if authenticator in DIRECTORIES else ""
