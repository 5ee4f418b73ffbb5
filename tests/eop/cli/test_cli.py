import subprocess
import sys

import pytest

HEAVY = ("flask", "sqlalchemy", "alembic", "argon2", "msgspec", "numpy", "PIL")


@pytest.mark.parametrize("arguments", [["--help"], ["user", "add", "--help"], ["--version"]])
def test_help_starts_without_the_heavy_libraries(arguments):
    program = (
        "import sys\nfrom eop.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit as ended:\n    code = ended.code\n"
        f"heavy = [name for name in {HEAVY!r} if name in sys.modules]\n"
        "sys.exit(f'{code} {heavy}' if code or heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_command_is_listed_with_its_summary(eopctl):
    from eop.cli import COMMANDS, SUMMARIES

    assert set(COMMANDS) == set(SUMMARIES)
    listed = eopctl("--help").out
    for name, summary in SUMMARIES.items():
        assert name in listed
        assert summary in listed


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["user", "add"], ["user", "add", "x", "--role", "king"], ["workstation", "add"]],
)
def test_wrong_usage_exits_with_2(eopctl, arguments):
    done = eopctl(*arguments)
    assert done.code == 2
    assert done.err


def test_an_error_is_a_sentence_and_with_json_an_object(eopctl, tmp_path, monkeypatch):
    monkeypatch.setenv("EOP_HOME", str(tmp_path))
    done = eopctl("user", "list", "--json")
    assert done.code == 1
    assert "eopctl init" in done.json["error"]["message"]
    assert done.err.startswith("eopctl: ")
    assert "Traceback" not in done.err
