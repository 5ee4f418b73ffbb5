"""Which form changed how many passwords, for an hour: none counts twice, and nobody does too many.

Never a password, nor whose.
"""

from sqlalchemy import BigInteger, Column, Index, Integer, String, Table

from eop.database import metadata

password_change = Table(
    "password_change",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("form", String(64), nullable=False, unique=True),
    Column("by", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("passwords", Integer, nullable=False),
    Index("ix_password_change_by_at", "by", "at"),
)
