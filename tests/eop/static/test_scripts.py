import re
import shutil
import subprocess
from pathlib import Path

import pytest

import eop

HERE = Path(__file__).parent
STATIC = Path(eop.__file__).parent / "static"
SCRIPTS = sorted(STATIC.glob("*.js"))


@pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")
@pytest.mark.parametrize("module", sorted(HERE.glob("*.test.mjs")), ids=lambda path: path.name)
def test_pure_modules_keep_their_word(module):
    done = subprocess.run(
        ["node", "--test", str(module)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_short_and_keeps_to_the_policy(script):
    text = script.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    assert text.startswith("// ")
    assert not re.search(
        r"\beval\(|new Function|innerHTML|insertAdjacentHTML|document\.write", text
    )
    assert not re.search(r"https?://(?!www\.x\.org|www\.w3\.org)", text)


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_imports_only_what_is_there(script):
    for name in re.findall(r'from "\./([^"]+)"', script.read_text(encoding="utf-8")):
        assert (STATIC / name).is_file(), name


@pytest.mark.parametrize("name", ["byId", "fileName"])
def test_what_many_scripts_need_is_written_once(name):
    written = re.compile(rf"(const|function) {name}\b")
    assert len([path for path in SCRIPTS if written.search(path.read_text("utf-8"))]) == 1


def test_every_icon_that_is_used_is_in_the_sprite():
    sprite = set(re.findall(r'<symbol id="(\w+)"', (STATIC / "icons.svg").read_text()))
    templates = (STATIC.parent / "templates").glob("*.html")
    used = {
        name
        for path in templates
        for name in re.findall(r'icon\("(\w+)"', path.read_text(encoding="utf-8"))
    }
    used |= set(re.findall(r'=> \["(\w+)"', (STATIC / "states.js").read_text(encoding="utf-8")))
    assert used - sprite == set()
