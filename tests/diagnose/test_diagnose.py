"""`eopctl diagnose` and the module's section, against a running installation."""

import json
import os
import subprocess

import pytest

from tests.desktops import free_port
from tests.stack import EOPCTL, ROOT, Stack

SECTION = str(ROOT / "diagnose/eop")


@pytest.fixture(scope="module")
def stack():
    with Stack(workstations=0) as running:
        yield running


def diagnosed(stack, code, **environment):
    """What `--json` says, by the names of the checks."""
    done = subprocess.run(
        [EOPCTL, "diagnose", "--json"],
        env={**stack.environment, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == code, done.stdout + done.stderr
    said = json.loads(done.stdout)
    assert said["ok"] == (code == 0)
    for check in said["checks"]:
        assert set(check) == {"name", "ok", "detail", "remedy"}
        assert check["ok"] or ("\n" not in check["remedy"] and check["remedy"])
    return {check["name"]: check for check in said["checks"]}


def failed(checks):
    return {name for name, check in checks.items() if not check["ok"]}


def test_a_healthy_installation_passes_every_check(stack):
    checks = diagnosed(stack, 0)
    assert set(checks) == {
        "application", "secret", "controle-vnc", "controle-vnc (hello)", "websockify",
        "websockify (RFB)", "gunicorn", "gunicorn (ping)",
    }  # fmt: skip
    assert "RFB 003.008" in checks["websockify (RFB)"]["detail"]


def test_the_self_test_leaves_no_workstation_behind(stack):
    diagnosed(stack, 0)
    assert json.loads(stack.eopctl("workstation", "list", "--json")) == []


def test_the_report_is_in_the_manner_of_the_original(stack):
    lines = stack.eopctl("diagnose").splitlines()
    assert lines[0] == "*** EOP"
    assert ".            controle-vnc => Ok" in lines


def test_a_port_nobody_listens_on_fails_with_a_remedy(stack):
    checks = diagnosed(stack, 1, EOP_GATEWAY_PORT=str(free_port()))
    assert failed(checks) == {"websockify", "websockify (RFB)"}
    assert "controle-vnc-gateway" in checks["websockify"]["remedy"]


def test_a_program_that_is_not_controle_vnc_is_told_apart(stack):
    checks = diagnosed(stack, 1, EOP_CONTROL_PORT=str(stack.web))
    assert failed(checks) == {"controle-vnc (hello)", "websockify (RFB)"}
    assert "is not controle-vnc" in checks["controle-vnc (hello)"]["detail"]


def test_another_secret_is_found_and_proven(stack):
    secret = stack.home / "etc/controlevnc/.secret"
    right = secret.read_bytes()
    secret.write_bytes(b"an altogether different secret of this test\n")
    try:
        checks = diagnosed(stack, 1)
    finally:
        secret.write_bytes(right)
    assert failed(checks) == {"secret", "controle-vnc (hello)", "websockify (RFB)"}
    assert "the secrets differ" in checks["secret"]["detail"]


def test_a_missing_link_is_told_in_the_words_of_the_runner(stack):
    link = stack.home / "etc/eole/flask/enabled/eop.conf"
    target = link.readlink()
    link.unlink()
    try:
        checks = diagnosed(stack, 1)
    finally:
        link.symlink_to(target)
    assert checks["application"]["detail"] == "NoApplicationError: No application loaded"


def test_a_wrong_setting_is_one_failed_check(stack):
    checks = diagnosed(stack, 1, EOP_GATEWAY_PORT="six thousand")
    assert "EOP_GATEWAY_PORT" in checks["settings"]["detail"]


def section(stack, **environment):
    return subprocess.run(
        [SECTION],
        env={**stack.environment, "EOPCTL": EOPCTL, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_section_of_the_module_runs_every_check(stack):
    done = section(stack)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "websockify (RFB) => Ok" in done.stdout


def test_the_section_checks_the_ports_where_the_command_is_not_installed(stack):
    done = section(stack, EOPCTL="eopctl-is-not-here")
    assert done.returncode == 0, done.stdout + done.stderr
    assert ".            controle-vnc => Ok" in done.stdout
    nobody = section(stack, EOPCTL="eopctl-is-not-here", EOP_CONTROL_PORT=str(free_port()))
    assert nobody.returncode == 1
    assert ".            controle-vnc => Erreur" in nobody.stdout


def test_the_section_is_executable():
    assert os.access(SECTION, os.X_OK)
