"""Two teachers look at the same desktop: the second one's noVNC is served decoded and pushed to."""

import base64
import contextlib
import json
import socket
import sqlite3

import numpy as np
import pytest

from controle_vnc.rfb.client import RfbClient, Updated
from controle_vnc.rfb.stream import to_the_end
from tests.desktops import X11vncDesktop, XvncDesktop, wait_until
from tests.journeys.conftest import new_page, sign_in

PATIENCE = 15_000  # ms; the first picture of a desktop on a busy machine
CANVAS = """() => {
  const canvas = document.querySelector("#screen canvas");
  const {width, height} = canvas;
  const data = canvas.getContext("2d").getImageData(0, 0, width, height).data;
  let text = "";
  for (let at = 0; at < data.length; at += 32768) {
    text += String.fromCharCode(...data.subarray(at, at + 32768));
  }
  return {width, height, data: btoa(text)};
}"""
BLURRED = 3  # of 255 on average: what two JPEG make of text
READ_SECONDS = 5


def truth(desktop):
    """What the desktop's own server shows, without loss."""
    client = RfbClient(desktop.password.encode(), quality=None)
    with socket.create_connection(("127.0.0.1", desktop.port), timeout=READ_SECONDS) as server:
        while True:
            client.receive_data(server.recv(65536), to_the_end)
            for event in client.events():
                if isinstance(event, Updated) and event.damage.area:
                    return client.framebuffer.pixels[:, :, :3].astype(int)
                # Xvnc tells its size first, and to each such request anew
                client.request_update(isinstance(event, Updated))
            server.sendall(client.data_to_send())


def canvas(page):
    """What noVNC shows."""
    seen = page.evaluate(CANVAS)
    data = np.frombuffer(base64.b64decode(seen["data"]), np.uint8)
    return data.reshape(seen["height"], seen["width"], 4)[:, :, :3].astype(int)


def shows(page, desktop):
    """Whether the page shows what the desktop shows, but for the pointer and the loss of JPEG."""
    seen, there = canvas(page), truth(desktop)
    return seen.shape == there.shape and abs(seen - there).mean() < BLURRED


def look(page, stack, workstation):
    page.goto(f"{stack.url}/observe/screen/{workstation}")
    page.wait_for_selector('#stage[data-status="open"]', timeout=PATIENCE)


def latencies(stack, workstation):
    """What the audit says of the closed screens of a workstation."""
    with contextlib.closing(sqlite3.connect(stack.home / "var/lib/eop/eop.db")) as database:
        rows = database.execute(
            "SELECT details FROM audit WHERE kind = 'screen_closed' AND workstation = ?",
            (workstation,),
        ).fetchall()
    return [
        details["latency_ms"] for (text,) in rows if "latency_ms" in (details := json.loads(text))
    ]


@pytest.mark.parametrize(("kind", "name"), [(XvncDesktop, "pc-twice"), (X11vncDesktop, "pc-two")])
def test_the_second_teacher_sees_every_change_too(kind, name, browser, stack, tmp_path):
    with kind(tmp_path) as desktop, new_page(browser) as first, new_page(browser) as second:
        desktop.paint("#336699")
        desktop.spawn("xterm", "-geometry", "70x20+40+40", "-e", "sh", "-c", "ls -l /etc; sleep 99")
        number = stack.add_workstation(name, desktop, room="S41")
        for page in (first, second):
            sign_in(page, stack)
            look(page, stack, number)
        for colour in ("#aa3311", "#11aa33", "#3311aa"):
            desktop.paint(colour)
            for page in (first, second):
                wait_until(lambda p=page: shows(p, desktop), 10, f"{colour} on both pages")
        second.goto("about:blank")
        wait_until(lambda: latencies(stack, number), 20, "the second one's latency in the audit")
        assert all(0 <= latency < 2000 for latency in latencies(stack, number))
        assert shows(first, desktop)
