from eop.aaa import rate
from eop.aaa.rate import Pace, Rate


def test_a_burst_is_allowed_and_one_more_is_not():
    counted = Rate(Pace(burst=3, per_second=2))
    assert [counted.allows("a", 0.0) for _ in range(4)] == [True, True, True, False]
    assert counted.allows("b", 0.0)


def test_it_fills_up_again_to_the_burst_and_no_further():
    counted = Rate(Pace(burst=2, per_second=2))
    for _ in range(2):
        counted.allows("a", 0.0)
    assert not counted.allows("a", 0.4)
    assert counted.allows("a", 0.9)
    assert [counted.allows("a", 100.0) for _ in range(3)] == [True, True, False]
    assert not counted.allows("a", 50.0)  # a clock that went back gives nothing


def test_only_so_many_addresses_are_remembered(monkeypatch):
    monkeypatch.setattr(rate, "MAX_ADDRESSES", 2)
    counted = Rate(Pace(burst=1, per_second=0))
    for address in "abc":
        assert counted.allows(address, 0.0)
    assert not counted.allows("c", 0.0)
    assert counted.allows("a", 0.0)
