"""An OpenID Connect provider: `python -m tests.fakes.oidc_server --port 9000 --issuer URL …`.

It conforms to OpenID Connect Discovery 1.0 (4), Core 1.0 (3.1.2 authorization code with 3.1.3
token endpoint and 3.1.3.6 ID token, 5.3 userinfo, 10.1 keys), RFC 7636 (PKCE, S256 demanded),
RFC 9207 (`iss` in the answer), RP-Initiated Logout 1.0 (2, 3) and Back-Channel Logout 1.0 (2.4,
2.5). One confidential client with one redirect address; signed with RS256.

Journeys meet a maintained provider (tests.oidc_server). This one is for the tests beneath them: it
starts at once, without node, and takes a client at `https://` names that do not exist.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from urllib.parse import unquote_plus, urlencode

import requests
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.fakes.pages import PageHandler, arguments, serve

CODE_SECONDS = 60
TOKEN_SECONDS = 300

lock = threading.Lock()
users: dict[str, str] = {}
sessions: dict[str, str] = {}  # sid: login
codes: dict[str, dict[str, str]] = {}  # code: what was asked, with sid and end
access: dict[str, str] = {}  # access token: login
key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": secrets.token_hex(4)})


def subject(login: str) -> str:
    return "sub-" + hashlib.sha256(login.encode()).hexdigest()[:16]


def signed(kind: str, claims: dict[str, object]) -> str:
    now = int(time.time())
    common = {"iss": given.issuer, "aud": given.client, "iat": now, "exp": now + TOKEN_SECONDS}
    return jwt.encode({"alg": "RS256", "kid": key.kid, "typ": kind}, common | claims, key)


class OidcHandler(PageHandler):
    def get__well_known_openid_configuration(self, _asked: dict[str, str]) -> None:
        issuer = given.issuer
        self.json(
            {
                "issuer": issuer,
                "authorization_endpoint": issuer + "/authorize",
                "token_endpoint": issuer + "/token",
                "userinfo_endpoint": issuer + "/userinfo",
                "jwks_uri": issuer + "/jwks",
                "end_session_endpoint": issuer + "/logout",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid", "profile"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic"],
                "code_challenge_methods_supported": ["S256"],
                "backchannel_logout_supported": True,
                "backchannel_logout_session_supported": True,
                "authorization_response_iss_parameter_supported": True,
            }
        )

    def get_jwks(self, _asked: dict[str, str]) -> None:
        self.json({"keys": [key.as_dict(private=False)]})

    def get_authorize(self, asked: dict[str, str]) -> None:
        """3.1.2.2: what is wrong with the address to return to is told here, the rest there."""
        if asked.get("client_id") != given.client or asked.get("redirect_uri") != given.redirect:
            self.page("Wrong client or redirect_uri", "", 400)
        elif (
            asked.get("response_type") != "code"
            or "openid" not in asked.get("scope", "").split()
            or asked.get("code_challenge_method") != "S256"
            or len(asked.get("code_challenge", "")) != 43
        ):
            self.back(asked, {"error": "invalid_request"})
        elif self.cookie("op_session") in sessions:
            self.grant(asked, self.cookie("op_session"))
        else:
            self.form("Provider", asked)

    def post_authorize(self, typed: dict[str, str]) -> None:
        login = typed.get("username", "")
        if login not in users or users[login] != typed.get("password"):
            hidden = {n: v for n, v in typed.items() if n not in {"username", "password"}}
            self.form("Provider", hidden, "Wrong.")
            return
        assert typed["redirect_uri"] == given.redirect
        sid = secrets.token_urlsafe(16)
        sessions[sid] = login
        self.grant(typed, sid, Set_Cookie=f"op_session={sid}; Path=/; HttpOnly; SameSite=Lax")

    def grant(self, asked: dict[str, str], sid: str, **headers: str) -> None:
        code = secrets.token_urlsafe(24)
        with lock:
            codes[code] = asked | {"sid": sid, "ends": str(time.monotonic() + CODE_SECONDS)}
        self.back(asked, {"code": code}, **headers)

    def back(self, asked: dict[str, str], answer: dict[str, str], **headers: str) -> None:
        query = urlencode(answer | {"state": asked.get("state", ""), "iss": given.issuer})
        self.redirect(f"{asked['redirect_uri']}?{query}", **headers)

    def post_token(self, sent: dict[str, str]) -> None:
        """3.1.3.2: client, code (once), redirect address and PKCE's verifier must be right."""
        if not self.is_client():
            self.json({"error": "invalid_client"}, 401)
            return
        with lock:
            asked = codes.pop(sent.get("code", ""), None)
        challenge = base64.urlsafe_b64encode(
            hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        )
        if (
            asked is None
            or sent.get("grant_type") != "authorization_code"
            or float(asked["ends"]) < time.monotonic()
            or asked["redirect_uri"] != sent.get("redirect_uri")
            or asked["code_challenge"] != challenge.decode().rstrip("=")
        ):
            self.json({"error": "invalid_grant"}, 400)
            return
        login = sessions[asked["sid"]]
        token = secrets.token_urlsafe(24)
        access[token] = login
        claims = {
            "sub": subject(login),
            "nonce": asked["nonce"],
            "sid": asked["sid"],
            "auth_time": int(time.time()),
        }
        self.json(
            {
                "access_token": token,
                "token_type": "Bearer",
                "expires_in": TOKEN_SECONDS,
                "id_token": signed("JWT", claims),
            }
        )

    def is_client(self) -> bool:
        kind, _, words = self.headers.get("Authorization", "").partition(" ")
        if kind != "Basic":
            return False
        name, _, secret = base64.b64decode(words).decode().partition(":")
        return (unquote_plus(name), unquote_plus(secret)) == (given.client, given.secret)

    def get_userinfo(self, _asked: dict[str, str]) -> None:
        kind, _, token = self.headers.get("Authorization", "").partition(" ")
        if kind != "Bearer" or token not in access:
            self.json({"error": "invalid_token"}, 401)
            return
        login = access[token]
        self.json({"sub": subject(login), "preferred_username": login})

    def get_logout(self, asked: dict[str, str]) -> None:
        """RP-Initiated Logout 2: end the session, tell the client's back channel, and go back."""
        sid = self.cookie("op_session")
        login = sessions.pop(sid, None)
        if login is not None and given.backchannel:
            claims: dict[str, object] = {
                "sub": subject(login),
                "sid": sid,
                "jti": secrets.token_hex(8),
                "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
            }
            token = signed("logout+jwt", claims)
            requests.post(given.backchannel, data={"logout_token": token}, timeout=5)
        expired = "op_session=; Path=/; Max-Age=0"
        back = asked.get("post_logout_redirect_uri", "")
        if asked.get("client_id") == given.client and back and back == given.after_logout:
            self.redirect(back, Set_Cookie=expired)
        else:
            self.page("Signed out", "", Set_Cookie=expired)

    def json(self, answer: dict[str, object], status: int = 200) -> None:
        self.send(status, json.dumps(answer), "application/json")


if __name__ == "__main__":
    parser = arguments()
    for name in ("issuer", "client", "secret", "redirect"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--backchannel", default="")
    parser.add_argument("--after-logout", default="")
    given = parser.parse_args()
    users.update(one.split(":", 1) for one in given.user)
    serve(OidcHandler, given)
