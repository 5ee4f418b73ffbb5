"""Documents that were given, the jobs that walk their students, and what is sent up."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_table(
        "document",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("teacher", sa.String(64), nullable=False),
        sa.Column("reference", sa.String(100), nullable=False),
        sa.Column("class_name", sa.String(64), nullable=False),
        sa.Column("is_whole", sa.Boolean, nullable=False),
        sa.Column("folder", sa.String(255), nullable=False),
        sa.Column("folder_key", sa.String(512), nullable=False),
        sa.Column("is_collected", sa.Boolean, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("hidden_until", sa.BigInteger),
        sa.Column("round", sa.Integer, nullable=False, server_default="0"),
        sa.Column("looked_at", sa.BigInteger),
        sa.PrimaryKeyConstraint("id", name="pk_document"),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name="fk_document_user_id",
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("user_id", "folder_key", name="uq_document_user_id_folder_key"),
    )
    op.create_table(
        "document_file",
        sa.Column("document_id", sa.String(32), nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("upload", sa.String(32), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("is_annex", sa.Boolean, nullable=False),
        sa.PrimaryKeyConstraint("document_id", "number", name="pk_document_file"),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["document.id"],
            name="fk_document_file_document_id",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "document_student",
        sa.Column("document_id", sa.String(32), nullable=False),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("user_id", sa.Integer),
        sa.Column("name", sa.String(120), nullable=False),
        sa.Column("placed_at", sa.BigInteger),
        sa.Column("opened_at", sa.BigInteger),
        sa.Column("changed_at", sa.BigInteger),
        sa.Column("collected_at", sa.BigInteger),
        sa.Column("returned_at", sa.BigInteger),
        sa.Column("mailed_at", sa.BigInteger),
        sa.Column("is_late", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("files", sa.Integer, nullable=False, server_default="0"),
        sa.Column("skipped", sa.JSON),
        sa.Column("trouble_step", sa.String(8)),
        sa.Column("trouble", sa.String(32)),
        sa.PrimaryKeyConstraint("document_id", "login", name="pk_document_student"),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["document.id"],
            name="fk_document_student_document_id",
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name="fk_document_student_user_id",
            ondelete="SET NULL",
        ),
    )
    op.create_index("ix_document_student_login", "document_student", ["login"])
    op.create_index("ix_document_student_user_id", "document_student", ["user_id"])
    op.create_table(
        "document_job",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("document_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(8), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("from_at", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("ended_at", sa.BigInteger),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("options", sa.JSON, nullable=False),
        sa.Column("held", sa.String(32)),
        sa.PrimaryKeyConstraint("id", name="pk_document_job"),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["document.id"],
            name="fk_document_job_document_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_document_job_state", "document_job", ["state"])
    op.create_table(
        "document_step",
        sa.Column("job_id", sa.Integer, nullable=False),
        sa.Column("login", sa.String(64), nullable=False),
        sa.Column("state", sa.String(8), nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("holds", sa.Integer, nullable=False, server_default="0"),
        sa.Column("code", sa.String(32)),
        sa.PrimaryKeyConstraint("job_id", "login", name="pk_document_step"),
        sa.ForeignKeyConstraint(
            ["job_id"],
            ["document_job.id"],
            name="fk_document_step_job_id",
            ondelete="CASCADE",
        ),
    )
    op.create_table(
        "document_lease",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("until_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_document_lease"),
    )
    op.create_table(
        "document_upload",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
        sa.Column("received", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64)),
        sa.Column("used_at", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_document_upload"),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user.id"],
            name="fk_document_upload_user_id",
            ondelete="CASCADE",
        ),
    )
    op.create_index("ix_document_upload_user_id", "document_upload", ["user_id"])
