import socket
import struct
import threading
import time
from dataclasses import replace

import msgspec
import pytest

from controle_vnc.control import server as server_module
from controle_vnc.control.client import ControlClient, hello
from controle_vnc.control.framing import pack
from controle_vnc.control.messages import (
    MAX_GREETING_BYTES,
    VERSION,
    Done,
    GetStatus,
    Hello,
    Lease,
    ListRooms,
    PullEvents,
    RenewLeases,
)
from controle_vnc.errors import (
    AuthenticationError,
    DaemonUnreachableError,
    RequestRefusedError,
    SettingsError,
)
from controle_vnc.settings import Settings
from tests.control_server import SECRET, RunningServer, make_certificate
from tests.desktops import wait_until


async def answer(request):
    if isinstance(request, ListRooms):
        raise RequestRefusedError("exists", "no rooms today")
    if isinstance(request, PullEvents):
        raise ZeroDivisionError
    return Done(count=len(request.leases) if isinstance(request, RenewLeases) else 7)


@pytest.fixture
def server():
    with RunningServer(answer) as running:
        yield running


@pytest.fixture
def tls_server(tmp_path):
    certificate, key = make_certificate(tmp_path)
    settings = replace(Settings(), CONTROL_CERTIFICATE=certificate, CONTROL_KEY=key)
    with RunningServer(answer, settings) as running:
        yield running


def ask(server, message=None, **options):
    """One request by a client of its own."""
    with ControlClient(server.settings, SECRET, **options) as client:
        return client.request(message or GetStatus())


def dial(server, source="127.0.0.1"):
    address = ("127.0.0.1", server.settings.CONTROL_PORT)
    return socket.create_connection(address, 5, source_address=(source, 0))


def closed(connection, seconds=5.0):
    """Whether the other side hangs up in time; what it says before is thrown away."""
    connection.settimeout(seconds)
    try:
        while connection.recv(4096):
            pass
    except TimeoutError:
        return False
    except ConnectionError:
        return True
    return True


def test_a_request_is_answered(server):
    client = ControlClient(server.settings, SECRET)
    assert client.request(GetStatus()) == Done(count=7)
    client.close()


def test_many_requests_share_one_connection(server):
    client = ControlClient(server.settings, SECRET)
    for _ in range(20):
        client.request(GetStatus())
    assert len(client._idle) == 1
    client.close()


def test_threads_may_share_a_client(server):
    client = ControlClient(server.settings, SECRET)
    counts = []

    def count(n):
        leases = [Lease(session=str(i), ends_at=0) for i in range(n)]
        counts.append((n, client.request(RenewLeases(leases=leases)).count))

    threads = [threading.Thread(target=count, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(counts) == [(n, n) for n in range(20)]
    client.close()


def test_forty_threads_that_greet_at_once_are_all_answered(server):
    clients = [ControlClient(server.settings, SECRET, timeout=5) for _ in range(8)]
    counts = []

    def ask_one(client):
        counts.append(client.request(GetStatus()).count)

    threads = [threading.Thread(target=ask_one, args=(client,)) for client in clients * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert counts == [7] * 40
    for client in clients:
        client.close()


def test_a_failure_is_raised_with_its_code(server):
    client = ControlClient(server.settings, SECRET)
    with pytest.raises(RequestRefusedError) as caught:
        client.request(ListRooms())
    assert caught.value.code == "exists"
    assert client.request(GetStatus()) == Done(count=7)
    client.close()


def test_a_request_that_breaks_does_not_break_the_connection(server, caplog):
    client = ControlClient(server.settings, SECRET)
    with pytest.raises(RequestRefusedError) as caught:
        client.request(PullEvents(after=0))
    assert caught.value.code == "internal"
    assert client.request(GetStatus()) == Done(count=7)
    assert "a request failed" in caplog.text
    client.close()


def test_an_unknown_request_is_refused_by_name(server):
    class Reboot(msgspec.Struct, tag_field="type", tag=True):
        now: bool = True

    client = ControlClient(server.settings, SECRET)
    with pytest.raises(RequestRefusedError) as caught:
        client.request(Reboot())
    assert caught.value.code == "unknown_request"
    client.close()


def test_a_malformed_request_is_refused(server):
    class GetStatus2(msgspec.Struct, tag_field="type", tag="PullEvents"):
        after: str = "yesterday"

    client = ControlClient(server.settings, SECRET)
    with pytest.raises(RequestRefusedError) as caught:
        client.request(GetStatus2())
    assert caught.value.code == "invalid"
    client.close()


def test_another_secret_is_told_on_both_sides(server, caplog):
    client = ControlClient(server.settings, b"another secret altogether")
    with pytest.raises(AuthenticationError, match="the secrets differ"):
        client.request(GetStatus())
    wait_until(lambda: "the secrets differ" in caplog.text, 5, "a line in the server's log")


def test_a_client_that_proves_another_secret_gets_a_clear_answer(server):
    with dial(server) as connection:
        connection.sendall(pack(Hello(role="eop", version=VERSION, nonce=b"n" * 32)))
        connection.recv(4096)
        connection.sendall(pack(server_module.Proof(proof=b"p" * 32)))
        assert b"the secrets differ" in connection.recv(4096)
        assert closed(connection)


def test_hello_says_who_answers(server):
    assert hello(server.settings, SECRET).daemon == "controle-vnc"


@pytest.mark.parametrize("role", ["agent", "", "EOP"])
def test_no_other_role_is_accepted(server, role):
    with pytest.raises(AuthenticationError, match="role"):
        ControlClient(server.settings, SECRET, role=role).request(GetStatus())


def test_the_site_is_accepted_only_from_its_addresses():
    settings = replace(Settings(), CONTROL_PEERS=["192.0.2.7", "10.0.0.0/8"])
    with (
        RunningServer(answer, settings) as running,
        pytest.raises(AuthenticationError, match="CONTROL_PEERS"),
    ):
        ControlClient(running.settings, SECRET).request(GetStatus())


def test_another_version_is_told_so(server):
    with dial(server) as connection:
        connection.sendall(pack(Hello(role="eop", version=VERSION + 1, nonce=b"n" * 32)))
        assert b"version 1 is spoken here" in connection.recv(4096)


def test_a_bare_connect_is_a_port_check_and_is_not_logged(server, caplog):
    for _ in range(50):
        dial(server).close()
    assert ask(server) == Done(count=7)
    assert caplog.text == ""


def test_a_stranger_may_send_a_page_and_no_more(server):
    with dial(server) as connection:
        connection.sendall(struct.pack(">I", MAX_GREETING_BYTES + 1))
        assert closed(connection)


def test_both_greeting_messages_together_stay_below_the_limit(server):
    with dial(server) as connection:
        filled = Hello(role="eop", version=VERSION, nonce=b"n" * 32)
        body = msgspec.msgpack.encode({**msgspec.to_builtins(filled, builtin_types=(bytes,)),
                                       "type": "Hello", "padding": "x" * 4000})  # fmt: skip
        connection.sendall(struct.pack(">I", len(body)) + body)
        assert connection.recv(4096)
        connection.sendall(struct.pack(">I", 200))
        assert closed(connection)


def test_a_silent_stranger_is_cut_after_the_deadline(monkeypatch):
    monkeypatch.setattr(server_module, "GREETING_SECONDS", 0.2)
    with RunningServer(answer) as running, dial(running) as connection:
        assert closed(connection, 2)


def test_an_idle_connection_is_cut_and_the_client_opens_another(monkeypatch):
    monkeypatch.setattr(server_module, "IDLE_SECONDS", 0.2)
    with RunningServer(answer) as running:
        client = ControlClient(running.settings, SECRET)
        client.request(GetStatus())
        wait_until(lambda: not client._idle[0].is_quiet, 2, "the server hangs up")
        assert client.request(GetStatus()) == Done(count=7)
        client.close()


def test_one_stranger_too_many_of_an_address_costs_the_oldest_its_place(server):
    oldest, *others = [dial(server) for _ in range(server_module.MAX_STRANGERS_AN_ADDRESS)]
    assert not closed(oldest, 0.01)
    with dial(server) as newest:
        assert closed(oldest, 2)
        assert not any(closed(connection, 0.01) for connection in (*others, newest))
    for connection in (oldest, *others):
        connection.close()
    wait_until(lambda: not server.server._strangers, 2, "they are forgotten")


def test_strangers_in_every_place_do_not_keep_the_site_out(server):
    silent = [dial(server) for _ in range(server_module.MAX_STRANGERS_AN_ADDRESS)]
    assert ask(server) == Done(count=7)
    for connection in silent:
        connection.close()


def test_one_stranger_too_many_in_all_costs_the_oldest_its_place(monkeypatch):
    monkeypatch.setattr(server_module, "MAX_STRANGERS", 3)
    with RunningServer(answer) as running:
        oldest, *others = [dial(running, f"127.0.0.{number}") for number in (2, 3, 4)]
        assert not closed(oldest, 0.01)
        assert ask(running) == Done(count=7)
        assert closed(oldest, 2)
        assert not any(closed(connection, 0.01) for connection in others)
        for connection in (oldest, *others):
            connection.close()


def test_without_tls_only_loopback_is_listened_on():
    settings = replace(Settings(), CONTROL_HOST="0.0.0.0", CONTROL_PORT=0)
    import asyncio

    with pytest.raises(SettingsError, match="CONTROL_CERTIFICATE"):
        asyncio.run(server_module.ControlServer(settings, SECRET, answer).start())


def test_without_tls_a_client_speaks_only_to_loopback():
    settings = replace(Settings(), CONTROL_HOST="192.0.2.1")
    with pytest.raises(SettingsError, match="CONTROL_CERTIFICATE"):
        ControlClient(settings, SECRET).request(GetStatus())


def test_tls_works_and_needs_no_authority(tls_server):
    client = ControlClient(tls_server.settings, SECRET)
    assert client.request(GetStatus()) == Done(count=7)
    assert client.request(GetStatus()) == Done(count=7)
    client.close()


def test_a_man_in_the_middle_with_another_certificate_is_noticed(tls_server, tmp_path):
    """He relays every byte, but ends TLS himself: both proofs cover the certificate."""
    import ssl

    certificate, key = make_certificate(tmp_path, "middle")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    towards = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    towards.check_hostname, towards.verify_mode = False, ssl.CERT_NONE
    listener = socket.create_server(("127.0.0.1", 0))

    def relay():
        accepted, _ = listener.accept()
        with (
            context.wrap_socket(accepted, server_side=True) as near,
            towards.wrap_socket(dial(tls_server)) as far,
        ):
            far.sendall(near.recv(4096))
            near.sendall(far.recv(4096))
            near.recv(4096)

    thread = threading.Thread(target=relay)
    thread.start()
    settings = replace(tls_server.settings, CONTROL_PORT=listener.getsockname()[1])
    with pytest.raises(AuthenticationError, match="the secrets differ"):
        ControlClient(settings, SECRET).request(GetStatus())
    thread.join(5)
    listener.close()


def test_a_plain_client_is_not_answered_on_a_tls_port(tls_server):
    settings = replace(tls_server.settings, CONTROL_CERTIFICATE="")
    with pytest.raises(DaemonUnreachableError):
        ControlClient(settings, SECRET).request(GetStatus())


def test_a_message_changed_on_its_way_ends_the_connection(server, caplog):
    client = ControlClient(server.settings, SECRET)
    client.request(GetStatus())
    connection = client._idle[0]
    body = connection._sends.close(msgspec.msgpack.encode({"type": "GetStatus"}))
    connection._socket.sendall(struct.pack(">I", len(body)) + body[:-1] + bytes([body[-1] ^ 1]))
    assert closed(connection._socket)
    wait_until(lambda: "broke the protocol" in caplog.text, 2, "a line in the log")
    client.close()


def test_nobody_listening_is_unreachable_at_once():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    began = time.monotonic()
    with pytest.raises(DaemonUnreachableError):
        ControlClient(replace(Settings(), CONTROL_PORT=port), SECRET).request(GetStatus())
    assert time.monotonic() - began < 1


def test_a_daemon_that_says_nothing_is_unreachable_in_time():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings = replace(Settings(), CONTROL_PORT=silent.getsockname()[1])
        began = time.monotonic()
        with pytest.raises(DaemonUnreachableError):
            ControlClient(settings, SECRET, timeout=0.3).request(GetStatus())
        assert time.monotonic() - began < 1


def test_something_else_on_the_port_is_told():
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings = replace(Settings(), CONTROL_PORT=other.getsockname()[1])

        def speak():
            accepted, _ = other.accept()
            accepted.sendall(b"SSH-2.0-OpenSSH_9.2\r\n")
            closed(accepted)
            accepted.close()

        thread = threading.Thread(target=speak)
        thread.start()
        with pytest.raises(DaemonUnreachableError, match="is not controle-vnc"):
            ControlClient(settings, SECRET).request(GetStatus())
        thread.join(5)


def test_the_secret_never_crosses_the_wire(server):
    seen = []
    original = socket.socket.sendall

    def noting(self, data, *rest):
        seen.append(bytes(data))
        return original(self, data, *rest)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "sendall", noting)
        ask(server)
    assert seen
    assert SECRET not in b"".join(seen)
