"""Tokens of an OpenID Connect provider: signature and claims. Pure: keys and time are given."""

from collections.abc import Iterable, Mapping
from typing import Any

from authlib.oidc.core import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import BadSignatureError, JoseError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry

MAX_TOKEN_CHARACTERS = 32 * 1024  # some providers list every group in it
MAX_KEYS = 50
MIN_RSA_BITS = 2048
LEEWAY_SECONDS = 60  # between the provider's clock and ours
LOGOUT_SECONDS = 300.0  # a logout token is told at once, and perhaps again
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"

# asymmetric alone: with HS256 whoever knows the public key, taken for a secret, could sign
ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
)  # fmt: skip

Keys = tuple[RSAKey | ECKey, ...]


class TokenError(ValueError):
    """A token is not to be believed; the text says why, without the token."""


class UnknownKeyError(TokenError):
    """It is signed with a key that is not among those given: they may have been renewed."""


def keys_of(document: Any) -> Keys:
    """The keys for signatures in a JWK set (RFC 7517); those of other kinds are left out."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        raise TokenError("the set of keys is none")
    found = [key for one in listed[:MAX_KEYS] if (key := _key(one)) is not None]
    if not found:
        raise TokenError("the set of keys holds none for signatures")
    return tuple(found)


def _key(described: Any) -> RSAKey | ECKey | None:
    if not isinstance(described, dict) or described.get("use", "sig") != "sig":
        return None
    public = {name: value for name, value in described.items() if name not in {"key_ops", "d"}}
    try:
        if described.get("kty") == "EC":
            return ECKey.import_key(public)
        # short RSA keys are left out before the library would only warn
        if described.get("kty") == "RSA" and len(described["n"]) * 6 >= MIN_RSA_BITS:
            return RSAKey.import_key(public)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return None


def _decoded(token: object, keys: Keys) -> jwt.Token:
    """The token, whose signature one of the keys has made; raises `TokenError`."""
    if not isinstance(token, str) or not token.isascii() or len(token) > MAX_TOKEN_CHARACTERS:
        raise TokenError("it is no token, or too long")
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    try:
        header = jws.extract_compact(token.encode(), None, registry).headers()
        if header.get("alg") not in ALGORITHMS:
            raise TokenError("its algorithm is not one of " + ", ".join(ALGORITHMS))
        for key in _candidates(keys, header):
            try:
                return jwt.decode(token, key, registry=registry)
            except BadSignatureError:
                continue
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise TokenError(_reason(error)) from error
    if any(header.get("kid") == key.kid for key in keys):
        raise TokenError("its signature is wrong")
    raise UnknownKeyError("no known key has signed it")


def _candidates(keys: Keys, header: Mapping[str, Any]) -> Iterable[RSAKey | ECKey]:
    kind = "EC" if header["alg"].startswith("ES") else "RSA"
    kid = header.get("kid")
    return [key for key in keys if key.key_type == kind and kid in (None, key.kid)]


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, JoseError | TokenError) else type(error).__name__


def id_claims(  # noqa: PLR0913 - what a token is held against
    token: object,
    keys: Keys,
    *,
    issuer: str,
    client: str,
    nonce: str,
    access_token: object,
    now_ms: int,
) -> dict[str, Any]:
    """The claims of an ID token (OpenID Connect Core 3.1.3.7); raises `TokenError`."""
    decoded = _decoded(token, keys)
    params = {"nonce": nonce, "client_id": client}
    if isinstance(access_token, str):
        params["access_token"] = access_token
    claims = CodeIDToken(decoded.claims, decoded.header, _options(issuer, client), params)
    _validate(claims, now_ms)
    if not isinstance(claims["sub"], str) or not claims["sub"]:
        raise TokenError("it names no subject")
    return dict(claims)


def logout_claims(
    token: object, keys: Keys, *, issuer: str, client: str, now_ms: int
) -> dict[str, Any]:
    """The claims of a logout token (OpenID Connect Back-Channel Logout 2.6); `TokenError`."""
    decoded = _decoded(token, keys)
    claims = decoded.claims
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT_EVENT), dict):
        raise TokenError("it is no logout token")
    if "nonce" in claims or decoded.header.get("typ", "logout+jwt") not in {"logout+jwt", "JWT"}:
        raise TokenError("it is another kind of token")
    if not isinstance(claims.get("jti"), str):
        raise TokenError("it has no jti")
    # a logout token need not tell its end, nor its subject
    now = now_ms // 1000
    issued = claims.get("iat")
    if not isinstance(issued, int | float) or not abs(now - issued) <= LOGOUT_SECONDS:
        raise TokenError("it was not made just now")
    filled = {"exp": issued + LOGOUT_SECONDS, "sub": "", **claims}
    token_like = CodeIDToken(
        filled, decoded.header, _options(issuer, client), {"client_id": client}
    )
    _validate(token_like, now_ms)
    return dict(claims)


def _options(issuer: str, client: str) -> dict[str, Any]:
    return {
        "iss": {"essential": True, "value": issuer},
        "aud": {"essential": True, "value": client},
        "exp": {"essential": True},
        "iat": {"essential": True},
    }


def _validate(claims: CodeIDToken, now_ms: int) -> None:
    try:
        claims.validate(now=now_ms // 1000, leeway=LEEWAY_SECONDS)
    except (JoseError, ValueError, TypeError) as error:
        raise TokenError(_reason(error)) from error
