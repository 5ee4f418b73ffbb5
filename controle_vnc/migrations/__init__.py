"""The steps from one form of the daemon's database to the next (Alembic)."""
