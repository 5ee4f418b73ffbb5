"""A mail server (aiosmtpd) on loopback: STARTTLS or none, an account or none; keeps what came."""

import email
import email.policy
import ssl

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.desktops import free_port

USER, PASSWORD = "eop", "post office"


class Mailbox:
    """What the server does with a mail: keeps it, or refuses whom it was told to."""

    def __init__(self):
        self.letters = []
        self.refused = {}  # address → the whole answer

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        self.letters.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"


class MailServer:
    """The server in a thread of its own; `certificate`: (PEM file, key file) for STARTTLS."""

    def __init__(self, certificate=None):
        self.mailbox = Mailbox()
        self.is_silent = False  # whether it lets who has the wrong password wait
        self.port = free_port()
        options = {}
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            options = {
                "tls_context": context, "require_starttls": True, "auth_required": True,
                "authenticator": self._authenticate, "auth_require_tls": True,
            }  # fmt: skip
        self._controller = Controller(self.mailbox, hostname="127.0.0.1", port=self.port, **options)

    def _authenticate(self, _server, _session, _envelope, _mechanism, data):
        is_right = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        # what is `handled` was answered already: nothing more is sent
        return AuthResult(success=is_right, handled=self.is_silent)

    @property
    def address(self):
        return f"127.0.0.1:{self.port}"

    @property
    def letters(self):
        return self.mailbox.letters

    def __enter__(self):
        self._controller.start()
        return self

    def __exit__(self, *_):
        self._controller.stop(no_assert=True)
