"""The README's tables say what the declarations say."""

from tests.settings_table import README, TABLE, with_tables


def test_the_tables_of_the_readme_are_those_of_the_code():
    text = README.read_text(encoding="utf-8")
    assert {match[1] for match in TABLE.finditer(text)} == {
        "controle_vnc.settings.Settings",
        "eop.settings.SiteSettings",
    }
    assert with_tables(text) == text, "run: .venv/bin/python -m tests.settings_table"
