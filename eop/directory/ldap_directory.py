"""Several servers with the same content, asked in order; those that were down rest a while."""

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from eop.directory.ldap_adapter import Link
from eop.directory.ldap_layout import Access, Server
from eop.directory.ldap_trouble import LdapError, UnjudgedError

REST_SECONDS = 30.0  # a server that was down is left alone for so long
AGAIN_SECONDS = 5.0  # where all are down, one is tried again after so long

T = TypeVar("T")


class Directory:
    """Who to ask; it remembers, for all threads, which server was down and since when."""

    def __init__(self, access: Access, clock: Callable[[], float] = time.monotonic) -> None:
        self.access = access
        self._clock = clock
        self._down_since: dict[Server, float] = {}
        self._lock = threading.Lock()

    def ask(self, question: Callable[[Link], T], *, is_whole: bool = True) -> T:
        """What the first server that works answers; raises `LdapError` with a sentence for each."""
        troubles = []
        for server in self.usable():
            try:
                with Link(server, self.access, is_whole=is_whole) as link:
                    link.sign_in()
                    answer = question(link)
            except UnjudgedError as error:  # of one account: the server does not rest for it
                troubles.append(str(error))
            except LdapError as error:
                troubles.append(str(error))
                with self._lock:
                    self._down_since[server] = self._clock()
            else:
                with self._lock:
                    self._down_since.pop(server, None)
                return answer
        raise LdapError("; ".join(troubles) or "no server of the directory answered just now")

    def usable(self) -> list[Server]:
        """Those to ask now: all that do not rest, else the one that has rested longest."""
        now = self._clock()
        with self._lock:
            since = dict(self._down_since)
        awake = [
            server
            for server in self.access.servers
            if server not in since or now - since[server] >= REST_SECONDS
        ]
        if awake:
            return awake
        longest = min(self.access.servers, key=lambda server: since[server])
        return [longest] if now - since[longest] >= AGAIN_SECONDS else []
