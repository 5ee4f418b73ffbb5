import hashlib

import pytest

from controle_vnc.control.messages import File
from controle_vnc.errors import RequestRefusedError
from controle_vnc.files.spool import MAX_UPLOADS, Spool

ONE, OTHER = "1" * 32, "2" * 32
HOUR = 3600.0


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def spool(tmp_path, clock):
    spool = Spool(tmp_path / "uploads", limit=1000, space=2500, expires_seconds=HOUR, clock=clock)
    spool.prepare()
    return spool


def sha(data):
    return hashlib.sha256(data).hexdigest()


def code(call, *arguments):
    with pytest.raises(RequestRefusedError) as refused:
        call(*arguments)
    return refused.value.code


def test_parts_are_put_together_and_proven(spool):
    assert spool.keep(ONE, 0, b"ab") == 2
    assert spool.keep(ONE, 2, b"cd") == 4
    assert spool.check(ONE, 4, sha(b"abcd")) == 4
    with (
        spool.opened(File(ONE, "x", 4, sha(b"abcd"))) as file,
        open(file, "rb", closefd=False) as f,
    ):
        assert f.read() == b"abcd"


def test_another_offset_changes_nothing_and_tells_where_to_go_on(spool):
    assert spool.keep(ONE, 5, b"x") == 0
    spool.keep(ONE, 0, b"abc")
    assert spool.keep(ONE, 0, b"abc") == 3
    assert spool.keep(ONE, 2, b"c") == 3
    assert spool.keep(ONE, 9, b"c") == 3
    assert spool.check(ONE, 3, sha(b"abc")) == 3


def test_an_empty_file_is_one(spool):
    assert spool.keep(ONE, 0, b"") == 0
    assert spool.check(ONE, 0, sha(b"")) == 0


def test_the_largest_upload_fits_and_one_byte_more_does_not(spool):
    assert spool.keep(ONE, 0, bytes(1000)) == 1000
    assert code(spool.keep, ONE, 1000, b"x") == "too_large"
    assert code(spool.keep, OTHER, 0, bytes(1001)) == "too_large"


def test_all_together_have_a_limit(spool):
    spool.keep(ONE, 0, bytes(1000))
    spool.keep(OTHER, 0, bytes(1000))
    assert spool.keep("3" * 32, 0, bytes(500)) == 500
    assert code(spool.keep, "4" * 32, 0, b"x") == "no_space"
    spool.drop(ONE)
    assert spool.keep("4" * 32, 0, b"x") == 1


def test_their_number_has_a_limit(spool, tmp_path):
    for number in range(MAX_UPLOADS):
        (tmp_path / "uploads" / f"{number:032x}").touch()
    assert code(spool.keep, "f" * 32, 0, b"") == "no_space"
    assert spool.keep(f"{0:032x}", 0, b"x") == 1


def test_what_is_not_whole_is_refused_and_can_be_sent_again(spool):
    assert code(spool.check, ONE, 3, sha(b"abc")) == "upload_unknown"
    spool.keep(ONE, 0, b"abx")
    assert code(spool.check, ONE, 3, sha(b"abc")) == "upload_damaged"
    assert code(spool.check, ONE, 4, sha(b"abx")) == "upload_damaged"
    assert spool.drop(ONE) == 1
    spool.keep(ONE, 0, b"abc")
    assert spool.check(ONE, 3, sha(b"abc")) == 3
    assert spool.check(ONE, 3, sha(b"abc")) == 3
    assert code(spool.check, ONE, 3, sha(b"abd")) == "upload_damaged"


def test_a_whole_one_takes_nothing_more(spool):
    spool.keep(ONE, 0, b"abc")
    spool.check(ONE, 3, sha(b"abc"))
    assert spool.keep(ONE, 3, b"d") == 3
    assert spool.check(ONE, 3, sha(b"abc")) == 3


def test_what_was_begun_and_left_is_dropped_and_what_is_proven_stays(spool, clock):
    spool.keep(ONE, 0, b"abc")
    spool.keep(OTHER, 0, b"abc")
    spool.check(OTHER, 3, sha(b"abc"))
    clock.now += HOUR
    assert spool.sweep() == 0
    clock.now += 1
    assert spool.sweep() == 1
    assert [(one.upload, one.is_checked) for one in spool.uploads()] == [(OTHER, True)]


def test_another_part_keeps_it_for_another_while(spool, clock):
    spool.keep(ONE, 0, b"abc")
    clock.now += HOUR
    spool.keep(ONE, 3, b"d")
    clock.now += HOUR
    assert spool.sweep() == 0


def test_dropped_is_dropped(spool):
    spool.keep(ONE, 0, b"abc")
    assert (spool.drop(ONE), spool.drop(ONE)) == (1, 0)
    assert spool.uploads() == []
