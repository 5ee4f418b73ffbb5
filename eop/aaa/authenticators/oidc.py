"""OpenID Connect Core 1.0: the authorization code flow with PKCE, and the provider's sign-out."""

import base64
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2 import OAuth2Error

from eop.aaa.authenticators import oidc_tokens, outbound
from eop.aaa.authenticators.base import AuthenticatorDownError, Trip, Who, is_login
from eop.aaa.authenticators.oidc_provider import Provider, document_of
from eop.aaa.authenticators.oidc_tokens import TokenError, UnknownKeyError

MAX_CODE_CHARACTERS = 4000  # a request line has hardly more
MAX_TICKET_CHARACTERS = 255  # of `sub`: OpenID Connect Core 2
NOT_PROVEN = {"invalid_grant", "access_denied"}  # the person's; others are the installation's

_CODE = re.compile(rf"[\x21-\x7e]{{1,{MAX_CODE_CHARACTERS}}}")
_ERROR = re.compile(r"[a-z_]{1,60}")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Client:
    """What this site is to the provider, and where its answers hold the login."""

    id: str
    secret: str = ""
    scopes: tuple[str, ...] = ("openid", "profile")
    login_claim: str = "preferred_username"
    email_verified: bool = True
    label: str = "OpenID Connect"


class OidcSignOn:
    """`eop.aaa.authenticators.base.SingleSignOn` by an OpenID Connect provider."""

    name = "oidc"

    def __init__(self, provider: Provider, client: Client) -> None:
        self._provider, self._client = provider, client
        self.label = client.label

    def begin(self, trip: Trip) -> str:
        """The provider's authorization endpoint (3.1.2.1), with PKCE S256 (RFC 7636)."""
        with self._session(trip) as session:
            address, _state = session.create_authorization_url(
                self._provider.needed("authorization_endpoint"),
                state=trip.state,
                nonce=trip.nonce,
                code_verifier=trip.verifier,
            )
        return str(address)

    def finish(self, trip: Trip, arguments: Mapping[str, str]) -> Who | None:
        """Who the code is of (3.1.2.5 to 3.1.3.7)."""
        if "error" in arguments:
            logger.warning("the provider refused a sign-on: %s", _plain(arguments["error"]))
            return None
        # RFC 9207: another provider's answer is not taken for this one's
        if arguments.get("iss", self._provider.issuer) != self._provider.issuer:
            return None
        if not _CODE.fullmatch(arguments.get("code", "")):
            return None
        with self._session(trip) as session:
            answer = self._redeemed(session, trip, arguments["code"])
            if answer is None:
                return None
            claims = self._claims(trip, answer)
            if claims is None:
                return None
            if self._client.login_claim not in claims:
                claims = self._with_userinfo(session, answer, claims)
        return self._who(claims)

    def _session(self, trip: Trip) -> Any:
        method = "none"
        if self._client.secret:
            method = "client_secret_basic" if self._provider.takes_basic() else "client_secret_post"
        session = OAuth2Session(
            client_id=self._client.id,
            client_secret=self._client.secret or None,
            token_endpoint_auth_method=method,
            scope=" ".join(self._client.scopes),
            redirect_uri=trip.callback,
            code_challenge_method="S256",
        )
        session.register_client_auth_method(("client_secret_basic", _basic))
        outbound.prepare(session, self._provider.ca_file, self._provider.bounds)
        return session

    def _redeemed(self, session: Any, trip: Trip, code: str) -> dict[str, Any] | None:
        """What the token endpoint gives for the code; None where that is not good for any."""
        try:
            answer: dict[str, Any] = session.fetch_token(
                self._provider.needed("token_endpoint"),
                grant_type="authorization_code",
                code=code,
                code_verifier=trip.verifier,
            )
        except (OAuth2Error, AuthlibBaseError) as error:
            name = _plain(error.error)
            if name not in NOT_PROVEN:
                raise AuthenticatorDownError(f"its token endpoint answers {name}") from error
            logger.warning("the provider refused a code: %s", name)
            return None
        except (requests.RequestException, OSError, ValueError, RecursionError) as error:
            raise AuthenticatorDownError(outbound.reason(error)) from error
        return answer

    def _claims(self, trip: Trip, answer: Mapping[str, Any]) -> dict[str, Any] | None:
        def read(keys: oidc_tokens.Keys) -> dict[str, Any]:
            return oidc_tokens.id_claims(
                answer.get("id_token"), keys, issuer=self._provider.issuer,
                client=self._client.id, nonce=trip.nonce,
                access_token=answer.get("access_token"), now_ms=trip.now_ms,
            )  # fmt: skip

        try:
            return self._with_keys(read)
        except TokenError as error:
            logger.warning("an ID token is refused: %s", error)
            return None

    def _with_keys(self, read: Callable[[oidc_tokens.Keys], dict[str, Any]]) -> dict[str, Any]:
        """Read a token by the provider's keys, which it may have renewed since we asked."""
        try:
            return read(self._provider.keys())
        except UnknownKeyError:
            return read(self._provider.keys(renewed=True))

    def _with_userinfo(
        self, session: Any, answer: Mapping[str, Any], claims: dict[str, Any]
    ) -> dict[str, Any]:
        """The claims and those of the userinfo endpoint (5.3), of the same subject alone."""
        address, token = self._provider.endpoint("userinfo_endpoint"), answer.get("access_token")
        if address is None or not isinstance(token, str) or not _CODE.fullmatch(token):
            return claims
        headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        more = document_of(
            lambda: session.request("GET", address, withhold_token=True, headers=headers)
        )
        if more.get("sub") != claims["sub"]:
            raise AuthenticatorDownError("its userinfo is of another subject")
        return more | claims

    def _who(self, claims: Mapping[str, Any]) -> Who | None:
        name = self._client.login_claim
        login = claims.get(name)
        if not is_login(login):
            raise AuthenticatorDownError(f"it tells no {name}; see OIDC_LOGIN_CLAIM, OIDC_SCOPES")
        if (
            name == "email"
            and self._client.email_verified
            and claims.get("email_verified") is not True
        ):
            logger.warning("a sign-on is refused: its e-mail address is not verified")
            return None
        return Who(login.strip(), self.name, _ticket(claims.get("sid"), claims["sub"]))

    def ended(self, form: Mapping[str, str], now_ms: int) -> list[str] | None:
        """The sessions a logout token names: by `sid`, and by `sub` where they had no `sid`."""

        def read(keys: oidc_tokens.Keys) -> dict[str, Any]:
            return oidc_tokens.logout_claims(
                form.get("logout_token"), keys, issuer=self._provider.issuer,
                client=self._client.id, now_ms=now_ms,
            )  # fmt: skip

        try:
            claims = self._with_keys(read)
        except TokenError as error:
            logger.warning("a logout token is refused: %s", error)
            return None
        named = [_ticket(claims.get("sid"), ""), _ticket(None, claims.get("sub"))]
        return [ticket for ticket in named if ticket is not None] or None

    def sign_out_address(self, back: str) -> str | None:
        """The provider's end_session_endpoint (RP-Initiated Logout 1.0, 2), if it has one."""
        address = self._provider.endpoint("end_session_endpoint")
        if address is None:
            return None
        query = urlencode({"client_id": self._client.id, "post_logout_redirect_uri": back})
        return f"{address}{'&' if '?' in address else '?'}{query}"


def _basic(
    client: Any, _method: str, uri: str, headers: dict[str, str], body: str
) -> tuple[str, dict[str, str], str]:
    """Client and secret as RFC 6749, 2.3.1 has them: each encoded as in a form, then joined.

    The library joins them as they are, and a provider takes another secret out of some.
    """
    both = f"{quote_plus(client.client_id)}:{quote_plus(client.client_secret)}"
    headers["Authorization"] = "Basic " + base64.b64encode(both.encode()).decode()
    return uri, headers, body


def _ticket(sid: object, sub: object) -> str | None:
    """What a later logout token names: the provider's session, else its subject."""
    for kind, value in (("sid", sid), ("sub", sub)):
        if isinstance(value, str) and 0 < len(value) <= MAX_TICKET_CHARACTERS:
            return f"oidc:{kind}:{value}"
    return None


def _plain(code: object) -> str:
    return code if isinstance(code, str) and _ERROR.fullmatch(code) else "an unknown error"
