import pytest

from eop.administration.pages import FUNCTIONS
from eop.i18n import role_name  # noqa: F401 - the roles below are those with a name
from tests.eop.administration.pages import get, send, words

PAGES = ("/admin/people", "/admin/substitutes", "/admin/screens", "/admin/rewind", "/admin/policy")
PAGES = (
    "/admin/people", "/admin/substitutes", "/admin/screens", "/admin/policy", "/admin/rooms",
    "/admin/workstations", "/admin/sessions", "/admin/settings", "/admin/health",
)  # fmt: skip
INSIDE = (
    "/admin/screens/close", "/admin/people/anna", "/admin/workstations/new",
    "/admin/workstations/import", "/admin/workstations/export", "/admin/rooms/rename?room=S12",
)  # fmt: skip


def test_the_administration_lists_what_one_may_open(school):
    school.add_user("olga", role="security_officer", rooms=(), classes=())
    page = get(school.signed_in("carla"), "/admin/")
    assert all(f'href="/eoleapps/eop{path}"' in page.text for path in PAGES)
    officer = get(school.signed_in("olga"), "/admin/")
    assert [path for path in PAGES if path in officer.text] == ["/admin/policy"]
    assert {"manage_people", "substitute", "close_screens", "explain_policy"} <= {
        one.action for one in FUNCTIONS
    }


@pytest.mark.parametrize("path", [*PAGES, *INSIDE])
def test_a_teacher_opens_none_of_these_pages(school, path):
    assert get(school.signed_in("anna"), path).status_code == 403
    assert get(school.browser(), path).status_code == 303
    assert get(school.signed_in("carla"), path).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/admin/rewind",
        "/admin/screens",
        "/admin/substitutes",
        "/admin/substitutes/1/remove",
        "/admin/people/anna",
        "/admin/people/anna/state",
        "/admin/people/anna/sessions",
        "/admin/people/anna/unlock",
        "/admin/workstations/new",
        "/admin/workstations/look",
        "/admin/workstations/ID",
        "/admin/workstations/ID/look",
        "/admin/workstations/ID/probe",
        "/admin/workstations/ID/remove",
        "/admin/workstations/import",
        "/admin/workstations/import/carry-out",
        "/admin/rooms/rename",
        "/admin/sessions/end",
        "/admin/sessions/end-all",
        "/admin/health",
    ],
)
def test_a_change_needs_the_right_and_the_token_of_its_session(school, path):
    path = path.replace("ID", school.id)
    teacher, forged = school.signed_in("anna"), school.signed_in("carla")
    before = school.parts.daemon.workstations()
    assert send(teacher, path, closed="yes", active="no").status_code == 403
    forged.csrf = "0" * 64
    assert send(forged, path, closed="yes", active="no").status_code == 403
    assert not school.parts.daemon.status().screens_closed
    assert school.parts.daemon.workstations() == before


@pytest.mark.parametrize("path", [one for one in (*PAGES, *INSIDE) if "export" not in one])
def test_the_pages_have_no_inline_script_or_style(school, path):
    page = get(school.signed_in("carla"), path)
    assert " style=" not in page.text
    assert "onclick" not in page.text
    assert "<h1>" in page.text
    assert "None" not in words(page)
