"""How the audit names who works on the server itself, without a session of the site."""

import getpass

COMMAND = "eopctl:"  # no login has a colon


def at_the_console() -> str:
    """Who runs a command: the program, and the system's user."""
    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as containers have
        name = "?"
    return COMMAND + name
