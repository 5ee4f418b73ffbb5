import pytest

from eop.administration import health
from eop.administration.health_run import Check, Run
from tests.desktops import wait_until
from tests.eop.administration.pages import follow, get, send, words

PATH = "/admin/health"
PASSED = [Check(name, True, "fine", milliseconds=1.2) for name in health.LABELS]


@pytest.fixture
def boss(school):
    return school.signed_in("carla")


@pytest.fixture
def shown(boss, monkeypatch):
    """The page of a run that ended so."""

    def page(*failed, state="ended", report="*** EOP", checks=PASSED):
        changed = {one.name: one for one in failed}
        made = tuple(changed.get(one.name, one) for one in checks)
        run = Run(0, "carla", state, made, report, 1.4)
        monkeypatch.setattr(health.Health, "last", run)
        return get(boss, PATH)

    return page


def failed(name, command=None):
    return Check(name, False, f"{name} <b>is away</b>", f"start it: {command}", command)


def test_before_the_first_run_the_page_says_so(school, boss):
    page = get(boss, PATH)
    assert "Nothing was checked since the site was started." in words(page)
    assert "Workstations that answer 0 of 1" in words(page)
    assert "Open sessions 1" in words(page)
    assert "data-again" not in page.text


def test_when_all_is_well_lessons_can_go_on(shown):
    page = shown()
    assert "Everything works: lessons can go on. Checks that passed: 12." in words(page)
    assert "To be mended" not in words(page)
    assert "Correct The gateway listens fine · 1.2 ms" in words(page)
    assert '<pre class="import-error" id="report">*** EOP</pre>' in page.text


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        *((name, "Lessons cannot go on: screens do not open.") for name in sorted(health.SCREENS)),
        *((name, "signing in does not work.") for name in sorted(health.SIGN_IN)),
    ],
)
def test_what_failed_says_whether_lessons_can_go_on(shown, name, sentence):
    page = shown(failed(name, "systemctl start x"))
    assert sentence in words(page)
    assert "Checks that failed: 1 of 12." in words(page)
    assert "<code>systemctl start x</code>" in page.text
    assert "&lt;b&gt;is away&lt;/b&gt;" in page.text
    assert words(page).index("To be mended") < words(page).index("Ports")


def test_a_check_that_is_not_known_here_is_among_the_others(shown):
    new = [*PASSED, Check("backup", True, "tonight")]
    page = shown(checks=new)
    assert "Others 1 Correct backup tonight" in words(page)
    page = shown(failed("backup"), checks=new)
    assert "Lessons can go on, but something is to be mended." in words(page)


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("too_long", "The checks took too long and were ended."),
        ("failed", "The checks ended before they were done."),
    ],
)
def test_a_run_that_came_to_nothing_is_told(shown, state, sentence):
    page = shown(state=state, report="", checks=PASSED[:2])
    assert sentence in words(page)
    assert "Copy the report" not in page.text


def test_while_it_runs_each_line_is_shown_and_the_page_renews_itself(shown):
    page = shown(state="running", report="", checks=PASSED[:2])
    assert "2 checks done…" in words(page)
    assert "data-again" in page.text
    assert '<noscript><meta http-equiv="refresh"' in page.text


def test_the_command_is_run_and_finds_what_is_not_there(school, boss):
    page = follow(boss, send(boss, PATH))
    assert "check" in words(page)
    wait_until(lambda: "data-again" not in get(boss, PATH).text, 40, "the end of the checks")
    page = words(get(boss, PATH))
    assert "Lessons cannot go on: screens do not open." in page
    assert "systemctl start eoleflask" in page
    assert "Site and controle-vnc hold the same secret" in page
    assert ".            controle-vnc => Ok" in get(boss, PATH).text.replace("&gt;", ">")


def test_only_one_runs_at_a_time(boss, monkeypatch):
    monkeypatch.setattr(health.Health, "start", lambda *_: False)
    page = follow(boss, send(boss, PATH))
    assert "The checks are running already" in words(page)


def test_a_command_that_cannot_be_started_is_told(boss, monkeypatch):
    def fail(*_):
        raise FileNotFoundError("no python")

    monkeypatch.setattr(health.Health, "start", fail)
    page = follow(boss, send(boss, PATH))
    assert "The checks could not be started" in words(page)


def test_a_daemon_that_is_down_leaves_figures_out(school, boss):
    school.stop_daemon()
    page = words(get(boss, PATH))
    assert "Workstations that answer" not in page
    assert "Free on the disk" in page
