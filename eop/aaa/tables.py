"""The tables of sign-in: sessions, revocations on their way, failures and locks."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    false,
    true,
)

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
    # the application that has it for itself; empty: shared by all of them
    Column("application", String(32), nullable=False, server_default=""),
    Column("browser", String(200), nullable=False, server_default=""),
    # a hash of what the single sign-on server calls it: its own sign-out ends it, too
    Column("ticket", String(64), index=True),
    # the session it was made from by a one-time code: it ends with that one
    Column("parent", String(64), index=True),
)

sign_in_step = Table(
    "sign_in_step",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("step", String(16), nullable=False),
    Column("authenticator", String(16), nullable=False),
    Column("ticket", String(64)),
    Column("application", String(32), nullable=False, server_default=""),
    Column("secret", String(255)),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column("is_factor_proven", Boolean, nullable=False, server_default=false()),
    Column("next", Text, nullable=False),
    Column("ends_at", BigInteger, nullable=False, index=True),
)

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), primary_key=True),
    Column("hash", String(64), primary_key=True),
)

password_history = Table(
    "password_history",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("password", String(200), nullable=False),
    Column("at", BigInteger, nullable=False),
)

sign_in_code = Table(
    "sign_in_code",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("session", String(64), nullable=False),
    Column("application", String(255), nullable=False),
    Column("ends_at", BigInteger, nullable=False, index=True),
)

sign_on_state = Table(
    "sign_on_state",
    metadata,
    # a hash of what named one way to a sign-on server and back: none is walked twice
    Column("id", String(64), primary_key=True),
    Column("ends_at", BigInteger, nullable=False, index=True),
)

switch = Table(
    "switch",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("by", String(64), nullable=False),
)

revocation = Table(
    "revocation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("session", String(64), nullable=False),
    Column("queued_at", BigInteger, nullable=False),
    # false: its rights have changed; what it has open closes, and it lives on
    Column("is_over", Boolean, nullable=False, server_default=true()),
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
