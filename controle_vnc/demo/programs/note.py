"""A note to write on: `note.py FIRST_LINE`; a line editor of its own, behind which is no shell."""

import os
import sys
import termios
import tty

MAX_LINES = 200  # older ones are forgotten
MAX_LINE_CHARACTERS = 200
READ_BYTES = 1024
BACKSPACE = ("\x7f", "\b")
KILL_LINE = "\x15"  # Ctrl-U


class Note:
    """Lines of text, the last of which grows."""

    def __init__(self, first: str) -> None:
        self.lines = [first, ""]
        self._escaped = ""

    def press(self, sign: str) -> None:
        """One character from the keyboard."""
        if self._escaped or sign == "\033":
            self._skip(sign)
        elif sign in "\r\n":
            self.lines = [*self.lines, ""][-MAX_LINES:]
        elif sign in BACKSPACE:
            self._delete()
        elif sign == KILL_LINE:
            self.lines[-1] = ""
        elif sign.isprintable() and len(self.lines[-1]) < MAX_LINE_CHARACTERS:
            self.lines[-1] += sign

    def _skip(self, sign: str) -> None:
        """Arrows and function keys come as escape sequences: they end with a letter or `~`."""
        self._escaped += sign
        opens = len(self._escaped) == 2 and sign in "[O"
        if len(self._escaped) > 1 and not opens and (sign.isalpha() or sign == "~"):
            self._escaped = ""

    def _delete(self) -> None:
        if self.lines[-1]:
            self.lines[-1] = self.lines[-1][:-1]
        elif len(self.lines) > 1:
            self.lines.pop()


def show(note: Note) -> None:
    size = os.get_terminal_size()
    rows: list[str] = []
    for line in note.lines:
        cuts = range(0, max(1, len(line)), size.columns - 2)
        rows += [line[cut : cut + size.columns - 2] for cut in cuts]
    shown = rows[-(size.lines - 1) :]
    sys.stdout.write("\033[H" + "".join(f"\033[2K {row}\r\n" for row in shown))
    sys.stdout.write(f"\033[J\033[{len(shown)};{len(shown[-1]) + 2}H")
    sys.stdout.flush()


def main() -> None:
    note = Note(" ".join(sys.argv[1:]))
    before = termios.tcgetattr(sys.stdin)
    tty.setraw(sys.stdin)  # no Ctrl-C, no Ctrl-Z: there is nothing behind the note
    sys.stdout.write("\033[2J")
    pending = b""
    try:
        while True:
            show(note)
            data = os.read(sys.stdin.fileno(), READ_BYTES)
            if not data:
                return
            pending += data
            try:
                text, pending = pending.decode(), b""
            except UnicodeDecodeError:
                if len(pending) < 4:  # a letter of several bytes may still come
                    continue
                text, pending = pending.decode(errors="replace"), b""
            for sign in text:
                note.press(sign)
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


if __name__ == "__main__":
    main()
