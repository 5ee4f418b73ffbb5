"""The fixtures of every command's tests."""

from tests.eop.cli.commands import eopctl, password_file

__all__ = ["eopctl", "password_file"]
