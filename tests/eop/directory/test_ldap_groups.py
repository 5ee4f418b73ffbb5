import pytest

from eop.directory import ldap_groups
from eop.directory.ldap_adapter import Link, normal_dn
from eop.directory.ldap_groups import MAX_DEPTH, Members, People
from eop.directory.ldap_layout import Access, Server
from eop.directory.ldap_trouble import LdapError
from tests.fakes.ad_server import BASE, AdServer
from tests.ldap_fixtures import configured

ZOE = f"CN=zoe,{BASE}"


@pytest.fixture
def directory():
    """A server that knows no chains."""
    with AdServer(knows_chains=False) as server:
        yield server


@pytest.fixture
def members(directory):
    """`members(name)`: the logins in the group of that name."""
    _, layout = configured(
        {"LDAP_SERVERS": ["ldaps://x"], "LDAP_BASE": BASE, "LDAP_LAYOUT": "plain"}
    )
    access = Access((Server("127.0.0.1", directory.port, "none"),), 5)
    people = People({normal_dn(ZOE): "zoe"}, {"zoe": "zoe"})
    with Link(access.servers[0], access) as link:
        found = Members(link, layout, people)
        yield lambda name: found.of(link.read(f"{name},{BASE}", layout.members))


def nest(directory, depth):
    """G0 holds G1, which holds …; the last holds Zoé. `depth` groups are below G0."""
    for n in range(depth):
        directory.add(f"CN=G{n}", member=[f"CN=G{n + 1},{BASE}"])
    directory.add(f"CN=G{depth}", member=[ZOE])


def test_groups_are_entered_to_the_depth_that_is_allowed(directory, members):
    nest(directory, MAX_DEPTH)
    assert members("CN=G0") == {"zoe"}


def test_groups_that_are_deeper_are_told(directory, members):
    nest(directory, MAX_DEPTH + 1)
    with pytest.raises(LdapError, match="groups more than 16 deep"):
        members("CN=G0")


def test_a_ring_of_groups_ends(directory, members):
    directory.add("CN=A", member=[f"CN=B,{BASE}"])
    directory.add("CN=B", member=[f"CN=A,{BASE}", ZOE])
    assert members("CN=A") == members("CN=B") == {"zoe"}


def test_each_inner_group_is_read_once(directory, members):
    nest(directory, 3)
    directory.add("CN=other", member=[f"CN=G1,{BASE}"])
    assert members("CN=G0") == members("CN=other") == {"zoe"}
    assert [base for base, _ in directory.searches].count(f"CN=G2,{BASE}") == 1


def test_the_number_of_inner_groups_has_a_limit(directory, members, monkeypatch):
    monkeypatch.setattr(ldap_groups, "MAX_GROUPS_READ", 3)
    nest(directory, 3)
    assert members("CN=G0") == {"zoe"}
    directory.add("CN=other", member=[f"CN=one-more,{BASE}"])
    with pytest.raises(LdapError, match="more than 3 groups are within others"):
        members("CN=other")


def test_members_that_are_not_there_or_no_group_count_for_nothing(directory, members):
    directory.add("CN=A", member=[f"CN=gone,{BASE}", f"CN=printer,{BASE}", "rubbish", ZOE])
    directory.add("CN=printer", cn="printer")
    assert members("CN=A") == {"zoe"}


def test_members_are_named_by_login_too(directory, members):
    directory.add("CN=A", memberUid=["ZOE", "nobody", ZOE])
    assert members("CN=A") == {"zoe"}
