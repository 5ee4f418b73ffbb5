"""The directory's tables."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    UniqueConstraint,
    false,
    true,
)

from eop.database import metadata

user = Table(
    "user",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("login", String(64), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    # of students, where their source says it: what lists are sorted by, and (ISO 8601) what a
    # first password may be made from; nobody is shown it
    Column("last_name", String(120)),
    Column("birth_date", String(10)),
    Column("role", String(20), nullable=False),
    Column("password", String(200)),
    Column("language", String(8)),
    Column("theme", String(16)),
    # whether letters and signs alone are keyboard shortcuts
    Column("single_keys", Boolean, nullable=False, server_default=true()),
    Column("created_at", BigInteger, nullable=False),
    # who keeps the account: "local", or the source that an import read; its own id there
    Column("source", String(16), nullable=False, server_default="local"),
    Column("external_id", String(128)),
    Column("state", String(16), nullable=False, server_default="active"),
    # what the source last said of it, and since when it says nothing
    Column("source_state", String(16)),
    Column("gone_at", BigInteger),
    Column("password_at", BigInteger),
    Column("must_change", Boolean, nullable=False, server_default=false()),
    Column("totp_key", String(255)),
    Column("totp_step", BigInteger),
    UniqueConstraint("source", "external_id"),
)

# kind: a room or a class to watch, or ("head") a class that one is the head teacher of
user_grant = Table(
    "user_grant",
    metadata,
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("value", String(64), primary_key=True),
    # who gave it: "local" by hand, or the source that an import read
    Column("source", String(16), nullable=False, server_default="local"),
)

temporary_grant = Table(
    "temporary_grant",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("kind", String(8), nullable=False),
    Column("value", String(64), nullable=False),
    Column("from_at", BigInteger, nullable=False),
    Column("until_at", BigInteger, nullable=False),
    Column("given_by", String(64), nullable=False),
)

school_class = Table(
    "school_class",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("source", String(16), nullable=False, server_default="local"),
    Column("external_id", String(128)),
    UniqueConstraint("source", "external_id"),
)

import_run = Table(
    "import_run",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("by", String(64), nullable=False),
    Column("source", String(16), nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("summary", JSON, nullable=False),
)

# what controle-vnc has not heard yet, in the order in which it must be told
renamed_login = Table(
    "renamed_login",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("before", String(64), nullable=False),
    Column("after", String(64), nullable=False),
    Column("by", String(64), nullable=False),
)

# what is on in a room; a setting that was never touched has no row
room_setting = Table(
    "room_setting",
    metadata,
    Column("room", String(64), primary_key=True),
    Column("name", String(32), primary_key=True),
    Column("value", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", String(64), nullable=False),
)

class_member = Table(
    "class_member",
    metadata,
    Column("class_id", ForeignKey("school_class.id", ondelete="CASCADE"), primary_key=True),
    Column("login", String(64), primary_key=True, index=True),
)
