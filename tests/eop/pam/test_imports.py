"""What runs as root is small: this holds the list."""

import json
import subprocess
import sys
from pathlib import Path

import msgspec

PROGRAM = """
import eop.pam.__main__, json, sys
print(json.dumps({n: getattr(m, "__file__", None) or "" for n, m in sys.modules.items()}))
"""
OF_OTHERS = {"msgspec", "pam", "typing_extensions"}  # the last: what msgspec takes where it is
NEVER = {"asyncio", "email", "http", "logging", "socketserver", "sqlite3", "ssl", "xml"}


def test_eop_pam_loads_itself_msgspec_and_python_pam():
    done = subprocess.run(
        [sys.executable, "-P", "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    loaded = json.loads(done.stdout)
    ours = {name for name in loaded if name.split(".")[0] in {"eop", "controle_vnc", "diagnose"}}
    assert ours == {
        "eop", "eop.pam", "eop.pam.__main__", "eop.pam.hardening", "eop.pam.listener",
        "eop.pam.protocol", "eop.pam.server", "eop.pam.service", "eop.pam.stack", "eop.pam.wire",
    }  # fmt: skip
    folder = str(Path(msgspec.__file__).parents[1])
    of_others = {name.split(".")[0] for name, file in loaded.items() if file.startswith(folder)}
    # an editable installation has a finder there, and setuptools a hook
    of_others = {name for name in of_others if not name.startswith(("__editable__", "_distutils"))}
    assert of_others <= OF_OTHERS
    assert of_others >= {"msgspec", "pam"}
    assert not NEVER & loaded.keys()
