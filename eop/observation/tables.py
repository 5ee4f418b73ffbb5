"""The tables of watching."""

from sqlalchemy import JSON, BigInteger, Column, Integer, String, Table

from eop.database import metadata

seating_plan = Table(
    "seating_plan",
    metadata,
    Column("room", String(64), primary_key=True),
    # counts what was saved: who changes an older one than the newest is told so
    Column("version", Integer, nullable=False),
    Column("columns", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    # after which columns there is an aisle; and who stands where, as in `eop.observation.seating`
    Column("aisles", JSON, nullable=False),
    Column("seats", JSON, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("by", String(64), nullable=False),
)
