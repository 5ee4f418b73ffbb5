"""`eopctl diagnose` and the module's section, against a running installation."""

import contextlib
import json
import os
import pty
import signal
import subprocess

import pytest

from tests.desktops import free_port, wait_until
from tests.machine import Helper, needs_machine, needs_root, new_machine
from tests.redis_server import RedisServer
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
        assert set(check) == {"name", "ok", "detail", "remedy", "command", "milliseconds"}
        assert check["remedy"] is None if check["ok"] else check["remedy"].splitlines()[1:] == []
    return {check["name"]: check for check in said["checks"]}


def failed(checks):
    return {name for name, check in checks.items() if not check["ok"]}


def test_a_healthy_installation_passes_every_check(stack):
    checks = diagnosed(stack, 0)
    assert set(checks) == {
        "application", "secret", "controle-vnc", "controle-vnc (hello)", "controle-vnc-files",
        "websockify",
        "websockify (RFB)", "gunicorn", "gunicorn (ping)",
    }  # fmt: skip
    assert "RFB 003.008" in checks["websockify (RFB)"]["detail"]


def test_the_self_test_leaves_no_workstation_behind(stack):
    diagnosed(stack, 0)
    assert json.loads(stack.eopctl("workstation", "list", "--json")) == []


def test_lines_come_one_by_one_and_the_report_is_the_last(stack):
    said = [json.loads(line) for line in stack.eopctl("diagnose", "--lines").splitlines()]
    assert [set(one) for one in said] == [{"check"}] * 9 + [{"report"}]
    assert said[-1]["report"] == stack.eopctl("diagnose").rstrip("\n")
    assert all(one["check"]["ok"] and one["check"]["milliseconds"] > 0 for one in said[2:-1])


@contextlib.contextmanager
def frozen_gateway(stack):
    """Its port still accepts connections; nothing answers."""
    lines = stack.processes().items()
    gateways = [number for number, line in lines if "controle_vnc.gateway" in line]
    try:
        for number in gateways:
            os.kill(number, signal.SIGSTOP)
        yield
    finally:
        for number in gateways:
            os.kill(number, signal.SIGCONT)


def workstations(stack):
    return json.loads(stack.eopctl("workstation", "list", "--json"))


def test_a_gateway_that_does_not_answer_fails_in_time_and_nothing_stays(stack):
    with frozen_gateway(stack):
        checks = diagnosed(stack, 1)
    assert failed(checks) == {"websockify (RFB)"}
    assert checks["websockify"]["ok"]
    assert workstations(stack) == []


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_nothing_stays_of_a_self_test_that_is_ended(stack, ending):
    with frozen_gateway(stack):
        running = subprocess.Popen(
            [EOPCTL, "diagnose"],
            env=stack.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        (shown,) = wait_until(lambda: workstations(stack), 10, "the self-test's workstation")
        assert shown["name"].startswith("eop-diagnose-")
        running.send_signal(ending)
        assert running.wait(10) == 1
    assert workstations(stack) == []


def shown_on_a_terminal(stack, **environment):
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [EOPCTL, "diagnose"],
        env={**stack.environment, "TERM": "xterm", **environment},
        stdout=theirs,
        timeout=60,
    )
    os.close(theirs)
    said = os.read(ours, 65536).decode()
    os.close(ours)
    assert done.returncode == 0, said
    return said


def test_a_terminal_gets_a_bold_title_unless_it_wants_no_colour(stack):
    assert shown_on_a_terminal(stack).startswith("\033[1m*** EOP\033[0m")
    assert "\033" not in shown_on_a_terminal(stack, NO_COLOR="1")


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
    assert failed(checks) == {"controle-vnc (hello)", "controle-vnc-files", "websockify (RFB)"}
    assert "ss -ltnp" in checks["controle-vnc (hello)"]["remedy"]


def test_another_secret_is_found_and_proven(stack):
    secret = stack.home / "etc/controlevnc/.secret"
    right = secret.read_bytes()
    secret.write_bytes(b"an altogether different secret of this test\n")
    try:
        checks = diagnosed(stack, 1)
    finally:
        secret.write_bytes(right)
    assert failed(checks) == {
        "secret", "controle-vnc (hello)", "controle-vnc-files", "websockify (RFB)",
    }  # fmt: skip
    assert "the secrets differ" in checks["secret"]["detail"]
    assert "restart" in checks["controle-vnc (hello)"]["remedy"]


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


def test_a_process_of_documents_that_does_not_run_is_told_with_its_remedy(stack):
    lines = stack.processes().items()
    (helper,) = (number for number, line in lines if "controle_vnc.files" in line)
    os.kill(helper, signal.SIGSTOP)  # it accepts, and says nothing
    try:
        silent = diagnosed(stack, 1)["controle-vnc-files"]
    finally:
        os.kill(helper, signal.SIGCONT)
    assert not silent["ok"]
    assert "restart controle-vnc-files" in silent["remedy"]
    assert diagnosed(stack, 0)["controle-vnc-files"]["detail"].startswith(f"homes: {stack.home}")


PAM = {"EOP_AUTHENTICATORS": "local,pam"}


@needs_machine
def test_where_pam_is_asked_its_helper_is_checked(stack):
    with new_machine() as machine, Helper(machine) as helper:
        checks = diagnosed(stack, 0, EOP_PAM_SOCKET=str(helper.socket), **PAM)
        assert checks["eop-pam"]["detail"] == f"{helper.socket}: PAM service eop"


def test_a_helper_that_does_not_run_is_told_with_its_remedy(stack):
    checks = diagnosed(stack, 1, **PAM)
    assert failed(checks) == {"eop-pam"}
    assert f"{stack.home}/run/eop-pam/eop-pam.sock" in checks["eop-pam"]["detail"]
    assert "systemctl start eop-pam.socket" in checks["eop-pam"]["remedy"]


@needs_machine
@needs_root
def test_a_helper_that_turns_us_away_is_told_apart(stack):
    # it serves root alone, and root is who runs this: here it is told to serve nobody
    nobody = "server.Server._take = lambda self, connection: connection.close()"
    with new_machine() as machine, turning_away(machine, nobody) as socket:
        checks = diagnosed(stack, 1, EOP_PAM_SOCKET=str(socket), **PAM)
    assert "it turns us away" in checks["eop-pam"]["detail"]
    assert "as root or as the user of the site" in checks["eop-pam"]["remedy"]


@contextlib.contextmanager
def turning_away(machine, constants):
    helper = Helper(machine, constants=constants)
    with helper.log.open("ab") as log:
        process = subprocess.Popen(helper.command, stdin=subprocess.DEVNULL, stderr=log)
    try:
        wait_until(lambda: "listens at" in helper.said, 15, "eop-pam listens")
        yield helper.socket
    finally:
        process.terminate()
        process.wait(10)


def test_the_store_of_sessions_is_checked_where_there_is_one(stack):
    with RedisServer() as server:
        checks = diagnosed(stack, 0, EOP_SESSION_STORE=server.url)
        assert checks["session store"]["detail"] == "answers"
        server.stop()
        checks = diagnosed(stack, 1, EOP_SESSION_STORE=server.url)
    assert failed(checks) == {"session store"}
    assert "SESSION_STORE" in checks["session store"]["remedy"]


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
    assert done.stdout.splitlines()[:2] == ["*** EOP", ".            controle-vnc => Ok"]
    nobody = section(stack, EOPCTL="eopctl-is-not-here", EOP_CONTROL_PORT=str(free_port()))
    assert nobody.returncode == 1
    assert ".            controle-vnc => Erreur\n    -> start it" in nobody.stdout
    assert ".              websockify => Ok" in nobody.stdout


def test_the_section_finds_the_command_of_a_checkout(stack):
    environment = {**stack.environment, "PATH": "/usr/bin:/bin"}
    environment.pop("EOPCTL", None)
    done = subprocess.run([SECTION], env=environment, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "gunicorn (ping) => Ok" in done.stdout


def test_the_section_is_executable():
    assert os.access(SECTION, os.X_OK)
