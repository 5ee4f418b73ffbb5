"""Whom we sign in as at a workstation's VNC server, and by what that server is known again."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("workstations", sa.Column("vnc_user", sa.String(64)))
    op.add_column("workstations", sa.Column("trust", sa.String(300)))


def downgrade() -> None:
    op.drop_column("workstations", "trust")
    op.drop_column("workstations", "vnc_user")
