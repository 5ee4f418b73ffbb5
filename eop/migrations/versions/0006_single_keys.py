"""Whether a user has letters and signs alone as keyboard shortcuts."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    with op.batch_alter_table("user") as table:
        table.add_column(
            sa.Column("single_keys", sa.Boolean, nullable=False, server_default=sa.true())
        )
