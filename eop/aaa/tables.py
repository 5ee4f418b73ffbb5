"""The tables of sign-in: sessions, revocations on their way, failures and locks."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table

from eop.database import metadata

session = Table(
    "session",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("authenticator", String(16), nullable=False),
    Column("address", String(64), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("ends_at", BigInteger, nullable=False, index=True),
)

revocation = Table(
    "revocation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("session", String(64), nullable=False),
    Column("queued_at", BigInteger, nullable=False),
)

sign_in_failure = Table(
    "sign_in_failure",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("login", String(64), nullable=False),
    Column("address", String(64), key="place", nullable=False),
    Column("at", BigInteger, nullable=False),
    Index("ix_sign_in_failure_login_address", "login", "place"),
    Index("ix_sign_in_failure_address_at", "place", "at"),
)

sign_in_lock = Table(
    "sign_in_lock",
    metadata,
    Column("login", String(64), primary_key=True),
    Column("address", String(64), key="place", primary_key=True),
    Column("until", BigInteger, nullable=False),
)
