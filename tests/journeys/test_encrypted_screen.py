"""A server that encrypts, as a teacher meets it: watched, controlled, and not believed for ever."""

import json

from tests.controle_vnc.viewer.test_encrypted_servers import Xvnc
from tests.fakes.certificate import certificate
from tests.journeys.test_browser import PATIENCE
from tests.journeys.test_screen import control, take_note, typed


def known_by(stack, name):
    listed = json.loads(stack.eopctl("workstation", "list", "--json"))
    return next(one["trust"] for one in listed if one["name"] == name)


def test_a_server_with_a_certificate_is_controlled_and_another_one_is_told(
    signed_in, stack, tmp_path
):
    note = tmp_path / "note.txt"
    with Xvnc(tmp_path / "desktop", "X509Vnc") as desktop:
        number = stack.add_workstation("pc-x509", desktop, room="S61")
        take_note(desktop, note)
        control(signed_in, stack, number)
        signed_in.keyboard.type("bonjour\n")
        typed(note, "bonjour\n")
        assert known_by(stack, "pc-x509") == f"learnt:{desktop.pin}"
        signed_in.goto("about:blank")
        desktop.stop()
        desktop.display = ""
        certificate(desktop.folder)
        desktop.start()
        signed_in.goto(f"{stack.url}/observe/screen/{number}")
        signed_in.get_by_text("another key than the one EOP knows").first.wait_for(timeout=PATIENCE)
        stack.eopctl(
            "workstation", "add", "--replace", "--name", "pc-x509", "--room", "S61",
            "--vnc", desktop.address, "--trust", "",
        )  # fmt: skip
        control(signed_in, stack, number)
        assert known_by(stack, "pc-x509") == f"learnt:{desktop.pin}"
        stack.eopctl("workstation", "remove", "pc-x509")
