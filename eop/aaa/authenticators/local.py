"""Local accounts: the directory's own passwords."""

from eop.aaa import passwords
from eop.aaa.authenticators.base import Trouble, Who
from eop.database import Database
from eop.directory import users


class LocalAuthenticator:
    """Checks a password against the hash in the directory, and renews outdated hashes."""

    name = "local"

    def __init__(self, database: Database) -> None:
        self._database = database

    def authenticate(self, login: str, password: str) -> Who | Trouble | None:
        """Who it is, or None; no transaction is open while the hash is computed."""
        login = users.canonical_login(login)
        with self._database.read() as connection:
            stored = users.password_of(connection, login)
        if not passwords.matches(stored, password) or stored is None:
            return None
        if passwords.is_outdated(stored):
            renewed = passwords.hash_of(password)
            with self._database.write() as connection:
                if not users.renew_password(connection, login, stored, renewed):
                    return None
            stored = renewed
        return Who(login, self.name, hashed=stored)
