"""Lessons that are open, and the presets of each teacher."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "lesson",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("user_id", sa.Integer),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("room", sa.String(64)),
        sa.Column("class_name", sa.String(64)),
        sa.Column("started_at", sa.BigInteger, nullable=False),
        sa.Column("until_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("preset", sa.JSON),
        sa.PrimaryKeyConstraint("id", name="pk_lesson"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk_lesson_user_id", ondelete="SET NULL"
        ),
        sa.UniqueConstraint("user_id", name="uq_lesson_user_id"),
    )
    op.create_table(
        "lesson_preset",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(60), nullable=False),
        sa.Column("sites_rule", sa.String(8), nullable=False),
        sa.Column("sites", sa.JSON, nullable=False),
        sa.Column("lock_text", sa.String(200), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_lesson_preset"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk_lesson_preset_user_id", ondelete="CASCADE"
        ),
        sa.UniqueConstraint("user_id", "name", name="uq_lesson_preset_user_id_name"),
    )
