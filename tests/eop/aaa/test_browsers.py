import pytest

from eop.aaa import browsers

CHROME = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Safari/537.36"


@pytest.mark.parametrize(
    ("browser", "words"),
    [
        (CHROME.format("Windows NT 10.0; Win64; x64"), "Chrome on Windows"),
        (CHROME.format("Windows NT 10.0") + " Edg/120.0", "Edge on Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:121.0) Gecko/20100101 Firefox/121.0",
         "Firefox on Linux"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) Version/17.0 Safari/604.1",
         "Safari on iPhone"),
        (CHROME.format("Linux; Android 14"), "Chrome on Android"),
        ("curl/8.5.0", "curl"),
        ("x" * 200, "x" * 40),
        ("", "Unknown browser"),
    ],
)  # fmt: skip
def test_a_browser_is_told_in_words(quiet, browser, words):
    with quiet_context(quiet):
        assert browsers.in_words(browser) == words


def quiet_context(quiet):
    from eop import application

    return application.create_root(quiet.parts).test_request_context("/")
