import pytest

from eop.documents import jobs, store
from eop.documents.jobs import NewJob
from eop.documents.store import Document, DocumentFile


@pytest.fixture
def given(quiet):
    """A document of Camille's to two students; one has it."""
    quiet.add_user()
    now = quiet.parts.now_ms()
    document = Document(
        "a" * 32, "camille", "camille", "Camille", "Rédaction\n3", "3eB", True, "Rédaction3eB",
        True, now,
    )  # fmt: skip
    with quiet.parts.database.write() as connection:
        file = DocumentFile("b" * 32, "a.odt", 1, "c" * 64, False)
        store.add(connection, document, [file], [("zoe", "Zoé"), ("malo", "Malo")])
        job = jobs.add(connection, NewJob(document.id, "place", ["zoe", "malo"], now))
        store.change_student(connection, document.id, "zoe", {"placed_at": now})
        step = jobs.due(connection, jobs.get(connection, job), ["malo"])
        jobs.settle(connection, step, jobs.DONE)
    return quiet


def test_documents_are_listed_with_how_far_they_are(given, eopctl):
    listed = eopctl("document", "list", "--json").json
    assert [(one["teacher"], one["state"], one["jobs"]) for one in listed] == [
        (
            "camille", "collect",
            [{"id": 1, "kind": "place", "done": 1, "failed": 0, "total": 2, "held": None}],
        )
    ]  # fmt: skip
    assert listed[0]["counts"]["placed"] == 1
    text = eopctl("document", "list").out
    assert "Rédaction?3" in text
    assert "place 1/2" in text


def test_those_of_one_teacher_are_listed(given, eopctl):
    assert "camille" in eopctl("document", "list", "--teacher", "CAMILLE").out
    assert eopctl("document", "list", "--teacher", "anna").out.strip() == "no documents"
