"""The note of a demonstration desktop: a line editor, and nothing behind it."""

from controle_vnc.demo.programs.note import MAX_LINE_CHARACTERS, MAX_LINES, Note


def written(*pressed):
    note = Note("Write here:")
    for sign in "".join(pressed):
        note.press(sign)
    return note.lines[1:]


def test_letters_of_any_script_are_written():
    assert written("Zoé 日本\r", "two") == ["Zoé 日本", "two"]


def test_backspace_takes_letters_then_the_line_itself():
    assert written("ab\x7f\rc\x7f\x7f") == ["a"]


def test_control_u_empties_the_line():
    assert written("secret\x15plain") == ["plain"]


def test_arrows_and_function_keys_write_nothing():
    assert written("a\033[A\033[11~\033OPb") == ["ab"]


def test_control_letters_write_nothing():
    assert written("\x03\x1a\x04ok") == ["ok"]


def test_a_line_ends_at_its_limit():
    assert written("x" * (MAX_LINE_CHARACTERS + 1)) == ["x" * MAX_LINE_CHARACTERS]


def test_old_lines_are_forgotten():
    note = Note("first")
    for _ in range(MAX_LINES + 10):
        note.press("\r")
    assert len(note.lines) == MAX_LINES
