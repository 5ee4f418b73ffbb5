from hypothesis import given
from hypothesis import strategies as st

from eop.directory.settling import Claim, refused, twice

LOCAL = ("local", "")


def test_a_free_name_is_given():
    assert refused([Claim("1", "zoe", None)], {"malo": LOCAL}) == {}


def test_two_may_swap_their_names():
    assert refused([Claim("1", "b", "a"), Claim("2", "a", "b")], {}) == {}


def test_whoever_waits_for_one_who_stays_is_refused_too():
    claims = [
        Claim("1", "b", "a"),
        Claim("2", "c", "b"),
        Claim("3", "d", "c"),
        Claim("4", "x", "y"),
    ]
    assert refused(claims, {"d": LOCAL}) == {
        "3": LOCAL, "2": ("waits", ""), "1": ("waits", ""),
    }  # fmt: skip


def test_a_long_chain_costs_no_more_than_its_length():
    claims = [Claim(str(n), f"n{n + 1}", f"n{n}") for n in range(20_000)]
    assert len(refused(claims, {"n20000": LOCAL})) == 20_000


@given(st.permutations(range(8)), st.sets(st.integers(0, 12)))
def test_names_stay_unique(wanted, taken):
    claims = [Claim(str(key), str(name), str(key)) for key, name in enumerate(wanted)]
    others = {str(name): LOCAL for name in taken if name >= 8}
    no = refused(claims, others)
    final = [claim.before if claim.key in no else claim.name for claim in claims]
    assert len({*final, *others}) == len(final) + len(others)


def test_those_that_are_there_twice():
    assert twice(["a", "b", "a", "a", "c"]) == {"a"}
