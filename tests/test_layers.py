"""Who may import whom (docs/architecture.md), read from the source itself."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("eop", "controle_vnc", "diagnose")

PURE = ("controle_vnc.rfb", "controle_vnc.framebuffer", "controle_vnc.websocket")
IMPURE_MODULES = {
    "asyncio", "socket", "select", "ssl", "os", "time", "datetime", "logging", "threading",
    "subprocess", "pathlib", "random", "tempfile",
}  # fmt: skip

EOP_FROM_CONTROLE_VNC = {
    "controle_vnc.control.client",
    "controle_vnc.control.messages",
    "controle_vnc.errors",
    "controle_vnc.settings",
    "controle_vnc.log",
}
BUSINESS_ROOMS = ("observation", "actions", "documents", "passwords", "lessons")

# Within controle_vnc: a room and the rooms it may lean on. What has no line here is wiring.
CONTROLE_VNC = {
    "controle_vnc.errors": set(),
    "controle_vnc.accepting": set(),
    "controle_vnc.tasks": set(),
    "controle_vnc.wire": set(),
    "controle_vnc.peer": set(),
    "controle_vnc.tls": {"errors", "rfb"},
    "controle_vnc.framebuffer": {"errors"},
    "controle_vnc.rfb": {"errors", "framebuffer"},
    "controle_vnc.workstation": {
        "errors", "tasks", "wire", "tls", "framebuffer", "rfb", "control.messages",
    },
    "controle_vnc.room": {
        "errors", "tasks", "framebuffer", "rfb", "workstation", "control.messages", "store",
    },
    "controle_vnc.files": {
        "errors", "log", "peer", "settings", "control.messages", "control.framing", "__version__",
    },
}  # fmt: skip


def modules(*packages):
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            if "node_modules" not in path.parts:
                name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
                yield name.removesuffix(".__init__"), path


def imported(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def within(name, package):
    return name == package or name.startswith(package + ".")


@pytest.mark.parametrize("package", PURE)
def test_protocol_and_pixels_do_no_input_or_output(package):
    for name, path in modules(*PACKAGES):
        if within(name, package):
            used = {module.split(".")[0] for module in imported(path)} & IMPURE_MODULES
            assert not used, f"{name} imports {used}"


def test_the_daemon_never_imports_the_site():
    for name, path in modules("controle_vnc"):
        assert not [m for m in imported(path) if within(m, "eop") or within(m, "diagnose")], name


def test_the_site_knows_the_daemon_by_its_door_alone():
    for name, path in modules("eop"):
        for module in imported(path):
            if within(module, "controle_vnc") and module != "controle_vnc":
                known = any(within(module, door) for door in EOP_FROM_CONTROLE_VNC)
                parents = {"controle_vnc.control"}
                assert known or module in parents, f"{name} imports {module}"


def test_what_works_in_homes_is_a_process_of_its_own():
    for name, path in modules(*PACKAGES):
        if not within(name, "controle_vnc.files"):
            assert not [m for m in imported(path) if within(m, "controle_vnc.files")], name


def test_business_rooms_do_not_import_each_other():
    for name, path in modules("eop"):
        parts = name.split(".")
        if len(parts) > 1 and parts[1] in BUSINESS_ROOMS:
            others = [f"eop.{room}" for room in BUSINESS_ROOMS if room != parts[1]]
            assert not [m for m in imported(path) if any(within(m, o) for o in others)], name


def test_what_every_room_may_tell_of_leans_on_no_business_room():
    path = ROOT / "eop" / "restraints.py"
    rooms = [f"eop.{room}" for room in BUSINESS_ROOMS]
    assert not [m for m in imported(path) if any(within(m, room) for room in rooms)]


def test_only_commands_run_the_checks():
    for name, path in modules("eop"):
        if not within(name, "eop.cli"):
            assert not [m for m in imported(path) if within(m, "diagnose")], name


def test_the_checks_know_clients_and_settings_alone():
    for name, path in modules("diagnose"):
        for module in imported(path):
            if within(module, "controle_vnc") and module not in {
                "controle_vnc",
                "controle_vnc.control",
            }:
                assert any(within(module, door) for door in EOP_FROM_CONTROLE_VNC), (name, module)


def test_what_runs_as_root_leans_on_nothing_of_ours():
    for name, path in modules("eop"):
        if within(name, "eop.pam"):
            for module in imported(path):
                if module.split(".")[0] in PACKAGES:
                    assert within(module, "eop.pam"), f"{name} imports {module}"


def test_pam_itself_is_loaded_in_the_root_helper_alone():
    doors = {"client", "protocol", "service"}
    for name, path in modules(*PACKAGES):
        if not within(name, "eop.pam"):
            for module in imported(path):
                assert not within(module, "pam"), name
                if within(module, "eop.pam") and module != "eop.pam":
                    assert module.split(".")[2] in doors, f"{name} imports {module}"


@pytest.mark.parametrize("room", CONTROLE_VNC)
def test_each_room_of_the_daemon_leans_on_those_below_it(room):
    allowed = {f"controle_vnc.{below}" for below in CONTROLE_VNC[room]} | {room}
    for name, path in modules("controle_vnc"):
        if within(name, room):
            for module in imported(path):
                if within(module, "controle_vnc") and module not in {
                    "controle_vnc", "controle_vnc.control",
                }:  # fmt: skip
                    assert any(within(module, one) for one in allowed), f"{name} imports {module}"
