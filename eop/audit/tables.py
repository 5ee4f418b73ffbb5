"""The audit's table."""

from sqlalchemy import JSON, BigInteger, Column, Integer, String, Table, UniqueConstraint

from eop.database import metadata

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", BigInteger),
    Column("at", BigInteger, nullable=False, index=True),
    Column("kind", String(40), nullable=False),
    Column("user", String(128), nullable=False, index=True),
    Column("session", String(128), nullable=False),
    Column("workstation", String(64), index=True),
    Column("details", JSON, nullable=False),
    # a daemon whose journal was lost counts from one again: its number alone is not enough
    UniqueConstraint("number", "at", "kind"),
)
