import json

from tests.eop.installation import API

CALLS = {
    "/api/v1/session": {"get", "post", "delete"},
    "/api/v1/rooms": {"get"},
    "/api/v1/classes": {"get"},
    "/api/v1/rooms/{room}/plan": {"get", "put"},
    "/api/v1/workstations": {"get"},
    "/api/v1/workstations/{workstation_id}": {"get"},
    "/api/v1/workstations/{workstation_id}/retry": {"post"},
    "/api/v1/workstations/{workstation_id}/rewind": {"get"},
    "/api/v1/workstations/{workstation_id}/rewind/{moment}": {"get"},
    "/api/v1/tickets": {"post"},
    "/api/v1/actions": {"post"},
    "/api/v1/lessons": {"post"},
    "/api/v1/lessons/current": {"get"},
    "/api/v1/lessons/{lesson_id}": {"delete"},
    "/api/v1/lessons/{lesson_id}/end": {"post"},
    "/api/v1/lessons/presets": {"get", "post"},
    "/api/v1/lessons/presets/{number}": {"put", "delete"},
    "/api/v1/documents": {"get", "post"},
    "/api/v1/documents/{document_id}": {"get"},
    "/api/v1/documents/{document_id}/collect": {"post"},
    "/api/v1/documents/{document_id}/return": {"post"},
    "/api/v1/documents/{document_id}/retry": {"post"},
    "/api/v1/documents/{document_id}/open": {"post"},
    "/api/v1/documents/{document_id}/remove": {"post"},
    "/api/v1/document-jobs/{number}": {"get"},
    "/api/v1/document-jobs/{number}/stop": {"post"},
    "/api/v1/document-jobs/{number}/go-on": {"post"},
    "/api/v1/uploads": {"post"},
    "/api/v1/uploads/{upload_id}": {"get", "put", "delete"},
    "/api/v1/uploads/{upload_id}/check": {"post"},
    "/api/v1/own-documents": {"get"},
    "/api/v1/own-documents/{document_id}/files": {"get", "post"},
    "/api/v1/own-documents/{document_id}/file": {"get"},
}


def test_the_api_describes_every_call_and_no_other(quiet):
    document = quiet.browser().open(f"{API}/openapi.json").json
    assert document["openapi"].startswith("3.")
    assert document["servers"] == [{"url": "/eoleapps/eop"}]
    described = {path: set(calls) - {"parameters"} for path, calls in document["paths"].items()}
    assert described == CALLS


def test_every_described_error_has_the_shape_of_the_contract(quiet):
    document = quiet.browser().open(f"{API}/openapi.json").json
    responses = document["paths"]["/api/v1/tickets"]["post"]["responses"]
    assert {"200", "400", "401", "403", "404", "413", "415", "422", "503"} <= set(responses)
    schema = document["components"]["schemas"]["Error"]["properties"]["error"]
    assert "ErrorBody" in json.dumps(schema)


def test_errors_of_the_framework_have_the_same_shape(quiet):
    browser = quiet.browser()
    for path, method, status in (
        (f"{API}/nowhere", "GET", 404),
        (f"{API}/rooms", "POST", 405),
        (f"{API}/session", "PUT", 405),
    ):
        answer = browser.open(path, method)
        assert answer.status_code == status
        assert set(answer.json) == {"error"}
        assert set(answer.json["error"]) == {"code", "message"}
    assert "GET" in browser.open(f"{API}/rooms", "POST").headers["Allow"]


def test_a_page_that_is_not_there_is_told_as_a_page(quiet):
    for path in ("/eoleapps/eop/nowhere", "/nowhere"):
        answer = quiet.browser().open(path)
        assert answer.status_code == 404
        assert answer.mimetype == "text/html"
        assert "<h1>Page not found</h1>" in answer.text
