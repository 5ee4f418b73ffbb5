"""`eopctl serve`: its ports, its folders, and a whole start. Journeys meet it as `make run`."""

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from controle_vnc.settings import Settings
from eop.cli import serve
from eop.cli.serve import PortInUseError, check_ports, short_folder
from eop.cli.supervisor import Program
from eop.errors import EopError
from tests.desktops import free_port, wait_until
from tests.stack import EOPCTL


def settings(**changed):
    ports = {name: free_port() for name in ("WEB_PORT", "GATEWAY_PORT", "CONTROL_PORT")}
    return Settings(**{**ports, **changed})


@pytest.mark.parametrize("name", ["WEB_PORT", "GATEWAY_PORT", "CONTROL_PORT"])
def test_a_port_in_use_is_told_with_its_setting(name):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(PortInUseError, match=f"port {port} is in use.*EOP_{name}"):
            check_ports(settings(**{name: port}))


def test_free_ports_pass():
    check_ports(settings())


@pytest.mark.parametrize("changed", [{"WEB_PORT": 70000}, {"WEB_HOST": "192.0.2.1"}])
def test_an_address_nobody_can_listen_on_is_told(changed):
    with pytest.raises(PortInUseError, match="change EOP_WEB_HOST or EOP_WEB_PORT"):
        check_ports(settings(**changed))


def test_a_short_installation_keeps_its_sockets_inside(tmp_path, monkeypatch):
    monkeypatch.setenv("EOP_HOME", "/tmp/eop")
    assert str(short_folder("demo")) == "/tmp/eop/run/demo"


def test_sockets_of_a_deep_installation_get_a_private_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("EOP_HOME", str(tmp_path / ("deep" * 25)))
    folder = short_folder("demo")
    try:
        assert len(os.fsencode(folder)) <= serve.MAX_FOLDER_BYTES
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert short_folder("demo") == folder
        folder.chmod(0o755)
        with pytest.raises(EopError, match="belongs to somebody else"):
            short_folder("demo")
    finally:
        folder.rmdir()


def test_serve_runs_everything_until_it_is_told_to_stop(quiet, tmp_path):
    errors = tmp_path / "stderr.txt"
    environment = {**os.environ, **quiet.environ}
    subprocess.run([EOPCTL, "db", "upgrade"], env=environment, check=True, capture_output=True)
    with errors.open("w") as file:
        process = subprocess.Popen([EOPCTL, "serve"], env=environment, stderr=file)
    try:
        wait_until(lambda: "EOP is served at" in errors.read_text(), 30, "everything answers")
        port = quiet.shared.WEB_PORT
        assert requests.get(f"http://127.0.0.1:{port}/ping", timeout=5).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()
    assert not [path for path in quiet.home.rglob("*") if path.is_socket()]
    assert not (quiet.home / "run/supervisor.json").exists()


@pytest.mark.parametrize(
    ("part", "programs", "paths"),
    [
        ("aaa", 1, {"/login": 200, "/ping": 200, "/eoleapps/eop/": 404}),
        # as root with controle-vnc-files
        ("eop", 4 + (os.geteuid() == 0), {"/login": 404, "/ping": 200, "/eoleapps/eop/": 303}),
    ],
)
def test_serve_runs_a_part_of_it_alone(quiet, tmp_path, part, programs, paths):
    errors = tmp_path / "stderr.txt"
    environment = {**os.environ, **quiet.environ}
    subprocess.run([EOPCTL, "db", "upgrade"], env=environment, check=True, capture_output=True)
    with errors.open("w") as file:
        process = subprocess.Popen([EOPCTL, "serve", "--app", part], env=environment, stderr=file)
    try:
        wait_until(lambda: "is served at" in errors.read_text(), 30, "everything answers")
        origin = f"http://127.0.0.1:{quiet.shared.WEB_PORT}"
        for path, status in paths.items():
            answer = requests.get(origin + path, timeout=5, allow_redirects=False)
            assert answer.status_code == status, path
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        assert len(children.split()) == programs
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait()


def test_a_sign_in_service_alone_needs_one_port():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        check_ports(settings(GATEWAY_PORT=taken.getsockname()[1]), ("WEB",))


def test_no_child_is_told_the_demonstration_password(quiet, tmp_path, monkeypatch):
    monkeypatch.setenv(serve.DEMO_PASSWORD, "a password of the teacher")
    told = tmp_path / "teller.out"
    code = "import os, time; print(*os.environ, flush=True); time.sleep(60)"
    with serve.supervised(logs=tmp_path) as supervisor:
        supervisor.start(Program("teller", (sys.executable, "-c", code)))
        wait_until(lambda: told.read_text().endswith("\n"), 10, "its environment")
    assert "EOP_HOME" in told.read_text().split()
    assert serve.DEMO_PASSWORD not in told.read_text().split()


def test_the_folder_of_sockets_is_told_to_children_and_not_to_ourselves(quiet, tmp_path):
    told = tmp_path / "teller.out"
    code = "import os, time; print(os.environ['EOP_RUN_DIR'], flush=True); time.sleep(60)"
    before = dict(os.environ)
    with serve.supervised(logs=tmp_path) as supervisor:
        supervisor.start(Program("teller", (sys.executable, "-c", code)))
        wait_until(lambda: told.read_text().endswith("\n"), 10, "its environment")
    assert told.read_text() == f"{quiet.home / 'run/controle-vnc'}\n"
    assert dict(os.environ) == before


def test_serve_without_an_application_says_so_and_starts_nothing(quiet):
    (quiet.home / "etc/eole/flask/enabled/eop.conf").unlink()
    done = subprocess.run(
        [EOPCTL, "serve"], env={**os.environ, **quiet.environ}, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "No application loaded" in done.stderr
