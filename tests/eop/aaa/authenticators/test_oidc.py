"""OpenID Connect against the real provider process of tests.fakes, and against hostile ones."""

import base64
import hashlib
import hmac
import json
import time
from urllib.parse import parse_qs, parse_qsl, unquote_plus, urlsplit

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from eop.aaa.authenticators import oidc_tokens
from eop.aaa.authenticators.base import AuthenticatorDownError, Trip
from eop.aaa.authenticators.oidc import Client, OidcSignOn
from eop.aaa.authenticators.oidc_provider import Provider
from eop.aaa.authenticators.outbound import Bounds
from tests.desktops import free_port
from tests.fakes.scripted_http import ScriptedServer, whole
from tests.oidc_server import OidcServer
from tests.server_process import ModuleProcess

CALLBACK = "https://eop.example/login/oidc/callback"
NOW = int(time.time())
SHORT = Bounds(connect=1.0, read=0.4, whole=0.8)
CLIENT = Client("eop", "a secret", ("openid",))


def trip(**changes):
    values = {
        "callback": CALLBACK, "state": "s" * 43, "nonce": "n" * 64, "verifier": "v" * 64,
        "now_ms": NOW * 1000,
    }  # fmt: skip
    return Trip(**values | changes)


def trip_now(**changes):
    """A trip at the time of the providers that are processes of their own."""
    return trip(now_ms=int(time.time() * 1000), **changes)


@pytest.fixture(scope="module")
def issuer():
    """Where a real provider answers."""
    port = free_port()
    address = f"http://localhost:{port}"
    arguments = (
        "--port", str(port), "--user", "camille:pw", "--issuer", address, "--client", "eop",
        "--secret", "a secret", "--redirect", CALLBACK,
    )  # fmt: skip
    with ModuleProcess("tests.fakes.oidc_server", *arguments):
        yield address


def signed_on(address, username="camille"):
    """What the provider sends a browser back with, as the arguments of the callback."""
    with requests.Session() as browser:
        assert "password" in browser.get(address, timeout=5).text
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        answer = browser.post(
            address.partition("?")[0],
            data=asked | {"username": username, "password": "pw"},
            allow_redirects=False,
            timeout=5,
        )
    return {n: v[0] for n, v in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def test_a_code_says_who_it_is(issuer):
    sign_on = OidcSignOn(Provider(issuer), CLIENT)
    here = trip_now()
    address = sign_on.begin(here)
    asked = parse_qs(urlsplit(address).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert here.verifier not in address
    arguments = signed_on(address)
    assert (arguments["state"], arguments["iss"]) == (here.state, issuer)
    who = sign_on.finish(here, arguments)
    assert (who.login, who.authenticator) == ("camille", "oidc")
    assert who.ticket.startswith("oidc:sid:")
    assert sign_on.finish(here, arguments) is None  # a code is good once


@pytest.mark.parametrize("other", [{"verifier": "w" * 64}, {"callback": CALLBACK + "x"}])
def test_a_code_of_another_trip_proves_nothing(issuer, other):
    sign_on = OidcSignOn(Provider(issuer), CLIENT)
    arguments = signed_on(sign_on.begin(trip_now()))
    assert sign_on.finish(trip_now(**other), arguments) is None


def test_a_token_for_another_nonce_proves_nothing(issuer):
    sign_on = OidcSignOn(Provider(issuer), CLIENT)
    arguments = signed_on(sign_on.begin(trip_now()))
    assert sign_on.finish(trip_now(nonce="o" * 64), arguments) is None


def test_a_wrong_client_secret_is_told_to_the_log_and_not_as_a_refusal(issuer):
    sign_on = OidcSignOn(Provider(issuer), Client("eop", "wrong"))
    with pytest.raises(AuthenticatorDownError, match="answers invalid_client"):
        sign_on.finish(trip_now(), signed_on(sign_on.begin(trip_now())))


def test_signing_out_leads_to_the_provider_and_back(issuer):
    address = OidcSignOn(Provider(issuer), CLIENT).sign_out_address("https://eop.example/login")
    assert address == (
        f"{issuer}/logout?client_id=eop&post_logout_redirect_uri=https%3A%2F%2Feop.example%2Flogin"
    )


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256"])
@pytest.mark.parametrize("secret", ["", "100 % + more: &="])
def test_a_maintained_provider_says_who_it_is(secret, algorithm):
    """A public client, and one with a secret of any characters; the login by userinfo."""
    client = {
        "client_id": "eop",
        "redirect_uris": [CALLBACK],
        "id_token_signed_response_alg": algorithm,
        "backchannel_logout_uri": "https://eop.example/login/oidc",
        "backchannel_logout_session_required": True,
        **({"client_secret": secret} if secret else {"token_endpoint_auth_method": "none"}),
    }
    with OidcServer(client, {"camille": "pw"}) as server:
        provider = Provider(server.issuer)
        sign_on = OidcSignOn(provider, Client("eop", secret))
        typed = {"username": "camille", "password": "pw"}
        with requests.Session() as browser:
            form = browser.get(sign_on.begin(trip_now()), timeout=5)
            answer = browser.post(form.url, data=typed, allow_redirects=False, timeout=5)
            answer = browser.get(answer.headers["Location"], allow_redirects=False, timeout=5)
        arguments = dict(parse_qsl(urlsplit(answer.headers["Location"]).query))
        assert arguments["iss"] == server.issuer
        who = sign_on.finish(trip_now(), arguments)
        assert sign_on.finish(trip_now(), arguments) is None  # a code is good once
    assert (who.login, who.ticket.split(":")[:2]) == ("camille", ["oidc", "sid"])


KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "one", "use": "sig"})


class Hostile:
    """A provider whose every answer a test may change; its tokens are of the time it is given."""

    def __init__(self, now=NOW):
        self.now = now
        self.server = ScriptedServer(self.answer)
        self.keys = [KEY]
        self.described, self.claims, self.token, self.more = {}, {}, None, {}
        self.raw: dict[str, object] = {}

    def __enter__(self):
        self.server.__enter__()
        self.sign_on = OidcSignOn(Provider(self.server.url, bounds=SHORT), CLIENT)
        return self

    def __exit__(self, *error):
        self.server.__exit__(*error)

    def answer(self, _method, path, _body):
        path = path.partition("?")[0]
        if path in self.raw:
            return self.raw[path]
        base = self.server.url
        answers = {
            "/.well-known/openid-configuration": {
                "issuer": base, "authorization_endpoint": base + "/authorize",
                "token_endpoint": base + "/token", "jwks_uri": base + "/jwks",
                "userinfo_endpoint": base + "/userinfo", **self.described,
            },
            "/jwks": {"keys": [one.as_dict(private=False) for one in self.keys]},
            "/token": {"access_token": "at", "token_type": "Bearer", **self.issued()},
            "/userinfo": {"sub": "s", "preferred_username": "camille", **self.more},
        }  # fmt: skip
        return whole(json.dumps(answers[path]).encode(), Content_Type="application/json")

    def issued(self):
        if self.token is None:
            return {"id_token": jwt.encode({"alg": "RS256", "kid": "one"}, self.id_claims(), KEY)}
        return {"id_token": self.token} if self.token else {}

    def id_claims(self):
        claims = {
            "iss": self.server.url, "aud": "eop", "sub": "s", "exp": self.now + 300,
            "iat": self.now, "nonce": "n" * 64, "preferred_username": "camille", **self.claims,
        }  # fmt: skip
        return {name: value for name, value in claims.items() if value is not None}

    def finish(self, **arguments):
        return self.sign_on.finish(trip(), {"code": "c", **arguments})


@pytest.fixture
def hostile():
    with Hostile() as provider:
        yield provider


def test_the_scripted_provider_works_where_it_is_right(hostile):
    assert hostile.finish().login == "camille"
    assert hostile.finish(iss=hostile.server.url).ticket == "oidc:sub:s"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": ["eop", "another"]},  # without azp
        {"aud": ["eop", "another"], "azp": "another"},
        {"aud": None},
        {"exp": NOW - 61},
        {"exp": None},
        {"exp": "never"},
        {"exp": True},
        {"iat": NOW + 120},
        {"iat": None},
        {"nbf": NOW + 120},
        {"nonce": "m" * 64},
        {"nonce": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
    ],
)
def test_a_token_whose_claims_are_not_for_us_proves_nothing(hostile, claims):
    hostile.claims = claims
    assert hostile.finish() is None


@pytest.mark.parametrize(
    "claims", [{"exp": NOW - 50}, {"aud": ["eop"]}, {"aud": ["eop", "x"], "azp": "eop"}]
)
def test_a_clock_that_differs_a_little_and_a_list_of_one_are_taken(hostile, claims):
    hostile.claims = claims
    assert hostile.finish().login == "camille"


def unsigned(claims, header):
    parts = [json.dumps(one).encode() for one in (header, claims)]
    return ".".join(base64.urlsafe_b64encode(one).decode().rstrip("=") for one in parts) + "."


def hmac_signed(claims, secret):
    """As an attacker would by hand: the library refuses to sign with a public key."""
    begin = unsigned(claims, {"alg": "HS256", "kid": "one"}).rstrip(".")
    mark = hmac.new(secret, begin.encode(), hashlib.sha256).digest()
    return f"{begin}.{base64.urlsafe_b64encode(mark).decode().rstrip('=')}"


def forged(kind, claims):
    """Tokens that no provider has signed so."""
    right = jwt.encode({"alg": "RS256", "kid": "one"}, claims, KEY)
    head, body, mark = right.split(".")
    changed = base64.urlsafe_b64encode(json.dumps(claims | {"sub": "x"}).encode()).decode()
    own = {"alg": "RS256", "jwk": OTHER_KEY.as_dict(private=False)}
    elliptic = ECKey.generate_key("P-256")
    return {
        "none": unsigned(claims, {"alg": "none"}),
        "None": unsigned(claims, {"alg": "None", "kid": "one"}),
        "HS256 with the public key": hmac_signed(claims, KEY.as_pem(private=False)),
        "HS256 with the client secret": hmac_signed(claims, CLIENT.secret.encode()),
        "another key": jwt.encode({"alg": "RS256", "kid": "one"}, claims, OTHER_KEY),
        "a key of its own": jwt.encode(own, claims, OTHER_KEY),
        "another kind of key": jwt.encode({"alg": "ES256", "kid": "one"}, claims, elliptic),
        "other claims": f"{head}.{changed.rstrip('=')}.{mark}",
        "no signature": f"{head}.{body}.",
        "two parts": f"{head}.{body}",
        "five parts": right + ".a.b",
        "odd kid": unsigned(claims, {"alg": "RS256", "kid": ["one"]}),
        "no object": unsigned([1], {"alg": "RS256"}),
        "too long": right + "A" * oidc_tokens.MAX_TOKEN_CHARACTERS,
        "a number": 7,
        "nothing": "",
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "none", "None", "HS256 with the public key", "HS256 with the client secret", "another key",
        "a key of its own", "another kind of key", "other claims", "no signature", "two parts",
        "five parts", "odd kid", "no object", "too long", "a number", "nothing",
    ],
)  # fmt: skip
def test_a_forged_token_proves_nothing(hostile, kind):
    hostile.token = forged(kind, hostile.id_claims())
    assert hostile.finish() is None


@pytest.mark.parametrize("algorithm", ["PS256", "ES256", "RS512"])
def test_other_asymmetric_algorithms_are_taken(hostile, algorithm):
    key = ECKey.generate_key("P-256", {"kid": "e"}) if algorithm == "ES256" else KEY
    hostile.keys = [KEY, key]
    header = {"alg": algorithm, "kid": key.kid}
    hostile.token = jwt.encode(header, hostile.id_claims(), key, [algorithm])
    assert hostile.finish().login == "camille"


def test_a_token_without_a_key_id_is_held_against_every_key(hostile):
    second = RSAKey.generate_key(2048, {"kid": "two"})
    hostile.keys = [KEY, second]
    hostile.token = jwt.encode({"alg": "RS256"}, hostile.id_claims(), second)
    assert hostile.finish().login == "camille"


def test_renewed_keys_are_fetched_and_not_for_every_stranger(hostile):
    assert hostile.finish()
    renewed = RSAKey.generate_key(2048, {"kid": "two"})
    hostile.keys = [renewed]
    hostile.token = jwt.encode({"alg": "RS256", "kid": "two"}, hostile.id_claims(), renewed)
    now = [time.monotonic() + 31]
    hostile.sign_on._provider._keys._steady = lambda: now[0]
    assert hostile.finish().login == "camille"
    hostile.token = jwt.encode({"alg": "RS256", "kid": "x"}, hostile.id_claims(), OTHER_KEY)
    before = len([one for one in hostile.server.asked if one[1] == "/jwks"])
    for _ in range(3):
        assert hostile.finish() is None
    assert len([one for one in hostile.server.asked if one[1] == "/jwks"]) == before
    now[0] += 31
    assert hostile.finish() is None
    assert len([one for one in hostile.server.asked if one[1] == "/jwks"]) == before + 1


@pytest.mark.parametrize(
    "arguments",
    [
        {"iss": "https://evil.example"},
        {"error": "access_denied"},
        {"error": "x\ny" * 100},
        {"code": ""},
        {"code": "é"},
        {"code": "c" * 4001},
    ],
)
def test_an_answer_that_is_no_code_of_this_provider_proves_nothing(hostile, arguments):
    assert hostile.finish(**arguments) is None
    assert not [one for one in hostile.server.asked if one[1] == "/token"]


@pytest.mark.parametrize(
    "described",
    [
        {"issuer": "https://evil.example"},
        {"issuer": None},
        {"token_endpoint": "http://192.0.2.1/token"},
        {"token_endpoint": None},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"authorization_endpoint": "https://user:pw@idp.example/"},
        {"end_session_endpoint": "http://192.0.2.1/"},
        {"userinfo_endpoint": 7},
    ],
)
def test_a_provider_that_describes_itself_otherwise_is_not_used(hostile, described):
    hostile.described = described
    with pytest.raises(AuthenticatorDownError):
        hostile.sign_on.begin(trip())


def endless(*_):
    yield b"HTTP/1.1 200 OK\r\n\r\n"
    while True:
        yield b" " * 1000


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks", "/token"])
@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (lambda: whole(b""), "JSONDecodeError|ValueError|JSON"),
        (lambda: whole(b"[]"), "JSON|ValueError"),
        (lambda: whole(b"[" * 100_000), "RecursionError|ValueError|JSON"),
        (lambda: whole(b"{}", "500 Oh"), "500|HTTPError"),
        (lambda: whole(b"", "302 Found", Location="http://192.0.2.1/"), "leads elsewhere"),
        (endless, "larger than"),
    ],
)
def test_an_endpoint_that_answers_otherwise_is_down(hostile, path, answer, words):
    hostile.raw[path] = answer()
    with pytest.raises(AuthenticatorDownError, match=words):
        hostile.finish()


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/jwks", "/token"])
def test_an_endpoint_that_is_slow_is_down(hostile, path):
    def slow():
        yield b"HTTP/1.1 200 OK\r\n"
        hostile.server.pause(5)

    hostile.raw[path] = slow()
    with pytest.raises(AuthenticatorDownError, match="ReadTimeout"):
        hostile.finish()


def test_the_login_may_come_from_userinfo_of_the_same_subject_alone(hostile):
    hostile.claims = {"preferred_username": None}
    assert hostile.finish().login == "camille"
    hostile.more = {"sub": "another"}
    with pytest.raises(AuthenticatorDownError, match="another subject"):
        hostile.finish()
    hostile.more = {"preferred_username": None}
    with pytest.raises(AuthenticatorDownError, match="no preferred_username"):
        hostile.finish()


@pytest.mark.parametrize("login", ["", " ", "a\0b", "a\nb", "\ud800", "x" * 257, 7, ["camille"]])
def test_a_login_that_cannot_be_one_is_told(hostile, login):
    hostile.claims, hostile.more = {"preferred_username": None}, {"preferred_username": login}
    with pytest.raises(AuthenticatorDownError, match="no preferred_username"):
        hostile.finish()


def test_userinfo_does_not_change_what_was_signed(hostile):
    hostile.claims = {"preferred_username": None, "sid": "right"}
    hostile.more = {"sid": "wrong"}
    assert hostile.finish().ticket == "oidc:sid:right"


@pytest.mark.parametrize(
    ("verified", "demanded", "is_let_in"),
    [(True, True, True), (False, True, False), (None, True, False), ("true", True, False),
     (False, False, True)],
)  # fmt: skip
def test_an_address_must_be_verified_to_be_a_login(hostile, verified, demanded, is_let_in):
    client = Client("eop", "s", login_claim="email", email_verified=demanded)
    sign_on = OidcSignOn(Provider(hostile.server.url, bounds=SHORT), client)
    hostile.claims = {"email": "camille@school.example", "email_verified": verified}
    who = sign_on.finish(trip(), {"code": "c"})
    assert (who.login if who else None) == ("camille@school.example" if is_let_in else None)


def test_a_secret_is_sent_where_the_provider_takes_it(hostile):
    for described, client, expected in (
        ({}, CLIENT, "basic"),
        ({"token_endpoint_auth_methods_supported": ["client_secret_post"]}, CLIENT, "post"),
        ({}, Client("eop"), "none"),
    ):
        hostile.described = described
        sign_on = OidcSignOn(Provider(hostile.server.url, bounds=SHORT), client)
        assert sign_on.finish(trip(), {"code": "c"}).login == "camille"
        _, _, headers, body = next(
            one for one in reversed(hostile.server.asked) if one[0] == "POST"
        )
        sent = {
            "basic": headers.get("Authorization", "").startswith("Basic "),
            "post": b"client_secret=a+secret" in body,
            "none": b"client_id=eop" in body and b"client_secret" not in body,
        }
        assert [name for name, found in sent.items() if found] == [expected]


@pytest.mark.parametrize("secret", ["a secret", "100 % + more: &=", "clé", "日本", "a-b_c.d~e"])
def test_a_secret_of_any_characters_reaches_the_provider(hostile, secret):
    """RFC 6749, 2.3.1: both are encoded as in a form, and the provider decodes them."""
    client = Client("eop:é", secret)
    hostile.claims = {"aud": client.id}
    sign_on = OidcSignOn(Provider(hostile.server.url, bounds=SHORT), client)
    assert sign_on.finish(trip(), {"code": "c"}).login == "camille"
    headers = next(one[2] for one in hostile.server.asked if one[0] == "POST")
    words = base64.b64decode(headers["Authorization"].removeprefix("Basic ")).decode("ascii")
    assert [unquote_plus(word) for word in words.split(":")] == [client.id, secret]


def test_keys_that_cannot_check_a_signature_are_left_out():
    short = {"kty": "RSA", "n": "A" * 300, "e": "AQAB"}
    odd = [short, {"kty": "oct", "k": "AAAA"}, {"kty": "RSA"}, {"kty": "EC", "crv": "x"}, 7, {}]
    public = KEY.as_dict(private=False)
    assert len(oidc_tokens.keys_of({"keys": [*odd, public, public | {"use": "enc"}]})) == 1
    for bad in ({}, [], {"keys": 7}, {"keys": odd}):
        with pytest.raises(oidc_tokens.TokenError):
            oidc_tokens.keys_of(bad)


@given(st.one_of(st.text(max_size=200), st.from_regex(r"[\w-]{0,40}(\.[\w-]{0,40}){2}")))
def test_no_text_breaks_the_reading_of_a_token(text):
    with pytest.raises(oidc_tokens.TokenError):
        oidc_tokens.logout_claims(text, (KEY,), issuer="i", client="c", now_ms=0)


EVENT = {oidc_tokens.LOGOUT_EVENT: {}}


def logout_token(hostile, typ="logout+jwt", **changes):
    claims = {
        "iss": hostile.server.url, "aud": "eop", "iat": NOW, "jti": "j", "events": EVENT,
        "sid": "one", "sub": "s", **changes,
    }  # fmt: skip
    claims = {name: value for name, value in claims.items() if value is not None}
    return jwt.encode({"alg": "RS256", "kid": "one", "typ": typ}, claims, KEY)


def ended(hostile, token):
    return hostile.sign_on.ended({"logout_token": token}, NOW * 1000)


def test_a_logout_token_names_a_session_or_a_subject(hostile):
    assert ended(hostile, logout_token(hostile)) == ["oidc:sid:one", "oidc:sub:s"]
    assert ended(hostile, logout_token(hostile, sid=None)) == ["oidc:sub:s"]
    assert ended(hostile, logout_token(hostile, sub=None, typ="JWT")) == ["oidc:sid:one"]
    assert ended(hostile, logout_token(hostile, exp=NOW + 10)) == ["oidc:sid:one", "oidc:sub:s"]


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"iat": NOW - 301},
        {"iat": NOW + 120},
        {"iat": None},
        {"iat": float("1e400")},
        {"exp": NOW - 61},
        {"events": {}},
        {"events": None},
        {"events": {oidc_tokens.LOGOUT_EVENT: True}},
        {"nonce": "n" * 64},
        {"jti": None},
        {"sid": None, "sub": None},
        {"sid": 7, "sub": "x" * 256},
        {"typ": "at+jwt"},
    ],
)
def test_what_is_no_logout_token_ends_nothing(hostile, changes):
    assert ended(hostile, logout_token(hostile, **changes)) is None


def test_an_id_token_and_a_forged_one_end_nothing(hostile):
    assert ended(hostile, jwt.encode({"alg": "RS256"}, hostile.id_claims(), KEY)) is None
    for kind in ("none", "HS256 with the public key", "another key"):
        claims = {"iss": hostile.server.url, "aud": "eop", "iat": NOW, "events": EVENT}
        assert ended(hostile, forged(kind, claims | {"jti": "j", "sub": "s"})) is None
    assert hostile.sign_on.ended({}, NOW * 1000) is None
