"""Helpers of the audit's tests: rows to append, and what is stored of them."""

from sqlalchemy import select, text

from eop.audit import verification
from eop.audit.chain import Entry, append
from eop.audit.tables import audit

DAY_MS = 24 * 3600 * 1000


def write(database, *entries):
    with database.write() as connection:
        append(connection, entries)


def fill(database, count, at=1_000, **values):
    write(
        database,
        *(Entry(at + n, "signed_in", "camille", details={"n": n}, **values) for n in range(count)),
    )


def rows(database):
    with database.read() as connection:
        return connection.execute(select(audit).order_by(audit.c.id)).all()


def verify(database, **options):
    with database.snapshot() as connection:
        return verification.verify(connection, **options)


def damage(database, **options):
    found = verify(database, **options).damage
    return found and (found.row, found.what)


def tamper(database, *statements):
    """What somebody with the database's password may do."""
    with database.write() as connection:
        for statement in statements:
            connection.execute(text(statement))
