"""CAS 2 and 3 (Apereo's CAS Protocol Specification): service tickets, and the server's sign-out."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import requests
from cas import CASClient, CASClientV2

from eop.aaa.authenticators import outbound, strict_xml
from eop.aaa.authenticators.base import AuthenticatorDownError, Trip, Who, is_login
from eop.aaa.authenticators.outbound import Bounds
from eop.aaa.authenticators.strict_xml import StrictXmlError

NAMESPACE = "{http://www.yale.edu/tp/cas}"
SAML = "{urn:oasis:names:tc:SAML:2.0:protocol}"
MAX_ENDED = 16  # sessions that one message of the server may end

# 3.1.1: begins with "ST-"; clients take 256 characters at least
_TICKET = re.compile(r"ST-[\x21-\x7e]{1,500}")
_CODE = re.compile(r"[A-Z_]{1,40}")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CasServer:
    """Where it is, what it speaks, and which attribute holds the login (empty: its user)."""

    url: str
    version: int = 3
    login_attribute: str = ""
    ca_file: str = ""
    label: str = "CAS"


class CasSignOn:
    """`eop.aaa.authenticators.base.SingleSignOn` by a CAS server."""

    name = "cas"

    def __init__(self, server: CasServer, bounds: Bounds = Bounds()) -> None:  # noqa: B008 - frozen
        self._server, self._bounds = server, bounds
        self.label = server.label

    def begin(self, trip: Trip) -> str:
        """The server's /login (2.1): the state is part of the service, so no ticket serves two."""
        address: str = self._client(_service(trip)).get_login_url()
        return address

    def finish(self, trip: Trip, arguments: Mapping[str, str]) -> Who | None:
        """Who the service ticket is of (2.5, 2.8)."""
        ticket = arguments.get("ticket", "")
        if not _TICKET.fullmatch(ticket):
            return None
        with requests.Session() as session:
            outbound.prepare(session, self._server.ca_file, self._bounds)
            client = self._client(_service(trip), session)
            try:
                document: bytes = client.get_verification_response(ticket)
            except (requests.RequestException, OSError) as error:
                raise AuthenticatorDownError(outbound.reason(error)) from error
        login = self._login(client, document)
        return Who(login, self.name, ticket) if login else None

    def _client(self, service: str, session: requests.Session | None = None) -> CASClientV2:
        server = self._server
        return CASClient(
            version=server.version,
            service_url=service,
            server_url=server.url.rstrip("/") + "/",
            verify_ssl_certificate=server.ca_file or True,
            session=session,
        )

    def _login(self, client: CASClientV2, document: bytes) -> str:
        """The login in an answer, or nothing where it proves none."""
        try:
            found = strict_xml.elements(document)
        except StrictXmlError as error:
            raise AuthenticatorDownError(f"its answer is refused: {error}") from error
        names = [one.name for one in found[:3]]
        if names[:2] == [NAMESPACE + "serviceResponse", NAMESPACE + "authenticationFailure"]:
            self._tell_failure(found[1].attributes.get("code", ""))
            return ""
        # 2.5.2: the user comes first, before attributes that others may have named
        wanted = [NAMESPACE + n for n in ("serviceResponse", "authenticationSuccess", "user")]
        if names != wanted or found[2].depth != found[1].depth + 1:
            raise AuthenticatorDownError("its answer is none of CAS")
        user, attributes, _proxy = client.parse_response_xml(document)
        login = user
        if self._server.login_attribute:
            login = (attributes or {}).get(self._server.login_attribute)
        if not is_login(login):
            raise AuthenticatorDownError(
                f"its answer has no one {self._server.login_attribute or 'user'} to be the login"
            )
        return login.strip()

    def _tell_failure(self, code: str) -> None:
        known = code if _CODE.fullmatch(code) else "?"
        if known in {"INTERNAL_ERROR", "INVALID_REQUEST", "UNAUTHORIZED_SERVICE"}:
            raise AuthenticatorDownError(f"it answers {known}")
        logger.warning("the CAS server refused a ticket: %s", known)

    def ended(self, form: Mapping[str, str], now_ms: int) -> list[str] | None:
        """The service tickets of a SAML 2.0 LogoutRequest (2.3.3, appendix C).

        It bears no signature: who knows a ticket, which was used long ago, is believed.
        """
        try:
            found = strict_xml.elements(form.get("logoutRequest", ""))
        except StrictXmlError:
            return None
        if found[0].name != SAML + "LogoutRequest":
            return None
        tickets = [one.text for one in found if one.name == SAML + "SessionIndex"]
        if not tickets or len(tickets) > MAX_ENDED:
            return None
        return [ticket for ticket in tickets if _TICKET.fullmatch(ticket)]

    def sign_out_address(self, back: str) -> str | None:
        """The server's /logout (2.3)."""
        address: str = self._client(back).get_logout_url(back)
        return address


def _service(trip: Trip) -> str:
    """What the server sends the browser back to, and what a ticket is good for."""
    return f"{trip.callback}?{urlencode({'state': trip.state})}"
