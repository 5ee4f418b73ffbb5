import hashlib
import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eop.aaa import leaked
from eop.aaa.leaked import LeakedFileError, LeakedPasswords
from eop.errors import RefusedError


def sha1(password):
    return hashlib.sha1(password.encode()).hexdigest().upper()


def write_hashes(path, words, *, end="\r\n", count=True, last=True):
    lines = sorted(sha1(word) for word in words)
    text = end.join(f"{one}:{number + 1}" if count else one for number, one in enumerate(lines))
    path.write_bytes((text + (end if last else "")).encode())
    return LeakedPasswords(path)


@given(
    words=st.sets(st.text(st.characters(codec="utf-8"), min_size=1, max_size=8), min_size=1),
    absent=st.text(st.characters(codec="utf-8"), max_size=8),
    end=st.sampled_from(["\n", "\r\n"]),
    count=st.booleans(),
    last=st.booleans(),
)
def test_every_hash_of_a_file_is_found_and_no_other(
    tmp_path_factory, words, absent, end, count, last
):
    path = tmp_path_factory.mktemp("leaked") / "hashes.txt"
    file = write_hashes(path, words, end=end, count=count, last=last)
    file.check()
    assert all(file.has(word) for word in words)
    assert file.has(absent) is (absent in words)


def test_only_a_few_lines_of_a_large_file_are_read(tmp_path, monkeypatch):
    file = write_hashes(tmp_path / "hashes.txt", [f"word {n}" for n in range(20_000)])
    reads = []
    original = leaked._hash_after
    monkeypatch.setattr(
        leaked, "_hash_after", lambda *args: reads.append(args[1]) or original(*args)
    )
    assert file.has("word 12345")
    assert not file.has("word 20000")
    assert len(reads) < 2 * 25


def test_lower_case_hashes_are_found_too(tmp_path):
    path = tmp_path / "hashes.txt"
    path.write_text("\n".join(sorted(sha1(word).lower() for word in ("one", "two", "three"))))
    assert LeakedPasswords(path).has("two")


def test_a_plain_list_is_found_whatever_its_order_and_case(tmp_path):
    path = tmp_path / "words.txt"
    path.write_bytes("zebra\r\nAzerty123\r\nété\r\nlast".encode())
    file = LeakedPasswords(path)
    file.check()
    assert all(file.has(word) for word in ("zebra", "azerty123", "AZERTY123", "ÉTÉ", "last"))
    assert not any(file.has(word) for word in ("zebr", "ebra", "zebra\nazerty123"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (f"{sha1('b')}\n" * 3 + "no hash\n" * 500, "no hash in the line"),
        ("\n".join(sorted((sha1(str(n)) for n in range(200)), reverse=True)), "not in ascending"),
        (sha1("a") + "\n" + "x" * 40_000, "a line is too long"),
    ],
)
def test_a_file_that_cannot_serve_is_refused(tmp_path, content, words):
    path = tmp_path / "hashes.txt"
    path.write_text(content)
    with pytest.raises(LeakedFileError, match=words):
        LeakedPasswords(path).check()


def test_a_plain_list_has_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(leaked, "MAX_WORDS_BYTES", 20)
    path = tmp_path / "words.txt"
    path.write_text("w" * 20)
    LeakedPasswords(path).check()
    path.write_text("w" * 21)
    with pytest.raises(LeakedFileError, match="at most 20 bytes"):
        LeakedPasswords(path).check()


def test_a_file_that_is_gone_is_told_and_nothing_passes(tmp_path, caplog):
    file = LeakedPasswords(tmp_path / "none.txt")
    with pytest.raises(LeakedFileError, match="No such file"):
        file.check()
    with caplog.at_level(logging.ERROR), pytest.raises(RefusedError) as refused:
        file.has("x")
    assert refused.value.code == "leaked_down"
    assert "none.txt" in caplog.text
