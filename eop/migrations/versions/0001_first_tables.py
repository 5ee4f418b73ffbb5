"""The first tables: users, classes, sessions, locks and the audit."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    _create_directory()
    _create_sign_in()
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("number", sa.BigInteger),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("user", sa.String(128), nullable=False),
        sa.Column("session", sa.String(128), nullable=False),
        sa.Column("workstation", sa.String(64)),
        sa.Column("details", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
        sa.UniqueConstraint("number", "at", "kind", name="uq_audit_number_at_kind"),
    )
    for column in ("at", "user", "workstation"):
        op.create_index(f"ix_audit_{column}", "audit", [column])


def _create_directory() -> None:
    op.create_table(
        "user",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("role", sa.String(20), nullable=False),
        sa.Column("password", sa.String(200)),
        sa.Column("language", sa.String(8)),
        sa.Column("theme", sa.String(16)),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_user"),
        sa.UniqueConstraint("login", name="uq_user_login"),
    )
    op.create_table(
        "user_grant",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("value", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("user_id", "kind", "value", name="pk_user_grant"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk_user_grant_user_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "school_class",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_school_class"),
        sa.UniqueConstraint("name", name="uq_school_class_name"),
    )
    op.create_table(
        "class_member",
        sa.Column("class_id", sa.Integer, nullable=False),
        sa.Column("login", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("class_id", "login", name="pk_class_member"),
        sa.ForeignKeyConstraint(
            ["class_id"], ["school_class.id"], name="fk_class_member_class_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_class_member_login", "class_member", ["login"])


def _create_sign_in() -> None:
    op.create_table(
        "session",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("authenticator", sa.String(16), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("seen_at", sa.BigInteger, nullable=False),
        sa.Column("ends_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_session"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user.id"], name="fk_session_user_id", ondelete="CASCADE"
        ),
    )
    op.create_index("ix_session_user_id", "session", ["user_id"])
    op.create_index("ix_session_ends_at", "session", ["ends_at"])
    op.create_table(
        "revocation",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("session", sa.String(64), nullable=False),
        sa.Column("queued_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_revocation"),
    )
    op.create_table(
        "sign_in_failure",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_sign_in_failure"),
    )
    op.create_index("ix_sign_in_failure_login_address", "sign_in_failure", ["login", "address"])
    op.create_index("ix_sign_in_failure_address_at", "sign_in_failure", ["address", "at"])
    op.create_table(
        "sign_in_lock",
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("login", "address", name="pk_sign_in_lock"),
    )
