"""Accepts, looks who asks, and gives each request a process of its own.

That process reads the password, asks PAM and ends: nothing of a password outlives its request, a
module that hangs is killed at a deadline, and one that crashes takes nobody with it.
"""

import contextlib
import gc
import os
import select
import signal
import socket
import sys
import time
from dataclasses import dataclass

from eop.pam import hardening, stack, wire
from eop.pam.protocol import Answer, Hello, ProtocolError, Ready, SignIn, pack, read_request

CONVERSATIONS = 16  # at once, as many as gunicorn has threads by default; others wait their turn
CONVERSATION_SECONDS = 15.0  # of one, PAM's servers included; then it is killed
REQUEST_SECONDS = 2.0  # from the connection to the whole request: all of it is sent at once
SEND_SECONDS = 2.0
PAUSE_SECONDS = 1.0  # before a failure is told: each takes a multiple of it, whatever failed
STOP_SECONDS = 3.0  # what running conversations have when we are asked to stop
KILLED_SECONDS = 1.0  # after SIGKILL only the kernel's own work is left


@dataclass(frozen=True)
class Rules:
    """Who may ask, which PAM service, and whom it is asked about."""

    uids: frozenset[int]
    service: str
    minimum_uid: int


def say(text: str) -> None:
    """One line to standard error, which systemd keeps."""
    with contextlib.suppress(OSError):  # a log that is gone stops no sign-in
        sys.stderr.write(f"eop-pam: {text}\n")
        sys.stderr.flush()


class Server:
    """One thread; at most `CONVERSATIONS` children, each with a deadline."""

    def __init__(self, listener: socket.socket, rules: Rules) -> None:
        self._listener, self._rules = listener, rules
        self._deadlines: dict[int, float] = {}  # of each child, by its process
        self._is_stopping = False
        self._woken, self._waking = socket.socketpair()
        for end in (self._woken, self._waking):
            end.setblocking(False)

    def run(self) -> None:
        """Serve until SIGTERM or SIGINT."""
        signal.set_wakeup_fd(self._waking.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._asked_to_stop)
        gc.freeze()  # a collection in a child would copy every page it shares with us
        while not self._is_stopping:
            self._turn(accepting=len(self._deadlines) < CONVERSATIONS)
        end = time.monotonic() + STOP_SECONDS
        while self._deadlines and time.monotonic() < end:
            self._turn(accepting=False, until=end)
        self._deadlines = dict.fromkeys(self._deadlines, 0.0)
        end = time.monotonic() + KILLED_SECONDS
        while self._deadlines and time.monotonic() < end:
            self._turn(accepting=False, until=end)

    def _asked_to_stop(self, *_: object) -> None:
        self._is_stopping = True

    def _turn(self, *, accepting: bool, until: float = float("inf")) -> None:
        wanted = [self._woken, self._listener] if accepting else [self._woken]
        due = min([until, *self._deadlines.values()])
        seconds = None if due == float("inf") else max(0.0, due - time.monotonic())
        ready, _, _ = select.select(wanted, [], [], seconds)
        if self._woken in ready:
            with contextlib.suppress(BlockingIOError):
                self._woken.recv(4096)
        self._reap()
        self._end_overdue()
        if self._listener in ready:
            with contextlib.suppress(OSError):  # whoever connected has gone again
                self._take(self._listener.accept()[0])

    def _reap(self) -> None:
        for child in list(self._deadlines):
            if os.waitpid(child, os.WNOHANG)[0]:
                del self._deadlines[child]

    def _end_overdue(self) -> None:
        now = time.monotonic()
        for child, deadline in self._deadlines.items():
            if now >= deadline:
                say(f"conversation {child} did not end in time; it is killed")
                os.kill(child, signal.SIGKILL)  # not reaped yet: the number is still its own
                self._deadlines[child] = now + KILLED_SECONDS

    def _take(self, connection: socket.socket) -> None:
        """Give a connection of someone we serve to a child."""
        with connection:
            uid = wire.peer_uid(connection)
            if uid not in self._rules.uids:
                say(f"turned away a process of uid {uid}")
                return
            parent = os.getpid()
            try:
                child = os.fork()
            except OSError as error:
                say(f"no process for a request: {error}")
                return
            if child == 0:
                self._be_child(connection, parent)
            self._deadlines[child] = time.monotonic() + CONVERSATION_SECONDS

    def _be_child(self, connection: socket.socket, parent: int) -> None:
        """Never returns: what is below on the stack is the parent's."""
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
                signal.signal(number, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal: our parent decides
            hardening.bind_to_parent(parent)
            self._listener.close()
            converse(connection, self._rules)
        except (OSError, ProtocolError) as error:
            say(f"a request was dropped: {error}")
        except BaseException as error:  # its text might hold what was typed
            say(f"a request failed: {type(error).__name__}")
        finally:
            os._exit(0)


def converse(connection: socket.socket, rules: Rules) -> None:
    """Read one request, answer it, and wipe what can be wiped."""
    body = wire.receive(connection, REQUEST_SECONDS)
    try:
        request = read_request(body)
    finally:
        body[:] = bytes(len(body))
    if isinstance(request, Hello):
        wire.send(connection, pack(Ready(rules.service)), SEND_SECONDS)
        return
    since = time.monotonic()
    answer = _answer(request, rules)
    del request
    if not answer.is_proven:
        _pause(since)
    wire.send(connection, pack(answer), SEND_SECONDS)


def _answer(request: SignIn, rules: Rules) -> Answer:
    if not stack.is_admitted(request.login, request.password, rules.minimum_uid):
        say("a login that is no person's account here: wrong")  # it may be a password
        return stack.WRONG
    answer = stack.ask(request.login, request.password, rules.service)
    say(f"{request.login}: {answer.outcome}")
    return answer


def _pause(since: float) -> None:
    """Wait until a whole number of pauses has passed, and at least one."""
    time.sleep(PAUSE_SECONDS - (time.monotonic() - since) % PAUSE_SECONDS)
