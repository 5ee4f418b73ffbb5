from itsdangerous import URLSafeSerializer

from eop.aaa import departures
from eop.aaa.departures import (
    LIVES_SECONDS,
    MAX_COOKIE_CHARACTERS,
    MOST,
    Departure,
    DepartureCookie,
)

KEY = "k" * 40
COOKIE = DepartureCookie(KEY)


def test_what_was_begun_is_read_again_for_ten_minutes():
    begun = departures.new("cas", "/page", "/home", 1000)
    value = COOKIE.written([begun])
    ends = 1000 + LIVES_SECONDS * 1000
    assert begun.ends_at == ends
    assert COOKIE.read(value, ends - 1) == [begun]
    assert COOKIE.read(value, ends) == []


def test_nobody_else_can_make_one():
    begun = departures.new("cas", "/page", "/home", 0)
    value = COOKIE.written([begun])
    assert DepartureCookie("l" * 40).read(value, 0) == []
    content, _, mark = value.rpartition(".")
    for changed in (
        content + "A." + mark,
        content + "." + ("A" if mark[0] != "A" else "B") + mark[1:],
    ):
        assert COOKIE.read(changed, 0) == []
    other_purpose = URLSafeSerializer(KEY, salt="eop.other").dumps([])
    for odd in ("", "x", "é", "a.b.c", other_purpose, "x" * (MAX_COOKIE_CHARACTERS + 1)):
        assert COOKIE.read(odd, 0) == []
    signed = URLSafeSerializer(KEY, salt="eop.sign_on")
    for odd in (7, None, {"a": 1}, [1], [{"name": "cas"}], [{"x": 1}]):
        assert COOKIE.read(signed.dumps(odd), 0) == []


def test_four_windows_may_sign_in_at_once_and_fit_into_a_cookie():
    longest = "/" + "é%" * 199 + "x"
    begun = [departures.new("oidc", longest, "/home", 0) for _ in range(MOST + 1)]
    assert len(longest) == 400
    assert begun[0].asked == longest
    value = COOKIE.written(begun)
    assert len(value) < MAX_COOKIE_CHARACTERS - 200
    assert COOKIE.read(value, 0) == begun[:MOST]


def test_a_page_with_too_long_an_address_gives_way():
    assert departures.new("cas", "/" + "a" * 399, "/home", 0).asked != "/home"
    assert departures.new("cas", "/" + "a" * 400, "/home", 0).asked == "/home"


def test_only_the_same_state_at_the_same_server_is_found():
    begun = departures.new("cas", "/page", "/home", 0)
    assert departures.find([begun], "cas", begun.state) == begun
    assert departures.find([begun], "oidc", begun.state) is None
    for state in ("", "s" * 43, begun.state + "a", begun.state[:-1]):
        assert departures.find([begun], "cas", state) is None
    odd = Departure("cas", "", "/page", 9)
    assert departures.find([odd], "cas", "") is None


def test_each_comes_back_once_and_is_forgotten_when_it_is_too_old(quiet):
    begun = departures.new("cas", "/page", "/home", 0)
    keys, database = quiet.parts.door.keys, quiet.parts.database
    for expected in (True, False, False):
        with database.write() as connection:
            assert departures.use(connection, keys, begun) is expected
    for now_ms, expected in ((begun.ends_at - 1, False), (begun.ends_at, True)):
        with database.write() as connection:
            departures.purge(connection, now_ms)
            assert departures.use(connection, keys, begun) is expected
