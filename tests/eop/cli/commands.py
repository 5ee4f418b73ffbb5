"""Runs `eopctl` in this process, as its user does."""

import json

import pytest

from eop.cli import main


class Done:
    """What a command printed, and its exit code."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        return json.loads(self.out)


@pytest.fixture
def eopctl(capsys):
    """`eopctl("user", "list")` → `Done`."""

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Done(ended.value.code, out, err)

    return run


@pytest.fixture
def password_file(tmp_path):
    """A file with a password on its first line."""
    path = tmp_path / "password.txt"
    path.write_text("correct horse battery\nanother line\n")
    return path
