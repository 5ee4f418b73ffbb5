"""One machine with accounts of every kind, and eop-pam on it, for all the tests here."""

import pytest

from tests.machine import HASH, Account, Helper, new_machine, today

ACCOUNTS = (
    Account("camille"),
    Account("locked", "!" + HASH),
    Account("no-login", "*"),
    Account("never-set", "!"),
    Account("blank", ""),
    Account("expired", expires=today() - 1),
    Account("last-day", expires=today() + 1),
    Account("must-change", changed=0),
    Account("aged", changed=today() - 31, most=30),
    Account("fresh-enough", changed=today() - 30, most=30),
    Account("inactive", changed=today() - 41, most=30, inactive=9),
    Account("daemon-like", uid=999),
    Account("first-person", uid=1000),
    Account("nobody-like", uid=65534),
    Account("root-like", uid=0),
    Account("Upper"),
)


@pytest.fixture(scope="session")
def machine():
    with new_machine() as made:
        made.add(*ACCOUNTS)
        yield made


@pytest.fixture(scope="session")
def helper(machine):
    with Helper(machine) as running:
        yield running
