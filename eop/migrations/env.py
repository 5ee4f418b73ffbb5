"""What Alembic runs: the tables of every room, on the connection it is given."""

from alembic import context

import eop.aaa.tables
import eop.audit.tables
import eop.directory.tables
import eop.documents.tables
import eop.lessons.tables  # noqa: F401 - imported for its tables, as those above
import eop.observation.tables  # noqa: F401 - imported for its tables, as those above
import eop.passwords.tables  # noqa: F401 - imported for its tables, as those above
from eop.database import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
