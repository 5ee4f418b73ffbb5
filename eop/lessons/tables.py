"""The tables of lessons: those that are open, and the presets of each teacher."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    UniqueConstraint,
)

from eop.database import metadata
from eop.directory import rooms

# Open ones, one a teacher, and those that ended with something still in force: they have no teacher
# any more but a login. Other lessons that are over are in the audit alone.
lesson = Table(
    "lesson",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="SET NULL"), unique=True),
    Column("login", String(64), nullable=False),
    Column("room", String(64)),
    Column("class_name", String(64)),
    Column("started_at", BigInteger, nullable=False),
    Column("until_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    # the preset as it was when the lesson began: name, sites_rule, sites, lock_text
    Column("preset", JSON),
)
rooms.follow(lesson.c.room, leftovers_give_way=False)

lesson_preset = Table(
    "lesson_preset",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False),
    Column("name", String(60), nullable=False),
    Column("sites_rule", String(8), nullable=False),
    Column("sites", JSON, nullable=False),
    Column("lock_text", String(200), nullable=False),
    UniqueConstraint("user_id", "name"),
)
