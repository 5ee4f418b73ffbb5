"""What an OpenID Connect provider says of itself (Discovery 1.0), and its keys."""

import time
from collections.abc import Callable
from typing import Any

import requests

from eop.aaa.authenticators import oidc_tokens, outbound
from eop.aaa.authenticators.base import AuthenticatorDownError
from eop.aaa.authenticators.outbound import Bounds, Cached
from eop.sign_on_settings import is_provider_address

WELL_KNOWN = "/.well-known/openid-configuration"
RENEW_SECONDS = 30.0  # keys are asked for anew this often, however many tokens name unknown ones

NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")
OPTIONAL = ("userinfo_endpoint", "end_session_endpoint")


class Provider:
    """One provider, asked when something is needed, and then not for an hour."""

    def __init__(
        self,
        issuer: str,
        ca_file: str = "",
        bounds: Bounds = Bounds(),  # noqa: B008 - frozen
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.issuer, self.ca_file, self.bounds = issuer, ca_file, bounds
        self._described = Cached(self._describe, steady)
        self._keys = Cached(self._fetch_keys, steady)

    def endpoint(self, name: str) -> str | None:
        """The address of an endpoint, which is https or on this machine."""
        address: str | None = self._described.get().get(name)
        return address

    def needed(self, name: str) -> str:
        """The address of an endpoint that every provider has."""
        return str(self._described.get()[name])

    def takes_basic(self) -> bool:
        """Whether it takes the client's secret as basic authentication, as is the default."""
        methods = self._described.get().get("token_endpoint_auth_methods_supported")
        return not isinstance(methods, list) or "client_secret_basic" in methods

    def keys(self, *, renewed: bool = False) -> oidc_tokens.Keys:
        """Its keys; `renewed` after a token was signed with an unknown one."""
        return self._keys.get(RENEW_SECONDS) if renewed else self._keys.get()

    def _describe(self) -> dict[str, Any]:
        found = self._fetch(self.issuer.rstrip("/") + WELL_KNOWN)
        if found.get("issuer") != self.issuer:
            raise AuthenticatorDownError(
                f"it calls itself {str(found.get('issuer'))[:200]!r}, which OIDC_ISSUER is not"
            )
        for name in (*NEEDED, *OPTIONAL):
            address = found.get(name)
            if address is None and name in OPTIONAL:
                continue
            if not isinstance(address, str) or not is_provider_address(address):
                raise AuthenticatorDownError(f"its {name} is missing or not https")
        return found

    def _fetch_keys(self) -> oidc_tokens.Keys:
        try:
            return oidc_tokens.keys_of(self._fetch(self.needed("jwks_uri")))
        except oidc_tokens.TokenError as error:
            raise AuthenticatorDownError(str(error)) from error

    def _fetch(self, address: str) -> dict[str, Any]:
        with requests.Session() as session:
            outbound.prepare(session, self.ca_file, self.bounds)
            return document_of(lambda: session.get(address))  # noqa: S113 - BoundedAdapter's


def document_of(ask: Callable[[], requests.Response]) -> dict[str, Any]:
    """The JSON object that a request answers; raises `AuthenticatorDownError`."""
    try:
        response = ask()
        if response.status_code != requests.codes.ok:
            raise AuthenticatorDownError(f"it answers {response.status_code}")
        found = response.json()
    except (requests.RequestException, OSError, ValueError, RecursionError) as error:
        raise AuthenticatorDownError(outbound.reason(error)) from error
    if not isinstance(found, dict):
        raise AuthenticatorDownError("it answers no JSON object")
    return found
