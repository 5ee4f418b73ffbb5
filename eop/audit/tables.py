"""The audit's tables."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from eop.database import metadata

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("number", BigInteger),
    Column("at", BigInteger, nullable=False, index=True),
    Column("kind", String(40), nullable=False),
    Column("user", String(128), nullable=False),
    Column("session", String(128), nullable=False),
    Column("workstation", String(64)),
    Column("details", JSON, nullable=False),
    Column("previous", String(64), nullable=False, server_default=""),
    Column("hash", String(64), nullable=False, server_default=""),
    # of `details`, to find the end of what began
    Column("look", String(64), index=True),
    # a daemon whose journal was lost counts from one again: its number alone is not enough
    UniqueConstraint("number", "at", "kind"),
    # each search reads its page from one of these, newest first
    Index("ix_audit_user_at", "user", "at"),
    Index("ix_audit_kind_at", "kind", "at"),
    Index("ix_audit_workstation_at", "workstation", "at"),
)

audit_whom = Table(
    "audit_whom",
    metadata,
    # whom an event is about, taken from its `details`: an index that verification compares
    Column("login", String(64), primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column(
        "audit_id",
        ForeignKey("audit.id", ondelete="CASCADE"),
        primary_key=True,
        index=True,
    ),
)

audit_head = Table(
    "audit_head",
    metadata,
    # one row, locked while another is appended: rows are chained one after the other
    Column("id", Integer, primary_key=True),
    Column("last_id", BigInteger, nullable=False),
    Column("last_hash", String(64), nullable=False),
)

audit_checkpoint = Table(
    "audit_checkpoint",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("by", String(64), nullable=False),
    Column("last_id", BigInteger, nullable=False),
    Column("last_hash", String(64), nullable=False),
    Column("removed", BigInteger, nullable=False),
)
