"""Central sign-in: directories, steps after the password, codes, and the audit's chain."""

import sqlalchemy as sa
from alembic import op

from eop.audit.chain import COLUMNS, GENESIS, HEAD_ID, digest

BATCH = 1000  # rows read and written together

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _extend_directory()
    _extend_sign_in()
    _chain_audit()


def _extend_directory() -> None:
    with op.batch_alter_table("user") as table:
        table.add_column(sa.Column("source", sa.String(16), nullable=False, server_default="local"))
        table.add_column(sa.Column("external_id", sa.String(128)))
        table.add_column(sa.Column("state", sa.String(16), nullable=False, server_default="active"))
        table.add_column(sa.Column("source_state", sa.String(16)))
        table.add_column(sa.Column("gone_at", sa.BigInteger))
        table.add_column(sa.Column("password_at", sa.BigInteger))
        table.add_column(
            sa.Column("must_change", sa.Boolean, nullable=False, server_default=sa.false())
        )
        table.add_column(sa.Column("totp_key", sa.String(255)))
        table.add_column(sa.Column("totp_step", sa.BigInteger))
        table.create_unique_constraint("uq_user_source_external_id", ["source", "external_id"])
    with op.batch_alter_table("user_grant") as table:
        table.add_column(sa.Column("source", sa.String(16), nullable=False, server_default="local"))
    with op.batch_alter_table("school_class") as table:
        table.add_column(sa.Column("source", sa.String(16), nullable=False, server_default="local"))
        table.add_column(sa.Column("external_id", sa.String(128)))
        table.create_unique_constraint(
            "uq_school_class_source_external_id", ["source", "external_id"]
        )
    op.create_table(
        "temporary_grant",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("value", sa.String(64), nullable=False),
        sa.Column("from_at", sa.BigInteger, nullable=False),
        sa.Column("until_at", sa.BigInteger, nullable=False),
        sa.Column("given_by", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_temporary_grant"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk_temporary_grant_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_temporary_grant_user_id", "temporary_grant", ["user_id"])
    op.create_table(
        "import_run",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("source", sa.String(16), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("summary", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_import_run"),
    )
    op.create_table(
        "renamed_login",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("before", sa.String(64), nullable=False),
        sa.Column("after", sa.String(64), nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_renamed_login"),
    )


def _extend_sign_in() -> None:
    with op.batch_alter_table("session") as table:
        table.add_column(sa.Column("application", sa.String(32), nullable=False, server_default=""))
        table.add_column(sa.Column("browser", sa.String(200), nullable=False, server_default=""))
        table.add_column(sa.Column("ticket", sa.String(64)))
        table.add_column(sa.Column("parent", sa.String(64)))
        table.create_index("ix_session_ticket", ["ticket"])
        table.create_index("ix_session_parent", ["parent"])
    with op.batch_alter_table("revocation") as table:
        table.add_column(sa.Column("is_over", sa.Boolean, nullable=False, server_default=sa.true()))
    _create_steps()
    op.create_table(
        "sign_in_code",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("application", sa.String(255), nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_code"),
    )
    op.create_index("ix_sign_in_code_ends_at", "sign_in_code", ["ends_at"])
    op.create_table(
        "sign_on_state",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_on_state"),
    )
    op.create_index("ix_sign_on_state_ends_at", "sign_on_state", ["ends_at"])
    op.create_table(
        "switch",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_switch"),
    )


def _create_steps() -> None:
    op.create_table(
        "sign_in_step",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("authenticator", sa.String(16), nullable=False),
        sa.Column("ticket", sa.String(64)),
        sa.Column("application", sa.String(32), nullable=False, server_default=""),
        sa.Column("secret", sa.String(255)),
        sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
        sa.Column("is_factor_proven", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("next", sa.Text, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_step"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk_sign_in_step_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_sign_in_step_user_id", "sign_in_step", ["user_id"])
    op.create_index("ix_sign_in_step_ends_at", "sign_in_step", ["ends_at"])
    op.create_table(
        "recovery_code",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "hash", name="pk_recovery_code"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk_recovery_code_user_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "password_history",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("password", sa.String(200), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_password_history"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk_password_history_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_password_history_user_id", "password_history", ["user_id"])


def _chain_audit() -> None:
    with op.batch_alter_table("audit") as table:
        table.add_column(sa.Column("previous", sa.String(64), nullable=False, server_default=""))
        table.add_column(sa.Column("hash", sa.String(64), nullable=False, server_default=""))
        table.add_column(sa.Column("look", sa.String(64)))
        table.create_index("ix_audit_look", ["look"])
        for column in ("user", "workstation"):
            table.drop_index(f"ix_audit_{column}")
        for column in ("user", "kind", "workstation"):
            table.create_index(f"ix_audit_{column}_at", [column, "at"])
    op.create_table(
        "audit_whom",
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("audit_id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("login", "at", "audit_id", name="pk_audit_whom"),
        sa.ForeignKeyConstraint(
            ["audit_id"], ["audit.id"], name="fk_audit_whom_audit_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_audit_whom_audit_id", "audit_whom", ["audit_id"])
    op.create_table(
        "audit_head",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("last_id", sa.BigInteger, nullable=False),
        sa.Column("last_hash", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_head"),
    )
    op.create_table(
        "audit_checkpoint",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("last_id", sa.BigInteger, nullable=False),
        sa.Column("last_hash", sa.String(64), nullable=False),
        sa.Column("removed", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_checkpoint"),
    )
    _chain_rows(op.get_bind())


def _chain_rows(connection: sa.Connection) -> None:
    """Chain what was kept before there was a chain, in the order in which it was kept."""
    audit = sa.table(
        "audit",
        *(sa.column(name) for name in COLUMNS if name != "details"),
        sa.column("details", sa.JSON),
        sa.column("previous"),
        sa.column("hash"),
    )
    fill = (
        sa.update(audit)
        .where(audit.c.id == sa.bindparam("row"))
        .values(previous=sa.bindparam("before"), hash=sa.bindparam("own"))
    )
    last_id, last_hash = 0, GENESIS
    query = sa.select(*(audit.c[name] for name in COLUMNS)).order_by(audit.c.id).limit(BATCH)
    while rows := connection.execute(query.where(audit.c.id > last_id)).mappings().all():
        links = []
        for row in rows:
            own = digest(last_hash, row)
            links.append({"row": row["id"], "before": last_hash, "own": own})
            last_id, last_hash = row["id"], own
        connection.execute(fill, links)
    head = sa.table("audit_head", *(sa.column(name) for name in ("id", "last_id", "last_hash")))
    connection.execute(sa.insert(head).values(id=HEAD_ID, last_id=last_id, last_hash=last_hash))
