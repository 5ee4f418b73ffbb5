"""Firefox by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/), which it speaks by itself.

Playwright drives only a Firefox of its own making; Debian's needs no driver beside it.
"""

import itertools
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from websockets.sync.client import connect

from tests.desktops import wait_until

FIREFOX = "firefox-esr"
START_SECONDS = 60  # a first start makes a profile; machines of builders are slow
ANSWER_SECONDS = 30
ENTER = "\ue007"  # keys as WebDriver writes them
_READY = re.compile(r"WebDriver BiDi listening on (ws://\S+)")

PREFERENCES = {
    "app.update.auto": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "intl.accept_languages": "en",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
}


class BidiError(AssertionError):
    """Firefox refused a command, or a script failed."""


class Firefox:
    """One headless Firefox with a profile of its own and one page."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="eop-firefox-", dir="/tmp"))
        profile = self.folder / "profile"
        profile.mkdir()
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in PREFERENCES.items()]
        (profile / "user.js").write_text("\n".join(lines) + "\n")
        self.log = self.folder / "stderr.txt"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [FIREFOX, "--headless", "--no-remote", "--profile", str(profile),
                 "--width", "1280", "--height", "800", "--remote-debugging-port", "0"],
                env={**os.environ, "HOME": str(self.folder), "MOZ_CRASHREPORTER_DISABLE": "1"},
                stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.numbers = itertools.count(1)
        self.socket = None

    def __enter__(self) -> "Firefox":
        try:
            self.socket = connect(
                self._address() + "/session",
                max_size=2**24,
                compression=None,
                proxy=None,
                legacy=True,
            )
            self.call("session.new", capabilities={})
            (page,) = self.call("browsingContext.getTree")["contexts"]
            self.context = page["context"]
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        if self.socket is not None:
            self.socket.close()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _address(self) -> str:
        def ready():
            assert self.process.poll() is None, f"no Firefox: {said()[-2000:]}"
            return _READY.search(said())

        def said():
            return self.log.read_text(errors="replace")

        return wait_until(ready, START_SECONDS, "Firefox listens")[1]

    def call(self, method: str, **parameters: object) -> dict:
        """Send a command and give its result; events that come between are passed over."""
        number = next(self.numbers)
        self.socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            answer = json.loads(self.socket.recv(max(0.01, deadline - time.monotonic())))
            if answer.get("id") != number:
                continue
            if answer["type"] == "error":
                raise BidiError(f"{method}: {answer['error']}: {answer['message']}")
            return answer["result"]

    def go(self, address: str) -> None:
        """Open an address and wait until it has loaded."""
        self.call("browsingContext.navigate", context=self.context, url=address, wait="complete")

    def evaluate(self, expression: str):
        """The value of an expression: text, a number, yes or no, or nothing."""
        result = self.call(
            "script.evaluate",
            expression=expression,
            target={"context": self.context},
            awaitPromise=True,
        )
        if result["type"] == "exception":
            raise BidiError(result["exceptionDetails"]["text"])
        return result["result"].get("value")

    def type(self, text: str) -> None:
        """Press the keys of a text, wherever the focus is."""
        presses = [{"type": kind, "value": key} for key in text for kind in ("keyDown", "keyUp")]
        keyboard = {"type": "key", "id": "keyboard", "actions": presses}
        self.call("input.performActions", context=self.context, actions=[keyboard])

    def click(self, selector: str) -> None:
        """Press the middle of the first element that fits."""
        x, y = json.loads(
            self.evaluate(
                f"""(() => {{ const e = document.querySelector({json.dumps(selector)});
                  e.scrollIntoView({{ block: "center" }}); const box = e.getBoundingClientRect();
                  return JSON.stringify([Math.round(box.x + box.width / 2),
                    Math.round(box.y + box.height / 2)]); }})()"""
            )
        )
        moves = [
            {"type": "pointerMove", "x": x, "y": y},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerUp", "button": 0},
        ]
        mouse = {"type": "pointer", "id": "mouse", "actions": moves}
        self.call("input.performActions", context=self.context, actions=[mouse])

    def wait_for(self, expression: str, seconds: float):
        """Wait until an expression gives something true, whatever page is open by then."""
        last: BidiError | None = None

        def value():
            nonlocal last
            try:
                found, last = self.evaluate(expression), None
            except BidiError as error:
                found, last = None, error  # a page that is just being left
            return found

        try:
            return wait_until(value, seconds, expression)
        except AssertionError as error:
            raise AssertionError(f"{error} ({last})") from error
