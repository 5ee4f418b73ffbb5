"""The site's database: one engine, read and write transactions, and its schema's version."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    MetaData,
    Table,
    create_engine,
    event,
    insert,
    inspect,
    text,
    update,
)
from sqlalchemy.engine import make_url
from sqlalchemy.exc import IntegrityError

from eop.errors import SchemaError

HEAD = "0007"  # revision this program needs; a test holds it against the migrations
BUSY_MILLISECONDS = 5000  # longer than any write here; a lock held longer is a fault
POOL_SIZE = 32  # above gunicorn's threads, so that a request never waits for a connection
PRIVATE = 0o600  # hashes of passwords, and who watched whom

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING)
"""Every table; the rooms that own them are listed in `eop.migrations.env`."""


class Database:
    """Transactions on one database, SQLite or PostgreSQL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = _make_engine(url)
        self._is_sqlite = self.engine.dialect.name == "sqlite"
        self._single = self.engine
        if not self._is_sqlite:  # which begins nothing that it is not told to
            self._single = self.engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A transaction that only reads."""
        with self.engine.connect() as connection, connection.begin():
            self._begin(connection, "BEGIN")
            yield connection

    def _begin(self, connection: Connection, statement: str) -> None:
        # not by a listener of the engine: where there is one, SQLAlchemy looks
        # at every statement whether somebody wants to hear of it
        if self._is_sqlite:
            connection.exec_driver_sql(statement)

    @contextmanager
    def single(self) -> Iterator[Connection]:
        """For one statement that reads: without a transaction around it, which costs as much."""
        with self._single.connect() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A transaction that only reads, and sees one state of the database all along."""
        with self.engine.connect() as connection:
            if not self._is_sqlite:  # where every transaction is like that
                connection = connection.execution_options(isolation_level="REPEATABLE READ")
            with connection.begin():
                self._begin(connection, "BEGIN")
                yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write: committed at the end, rolled back on an exception."""
        with self.engine.connect() as connection, connection.begin():
            # a reader that turns writer fails at once under WAL, whatever busy_timeout says
            self._begin(connection, "BEGIN IMMEDIATE")
            yield connection

    def version(self) -> str | None:
        """The revision the schema is at, or None where there is none yet."""
        with self.read() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return None
            found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
            return found

    def check(self) -> None:
        """Raise `SchemaError` unless the schema is the one this program was written for."""
        found = self.version()
        if found != HEAD:
            raise SchemaError(
                f"the database is at revision {found or 'none'}, this program needs {HEAD}; "
                "run: eopctl db upgrade"
            )

    def close(self) -> None:
        self.engine.dispose()


def _make_engine(url: str) -> Engine:
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        return create_engine(parsed, pool_size=POOL_SIZE, pool_pre_ping=True)
    if parsed.database and parsed.database != ":memory:":
        _make_private(Path(parsed.database))
    engine = create_engine(parsed, pool_size=POOL_SIZE)
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _make_private(file: Path) -> None:
    """Make the file, if need be, and leave it to its owner; SQLite gives -wal and -shm its mode."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch(PRIVATE)
    for name in (file.name, f"{file.name}-wal", f"{file.name}-shm"):
        with suppress(FileNotFoundError, PermissionError):  # the latter: its owner will
            file.with_name(name).chmod(PRIVATE)


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # our own BEGIN, not the driver's late one
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={BUSY_MILLISECONDS}",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def upsert(
    connection: Connection, table: Table, key: dict[str, Any], values: dict[str, Any]
) -> None:
    """Have a row of that `key` hold `values`, whoever else writes the same one at this moment."""
    change = update(table).where(*(table.c[name] == value for name, value in key.items()))
    if connection.execute(change.values(values)).rowcount:
        return
    try:
        with connection.begin_nested():
            connection.execute(insert(table).values(key | values))
    except IntegrityError:  # another was quicker
        connection.execute(change.values(values))


def upgrade(url: str) -> None:
    """Bring the schema at `url` to this program's revision, by the packaged migrations."""
    from alembic import command
    from alembic.config import Config

    database = Database(url)
    config = Config()
    config.set_main_option("script_location", "eop:migrations")
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    database.close()
