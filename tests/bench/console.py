"""The console's wall in Chromium: 100 workstations that change once a second, watched and used.

`python -m tests.bench.console [--desktops 100] [--seconds 15]`. The workstations are those of
`tests.bench.light_desktops --steady`. Counted are all processes of Chromium, what it calls long
tasks (PerformanceObserver, over 50 ms by the clock: others who work on the machine lengthen them),
and from a trace the longest task of the page's main thread by the CPU it used. "Used" is what a
teacher does: all selected, the spotlight, other orders, a search, another size, the projector mode.
"""

import json
import time
from collections.abc import Callable

from playwright.sync_api import Page

from tests.bench import report
from tests.bench.growth import LightRoom
from tests.bench.product import Product
from tests.bench.report import Table, figure, median
from tests.bench.wall40 import ROOM, Browser, side_by_side, watched
from tests.desktops import wait_until
from tests.journeys.conftest import sign_in

GOAL_PERCENT, GOAL_MS = 25, 100
WINDOWS = {
    "all in sight": {"width": 1920, "height": 2200},
    "1920×1080": {"width": 1920, "height": 1080},
}
COUNT_SECONDS = 4.0
BETWEEN_MS = 700  # of two things that a teacher does
TRACED = ["toplevel", "disabled-by-default-devtools.timeline"]

OBSERVE = """
window.longTasks = [];
new PerformanceObserver((list) => {
  for (const { startTime, duration } of list.getEntries()) longTasks.push([startTime, duration]);
}).observe({ type: "longtask", buffered: true });
"""
COUNT = """(seconds) => new Promise((done) => {
  let count = 0;
  const observer = new MutationObserver((records) => { count += records.length; });
  const what = { subtree: true, attributes: true, attributeFilter: ["src"] };
  observer.observe(document.getElementById("wall"), what);
  setTimeout(() => { observer.disconnect(); done(count / seconds); }, 1000 * seconds);
})"""
LIVE = "document.querySelectorAll('.tile[data-fresh=live]').length"


def longest(page: Page, since: float) -> dict[str, float]:
    """The long tasks that began after `since`, in the page's time."""
    found = [ms for at, ms in page.evaluate("window.longTasks") if at >= since]
    return {"longest task ms": max(found, default=0.0), "long tasks": len(found)}


def longest_cpu(browser: Browser, page: Page, act: Callable[[], object]) -> float:
    """The longest task of the page's main thread meanwhile, in ms of CPU."""
    browser.chromium.start_tracing(page=page, categories=TRACED)
    act()
    events = json.loads(browser.chromium.stop_tracing())["traceEvents"]
    main = {
        (event["pid"], event["tid"])
        for event in events
        if event["name"] == "thread_name" and event["args"]["name"] == "CrRendererMain"
    }
    return max(
        (
            event["tdur"] / 1000
            for event in events
            if (event["pid"], event["tid"]) in main and "tdur" in event
            if event["name"].endswith("RunTask")
        ),
        default=0.0,
    )


def now(page: Page) -> float:
    return page.evaluate("performance.now()")


def use(page: Page) -> None:
    """What a teacher does on the wall, by keyboard and mouse."""
    steps = (
        lambda: page.locator("li.tile .tile-open").first.focus(),
        lambda: page.keyboard.press("Control+a"),
        lambda: page.keyboard.press("Escape"),
        lambda: page.click("#spotlight-open"),
        lambda: page.select_option("#sort", "state"),
        lambda: page.select_option("#sort", "place"),
        lambda: page.fill("#search", "bench-00"),
        lambda: page.fill("#search", ""),
        lambda: page.select_option("#size", "320"),
        lambda: page.select_option("#size", "fit"),
        lambda: page.click("#spotlight-close"),
        lambda: page.click("#projector-on"),
        lambda: page.keyboard.press("Escape"),
    )
    for step in steps:
        step()
        page.wait_for_timeout(BETWEEN_MS)


def one_window(browser: Browser, stack: Product, window: dict[str, int], chosen) -> dict:
    """The figures of one window size."""
    page = browser.chromium.new_context(viewport=window).new_page()
    page.add_init_script(OBSERVE)
    sign_in(page, stack)
    page.goto(f"{stack.url}/observe/wall?room={ROOM}")
    wanted = min(chosen.desktops, 2)
    wait_until(lambda: page.evaluate(LIVE) >= wanted, 60, "live tiles")
    began = time.monotonic()
    while time.monotonic() - began < chosen.settle:
        page.wait_for_timeout(200)
    opening, since = longest(page, 0), now(page)
    found = watched(browser, {"server": stack.pids()}, stack.gateway, chosen.seconds)
    found.update(longest(page, since))
    found["live tiles"] = page.evaluate(LIVE)
    found["opening: longest task ms"] = opening["longest task ms"]
    still = chosen.seconds * 500
    found["longest task, CPU ms"] = longest_cpu(browser, page, lambda: page.wait_for_timeout(still))
    since = now(page)
    found["used: longest task, CPU ms"] = longest_cpu(browser, page, lambda: use(page))
    found["used: longest task ms"] = longest(page, since)["longest task ms"]
    found["pictures/s"] = page.evaluate(COUNT, COUNT_SECONDS)
    if chosen.pictures:
        page.screenshot(path=chosen.out / f"console-{window['height']}.png")
    page.context.close()
    return found


def measure(chosen) -> dict:
    found: dict[str, list[dict]] = {"blank": [], **{name: [] for name in WINDOWS}}
    with (
        LightRoom(chosen.desktops, "--steady") as room,
        Product() as stack,
        Browser() as browser,
    ):
        stack.register(room.ports, ROOM)
        for _ in range(chosen.rounds):
            page = browser.page()
            found["blank"].append(watched(browser, {}, stack.gateway, chosen.seconds / 2))
            page.context.close()
            for name in chosen.windows:
                found[name].append(one_window(browser, stack, WINDOWS[name], chosen))
    return {
        "desktops": chosen.desktops,
        "seconds": chosen.seconds,
        "rounds": chosen.rounds,
        "windows": {name: turns for name, turns in found.items() if turns},
    }


def tables(figures: dict) -> list[Table]:
    wall = next(turns for name, turns in figures["windows"].items() if name != "blank")
    names = {"blank": "blank page", **{name: f"wall, {name}" for name in WINDOWS}}
    order = [name for name in ("all in sight", "1920×1080", "blank") if name in figures["windows"]]
    columns = {names[name]: figures["windows"][name] for name in order}
    title = f"console: {figures['desktops']} workstations at 1/s in Chromium"
    cost = median(turn["browser CPU %"] for turn in wall)
    task = max(max(turn["longest task ms"], turn["used: longest task ms"]) for turn in wall)
    kinds = ("longest task, CPU ms", "used: longest task, CPU ms")
    busy = max(turn[kind] for turn in wall for kind in kinds)
    goals = [
        ["goal", "wanted", "found"],
        ["Chromium, % of a core", f"≤ {GOAL_PERCENT}", figure(cost)],
        ["longest task, watched or used, ms", f"≤ {GOAL_MS}", figure(task)],
        ["the same by CPU, ms", f"≤ {GOAL_MS}", figure(busy)],
    ]
    return [
        Table(title, side_by_side("median of the turns", columns)),
        Table("console: the goals, with all in sight", goals),
    ]


def main() -> None:
    parser = report.options(__doc__)
    parser.add_argument("--desktops", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--pictures", action="store_true", help="screenshots beside the JSON")
    chosen = parser.parse_args()
    chosen.windows, chosen.settle = list(WINDOWS), 10.0
    if chosen.quick:
        chosen.desktops, chosen.seconds, chosen.settle = 6, 3, 1.0
        chosen.windows = ["1920×1080"]
    report.publish("console", chosen, measure(chosen), tables)


if __name__ == "__main__":
    main()
