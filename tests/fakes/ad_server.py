"""What slapd cannot be had to do: an Active Directory's sub-codes, ranges, chains and referrals.

A double of the protocol only, on loopback: it answers BER as [MS-ADTS] describes, and knows nothing
of Kerberos, replication or rights. With a certificate it speaks TLS, without which it changes no
password, as an AD does not.
"""

import contextlib
import socketserver
import ssl
import threading
from dataclasses import dataclass, field

from ldap3.protocol import controls, rfc2696, rfc4511
from pyasn1.codec.ber import encoder

BASE = "DC=ad,DC=lan"
RANGE = 1500  # values of one attribute that an AD gives at once
PAGE = 1000  # entries that it gives at once
IN_CHAIN = "1.2.840.113556.1.4.1941"
PAGED = "1.2.840.113556.1.4.319"
REFERRAL, INVALID_CREDENTIALS = 10, 49
UNWILLING = 53
BIND, UNBIND, MODIFY = 0x60, 0x42, 0x66  # first bytes of requests, and of a filter's parts
AND, OR, NOT, EQUAL, PRESENT, EXTENSIBLE = 0xA0, 0xA1, 0xA2, 0xA3, 0x87, 0xA9
WORDS = "80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data {}, v4563"


@dataclass
class AdServer:
    """`with AdServer() as server:` listens at `port`; `people` is DN → attributes.

    `words` maps a DN to what is said to a change of its password, in place of making it.
    `binds` lists every name that was presented, with its password; `refuse` maps a DN to the
    sub-code it is refused with, whatever the password.
    """

    entries: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    passwords: dict[str, str] = field(default_factory=dict)
    refuse: dict[str, str] = field(default_factory=dict)
    knows_chains: bool = True
    bind_code: int = INVALID_CREDENTIALS
    binds: list[tuple[str, bytes]] = field(default_factory=list)
    searches: list[tuple[str, str]] = field(default_factory=list)
    certificate: tuple[object, object] | None = None
    words: dict[str, tuple[int, str]] = field(default_factory=dict)
    changes: list[tuple[str, dict[str, bytes]]] = field(default_factory=list)

    def __enter__(self):
        outer = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self):
                with (
                    contextlib.suppress(ssl.SSLError, ConnectionError),  # the client went
                    outer.encrypted(self.request) as connection,
                ):
                    outer.converse(connection)

        self.server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(5)

    def add(self, name, password=None, **attributes):
        """An entry below BASE."""
        dn = f"{name},{BASE}"
        listed = {
            key.replace("__", "-"): value if isinstance(value, list) else [value]
            for key, value in attributes.items()
        }
        self.entries[dn] = {"objectClass": ["top"], **listed}
        if password is not None:
            self.passwords[dn] = password
        return dn

    def encrypted(self, raw):
        if self.certificate is None:
            return raw
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*self.certificate)
        return context.wrap_socket(raw, server_side=True)

    def converse(self, connection):
        data = b""
        while received := connection.recv(65536):
            data += received
            while data and len(data) >= (size := _size(data)) > 0:
                [(_, message)] = _values_of(data[:size])
                data = data[size:]
                number, (kind, body), *rest = _values_of(message)
                if kind == UNBIND:
                    return
                answer = {BIND: self.bind, MODIFY: self.modify}.get(kind, self.search)
                for reply in answer(_values_of(body), rest[0][1] if rest else b""):
                    reply["messageID"] = rfc4511.MessageID(int.from_bytes(number[1], "big"))
                    connection.sendall(encoder.encode(reply))

    def bind(self, body, _):
        dn, password = body[1][1].decode(), body[2][1]
        self.binds.append((dn, password))
        if dn in self.refuse:
            yield _reply("bindResponse", self.bind_code, WORDS.format(self.refuse[dn]))
        elif not password or self.passwords.get(dn, "").encode() == password:
            yield _reply("bindResponse", 0)  # an empty password is a visit without a name: yes
        else:
            code = "52e" if dn in self.entries else "525"
            yield _reply("bindResponse", INVALID_CREDENTIALS, WORDS.format(code))

    def modify(self, body, _):
        """Replace values; unicodePwd is the password in quotation marks, and never read again."""
        dn, given = body[0][1].decode(), {}
        for _, change in _values_of(body[1][1]):
            (_, how), (_, attribute) = _values_of(change)
            (_, name), (_, values) = _values_of(attribute)
            assert how == b"\x02", "a change this double does not know"
            [(_, given[name.decode()])] = _values_of(values)
        self.changes.append((dn, given))
        if "unicodePwd" in given and self.certificate is None:
            yield _reply("modifyResponse", UNWILLING, "0000001F: SvcErr: DSID-031A120C")
        elif dn in self.words:
            yield _reply("modifyResponse", *self.words[dn])
        else:
            attributes = self.entries[dn]
            for name, value in given.items():
                if name == "unicodePwd":
                    self.passwords[dn] = value.decode("utf-16-le")[1:-1]
                    attributes["pwdLastSet"] = ["133000000000000000"]
                else:
                    attributes[name] = [value.decode()]
            yield _reply("modifyResponse", 0)

    def search(self, body, asked):
        base, scope = body[0][1].decode(), body[1][1][0]
        wanted = [name.decode() for _, name in _values_of(body[7][1])]
        self.searches.append((base, " ".join(wanted)))
        if not base:
            root = {"supportedCapabilities": ["1.2.840.113556.1.4.800"] * self.knows_chains}
            yield _entry("", root, wanted)
            yield _reply("searchResDone", 0)
            return
        if not base.lower().endswith(BASE.lower()):
            yield _reply("searchResDone", REFERRAL)
            return
        found = [
            (dn, attributes)
            for dn, attributes in self.entries.items()
            if (dn == base if scope == 0 else dn.lower().endswith(base.lower()))
            and self.matches(body[6], dn, attributes)
        ]
        start, size = _page(asked)
        for dn, attributes in found[start : start + size]:
            yield _entry(dn, attributes, wanted)
        if start == 0 and base == BASE and scope == 2:
            reference = rfc4511.SearchResultReference()
            reference.append(rfc4511.URI(f"ldap://DomainDnsZones.ad.lan/DC=DomainDnsZones,{BASE}"))
            yield _message("searchResRef", reference)
        more = str(start + size).encode() if start + size < len(found) else b""
        yield _with_page(_reply("searchResDone", 0), more)

    def matches(self, condition, dn, attributes):
        kind, value = condition
        if kind in {AND, OR}:
            results = [self.matches(one, dn, attributes) for one in _values_of(value)]
            return all(results) if kind == AND else any(results)
        if kind == NOT:
            return not self.matches(_values_of(value)[0], dn, attributes)
        if kind == PRESENT:
            return _values(attributes, value.decode()) != []
        parts = [part.decode() for _, part in _values_of(value)]
        if kind == EXTENSIBLE:
            assert parts[0] == IN_CHAIN
            return self.is_within(dn, parts[2], set())
        assert kind == EQUAL, f"a filter this double does not know: {kind:x}"
        return parts[1].lower() in [one.lower() for one in _values(attributes, parts[0])]

    def is_within(self, dn, group, met):
        members = _values(self.entries.get(group, {}), "member")
        return dn in members or any(
            self.is_within(dn, inner, met | {group})
            for inner in members
            if inner in self.entries and inner not in met | {group}
        )


def _values(attributes, name):
    return next((v for key, v in attributes.items() if key.lower() == name.lower()), [])


def _size(data):
    """How long the first value of `data` is, with its head; 0 while that is not all there."""
    if len(data) < 2:
        return 0
    if data[1] < 128:
        return data[1] + 2
    count = data[1] - 128
    return int.from_bytes(data[2 : 2 + count], "big") + 2 + count if len(data) >= 2 + count else 0


def _values_of(data):
    """The values that follow each other in `data`: (first byte, content) of each."""
    found = []
    while data:
        head = 2 if data[1] < 128 else 2 + data[1] - 128
        size = _size(data)
        found.append((data[0], data[head:size]))
        data = data[size:]
    return found


def _message(kind, body):
    message = rfc4511.LDAPMessage()
    message["messageID"] = rfc4511.MessageID(0)
    message["protocolOp"] = rfc4511.ProtocolOp().setComponentByName(kind, body)
    return message


def _reply(kind, code, words=""):
    body = {
        "bindResponse": rfc4511.BindResponse, "modifyResponse": rfc4511.ModifyResponse,
    }.get(kind, rfc4511.SearchResultDone)()  # fmt: skip
    body["resultCode"] = rfc4511.ResultCode(code)
    body["matchedDN"] = rfc4511.LDAPDN("")
    body["diagnosticMessage"] = rfc4511.LDAPString(words)
    return _message(kind, body)


def _entry(dn, attributes, wanted):
    body = rfc4511.SearchResultEntry()
    body["object"] = rfc4511.LDAPDN(dn)
    body["attributes"] = rfc4511.PartialAttributeList()
    for asked in wanted:
        name, _, piece = asked.partition(";range=")
        values = _values(attributes, name)
        first = int(piece.split("-")[0]) if piece else 0
        if len(values) > RANGE or piece:
            rest = values[first : first + RANGE]
            last = "*" if first + RANGE >= len(values) else str(first + RANGE - 1)
            if not piece:
                _append(body, name, [])
            _append(body, f"{name};range={first}-{last}", rest)
        elif values:
            _append(body, name, values)
    return _message("searchResEntry", body)


def _append(body, name, values):
    attribute = rfc4511.PartialAttribute()
    attribute["type"] = rfc4511.AttributeDescription(name)
    attribute["vals"] = rfc4511.Vals()
    for place, value in enumerate(values):
        attribute["vals"].setComponentByPosition(place, rfc4511.AttributeValue(value))
    body["attributes"].append(attribute)


def _page(asked):
    for _, control in _values_of(asked):
        (_, name), *_, (_, value) = _values_of(control)
        if name.decode() == PAGED:
            [(_, inner)] = _values_of(value)
            (_, size), (_, cookie) = _values_of(inner)
            return int(cookie or b"0"), min(int.from_bytes(size, "big"), PAGE)
    return 0, PAGE


def _with_page(message, cookie):
    value = rfc2696.RealSearchControlValue()
    value["size"] = rfc2696.Size(0)
    value["cookie"] = rfc2696.Cookie(cookie)
    message["controls"] = rfc4511.Controls()
    message["controls"].append(controls.build_control(PAGED, False, value))
    return message
