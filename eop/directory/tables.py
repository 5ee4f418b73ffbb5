"""The directory's tables."""

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table

from eop.database import metadata

user = Table(
    "user",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("login", String(64), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("role", String(20), nullable=False),
    Column("password", String(200)),
    Column("language", String(8)),
    Column("theme", String(16)),
    Column("created_at", BigInteger, nullable=False),
)

user_grant = Table(
    "user_grant",
    metadata,
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("value", String(64), primary_key=True),
)

school_class = Table(
    "school_class",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
)

class_member = Table(
    "class_member",
    metadata,
    Column("class_id", ForeignKey("school_class.id", ondelete="CASCADE"), primary_key=True),
    Column("login", String(64), primary_key=True, index=True),
)
