"""The workstations and the journal."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "workstations",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("id", sa.String(12), nullable=False, unique=True),
        sa.Column("name", sa.String(64), nullable=False, unique=True),
        sa.Column("room", sa.String(64), nullable=False),
        sa.Column("address", sa.String(300), nullable=False),
        sa.Column("user", sa.String(64)),
        sa.Column("password", sa.LargeBinary),
        sqlite_autoincrement=True,  # a number is never given twice
    )
    op.create_table(
        "journal",
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("user", sa.String(128), nullable=False),
        sa.Column("session", sa.String(128), nullable=False),
        sa.Column("workstation", sa.String(64)),
        sa.Column("details", sa.Text, nullable=False),
        sqlite_autoincrement=True,  # numbers go on after everything was acknowledged
    )


def downgrade() -> None:
    op.drop_table("journal")
    op.drop_table("workstations")
