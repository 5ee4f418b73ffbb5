"""The one way to speak LDAP: connect, bind, search by pages, close.

ldap3 encodes and decodes; sockets, TLS and deadlines are ours, for it knows no deadline of a whole
answer, and checks certificates only where it is told to.
"""

import contextlib
import functools
import re
import socket
import ssl
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eop.directory.ldap_layout import Access, Server
from eop.directory.ldap_trouble import LdapError, search_refused, sentence, word

with warnings.catch_warnings():
    # ldap3 2.9.1 imports what pyasn1 has renamed; pyasn1 is held below 0.7, which has both names
    warnings.filterwarnings("ignore", "(tagMap|typeMap) is deprecated", DeprecationWarning)
    import ldap3
    from ldap3.protocol import rfc3062

MAX_ANSWER_BYTES = 32 * 1024 * 1024  # of one step: a page of entries, or a group of 20,000 members
MAX_PASSWORD_FILE_BYTES = 4096  # of its first line; more is another file
PAGE_ENTRIES = 500  # Active Directory gives at most 1,000 at once
MAX_ENTRIES = 50_000  # of one search: more is not one school
MAX_ADDRESSES = 4  # of one name: each gets a share of the timeout
MAX_RANGES = 100  # pieces of one attribute after the first: of 1,500 values each

START_TLS = "1.3.6.1.4.1.1466.20037"
PASSWORD_MODIFY = "1.3.6.1.4.1.4203.1.11.1"  # noqa: S105 - the operation's name, RFC 3062
PASSWORD_POLICY = "1.3.6.1.4.1.42.2.27.8.5.1"  # noqa: S105 - the control's name
SUCCESS, SIZE_LIMIT, REFERRAL, NO_SUCH_OBJECT = 0, 4, 10, 32

_RANGE = re.compile(r"(?i)([a-z][a-z0-9-]*);range=(\d{1,9})-(\d{1,9}|\*)")
_ESCAPE = re.compile(r"((?:\\[0-9A-Fa-f]{2})+)|\\(.)", re.DOTALL)
_SPECIAL = set(' ,+="\\<>;#')
_AROUND_MARKS = re.compile(r" *([,=+]) *")


@dataclass(frozen=True)
class Entry:
    """One entry: its full name, and its attributes by lower-case name."""

    dn: str
    attributes: Mapping[str, Sequence[bytes]]

    def values(self, name: str) -> Sequence[bytes]:
        return self.attributes.get(name.lower(), ())

    def texts(self, name: str) -> list[str]:
        """The values that are text."""
        texts = []
        for value in self.values(name):
            with contextlib.suppress(UnicodeDecodeError):
                texts.append(value.decode())
        return texts

    def text(self, name: str) -> str:
        """The first value, or nothing."""
        return next(iter(self.texts(name)), "")


@dataclass(frozen=True)
class Answer:
    """What a server says to a name and password, or to a change: LDAP's result code, its words,
    and its control of password policy."""

    code: int
    message: str
    policy: bytes | None


def parse_range(name: str) -> tuple[str, int, int | None] | None:
    """`member;range=0-1499` as ("member", 0, 1499); the end is None where it is the last."""
    match = _RANGE.fullmatch(name)
    if match is None:
        return None
    return match[1].lower(), int(match[2]), None if match[3] == "*" else int(match[3])


def escaped(text: str) -> str:
    """`text` as a value within a filter."""
    return str(ldap3.utils.conv.escape_filter_chars(text))


def normal_dn(text: str) -> str:
    r"""One spelling of a full name, to compare it: `\,` and `\2C` are the same comma."""
    if "\\" in text:
        text = _ESCAPE.sub(_one_escape, text)
    return _AROUND_MARKS.sub(r"\1", text.strip()).lower()


def _one_escape(match: re.Match[str]) -> str:
    """What is escaped, as it is, but for the signs that mean something in a name."""
    if match[1]:
        letters = bytes.fromhex(match[1].replace("\\", "")).decode("utf-8", "replace")
    else:
        letters = match[2]
    return "".join(f"\\{ord(one):02x}" if one in _SPECIAL else one for one in letters)


class _Wire:
    """A socket that gives up at a deadline, however slowly bytes trickle in."""

    def __init__(self, raw: socket.socket, seconds: float, ends: float) -> None:
        self.raw = raw
        self._seconds = seconds
        self._ends = ends
        self._received = 0

    def restart(self) -> None:
        self._ends = time.monotonic() + self._seconds
        self._received = 0

    def left(self) -> float:
        left = self._ends - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        return left

    def recv(self, size: int) -> bytes:
        self.raw.settimeout(self.left())
        data = self.raw.recv(size)
        self._received += len(data)
        if self._received > MAX_ANSWER_BYTES:
            raise OSError(f"an answer of more than {MAX_ANSWER_BYTES} bytes")
        return data

    def sendall(self, data: bytes) -> None:
        self.raw.settimeout(self.left())
        self.raw.sendall(data)

    def shutdown(self, how: int) -> None:
        self.raw.shutdown(how)

    def close(self) -> None:
        self.raw.close()


class Link:
    """A conversation with one server, over TLS; `close` it.

    With `is_whole` the timeout is that of all of it, else of each step.
    """

    def __init__(self, server: Server, access: Access, *, is_whole: bool = True) -> None:
        self.server = server
        self._access = access
        self._is_whole = is_whole
        self._wire: _Wire | None = None
        self._connection = self._made()

    def _made(self) -> Any:
        host = f"[{self.server.host}]" if ":" in self.server.host else self.server.host
        server = ldap3.Server(host, self.server.port, get_info=ldap3.NONE)
        connection = ldap3.Connection(
            server,
            client_strategy=ldap3.SYNC,
            auto_referrals=False,
            auto_range=False,
            check_names=False,
            return_empty_attributes=False,
            auto_escape=False,
        )
        connection.open = self._refuse_to_open  # it would open another socket, without TLS
        self._open(connection)
        return connection

    def _refuse_to_open(self, **_: object) -> None:
        raise LdapError(f"{self.server.address}: the server ended the conversation; is it well?")

    def _open(self, connection: Any) -> None:
        """Connect and begin TLS; ldap3 gets the finished socket."""
        raw: socket.socket | None = None
        try:
            ends = time.monotonic() + self._access.timeout
            raw = self._connected(ends)
            self._wire = _Wire(raw, self._access.timeout, ends)
            if self.server.tls == "ldaps":
                self._encrypt()
            self._give(connection)
            if self.server.tls == "starttls":
                self._start_tls(connection)
        except Exception as error:
            if raw is not None:
                raw.close()
            if self._wire is not None:
                self._wire.close()
            raise self._told(error) from error

    def _connected(self, ends: float) -> socket.socket:
        """A socket to the first of the name's addresses that answers."""
        found = socket.getaddrinfo(self.server.host, self.server.port, type=socket.SOCK_STREAM)
        known = [(str(address[0]), self.server.port) for *_, address in found]
        addresses = list(dict.fromkeys(known))[:MAX_ADDRESSES]
        trouble: OSError = TimeoutError("timed out")
        for tried, address in enumerate(addresses):
            share = (ends - time.monotonic()) / (len(addresses) - tried)
            try:
                raw = socket.create_connection(address, max(share, 0.01))
            except OSError as error:
                trouble = error
                continue
            # questions and answers are short: each would wait 40 ms for an acknowledgement
            raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return raw
        raise trouble

    def _give(self, connection: Any) -> None:
        connection.socket = self._wire
        connection.closed = False
        connection.strategy._outstanding = {}
        connection.strategy._start_listen()

    def _start_tls(self, connection: Any) -> None:
        connection.extended(START_TLS)
        if connection.result["result"] != SUCCESS:
            raise LdapError(
                f"{self.server.address}: the server offers no StartTLS; give it a certificate, or "
                "use its ldaps:// address"
            )
        self._encrypt()
        connection.tls_started = True
        connection.socket = self._wire

    def _encrypt(self) -> None:
        """TLS with a certificate that is trusted, and is for the name we asked for."""
        assert self._wire is not None  # noqa: S101 - we are connected
        context = _context(self._access.ca_file)
        self._wire.raw.settimeout(self._wire.left())
        self._wire.raw = context.wrap_socket(self._wire.raw, server_hostname=self.server.host)

    @property
    def tls(self) -> str:
        """How the conversation is protected: "TLSv1.3", or nothing."""
        raw = self._wire.raw if self._wire else None
        return str(raw.version()) if isinstance(raw, ssl.SSLSocket) else ""

    def certificate_ends(self) -> str:
        """When the server's certificate ends, in its own words; or nothing."""
        raw = self._wire.raw if self._wire else None
        certificate = raw.getpeercert() if isinstance(raw, ssl.SSLSocket) else None
        return str(certificate["notAfter"]) if certificate else ""

    def close(self) -> None:
        """End it; never fails."""
        with contextlib.suppress(Exception):  # whatever it is, it is over
            self._connection.strategy.close()
        if self._wire is not None:
            self._wire.close()

    def __enter__(self) -> "Link":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def bind(self, dn: str, password: bytes) -> Answer:
        """Present a name and password, both of them not empty: else any server lets one in.

        Bytes, because ldap3 maps text so that some of it becomes the empty password.
        """
        if not dn or not password:
            raise LdapError("an empty name or password is never sent to a directory")
        self._connection.user, self._connection.password = dn, password
        self._connection.authentication = ldap3.SIMPLE
        self._step(
            lambda: self._connection.bind(
                read_server_info=False, controls=[(PASSWORD_POLICY, False, None)]
            )
        )
        return self._answer()

    def modify_password(self, dn: str, password: bytes) -> Answer:
        """Give an entry another password, which the server hashes and judges (RFC 3062)."""
        value = rfc3062.PasswdModifyRequestValue()
        value["userIdentity"] = dn
        value["newPasswd"] = password
        controls = [(PASSWORD_POLICY, False, None)]
        self._step(lambda: self._connection.extended(PASSWORD_MODIFY, value, controls))
        return self._answer()

    def replace_values(self, dn: str, values: Mapping[str, bytes]) -> Answer:
        """Give attributes of an entry one value each instead of those they have, all or none."""
        changes = {name: [(ldap3.MODIFY_REPLACE, [value])] for name, value in values.items()}
        controls = [(PASSWORD_POLICY, False, None)]
        self._step(lambda: self._connection.modify(dn, changes, controls))
        return self._answer()

    def _answer(self) -> Answer:
        result = self._connection.result
        control = (result.get("controls") or {}).get(PASSWORD_POLICY) or {}
        return Answer(int(result["result"]), str(result["message"]), control.get("value"))

    def sign_in(self) -> None:
        """Bind as the account of the settings, if there is one."""
        if not self._access.bind_dn:
            return
        answer = self.bind(self._access.bind_dn, _password_of(Path(self._access.password_file)))
        if answer.code != SUCCESS:
            raise LdapError(
                f"{self.server.address}: the account {self._access.bind_dn} is refused "
                f"({word(self._connection.result)}); check LDAP_BIND_DN and the password in "
                f"{self._access.password_file}"
            )

    def root(self) -> Entry:
        """What the server says of itself."""
        wanted = ["supportedCapabilities", "vendorName", "namingContexts", "defaultNamingContext"]
        return self.read("", wanted) or Entry("", {})

    def read(self, dn: str, attributes: Sequence[str]) -> Entry | None:
        """The entry of that full name; None where it is not there, not shown or kept elsewhere."""
        result, entries = self._search(dn, "(objectClass=*)", attributes, ldap3.BASE, 1)
        if result["result"] not in {SUCCESS, NO_SUCH_OBJECT, REFERRAL}:
            raise search_refused(self.server, dn, result)
        return entries[0] if entries else None

    def search(
        self, base: str, wanted: str, attributes: Sequence[str], *, limit: int
    ) -> list[Entry]:
        """The entries below a base that match a filter, at most `limit`."""
        result, entries = self._search(base, wanted, attributes, ldap3.SUBTREE, limit)
        if result["result"] not in {SUCCESS, SIZE_LIMIT}:
            raise search_refused(self.server, base, result)
        return entries

    def pages(
        self, base: str, wanted: str, attributes: Sequence[str], *, scope: str = ""
    ) -> Iterator[Entry]:
        """Every entry that matches, page by page; `LdapError` where there is no such base."""
        cookie, count = b"", 0
        while True:
            result, entries = self._search(
                base, wanted, attributes, scope or ldap3.SUBTREE, 0, (cookie,)
            )
            if result["result"] != SUCCESS:
                raise search_refused(self.server, base, result)
            count += len(entries)
            if count > MAX_ENTRIES:
                raise LdapError(f"more than {MAX_ENTRIES} entries below {base}; name a lower base")
            yield from entries
            control = (result.get("controls") or {}).get("1.2.840.113556.1.4.319") or {}
            cookie = (control.get("value") or {}).get("cookie") or b""
            if not cookie:
                return

    def _search(  # noqa: PLR0913 - what a search is made of
        self,
        base: str,
        wanted: str,
        attributes: Sequence[str],
        scope: str,
        limit: int,
        page: tuple[bytes] | None = None,
    ) -> tuple[Mapping[str, Any], list[Entry]]:
        paging = {"paged_size": PAGE_ENTRIES, "paged_cookie": page[0]} if page else {}
        self._step(
            lambda: self._connection.search(
                base,
                wanted,
                scope,
                ldap3.DEREF_NEVER,
                attributes=list(attributes) or [ldap3.NO_ATTRIBUTES],
                size_limit=limit,
                time_limit=max(1, int(self._access.timeout)),
                **paging,
            )
        )
        result, answers = self._connection.result, self._connection.response or []
        entries = [one for one in answers if one.get("type") == "searchResEntry"]
        return result, [self._entry(one["dn"], one["raw_attributes"]) for one in entries]

    def _entry(self, dn: str, raw: Mapping[str, Sequence[bytes]]) -> Entry:
        """An entry with every value of attributes that came in part."""
        attributes: dict[str, Sequence[bytes]] = {}
        for name, values in raw.items():
            ranged = parse_range(name)
            if ranged is None:
                attributes.setdefault(name.lower(), values)
            else:
                attributes[ranged[0]] = [*values, *self._rest(dn, ranged[0], ranged[2])]
        return Entry(dn, attributes)

    def _rest(self, dn: str, name: str, last: int | None) -> list[bytes]:
        """The values of an attribute after the one numbered `last`."""
        values: list[bytes] = []
        pieces = 0
        while last is not None:
            found = self._piece(dn, name, last + 1) if pieces < MAX_RANGES else None
            if found is None:
                raise LdapError(
                    f"{self.server.address}: the {name} of {dn} is not given to its end"
                )
            pieces += 1
            last = found[0]
            values += found[1]
        return values

    def _piece(self, dn: str, name: str, first: int) -> tuple[int | None, Sequence[bytes]] | None:
        """The values of an attribute from the one numbered `first`, and the number of the last."""
        self._step(
            lambda: self._connection.search(
                dn,
                "(objectClass=*)",
                ldap3.BASE,
                ldap3.DEREF_NEVER,
                attributes=[f"{name};range={first}-*"],
            )
        )
        for answer in self._connection.response or []:
            for key, values in answer.get("raw_attributes", {}).items():
                ranged = parse_range(key)
                if ranged is not None and ranged[:2] == (name, first):
                    return ranged[2], values
        return None

    def _step(self, act: Callable[[], Any]) -> None:
        """One request and its answer, by the deadline."""
        if not self._is_whole and self._wire is not None:
            self._wire.restart()
        try:
            act()
        except Exception as error:  # ldap3's decoders raise whatever a broken answer makes them
            raise self._told(error) from error

    def _told(self, error: Exception) -> LdapError:
        return (
            error
            if isinstance(error, LdapError)
            else LdapError(sentence(self.server, self._access.timeout, error))
        )


def _context(ca_file: str) -> ssl.SSLContext:
    """Trusts this authority, or the system's; read again when the file has changed."""
    return _context_of(ca_file, Path(ca_file).stat().st_mtime_ns if ca_file else 0)


@functools.lru_cache(maxsize=8)
def _context_of(ca_file: str, _: int) -> ssl.SSLContext:
    # reading all the system's authorities takes longer than the rest of a sign-in
    return ssl.create_default_context(cafile=ca_file or None)


def _password_of(path: Path) -> bytes:
    """The first line of a file; it is read each time, so that a new password needs no restart."""
    try:
        with path.open("rb") as file:
            line = file.readline(MAX_PASSWORD_FILE_BYTES + 2).rstrip(b"\r\n")
    except OSError as error:
        raise LdapError(f"LDAP_PASSWORD_FILE {path}: {error.strerror}") from error
    if not line:
        raise LdapError(f"LDAP_PASSWORD_FILE {path}: its first line is empty")
    if len(line) > MAX_PASSWORD_FILE_BYTES:
        raise LdapError(
            f"LDAP_PASSWORD_FILE {path}: its first line is longer than "
            f"{MAX_PASSWORD_FILE_BYTES} bytes; is it the right file?"
        )
    return line
