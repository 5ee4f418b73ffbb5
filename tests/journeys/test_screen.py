"""One screen as a teacher uses it: modes, keys of other layouts, monitors, pictures, tablets."""

import os
import re
import signal
import struct
import subprocess

import pytest
from PIL import Image

from tests.desktops import X11vncDesktop, XvncDesktop, wait_until
from tests.journeys.conftest import new_page, sign_in
from tests.journeys.test_browser import PATIENCE, process_of, tile, until_live, until_status
from tests.journeys.test_view_only import RfbClient

CENTRE = {"x": 60, "y": 60}
CAPTIONED = '#stage[data-mode="control"][data-status="open"]'


def look(page, stack, workstation, query=""):
    page.goto(f"{stack.url}/observe/screen/{workstation}{query}")
    until_status(page, "open")


def control(page, stack, workstation, query="?mode=control"):
    page.goto(f"{stack.url}/observe/screen/{workstation}{query}")
    page.wait_for_selector(CAPTIONED, timeout=PATIENCE)


def take_note(desktop, target):
    """A terminal in UTF-8 that keeps what is typed; without a window manager it has the focus."""
    desktop.spawn(
        "env", "LC_ALL=C.UTF-8", "xterm", "-u8", "-geometry", "80x24+0+0",
        "-e", "sh", "-c", f"cat > {target}",
    )  # fmt: skip
    wait_until(target.exists, 15, "the terminal's file")
    desktop.run("xdotool", "mousemove", "60", "60")


def typed(target, text):
    wait_until(lambda: target.read_text() == text, 10, f"{text!r}, not {target.read_text()!r}")


@pytest.fixture(scope="module")
def desk(stack, tmp_path_factory):
    """An Xvnc of this file's own, and its id."""
    with XvncDesktop(tmp_path_factory.mktemp("desk")) as desktop:
        desktop.paint("#335577")
        yield desktop, stack.add_workstation("pc-desk", desktop, room="S51")


def test_one_press_takes_control_on_the_same_page_and_gives_it_back(signed_in, stack, desk):
    _, number = desk
    look(signed_in, stack, number, "?room=S51")
    api = stack.sign_in()
    api.wait_for_state(number, {"viewed"}, 10)
    signed_in.locator("#modes label", has_text="Control").click()
    signed_in.wait_for_selector(CAPTIONED, timeout=PATIENCE)
    api.wait_for_state(number, {"controlled"}, 10)
    assert signed_in.url.endswith("?room=S51&mode=control")
    signed_in.reload()  # what was copied from the address bar opens the same
    signed_in.wait_for_selector(CAPTIONED, timeout=PATIENCE)
    signed_in.locator("#modes label", has_text="View").click()
    signed_in.wait_for_selector('#stage[data-mode="view"][data-status="open"]', timeout=PATIENCE)
    api.wait_for_state(number, {"viewed"}, 10)
    assert signed_in.url.endswith("?room=S51")


def test_next_follows_the_wall_as_it_stood(signed_in, stack, desktops):
    ids = desktops["ids"]
    signed_in.goto(f"{stack.url}/observe/wall?room=S12")
    for number in ids.values():
        until_live(signed_in, number)
    titles = {name: tile(signed_in, ids[name]).locator(".tile-name").inner_text() for name in ids}
    assert titles["pc-02"] < titles["pc-01"], "by name the second desktop comes first"
    signed_in.select_option("#sort", "name")
    wait_until(
        lambda: (
            signed_in.locator("li.tile").first.get_attribute("data-workstation") == ids["pc-02"]
        ),
        5,
        "the wall by name",
    )
    tile(signed_in, ids["pc-02"]).locator(".tile-open").click()
    until_status(signed_in, "open")
    assert signed_in.locator("#before").is_hidden()
    signed_in.keyboard.press("n")
    signed_in.wait_for_url(f"**/screen/{ids['pc-01']}?*")
    until_status(signed_in, "open")
    assert signed_in.locator("#after").is_hidden()
    signed_in.keyboard.press("b")
    signed_in.wait_for_url(f"**/screen/{ids['pc-02']}?*")


# What a French keyboard gives a browser: key, code, modifiers (1 Alt, 2 Ctrl, 8 Shift).
AZERTY = [
    ("a", "KeyQ"), ("é", "Digit2"), ("ç", "Digit9"), ("m", "Semicolon"), ("1", "Digit1", "Shift"),
    ("@", "Digit0", "AltGraph"), ("€", "KeyE", "AltGraph"), ("#", "Digit3", "AltGraph"),
    ("Dead", "BracketLeft"), ("ê", "KeyE"),
    ("Dead", "BracketLeft", "Shift"), ("ï", "KeyI"),
    ("W", "KeyZ", "Shift"), ("!", "Slash"), ("Enter", "Enter"),
]  # fmt: skip
AZERTY_TEXT = "aéçm1@€#êïW!\n"
MODIFIERS = {"Shift": ("Shift", "ShiftLeft", 1), "AltGraph": ("AltGraph", "AltRight", 2)}


def strike(page, keys):
    """Key events as a browser gets them, of any layout."""
    session = page.context.new_cdp_session(page)

    def send(kind, key, code, **more):
        event = {"type": kind, "key": key, "code": code, **more}
        session.send("Input.dispatchKeyEvent", event)

    for key, code, *modifier in keys:
        held = [MODIFIERS[one] for one in modifier]
        for name, place, location in held:
            send("rawKeyDown", name, place, location=location)
        send("rawKeyDown", key, code)
        send("keyUp", key, code)
        for name, place, location in held:
            send("keyUp", name, place, location=location)


@pytest.mark.parametrize(
    ("kind", "layout"),
    [(XvncDesktop, "character"), (XvncDesktop, "position"), (X11vncDesktop, "character")],
)
def test_a_french_keyboard_types_french(signed_in, stack, tmp_path, kind, layout):
    with kind(tmp_path / "desktop") as desktop:
        number = stack.add_workstation(f"pc-{layout}-{kind.__name__}", desktop, room="S52")
        if layout == "position":  # the same keyboard there; else an American one
            desktop.run("setxkbmap", "fr")
        note = tmp_path / "note.txt"
        take_note(desktop, note)
        control(signed_in, stack, number)
        signed_in.click("#keys summary")
        signed_in.click(f"[data-layout={layout}]")
        strike(signed_in, AZERTY)
        typed(note, AZERTY_TEXT)


def test_a_key_is_held_for_the_next_one(signed_in, stack, desk, tmp_path):
    desktop, number = desk
    note = tmp_path / "note.txt"
    take_note(desktop, note)
    control(signed_in, stack, number)
    signed_in.keyboard.type("forgotten")
    signed_in.click("#keys summary")
    signed_in.click("#keys [data-sticky=ControlLeft]")
    signed_in.keyboard.type("u")  # Ctrl+U empties the terminal's line
    signed_in.keyboard.type("kept\n")
    typed(note, "kept\n")
    assert (
        signed_in.locator("#keys [data-sticky=ControlLeft]").get_attribute("aria-pressed")
        == "false"
    )


def test_caps_lock_of_the_workstation_is_told_and_switched(signed_in, stack, desk):
    _, number = desk
    control(signed_in, stack, number)
    flag = signed_in.locator("#caps-flag")
    assert flag.is_hidden()
    for shown in ("visible", "hidden"):
        signed_in.click("#keys summary")
        signed_in.click("#caps")
        flag.wait_for(state=shown, timeout=5000)


def test_a_tablet_types_with_its_own_keyboard_and_a_row_of_keys(browser, stack, desk, tmp_path):
    desktop, number = desk
    note = tmp_path / "note.txt"
    take_note(desktop, note)
    with new_page(browser, has_touch=True) as page:
        page.set_viewport_size({"width": 800, "height": 1100})
        sign_in(page, stack)
        control(page, stack, number)
        page.tap("#soft")
        assert page.evaluate("document.activeElement.id") == "soft-text"
        page.keyboard.insert_text("naïf œufs")
        for _ in range(4):
            page.keyboard.press("Backspace")
        page.keyboard.insert_text("été")
        page.tap("#soft-row [data-keys=Tab]")
        assert page.evaluate("document.activeElement.id") == "soft-text"
        page.keyboard.press("Enter")
        typed(note, "naïf été\t\n")
        page.tap("#soft-row [data-sticky=ControlLeft]")
        page.keyboard.insert_text("d")  # Ctrl+D ends the terminal
        wait_until(lambda: b"xterm" not in clients(desktop), 10, "the terminal's end")
        page.tap("#soft-close")
        assert page.locator("#soft-row").is_hidden()


@pytest.mark.parametrize(
    ("kind", "notice"),
    [
        ({"has_touch": True, "is_mobile": True}, "You are in control."),
        ({}, "You are in control. Ctrl+Alt+Shift frees the keyboard."),
    ],
)
def test_only_who_has_keys_is_told_which_free_the_keyboard(browser, stack, desk, kind, notice):
    with new_page(browser, **kind) as page:
        sign_in(page, stack)
        control(page, stack, desk[1])
        assert page.inner_text("#notice-text") == notice


def test_what_the_site_answers_to_a_probe_is_read(signed_in, stack, desk):
    ended = []
    for name in ("requestfinished", "requestfailed"):
        signed_in.on(name, lambda asked, name=name: ended.append((asked.url, name)))
    look(signed_in, stack, desk[1])

    def probes():
        signed_in.wait_for_timeout(50)  # Playwright tells events while it waits
        return [name for url, name in ended if url.endswith("/ping")]

    assert wait_until(probes, 12, "the end of a probe") == ["requestfinished"]


def clients(desktop):
    """The X clients of a desktop, as its window tree tells."""
    return subprocess.run(
        ["xdotool", "search", "--class", "xterm", "getwindowname"],
        env={"DISPLAY": desktop.display, "PATH": os.environ["PATH"]},
        capture_output=True, timeout=10, check=False,
    ).stdout  # fmt: skip


def test_what_is_typed_while_the_link_is_lost_is_never_sent(signed_in, stack, desk, tmp_path):
    desktop, number = desk
    note = tmp_path / "note.txt"
    take_note(desktop, note)
    control(signed_in, stack, number)
    signed_in.keyboard.type("before\n")
    typed(note, "before\n")
    os.kill(process_of(stack, "-m controle_vnc"), signal.SIGKILL)
    until_status(signed_in, "lost")
    assert signed_in.locator("#last").is_visible()
    assert re.search(r"dates from .*\d", signed_in.locator("#stage-text").inner_text())
    assert signed_in.locator("#shot").get_attribute("aria-disabled") == "true"
    signed_in.keyboard.type("meanwhile\n")
    signed_in.wait_for_selector(CAPTIONED, timeout=30_000)
    signed_in.keyboard.type("after\n")
    typed(note, "before\nafter\n")


def test_the_pill_tells_the_latency_and_opens_figures(signed_in, stack, desktops):
    for name in ("pc-01", "pc-02"):  # by fences, and by pictures where there are none
        look(signed_in, stack, desktops["ids"][name])
        wait_until(
            lambda: re.search(r"\d+ ms$", signed_in.locator("#meter-word").inner_text()),
            10,
            "milliseconds",
        )
        signed_in.click("#meter summary")
        assert signed_in.locator("#meter-size").inner_text() == "800 × 600 pixels"
        wait_until(lambda: signed_in.inner_text("#meter-encoding"), 10, "the encodings in use")
        wait_until(
            lambda: re.fullmatch(r"[\d.,]+ [kM]bit/s", signed_in.inner_text("#meter-bandwidth")),
            10,
            "bandwidth",
        )
        wait_until(
            lambda: re.fullmatch(r"[\d.,]+", signed_in.inner_text("#meter-frames")), 10, "pictures"
        )
        signed_in.keyboard.press("Escape")
        assert signed_in.locator(".meter").is_hidden()


QUALITY_0, COMPRESSION_0 = -32, -256  # pseudo-encodings; the level is added


@pytest.mark.parametrize(("quality", "levels"), [("sharp", (9, 1)), ("light", (2, 6))])
def test_the_quality_is_asked_of_the_server_and_kept(signed_in, stack, desk, quality, levels):
    _, number = desk
    asked = []

    def note(data):
        if isinstance(data, bytes) and data[:1] == b"\x02":  # SetEncodings
            asked.append(struct.unpack(f">{(len(data) - 4) // 4}i", data[4:]))

    signed_in.on("websocket", lambda socket: socket.on("framesent", note))
    look(signed_in, stack, number)
    signed_in.click(".tool-menu:has([data-quality]) summary")
    signed_in.click(f"[data-quality={quality}]")
    wanted = {QUALITY_0 + levels[0], COMPRESSION_0 + levels[1]}
    until_asked(signed_in, asked, wanted)
    asked.clear()
    signed_in.reload()  # as the next student's page
    until_status(signed_in, "open")
    until_asked(signed_in, asked, wanted)
    assert signed_in.inner_text("#quality-word") == f"Quality: {quality}"


def until_asked(page, asked, wanted):
    """Until the last list of encodings holds the wanted ones; frames are told during a call."""
    wait_until(
        lambda: page.title() and asked and wanted <= set(asked[-1]), 5, f"{wanted} asked for"
    )


def save(page, folder):
    """Take a screenshot with the rail's button; its name and its picture."""
    with page.expect_download() as waiting:
        page.click("#shot")
    target = folder / waiting.value.suggested_filename
    waiting.value.save_as(target)
    with Image.open(target) as picture:
        return target.name, picture.convert("RGB")


def two_monitors(stack, number, desktop):
    """Have an Xvnc stand on two monitors, side by side."""
    sides = ((0, 0), (1, 600))
    screens = b"".join(struct.pack(">IHHHHI", one, x, 0, 600, 500, 0) for one, x in sides)
    with RfbClient(stack, number, "control") as client:
        client.send(struct.pack(">BxHii", 2, 2, 0, -308))  # Raw, ExtendedDesktopSize
        client.send(struct.pack(">BxHHBx", 251, 1200, 500, 2) + screens)
        wait_until(lambda: monitors(desktop) == 2, 10, "two monitors")


def monitors(desktop):
    """How many monitors an X server has."""
    told = subprocess.run(
        ["xrandr", "--listmonitors"],
        env={"DISPLAY": desktop.display, "PATH": os.environ["PATH"]},
        capture_output=True, text=True, check=True, timeout=10,
    ).stdout  # fmt: skip
    return int(told.splitlines()[0].removeprefix("Monitors:"))


def test_one_of_several_monitors_is_looked_at_and_saved_as_a_picture(signed_in, stack, tmp_path):
    with XvncDesktop(tmp_path / "desktop", geometry="1200x500") as desktop:
        desktop.paint("#204080")
        number = stack.add_workstation("pc-two-screens", desktop, room="S53")
        look(signed_in, stack, number)
        assert signed_in.locator("#monitors").is_hidden()
        signed_in.goto("about:blank")
        stack.sign_in().wait_for_state(number, {"ready"}, 10)
        two_monitors(stack, number, desktop)
        look(signed_in, stack, number)
        desktop.spawn("xterm", "-geometry", "300x100+600+0", "-bg", "#a03010", "-bw", "0")
        signed_in.wait_for_selector("#monitors", state="visible", timeout=PATIENCE)
        signed_in.click("#monitors summary")
        signed_in.click("#monitor-list button:has-text('Monitor 2 of 2')")
        assert signed_in.inner_text("#monitor-word") == "Monitor 2/2"
        opening = signed_in.locator("#opening").bounding_box()
        assert opening["width"] / opening["height"] == pytest.approx(600 / 500, abs=0.01)

        def right_is_red():
            name, picture = save(signed_in, tmp_path)
            assert re.fullmatch(r"pc-two-screens_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d\.png", name)
            assert picture.size == (600, 500)
            return picture.getpixel((300, 400))[0] > 120

        wait_until(right_is_red, 10, "the terminal on the second monitor")
        signed_in.click("#monitors summary")
        signed_in.click("#monitor-list button:has-text('All')")
        assert save(signed_in, tmp_path)[1].size == (1200, 500)


def test_at_100_percent_the_picture_is_moved_by_mouse_and_by_keys(signed_in, stack, desk):
    _, number = desk
    signed_in.set_viewport_size({"width": 600, "height": 700})
    look(signed_in, stack, number)
    signed_in.click("#fit")
    view = signed_in.locator("#view")
    place = "e => [e.scrollLeft, e.scrollTop]"
    assert view.evaluate(place) == [0, 0]
    box = view.bounding_box()
    signed_in.mouse.move(box["x"] + 300, box["y"] + 200)
    signed_in.mouse.down()
    signed_in.mouse.move(box["x"] + 200, box["y"] + 150, steps=4)
    signed_in.mouse.up()
    assert view.evaluate(place)[0] == 100
    view.focus()
    signed_in.keyboard.press("ArrowLeft")
    wait_until(lambda: view.evaluate(place)[0] == 20, 5, "one step of 80 pixels")
    signed_in.reload()
    until_status(signed_in, "open")
    assert signed_in.get_attribute("#stage", "data-scale") == "real"


def test_the_small_window_stays_while_the_wall_opens_in_another_tab(signed_in, stack, desk):
    desktop, number = desk
    look(signed_in, stack, number)
    signed_in.click("#float")
    signed_in.wait_for_selector('#float[aria-pressed="true"]', timeout=PATIENCE)
    seen = """() => {
      const canvas = documentPictureInPicture.window.document.querySelector("canvas");
      return [...canvas.getContext("2d").getImageData(700, 500, 1, 1).data].slice(0, 3);
    }"""
    with signed_in.context.expect_page(lambda page: "/wall" in page.url) as other:
        signed_in.click("#back")
    assert "/observe/wall?" in other.value.url
    other.value.bring_to_front()
    desktop.paint("#cc2200")
    wait_until(lambda: is_near(signed_in.evaluate(seen), (0xCC, 0x22, 0)), 10, "the new colour")
    other.value.close()
    signed_in.click("#float")
    signed_in.wait_for_selector('#float[aria-pressed="false"]', timeout=PATIENCE)
    assert signed_in.get_attribute("#back", "target") is None


def test_the_small_window_goes_when_its_screen_may_not_be_seen_any_more(signed_in, stack, desk):
    _, number = desk
    look(signed_in, stack, number)
    signed_in.click("#float")
    signed_in.wait_for_selector('#float[aria-pressed="true"]', timeout=PATIENCE)
    stack.eopctl("screens", "close")
    try:
        signed_in.wait_for_selector('#float[aria-pressed="false"]', timeout=PATIENCE)
        assert signed_in.evaluate("documentPictureInPicture.window") is None
    finally:
        stack.eopctl("screens", "open")
    until_status(signed_in, "open")
    signed_in.click("#float")
    signed_in.wait_for_selector('#float[aria-pressed="true"]', timeout=PATIENCE)
    signed_in.context.clear_cookies()  # what was opened with the session goes on, until it is lost
    signed_in.locator("#modes label", has_text="Control").click()
    until_status(signed_in, "ended")
    assert signed_in.get_attribute("#float", "aria-pressed") == "false"
    assert signed_in.evaluate("documentPictureInPicture.window") is None


def test_a_browser_without_small_windows_opens_one_that_only_watches(signed_in, stack, desk):
    _, number = desk
    signed_in.add_init_script(
        """delete window.documentPictureInPicture;
        Object.defineProperty(document, "pictureInPictureEnabled", { value: false });"""
    )
    control(signed_in, stack, number)
    with signed_in.expect_popup() as small:
        signed_in.click("#float")
    until_status(small.value, "open")
    assert "mode=" not in small.value.url
    assert small.value.get_attribute("#stage", "data-mode") == "view"
    signed_in.wait_for_selector(CAPTIONED)


def is_near(colour, wanted):
    """Whether a colour is another one, but for what JPEG does to it."""
    return all(abs(one - other) < 16 for one, other in zip(colour, wanted, strict=True))


def test_the_clipboard_goes_both_ways_and_text_is_typed(signed_in, stack, desk, tmp_path):
    desktop, number = desk
    note = tmp_path / "note.txt"
    take_note(desktop, note)
    control(signed_in, stack, number)
    environment = {"DISPLAY": desktop.display, "PATH": os.environ["PATH"]}
    desktop.spawn(
        "sh",
        "-c",
        "printf 'copi\\351 l\\340-bas' | iconv -f latin1 -t utf8 | xclip -selection clipboard",
    )
    signed_in.click("#clipboard summary")
    assert "such as œ and €, copied there, arrive here as “?”" in signed_in.inner_text("#clipboard")
    wait_until(
        lambda: signed_in.input_value("#clip-text") == "copié là-bas", 10, "what was copied there"
    )
    signed_in.fill("#clip-text", "collé ici")
    signed_in.click("#clip-send")

    def pasted():
        done = subprocess.run(
            ["xclip", "-selection", "clipboard", "-o"],
            env=environment, capture_output=True, timeout=10, check=False,
        )  # fmt: skip
        return done.stdout.decode()

    wait_until(lambda: pasted() == "collé ici", 10, "the text on the workstation's clipboard")
    signed_in.click("#clipboard summary")
    signed_in.fill("#clip-text", "cœur à 2 €\n")
    signed_in.click("#clip-type")
    typed(note, "cœur à 2 €\n")


def test_who_sits_down_next_is_named_and_gets_nothing_of_the_one_before(signed_in, stack, tmp_path):
    with XvncDesktop(tmp_path / "desktop") as desktop:
        number = stack.add_workstation("pc-shift", desktop, room="S54", user="first.student")
        control(signed_in, stack, number)
        assert signed_in.inner_text("h1") == "first.student"
        desktop.spawn("sh", "-c", "printf 'a secret' | xclip -selection clipboard")
        signed_in.click("#clipboard summary")
        text = signed_in.locator("#clip-text")
        wait_until(lambda: text.input_value() == "a secret", 10, "what was copied there")
        seat = ("--name", "pc-shift", "--room", "S54", "--vnc", desktop.address, "--replace")
        stack.eopctl("workstation", "add", *seat, "--user", "second.student")
        signed_in.wait_for_selector("h1:has-text('second.student')", timeout=PATIENCE)
        signed_in.wait_for_selector(CAPTIONED, timeout=PATIENCE)
        assert signed_in.title().startswith("second.student")
        assert text.input_value() == ""
        assert "first" not in signed_in.content()
        stack.eopctl("workstation", "remove", number)


@pytest.mark.parametrize("width", [1280, 390])
def test_the_rail_is_walked_by_arrows_and_nothing_is_lost_on_a_phone(signed_in, stack, desk, width):
    _, number = desk
    signed_in.set_viewport_size({"width": width, "height": 844})
    look(signed_in, stack, number)
    signed_in.focus("#full")
    signed_in.keyboard.press("ArrowDown")
    assert signed_in.evaluate("document.activeElement.id") == "fit"
    signed_in.keyboard.press("Home")
    assert signed_in.evaluate("document.activeElement.id") == "full"
    more = signed_in.locator("#more")
    assert more.is_visible() == (width == 390)
    if width == 390:
        assert signed_in.locator("#shot").is_hidden()
        more.click()
    assert signed_in.locator("#shot").is_visible()
    assert signed_in.locator("#float").is_visible()
