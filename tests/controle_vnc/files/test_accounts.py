"""On a machine with accounts: whose the files are, and with which rights the process works."""

import os
import re
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from controle_vnc.control import messages as m
from controle_vnc.files.folders import NEW_MODE
from tests.files_process import FilesProcess, collecting, looking, placing, removing, returning
from tests.machine import Account, needs_machine, needs_root, new_machine

pytestmark = [needs_machine, needs_root]

TEXT = b"Write about the sea.\n" * 1000
THREE = f"{(1 << 0) | (1 << 1) | (1 << 3):016x}"  # CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER
SERVICE_UID = 990
LEA, TOM, CAMILLE = 4101, 4102, 4103


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    with new_machine() as made:
        made.folder.chmod(0o755)
        made.homes = made.folder / "home"
        made.homes.mkdir()
        made.homes.chmod(0o755)
        for login, uid in (("lea", LEA), ("tom", TOM), ("camille", CAMILLE)):
            made.add(Account(login, uid=uid, home=str(made.homes / login)))
            (made.homes / login).mkdir(0o700)
            os.chown(made.homes / login, uid, uid)
        made.add(
            Account("controle-vnc-files", uid=SERVICE_UID),
            Account("controle-vnc", uid=991),
            Account("homeless"),
            Account("toor", uid=0, home="/root"),
            Account("daemon-like", uid=999, home=str(made.homes / "tom")),
            Account("wrong-home", home=str(made.homes / "tom")),
            Account("in-root", home="/"),
        )
        yield made


@pytest.fixture(scope="module")
def running(machine):
    with FilesProcess(machine=machine, arguments=("--user", "controle-vnc")) as process:
        yield process


def statuses(process):
    """What the kernel says of each thread's rights."""
    for task in Path(f"/proc/{process.process.pid}/task").iterdir():
        text = (task / "status").read_text()
        yield dict(re.findall(r"(Cap\w+|NoNewPrivs|Uid):\t(.*)", text))


def test_its_rights_are_the_three_and_no_others(running):
    running.ask(m.GetFilesStatus())
    for one in statuses(running):
        assert one["CapEff"] == one["CapPrm"] == one["CapBnd"] == THREE
        assert one["CapInh"] == one["CapAmb"] == "0" * 16
        assert one["NoNewPrivs"] == "1"


UNIT = ("chown", "dac_override", "fowner")


def as_the_unit_does(*more):
    """As systemd starts it: another user, with three rights that last over the exec."""
    sets = ",".join(("-all", *(f"+{one}" for one in UNIT)))
    return (
        "setpriv", "--reuid", str(SERVICE_UID), "--regid", str(SERVICE_UID), "--clear-groups",
        "--inh-caps", sets, "--ambient-caps", sets, *more,
    )  # fmt: skip


@pytest.fixture
def as_service(machine):
    """The process as its unit starts it."""
    sets = ",".join(("-all", *(f"+{one}" for one in UNIT)))
    process = FilesProcess(machine=machine, before=as_the_unit_does("--bounding-set", sets))
    os.chown(process.folder, SERVICE_UID, SERVICE_UID)
    with process:
        yield process


def test_as_the_unit_starts_it_its_rights_are_the_same_and_it_is_not_root(as_service):
    as_service.ask(m.GetFilesStatus())
    for one in statuses(as_service):
        assert one["Uid"].split() == [str(SERVICE_UID)] * 4
        assert one["CapEff"] == one["CapPrm"] == one["CapBnd"] == THREE
        assert one["CapInh"] == one["CapAmb"] == "0" * 16


def ended(process):
    try:
        done = subprocess.run(
            process.command, env=process.environment, capture_output=True, text=True, timeout=30
        )
    finally:
        shutil.rmtree(process.folder)
    return done.returncode, done.stderr


def test_with_more_rights_within_reach_it_does_not_start(machine):
    process = FilesProcess(machine=machine, before=as_the_unit_does())
    os.chown(process.folder, SERVICE_UID, SERVICE_UID)
    code, said = ended(process)
    assert (code, "CapabilityBoundingSet" in said) == (2, True), said


def test_without_its_rights_it_does_not_start(machine):
    process = FilesProcess(
        machine=machine,
        before=("setpriv", "--reuid", str(SERVICE_UID), "--regid", "990", "--clear-groups"),
    )
    os.chown(process.folder, SERVICE_UID, SERVICE_UID)
    code, said = ended(process)
    assert code == 2
    assert "needs CAP_CHOWN, CAP_DAC_OVERRIDE, CAP_FOWNER" in said
    assert "FILES_HOMES" in said


@pytest.fixture(params=["running", "as_service"])
def either(request):
    return request.getfixturevalue(request.param)


FOLDER = "perso/devoirs/camille"


@pytest.fixture
def folder_name(request):
    return f"TP {abs(hash(request.node.name)) % 10**8}"


def as_user(uid, *command):
    return subprocess.run(
        ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", *command],
        capture_output=True,
        text=True,
    ).returncode


def test_everything_belongs_to_the_student_and_annexes_can_only_be_read(
    machine, either, folder_name
):
    annex = either.upload(b"1;2", name="data.csv", is_annex=True)
    placed = either.ask(placing(either.upload(TEXT), annex, folder=folder_name))
    assert isinstance(placed, m.Placed), placed
    folder = machine.homes / "lea" / FOLDER / folder_name
    for path in (folder, *folder.parents[:3]):
        status = path.stat()
        assert (status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)) == (LEA, LEA, 0o700)
    document, data = folder / "devoir.odt", folder / "data.csv"
    assert (document.stat().st_uid, document.stat().st_gid) == (LEA, LEA)
    assert stat.S_IMODE(document.stat().st_mode) == 0o600
    assert data.stat().st_uid != LEA
    assert as_user(LEA, "test", "-w", str(document)) == 0
    assert as_user(LEA, "cat", str(data)) == 0
    assert as_user(LEA, "test", "-w", str(data)) != 0
    assert as_user(LEA, "chmod", "u+w", str(data)) != 0
    assert as_user(TOM, "cat", str(document)) != 0
    assert as_user(LEA, "sh", "-c", f"echo mine > '{document}'") == 0
    collected = either.ask(collecting(folder=folder_name))
    assert (collected.files, collected.skipped) == (1, [])
    target = machine.homes / "camille/perso/devoirs/ramasses" / folder_name / "lea"
    for path in (target, target / "devoir.odt", *target.parents[:4]):
        assert (path.stat().st_uid, path.stat().st_gid) == (CAMILLE, CAMILLE), path
    assert (target / "devoir.odt").read_text() == "mine\n"
    notice = folder / "collected.txt"
    assert (notice.stat().st_uid, stat.S_IMODE(notice.stat().st_mode)) == (LEA, 0o444)
    assert either.ask(returning(folder=folder_name)).files == 1
    correction = folder / "correction/devoir.odt"
    assert (correction.stat().st_uid, correction.parent.stat().st_uid) == (LEA, LEA)
    assert either.ask(removing(folder=folder_name, with_changed=True)).kept == []
    assert not folder.exists()
    assert not target.exists()


def test_what_belongs_to_somebody_else_is_not_collected(machine, running, folder_name):
    """Another's file, moved into her folder, would otherwise come back to her as hers."""
    running.ask(placing(running.upload(TEXT), folder=folder_name))
    folder = machine.homes / "lea" / FOLDER / folder_name
    theirs = folder / "theirs.txt"
    theirs.write_text("tom's")
    theirs.chmod(0o600)
    os.chown(theirs, TOM, TOM)
    (folder / "toms").mkdir()
    os.chown(folder / "toms", TOM, TOM)
    (folder / "toms/secret").write_text("tom's")
    roots = machine.folder / "shadow"  # of root, as if a link to it could be made there
    os.link(roots, folder / "shadow")
    collected = running.ask(collecting(folder=folder_name))
    assert {(one.name, one.why) for one in collected.skipped} == {
        ("theirs.txt", "foreign"), ("toms", "foreign"), ("shadow", "foreign"),
    }  # fmt: skip
    where = {"login": "lea", "teacher": "camille", "folder": folder_name}
    assert running.ask(m.ReadPart(**where, name="theirs.txt")).code == "unknown_file"
    listed = running.ask(m.ListFiles(**where))
    assert {one.name for one in listed.files} == {"devoir.odt", "collected.txt"}
    (target,) = (machine.homes / "camille/perso/devoirs/ramasses" / folder_name).iterdir()
    assert [path.name for path in target.iterdir()] == ["devoir.odt"]


def test_of_what_belongs_to_us_annexes_alone_are_shown(machine, either, folder_name):
    """As root we own what nobody is to read, and what root left in a home can be moved."""
    uid = int(next(statuses(either))["Uid"].split()[0])
    annex = either.upload(b"1;2", name="data.csv", is_annex=True)
    either.ask(placing(either.upload(TEXT), annex, folder=folder_name))
    folder = machine.homes / "lea" / FOLDER / folder_name
    where = {"login": "lea", "teacher": "camille", "folder": folder_name}
    assert either.ask(m.ReadPart(**where, name="data.csv")).data == b"1;2"
    (folder / "inner").mkdir()
    os.chown(folder / "inner", LEA, LEA)
    for path in (folder / "secret", folder / "inner/data.csv"):
        path.write_text("our")
        path.chmod(0o600)
        os.chown(path, uid, uid)
    listed = either.ask(m.ListFiles(**where))
    assert {one.name for one in listed.files} == {"devoir.odt", "data.csv"}
    (folder / "data.csv").unlink()
    (folder / "secret").rename(folder / "data.csv")
    for name in ("data.csv", "inner/data.csv"):
        assert either.ask(m.ReadPart(**where, name=name)).code == "unknown_file"


@pytest.mark.parametrize("killed", [False, True])
def test_empty_folders_of_roots_are_not_given_away(machine, running, folder_name, killed):
    """But one that we made when we were killed is."""
    top = machine.homes / "lea/perso/devoirs" / folder_name
    top.mkdir(mode=0o755, parents=True)
    if killed:
        top.chmod(NEW_MODE)
    running.ask(placing(running.upload(TEXT), teacher=folder_name))
    status = top.stat()
    assert (status.st_uid, stat.S_IMODE(status.st_mode)) == ((LEA, 0o700) if killed else (0, 0o755))
    assert (top / "TP3 3eB").stat().st_uid == LEA


def test_a_folder_of_another_student_in_the_way_is_refused(machine, running):
    perso = machine.homes / "tom/perso"
    perso.mkdir()
    os.chown(perso, LEA, LEA)
    assert running.ask(placing(running.upload(TEXT), login="tom")).code == "not_a_folder"
    assert list(perso.iterdir()) == []
    perso.rmdir()


@pytest.mark.parametrize("login", ["toor", "root", "daemon-like", "nobody"])
def test_accounts_of_the_system_get_nothing(running, login):
    assert running.ask(placing(running.upload(TEXT), login=login)).code == "unknown_person"
    assert running.ask(m.AskSpace(login=login)).code == "unknown_person"


@pytest.mark.parametrize(
    "login", ["never-heard-of", "homeless", "wrong-home", "in-root", "..", "a/b"]
)
def test_who_has_no_home_gets_a_folder_of_ours_and_everything_works_the_same(running, login):
    placed = running.ask(placing(running.upload(TEXT), login=login))
    assert isinstance(placed, m.Placed), placed
    assert not placed.has_home
    (look,) = running.ask(looking(login)).looks
    assert (look.is_there, look.has_home) == (True, False)
    where = {"login": login, "teacher": "camille", "folder": "TP3 3eB"}
    assert running.ask(m.ReadPart(**where, name="devoir.odt")).data == TEXT
    assert running.ask(collecting(login=login)).files == 1
    assert running.ask(returning(login=login)).files == 1
    assert len(list((running.state / "homes").iterdir())) >= 1
    assert not Path("/perso").exists()


def test_while_the_homes_are_away_nothing_goes_elsewhere(machine, running):
    home = machine.homes / "tom"
    running.ask(placing(running.upload(TEXT), login="tom"))
    home.rename(home.with_name("away"))
    try:
        late = running.ask(placing(running.upload(TEXT), login="tom", folder="late"))
        assert late.code == "home_missing"
        assert running.ask(collecting(login="tom")).code == "home_missing"
    finally:
        home.with_name("away").rename(home)
    assert running.ask(collecting(login="tom")).files == 1


def test_who_got_a_home_later_keeps_what_was_begun_where_it_is(machine, running):
    home = machine.homes / "late"
    machine.add(Account("late", uid=4200, home=str(home)))
    running.ask(placing(running.upload(TEXT), login="late"))
    home.mkdir(0o700)
    os.chown(home, 4200, 4200)
    assert running.ask(collecting(login="late")).files == 1
    placed = running.ask(placing(running.upload(TEXT), login="late", folder="next"))
    assert placed.has_home
    assert (home / FOLDER / "next/devoir.odt").stat().st_uid == 4200
    assert not (home / FOLDER / "TP3 3eB").exists()


ASK = """
import socket, sys
with socket.socket(socket.AF_UNIX) as one:
    one.settimeout(5)
    one.connect(sys.argv[1])
    one.sendall(b"\\0\\0\\0\\x15\\x81\\xa4type\\xaeGetFilesStatus"[:4 + 0x15])
    sys.exit(0 if one.recv(4) else 3)
"""


def asks(running, uid, gid):
    return subprocess.run(
        ["setpriv", "--reuid", str(uid), "--regid", str(gid), "--clear-groups",
         sys.executable, "-c", ASK, str(running.socket)],
        capture_output=True, text=True, cwd="/",
    )  # fmt: skip


def test_only_root_itself_and_who_is_named_may_ask(running):
    if as_user(991, sys.executable, "-c", "") != 0:
        pytest.skip("this Python is not everybody's to run")
    assert asks(running, 991, 991).returncode == 0
    stranger = asks(running, TOM, TOM)
    assert "PermissionError" in stranger.stderr
    in_the_group = asks(running, TOM, 991)  # reaches the socket, and is turned away there
    assert in_the_group.returncode in {1, 3}
    assert "PermissionError" not in in_the_group.stderr
    assert f"turned away a process of uid {TOM}" in running.said
