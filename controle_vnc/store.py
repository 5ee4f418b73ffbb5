"""The daemon's database: the workstations, their passwords encrypted, and the form it must have."""

import os
import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import sqlalchemy as sa
from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from controle_vnc.control.messages import MAX_WORKSTATIONS_A_REQUEST, SaveWorkstation
from controle_vnc.errors import RequestRefusedError, SettingsError
from controle_vnc.rfb.security_types.trust import as_text, parse_trust
from controle_vnc.workstation.address import parse_address

HEAD = "0002"  # the last step in migrations/versions; a test holds both together
BUSY_MILLISECONDS = 5000  # `eopctl db upgrade` beside a running daemon is the only other writer
MAX_NAME_CHARACTERS = 64  # what a tile can show
MAX_ROOM_CHARACTERS = 64
MAX_USER_CHARACTERS = 64
MAX_PASSWORD_CHARACTERS = 256  # VNC authentication uses 8 of them, the other types all
MAX_VNC_USER_CHARACTERS = 64
MAX_WORKSTATIONS = MAX_WORKSTATIONS_A_REQUEST  # a list of all must fit in one message
ID_BYTES = 6

_metadata = sa.MetaData()
_workstations = sa.Table(
    "workstations",
    _metadata,
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("id", sa.String),
    sa.Column("name", sa.String),
    sa.Column("room", sa.String),
    sa.Column("address", sa.String),
    sa.Column("user", sa.String),
    sa.Column("password", sa.LargeBinary),
    sa.Column("vnc_user", sa.String),
    sa.Column("trust", sa.String),
)


class Occupancy(NamedTuple):
    """Where a workstation stands and who sits at it: what decides who may see it."""

    room: str
    user: str | None


@dataclass(frozen=True)
class StoredWorkstation:
    """A workstation as it is kept; `password` is decrypted and never shown."""

    number: int
    id: str
    name: str
    room: str
    address: str
    user: str | None
    password: bytes | None
    vnc_user: str | None = None
    trust: str | None = None

    @property
    def way(self) -> tuple[str | bytes | None, ...]:
        """What leads to its server: another one leads elsewhere."""
        return self.address, self.password, self.vnc_user, self.trust

    @property
    def occupancy(self) -> Occupancy:
        return Occupancy(self.room, self.user)

    def __repr__(self) -> str:
        return f"StoredWorkstation({self.id}, {self.name!r})"


class Store:
    """The workstations. Blocking and quick; safe between threads."""

    def __init__(self, path: Path, key: bytes) -> None:
        check(path)
        self._cipher = _cipher(key)
        self._engine = connect(path)
        self._lock = threading.Lock()

    def close(self) -> None:
        self._engine.dispose()

    def workstations(self) -> list[StoredWorkstation]:
        """All of them, by number."""
        with begin(self._engine) as connection:
            rows = connection.execute(sa.select(_workstations).order_by("number")).all()
        return [self._stored(row) for row in rows]

    def save(
        self,
        name: str,
        room: str,
        address: str,
        password: str | None,
        user: str | None,
        replace: bool,
    ) -> tuple[StoredWorkstation, bool]:
        """Add a workstation, or with `replace` change the one of that name; True: it was added.

        `password` None keeps the stored one, an empty one removes it. Raises
        `RequestRefusedError` with `invalid`, `exists` or `full`.
        """
        request = SaveWorkstation(
            name=name, room=room, address=address, password=password, user=user, replace=replace
        )
        (saved,) = self.save_all([request])
        return saved

    def save_all(self, requests: Sequence[SaveWorkstation]) -> list[tuple[StoredWorkstation, bool]]:
        """Carry out all of them, or none; each as `save` gives it.

        Raises as `save` does, and with `unknown_workstation` where an `id` is nobody's; of several
        the text names the one that cannot be saved.
        """
        saved = []
        with self._lock, begin(self._engine) as connection:
            for one in requests:
                try:
                    saved.append(self._save(connection, one))
                except RequestRefusedError as error:
                    if len(requests) == 1:
                        raise
                    name = one.name[:MAX_NAME_CHARACTERS]
                    raise RequestRefusedError(error.code, f"{name}: {error}") from error
        return saved

    def _save(
        self, connection: sa.Connection, request: SaveWorkstation
    ) -> tuple[StoredWorkstation, bool]:
        values = _checked(
            request.name, request.room, request.address, request.password, request.user
        )
        if request.password is not None:
            sealed = self._cipher.encrypt(request.password.encode())
            values["password"] = sealed if request.password else None
        values |= _sign_in(request)
        row = _to_change(connection, request)
        if row is None:
            count = connection.execute(sa.select(sa.func.count(_workstations.c.id))).scalar()
            if (count or 0) >= MAX_WORKSTATIONS:
                raise RequestRefusedError("full", f"{MAX_WORKSTATIONS} workstations are kept")
            id_ = secrets.token_hex(ID_BYTES)
            connection.execute(sa.insert(_workstations).values(id=id_, **values))
        else:
            id_ = row.id
            connection.execute(
                sa.update(_workstations).where(_workstations.c.number == row.number).values(values)
            )
        found = sa.select(_workstations).where(_workstations.c.id == id_)
        return self._stored(connection.execute(found).one()), row is None

    def remove(self, name_or_id: str) -> StoredWorkstation:
        """Forget a workstation; raises `RequestRefusedError("unknown_workstation")`."""
        found = sa.or_(_workstations.c.id == name_or_id, _workstations.c.name == name_or_id)
        with self._lock, begin(self._engine) as connection:
            row = connection.execute(
                sa.select(_workstations)
                .where(found)
                .order_by(_workstations.c.name != name_or_id)  # a name goes before an id
            ).first()
            if row is None:
                raise RequestRefusedError("unknown_workstation", "there is no such workstation")
            connection.execute(sa.delete(_workstations).where(_workstations.c.number == row.number))
        return self._stored(row, decrypt=False)

    def _stored(self, row: Any, decrypt: bool = True) -> StoredWorkstation:
        password = row.password
        if password is not None and decrypt:
            try:
                password = self._cipher.decrypt(password)
            except InvalidToken as error:
                raise SettingsError(
                    f"the password of {row.name} was encrypted with another key: put the former "
                    ".store-key back, or remove the workstation and add it again"
                ) from error
        return StoredWorkstation(
            row.number,
            row.id,
            row.name,
            row.room,
            row.address,
            row.user,
            password if decrypt else None,
            row.vnc_user,
            row.trust,
        )

    def keep_trust(self, id_: str, address: str, trust: str) -> None:
        """Remember by what the server of a workstation is known, unless something is stored."""
        columns = _workstations.c
        is_it = sa.and_(columns.id == id_, columns.address == address)
        to_learn = sa.and_(is_it, columns.trust.is_(None))
        with self._lock, begin(self._engine) as connection:
            connection.execute(sa.update(_workstations).where(to_learn).values(trust=trust))


def connect(path: Path, durable: bool = False) -> sa.Engine:
    """An engine for the database; `durable`: a commit has reached the disk when it returns."""
    engine = sa.create_engine(f"sqlite:///{path}")

    @sa.event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={'FULL' if durable else 'NORMAL'}",
            "foreign_keys=ON",
            f"busy_timeout={BUSY_MILLISECONDS}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _begin(connection: sa.Connection) -> None:
        # a plain BEGIN that reads, then writes, fails under WAL when another wrote in between
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@contextmanager
def begin(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction: kept where the block ends well."""
    with engine.begin() as connection:
        yield connection


def version(path: Path) -> str | None:
    """The step the database is at, or None where there is none."""
    if not path.exists():
        return None
    engine = connect(path)
    try:
        with engine.connect() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
            return None if found is None else str(found)
    finally:
        engine.dispose()


def check(path: Path) -> None:
    """Raise `SettingsError` with the remedy where the database is not at `HEAD`."""
    if (found := version(path)) != HEAD:
        state = "does not exist" if found is None else f"is at {found}, not at {HEAD}"
        raise SettingsError(f"{path} {state}; run: eopctl db upgrade")


def upgrade(path: Path) -> None:
    """Bring the database to `HEAD`, making it where there is none."""
    from alembic import command  # here: 200 ms that a start does not need
    from alembic.config import Config

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
    engine = connect(path, durable=True)
    try:
        with engine.begin() as connection:
            config = Config()
            config.set_main_option("script_location", "controle_vnc:migrations")
            config.attributes["connection"] = connection
            command.upgrade(config, HEAD)
    finally:
        engine.dispose()


def make_key(path: Path) -> bool:
    """Make the key of the passwords where there is none; True where it was made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "wb") as file:
        file.write(Fernet.generate_key() + b"\n")
    return True


def read_key(path: Path) -> bytes:
    """The key file's content; raises `SettingsError` where others may read it."""
    try:
        text = path.read_bytes()
    except FileNotFoundError as error:
        raise SettingsError(f"{path}: no such file; `eopctl init` makes one") from error
    if path.stat().st_mode & 0o077:
        raise SettingsError(f"{path}: others may read it; run: chmod 600 {path}")
    _cipher(text)
    return text


def _cipher(key: bytes) -> MultiFernet:
    """One key a line; the first encrypts, all decrypt, so that a key can be changed."""
    try:
        return MultiFernet([Fernet(line) for line in key.split()])
    except ValueError as error:
        raise SettingsError("the store key is not one that `eopctl init` makes") from error


def _to_change(connection: sa.Connection, request: SaveWorkstation) -> sa.Row[Any] | None:
    """The row that `request` changes, or None where it adds one; raises `RequestRefusedError`."""

    def found(column: sa.Column[Any], value: str) -> sa.Row[Any] | None:
        return connection.execute(sa.select(_workstations).where(column == value)).first()

    same_name = found(_workstations.c.name, request.name)
    if request.id is None:
        if same_name is not None and not request.replace:
            raise _exists(request.name)
        return same_name
    row = found(_workstations.c.id, request.id)
    if row is None:
        raise RequestRefusedError("unknown_workstation", "there is no such workstation")
    if same_name is not None and same_name.id != row.id:
        raise _exists(request.name)
    return row


def _exists(name: str) -> RequestRefusedError:
    return RequestRefusedError("exists", f"a workstation {name} is there already")


def _checked(
    name: str, room: str, address: str, password: str | None, user: str | None
) -> dict[str, Any]:
    """The columns to write; raises `RequestRefusedError("invalid")`."""
    _check_text("name", name, MAX_NAME_CHARACTERS)
    _check_text("room", room, MAX_ROOM_CHARACTERS)
    if user is not None:
        _check_text("user", user, MAX_USER_CHARACTERS)
    if password is not None and len(password) > MAX_PASSWORD_CHARACTERS:
        raise RequestRefusedError(
            "invalid", f"the password has more than {MAX_PASSWORD_CHARACTERS} characters"
        )
    return {"name": name, "room": room, "user": user, "address": str(parse_address(address))}


def _sign_in(request: SaveWorkstation) -> dict[str, str | None]:
    """The columns of `vnc_user` and `trust`, those that are not to be kept."""
    values: dict[str, str | None] = {}
    if request.vnc_user is not None:
        if request.vnc_user:
            _check_text("VNC user", request.vnc_user, MAX_VNC_USER_CHARACTERS)
        values["vnc_user"] = request.vnc_user or None
    if request.trust is not None:
        try:
            values["trust"] = as_text(parse_trust(request.trust))
        except ValueError as error:
            raise RequestRefusedError("invalid", str(error)) from error
    return values


def _check_text(what: str, text: str, limit: int) -> None:
    if not text or text != text.strip() or not text.isprintable() or len(text) > limit:
        raise RequestRefusedError(
            "invalid", f"{what}: 1 to {limit} printable characters, no space at either end"
        )
