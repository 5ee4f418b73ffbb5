import pytest
from hypothesis import given
from hypothesis import strategies as st

from eop.directory.ldap_adapter import Answer, Entry
from eop.directory.ldap_state import Outcome, account_state, must_change, outcome, policy_error

NOW = 1_800_000_000  # 2027-01-15
DAY = NOW // 86_400
FILETIME = (NOW + 11_644_473_600) * 10_000_000
NEVER = 0x7FFFFFFFFFFFFFFF


def entry(**values):
    return Entry(
        "uid=x", {k.replace("__", "-").lower(): [str(v).encode()] for k, v in values.items()}
    )


def ad(data):
    words = f"80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data {data}"
    return Answer(49, words + ", v4563", None)


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({}, "active"),
        ({"userAccountControl": 512}, "active"),
        ({"userAccountControl": 514}, "disabled"),
        ({"userAccountControl": 66050}, "disabled"),
        ({"userAccountControl": "rubbish"}, "active"),
        ({"accountExpires": 0}, "active"),
        ({"accountExpires": NEVER}, "active"),
        ({"accountExpires": FILETIME}, "expired"),
        ({"accountExpires": FILETIME + 10_000_000}, "active"),
        ({"lockoutTime": 0}, "active"),
        ({"lockoutTime": FILETIME}, "locked"),
        # the domain controller knows better when a lock has passed
        ({"lockoutTime": FILETIME, "msDS__User__Account__Control__Computed": 0}, "active"),
        ({"msDS__User__Account__Control__Computed": 0x10}, "locked"),
        ({"pwdAccountLockedTime": "000001010000Z"}, "locked"),
        ({"pwdEndTime": "20270101000000Z"}, "expired"),
        ({"pwdEndTime": "20280101000000Z"}, "active"),
        ({"pwdEndTime": "soon"}, "active"),
        ({"shadowExpire": -1}, "active"),
        ({"shadowExpire": DAY}, "expired"),
        ({"shadowExpire": DAY + 1}, "active"),
        ({"shadowLastChange": DAY - 40, "shadowMax": 30, "shadowInactive": 9}, "expired"),
        ({"shadowLastChange": DAY - 40, "shadowMax": 30, "shadowInactive": 11}, "active"),
        ({"shadowLastChange": DAY - 40, "shadowMax": -1, "shadowInactive": 11}, "active"),
        ({"sambaAcctFlags": "[U          ]"}, "active"),
        ({"sambaAcctFlags": "[UD         ]"}, "disabled"),
        ({"sambaAcctFlags": "[UL         ]"}, "locked"),
        ({"sambaKickoffTime": NOW - 1}, "expired"),
        ({"sambaKickoffTime": 2147483647}, "active"),
        ({"nsAccountLock": "TRUE"}, "disabled"),
        ({"userAccountControl": 514, "lockoutTime": FILETIME}, "disabled"),
    ],
)
def test_the_state_of_an_account(values, state):
    assert account_state(entry(**values), NOW) == state


@pytest.mark.parametrize(
    ("values", "has_to"),
    [
        ({}, False),
        ({"pwdLastSet": 0, "userAccountControl": 512}, True),
        ({"pwdLastSet": 0, "userAccountControl": 66048}, False),  # its password never expires
        ({"pwdLastSet": FILETIME}, False),
        ({"msDS__User__Account__Control__Computed": 0x800000}, True),
        ({"pwdReset": "TRUE"}, True),
        ({"shadowLastChange": 0}, True),
        ({"shadowLastChange": DAY - 31, "shadowMax": 30}, True),
        ({"shadowLastChange": DAY - 29, "shadowMax": 30}, False),
    ],
)
def test_whether_the_password_must_be_changed(values, has_to):
    assert must_change(entry(**values), NOW) is has_to


@pytest.mark.parametrize(
    ("data", "code", "is_proven"),
    [
        ("525", "wrong", False), ("52e", "wrong", False), ("0", "wrong", False),
        ("530", "disabled", True), ("531", "disabled", True), ("532", "must_change", True),
        ("533", "disabled", True), ("701", "expired", True), ("773", "must_change", True),
        ("775", "locked", False),
    ],
)  # fmt: skip
def test_what_an_active_directory_says_of_a_failed_bind(data, code, is_proven):
    assert outcome(ad(data), entry(), NOW) == Outcome(code, is_proven)


def test_sub_codes_count_only_where_the_password_was_refused():
    words = ad("533").message
    assert outcome(Answer(53, words, None), entry(), NOW) == Outcome("wrong", False)


@pytest.mark.parametrize(
    ("policy", "code", "told"),
    [
        (b"\x30\x03\x81\x01\x00", 49, Outcome("must_change", True)),
        (b"\x30\x03\x81\x01\x01", 49, Outcome("locked", False)),
        (b"\x30\x03\x81\x01\x02", 0, Outcome("must_change", True)),
        (b"\x30\x00", 0, Outcome("active", True)),
        (None, 49, Outcome("wrong", False)),
        # a warning: the password ends in an hour
        (b"\x30\x06\xa0\x04\x80\x02\x0e\x10", 0, Outcome("active", True)),
    ],
)
def test_what_a_password_policy_says(policy, code, told):
    assert outcome(Answer(code, "", policy), entry(), NOW) == told


def test_a_bind_that_worked_is_not_locked_but_may_be_disabled_or_expired():
    worked = Answer(0, "", None)
    assert outcome(worked, entry(lockoutTime=FILETIME), NOW) == Outcome("active", True)
    assert outcome(worked, entry(userAccountControl=514), NOW) == Outcome("disabled", True)
    assert outcome(worked, entry(shadowExpire=1), NOW) == Outcome("expired", True)


def test_a_refused_bind_tells_the_state_to_administrators_alone():
    refused = Answer(49, "", None)
    assert outcome(refused, entry(pwdAccountLockedTime="x"), NOW) == Outcome("locked", False)
    assert outcome(refused, entry(userAccountControl=514), NOW) == Outcome("disabled", False)
    assert outcome(Answer(19, "", None), entry(), NOW) == Outcome("locked", False)


@pytest.mark.parametrize("code", [1, 2, 8, 13, 51, 52, 80])
def test_a_server_in_trouble_says_nothing_of_the_account(code):
    assert outcome(Answer(code, "", None), entry(), NOW) is None


@given(st.binary(max_size=80))
def test_any_control_is_read_without_harm(value):
    assert policy_error(value) is None or isinstance(policy_error(value), int)


@given(st.text(max_size=200), st.integers(0, 130))
def test_any_words_of_a_server_are_read_without_harm(words, code):
    told = outcome(Answer(code, words, None), entry(), NOW)
    assert told is None or told.code in {"active", "wrong", "locked"} or "data" in words


DATES = ["shadowExpire", "accountExpires", "pwdEndTime", "pwdLastSet", "sambaKickoffTime"]


@given(
    st.dictionaries(
        st.sampled_from([*DATES, "userAccountControl"]),
        st.one_of(st.text(max_size=30), st.integers().map(str)),
    )
)
def test_any_value_gives_a_state(values):
    found = Entry("x", {k.lower(): [v.encode("utf-8", "replace")] for k, v in values.items()})
    assert account_state(found, NOW) in {"active", "disabled", "expired", "locked"}
    assert must_change(found, NOW) in {True, False}
