"""The tables of documents: what was given to whom, how far each job is, and what is sent up."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Integer,
    String,
    Table,
    UniqueConstraint,
    false,
)

from eop.database import metadata

document = Table(
    "document",
    metadata,
    # 32 hexadecimal digits: what marks its folders, too
    Column("id", String(32), primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False),
    # the login when it was given, which its folders are below
    Column("teacher", String(64), nullable=False),
    Column("reference", String(100), nullable=False),
    Column("class_name", String(64), nullable=False),
    Column("is_whole", Boolean, nullable=False),
    Column("folder", String(255), nullable=False),
    # the folder as systems that do not tell case apart have it
    Column("folder_key", String(512), nullable=False),
    Column("is_collected", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("hidden_until", BigInteger),
    Column("round", Integer, nullable=False, server_default="0"),
    Column("looked_at", BigInteger),
    UniqueConstraint("user_id", "folder_key"),
)

document_file = Table(
    "document_file",
    metadata,
    Column("document_id", ForeignKey("document.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("upload", String(32), nullable=False),
    Column("name", String(255), nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("is_annex", Boolean, nullable=False),
)

document_student = Table(
    "document_student",
    metadata,
    Column("document_id", ForeignKey("document.id", ondelete="CASCADE"), primary_key=True),
    Column("login", String(64), primary_key=True, index=True),
    # whose login that was when it was given; none: nobody's, or whose account is gone
    Column("user_id", ForeignKey("user.id", ondelete="SET NULL"), index=True),
    Column("name", String(120), nullable=False),
    # moments; none: not yet
    Column("placed_at", BigInteger),
    Column("opened_at", BigInteger),
    Column("changed_at", BigInteger),
    Column("collected_at", BigInteger),
    Column("returned_at", BigInteger),
    Column("mailed_at", BigInteger),
    Column("is_late", Boolean, nullable=False, server_default=false()),
    # of what was collected; and what was left out: [[name, why], …]
    Column("files", Integer, nullable=False, server_default="0"),
    Column("skipped", JSON),
    # the last step that failed, and its code
    Column("trouble_step", String(8)),
    Column("trouble", String(32)),
)

document_job = Table(
    "document_job",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("document_id", ForeignKey("document.id", ondelete="CASCADE"), nullable=False),
    Column("kind", String(8), nullable=False),
    Column("state", String(8), nullable=False, index=True),
    Column("from_at", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("round", Integer, nullable=False),
    Column("options", JSON, nullable=False),
    # why it waits, while it does: a code
    Column("held", String(32)),
)

document_step = Table(
    "document_step",
    metadata,
    Column("job_id", ForeignKey("document_job.id", ondelete="CASCADE"), primary_key=True),
    Column("login", String(64), primary_key=True),
    Column("state", String(8), nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    # how often nobody answered when it was said
    Column("holds", Integer, nullable=False, server_default="0"),
    Column("code", String(32)),
)

# one row: which worker walks the jobs
document_lease = Table(
    "document_lease",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("owner", String(64), nullable=False),
    Column("until_at", BigInteger, nullable=False),
)

# what is sent up and is in no document yet
document_upload = Table(
    "document_upload",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("user_id", ForeignKey("user.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("name", String(255), nullable=False),
    Column("size", BigInteger, nullable=False),
    # when its file was last changed: with name and size it tells that one again
    Column("changed_at", BigInteger, nullable=False),
    Column("received", BigInteger, nullable=False),
    # once all of it is there and is what was sent
    Column("sha256", String(64)),
    Column("used_at", BigInteger, nullable=False),
)
