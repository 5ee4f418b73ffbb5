import json
from pathlib import Path

import pytest

from controle_vnc.errors import SettingsError
from eop import settings as site_settings
from eop import settings_checks
from eop.cli.init import initialise
from eop.directory import sources
from eop.directory.file_source import FileSource

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def load(tmp_path):
    """`load(NAME=value)`: the settings of an installation with these in its eop.conf."""
    environ = {"EOP_HOME": str(tmp_path)}
    initialise(environ)
    path = site_settings.settings_file(environ)

    def loaded(**changes):
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
        return site_settings.load(environ=environ)

    return loaded


FILE = {"IMPORT_SOURCES": ["file"], "IMPORT_FILE": "/srv/school"}


def test_settings_know_every_kind_of_source():
    assert set(settings_checks.IMPORT_KINDS) == set(sources.FACTORIES)


def test_by_default_nothing_is_imported(load):
    site = load()
    assert (site.IMPORT_SOURCES, site.IMPORT_AT, site.IMPORT_DELETE_DAYS) == ([], "", 0)
    assert site.IMPORT_BRAKE == 20


@pytest.mark.parametrize(
    "more",
    [
        {}, {"IMPORT_AT": "02:30"}, {"IMPORT_AT": "02:30, 23:59"}, {"IMPORT_BRAKE": 0},
        {"IMPORT_BRAKE": 100},
    ],
)  # fmt: skip
def test_a_file_is_a_source(load, more):
    source = sources.make("file", load(**FILE, **more))
    assert isinstance(source, FileSource)
    assert source.name == "file"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"IMPORT_SOURCES": ["pigeon"]}, "IMPORT_SOURCES: 'pigeon' is not known; known: "),
        ({"IMPORT_SOURCES": ["file", "file"]}, "IMPORT_SOURCES names a source twice"),
        ({"IMPORT_SOURCES": ["ldap"]}, "LDAP_SERVERS"),
        ({"IMPORT_FILE": ""}, "IMPORT_FILE must be an absolute path"),
        ({"IMPORT_FILE": "school"}, "IMPORT_FILE must be an absolute path"),
        ({"IMPORT_AT": "2:30"}, "IMPORT_AT must look like 02:30, not '2:30'"),
        ({"IMPORT_AT": "24:00"}, "IMPORT_AT must look like 02:30"),
        ({"IMPORT_AT": "02:30,"}, "IMPORT_AT must look like 02:30"),
        ({"IMPORT_AT": "02:30", "IMPORT_SOURCES": []}, "IMPORT_AT needs IMPORT_SOURCES"),
        ({"IMPORT_BRAKE": 101}, "IMPORT_BRAKE must be between 0 and 100"),
        ({"IMPORT_BRAKE": -1}, "IMPORT_BRAKE must be between 0 and 100"),
        ({"IMPORT_DELETE_DAYS": -1}, "IMPORT_DELETE_DAYS must be at least 0"),
    ],
)
def test_wrong_settings_of_imports_refuse_to_start(load, changes, words):
    with pytest.raises(SettingsError, match=r"eop\.conf") as refused:
        load(**(FILE | changes))
    assert words in str(refused.value)


@pytest.mark.parametrize("example", ["docs/examples/school", "docs/examples/school.json"])
def test_the_examples_can_be_read(example):
    found = FileSource(ROOT / example).read(lambda count: None)
    assert {one.role for one in found.people} == {"student", "teacher", "head_teacher"}
    assert {one.name for one in found.groups} >= {"3e B", "Club journal"}
    assert found.rooms["pc-01"] == "S12"
