import pytest

from eop.directory.ldap_directory import AGAIN_SECONDS, REST_SECONDS, Directory
from eop.directory.ldap_layout import Access, Server
from eop.directory.ldap_trouble import LdapError
from tests.desktops import free_port
from tests.fakes.ad_server import AdServer


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


def root(link):
    return link.root().texts("supportedCapabilities")


@pytest.fixture
def clock():
    return Clock()


def directory(clock, *ports):
    servers = tuple(Server("127.0.0.1", port, "none") for port in ports)
    return Directory(Access(servers, 1.0), clock)


def ports(found):
    return [server.port for server in found.usable()]


def test_the_next_server_answers_and_the_one_that_was_down_rests(clock):
    dead = free_port()
    with AdServer() as server:
        found = directory(clock, dead, server.port)
        assert ports(found) == [dead, server.port]
        assert found.ask(root) == ["1.2.840.113556.1.4.800"]
        assert ports(found) == [server.port]
        clock.now += REST_SECONDS - 1
        assert ports(found) == [server.port]
        clock.now += 1
        assert ports(found) == [dead, server.port]


def test_a_server_that_came_back_is_first_again(clock):
    with AdServer() as server:
        dead = free_port()
        found = directory(clock, server.port, dead)
        found._down_since[found.access.servers[0]] = clock.now - REST_SECONDS
        assert found.ask(root)
        assert ports(found) == [server.port, dead]


def test_where_all_are_down_each_is_told_and_they_are_tried_again_soon(clock):
    first, second = free_port(), free_port()
    found = directory(clock, first, second)
    with pytest.raises(LdapError) as told:
        found.ask(root)
    assert str(told.value).count("nothing listens there") == 2
    assert ports(found) == []
    with pytest.raises(LdapError, match="no server of the directory answered just now"):
        found.ask(root)
    clock.now += AGAIN_SECONDS
    assert ports(found) == [first]


def test_an_error_of_ours_is_no_trouble_of_the_server(clock):
    with AdServer() as server:
        found = directory(clock, server.port)
        with pytest.raises(ZeroDivisionError):
            found.ask(lambda link: 1 // 0)
        assert ports(found) == [server.port]
