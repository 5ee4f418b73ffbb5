import re

from tests.eop.administration.pages import follow, get, send, words
from tests.eop.documents.conftest import give, send_up
from tests.eop.installation import API, MOUNT, error


def given(school, data=b"work", **more):
    made = give(school.signed_in(), data, **more)
    school.walk()
    return made["id"]


def test_signing_in_leads_a_student_to_his_documents(school):
    zoe = school.signed_in("zoe")
    answer = get(zoe, "/")
    assert answer.headers["Location"].endswith("/eleve/documents")
    assert "no document here yet" in words(follow(zoe, answer))
    given(school)
    assert "TP3" in words(get(zoe, "/eleve/documents"))
    assert "Will be collected" in words(get(zoe, "/eleve/documents"))


def test_a_file_is_read_and_that_is_noted(school):
    data = bytes(range(256)) * 3000  # three parts of a file
    number = given(school, data)
    zoe = school.signed_in("zoe")
    page = get(zoe, f"/eleve/documents/{number}")
    assert "devoir.odt" in words(page)
    answer = get(zoe, f"/eleve/documents/{number}/file", name="devoir.odt")
    assert answer.data == data
    assert answer.headers["Content-Length"] == str(len(data))
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["Content-Disposition"].startswith("attachment;")
    assert answer.headers["Content-Security-Policy"].endswith("; sandbox")
    assert "sandbox" not in page.headers["Content-Security-Policy"]
    told = school.signed_in().get(f"documents/{number}").json
    assert {one["login"]: bool(one["opened_at"]) for one in told["students"]} == {
        "ada": False, "malo": False, "zoe": True,
    }  # fmt: skip


def test_work_is_handed_in_and_collected(school):
    number = given(school)
    zoe = school.signed_in("zoe")
    upload = send_up(zoe, b"my work", "devoir.odt")
    page = follow(zoe, send(zoe, f"/eleve/documents/{number}/hand-in", file=upload))
    assert "Your work is in the folder" in words(page)
    assert (school.work("zoe") / "camille/TP33eB/devoir.odt").read_bytes() == b"my work"
    browser = school.signed_in()
    browser.post(f"documents/{number}/collect", {})
    school.walk()
    there = school.work("camille") / "ramasses/TP33eB/zoe/devoir.odt"
    assert there.read_bytes() == b"my work"
    assert school.parts.daemon.uploads() == [] or all(
        one.upload != upload for one in school.parts.daemon.uploads()
    )


def test_an_annex_stays_as_it_is(school):
    browser = school.signed_in()
    files = [
        {"upload": send_up(browser, b"x", "a.odt")},
        {"upload": send_up(browser, b"read me", "b.pdf"), "annex": True},
    ]
    body = {"reference": "TP", "class": "3eB", "files": files}
    number = browser.post("documents", body).json["id"]
    school.walk()
    zoe = school.signed_in("zoe")
    answer = zoe.post(f"own-documents/{number}/files", {"upload": send_up(zoe, b"!", "b.pdf")})
    assert error(answer) == (403, "read_only")
    listed = zoe.get(f"own-documents/{number}/files").json["files"]
    assert {one["name"]: one["kind"] for one in listed} == {"a.odt": "document", "b.pdf": "annex"}


def test_anothers_document_and_what_is_outside_are_not_there(school):
    number = given(school, students=["zoe"])
    malo = school.signed_in("malo")
    assert get(malo, f"/eleve/documents/{number}").status_code == 404
    assert malo.get(f"own-documents/{number}/files").status_code == 404
    assert malo.get("own-documents").json == []
    zoe = school.signed_in("zoe")
    secret = school.work("zoe") / "secret.txt"
    secret.write_text("secret")
    (school.work("zoe") / "camille/TP33eB/link").symlink_to(secret)
    for name in ("../secret.txt", "../../secret.txt", "/etc/passwd", "link", "nothing", "x" * 5000):
        answer = get(zoe, f"/eleve/documents/{number}/file", name=name)
        assert answer.status_code in {404, 422}, name
        assert "secret" not in re.sub(r"secret\.txt", "", answer.text)


def test_a_hidden_document_is_not_listed_before_its_moment(school):
    browser = school.signed_in()
    give(browser, hidden_until=school.parts.now_ms() + 3600_000)
    school.walk()
    zoe = school.signed_in("zoe")
    assert zoe.get("own-documents").json == []
    school.offset = 3601
    school.walk()
    assert [one["reference"] for one in zoe.get("own-documents").json] == ["TP3"]


def test_nothing_is_handed_in_to_a_plain_document(school):
    number = given(school, collect=False)
    zoe = school.signed_in("zoe")
    assert "Hand my work in" not in words(get(zoe, f"/eleve/documents/{number}"))
    give(school.signed_in(), reference="TP4")
    school.walk()  # for another one he may send up
    answer = zoe.post(f"own-documents/{number}/files", {"upload": send_up(zoe, b"!")})
    assert error(answer) == (409, "not_collected")


def test_a_teacher_has_no_page_of_a_student(school):
    assert get(school.signed_in("anna"), "/eleve/documents").status_code == 403
    assert error(school.signed_in("anna").get("own-documents")) == (403, "denied")


def test_while_the_files_are_away_the_page_says_so(school, files):
    number = given(school)
    files.kill()
    answer = get(school.signed_in("zoe"), f"/eleve/documents/{number}")
    assert answer.status_code == 503
    assert "The service of documents does not answer." in words(answer)
    assert MOUNT in answer.text


def test_a_strange_name_travels_in_the_head(school):
    number = given(school, name='a"b ж👩‍🏫.odt')
    zoe = school.signed_in("zoe")
    name = zoe.get(f"own-documents/{number}/files").json["files"][0]["name"]
    answer = zoe.open(f"{API}/own-documents/{number}/file", query_string={"name": name})
    assert answer.data == b"work"
    assert answer.headers["Content-Disposition"].isascii()
