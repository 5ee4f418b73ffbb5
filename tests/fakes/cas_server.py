"""A CAS server: `python -m tests.fakes.cas_server --port 8443 --user camille:pw`, under /cas.

It conforms to Apereo's "CAS Protocol 3.0 Specification", paragraphs 2.1 and 2.2 (/login asks for
and takes credentials), 2.3 (/logout, and 2.3.3 single logout with the message of appendix C),
2.5 (/serviceValidate), 2.8 (/p3/serviceValidate, with attributes), 3.1 (service tickets: one use,
one service) and 3.6 (the ticket-granting cookie). Without proxy tickets, gateway and renew.

Journeys meet a maintained server (tests.cas_server). This one is for the tests beneath them: it
starts at once, without a database, and takes any service and a certificate.
"""

import secrets
import threading
import time
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import requests

from tests.fakes.pages import PageHandler, arguments, serve

TICKET_SECONDS = 10  # 3.1.1: five minutes at most, to be used at once
NAMESPACE = "http://www.yale.edu/tp/cas"
LOGOUT = """<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="LR-{id}"
 Version="2.0" IssueInstant="{now}">
<saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">@NOT_USED@</saml:NameID>
<samlp:SessionIndex>{ticket}</samlp:SessionIndex></samlp:LogoutRequest>"""

lock = threading.Lock()
users: dict[str, str] = {}
signed_in: dict[str, str] = {}  # ticket-granting ticket: login
services: dict[str, list[tuple[str, str]]] = {}  # ticket-granting ticket: services and tickets
tickets: dict[str, tuple[str, str, float]] = {}  # service ticket: service, login, end


class CasHandler(PageHandler):
    base = "/cas"

    def get_login(self, asked: dict[str, str]) -> None:
        """2.1: who has the cookie goes straight on."""
        granting = self.cookie("TGC")
        if granting in signed_in and "service" in asked:
            self.grant(granting, asked["service"])
        else:
            self.form("CAS", {"service": asked.get("service", "")})

    def post_login(self, typed: dict[str, str]) -> None:
        """2.2.4: a ticket for the service, or the form again."""
        login = typed.get("username", "")
        if login not in users or users[login] != typed.get("password"):
            self.form("CAS", {"service": typed["service"]}, "Wrong.")
            return
        granting = "TGC-" + secrets.token_urlsafe(32)
        signed_in[granting], services[granting] = login, []
        cookie = f"TGC={granting}; Path=/cas; HttpOnly; SameSite=Lax"
        if typed.get("service"):
            self.grant(granting, typed["service"], Set_Cookie=cookie)
        else:
            self.page("Signed in", "", Set_Cookie=cookie)

    def grant(self, granting: str, service: str, **headers: str) -> None:
        ticket = f"ST-{len(tickets)}-{secrets.token_urlsafe(24)}"
        with lock:
            tickets[ticket] = service, signed_in[granting], time.monotonic() + TICKET_SECONDS
            services[granting].append((service, ticket))
        joint = "&" if "?" in service else "?"
        self.redirect(service + joint + urlencode({"ticket": ticket}), **headers)

    def get_logout(self, asked: dict[str, str]) -> None:
        """2.3: end the session here, and tell every service that it is over (2.3.3)."""
        granting = self.cookie("TGC")
        signed_in.pop(granting, None)
        for service, ticket in services.pop(granting, []):
            now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
            message = LOGOUT.format(id=secrets.token_hex(8), now=now, ticket=ticket)
            requests.post(service, data={"logoutRequest": message}, timeout=5)
        expired = "TGC=; Path=/cas; Max-Age=0"
        if "service" in asked:
            self.redirect(asked["service"], Set_Cookie=expired)
        else:
            self.page("Signed out", "", Set_Cookie=expired)

    def get_serviceValidate(self, asked: dict[str, str]) -> None:  # noqa: N802 - the path's case
        """2.5."""
        self.validate(asked, "")

    def get_p3_serviceValidate(self, asked: dict[str, str]) -> None:  # noqa: N802
        """2.8: as 2.5, with attributes."""
        self.validate(
            asked,
            "<cas:attributes><cas:uid>{login}</cas:uid><cas:memberOf>staff</cas:memberOf>"
            "<cas:memberOf>3eB</cas:memberOf></cas:attributes>",
        )

    def validate(self, asked: dict[str, str], attributes: str) -> None:
        if "ticket" not in asked or "service" not in asked:
            self.fail("INVALID_REQUEST", "ticket and service are needed")
            return
        with lock:
            # 2.5.1: any attempt uses it up
            service, login, ends = tickets.pop(asked["ticket"], ("", "", 0.0))
        if time.monotonic() > ends:
            self.fail("INVALID_TICKET", f"Ticket {asked['ticket']} not recognized")
        elif service != asked["service"]:
            self.fail("INVALID_SERVICE", "ticket was issued for another service")
        else:
            told = attributes.format(login=escape(login))
            self.xml(
                f"<cas:authenticationSuccess><cas:user>{escape(login)}</cas:user>{told}"
                "</cas:authenticationSuccess>"
            )

    def fail(self, code: str, words: str) -> None:
        self.xml(
            f'<cas:authenticationFailure code="{code}">{escape(words)}</cas:authenticationFailure>'
        )

    def xml(self, content: str) -> None:
        self.send(
            200,
            f'<cas:serviceResponse xmlns:cas="{NAMESPACE}">{content}</cas:serviceResponse>',
            "application/xml",
        )


if __name__ == "__main__":
    given = arguments().parse_args()
    users.update(one.split(":", 1) for one in given.user)
    serve(CasHandler, given)
