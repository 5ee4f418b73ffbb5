"""Asks Redis for one hash with as little around it as can be: every request waits for it."""

import os
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


class Line:
    """Connections of a client's pool, kept at hand; as many as threads asked at the same time.

    The client looks before each use whether a connection still lives, and counts what it does:
    as much work as the question itself. Here a dead one shows when it is asked, and is opened anew.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._idle: list[Any] = []

    def hash_at(self, key: str) -> dict[str, str]:
        """The hash at `key`, empty where there is none; raises `redis.RedisError`."""
        return self.hash_while(key, lambda: None)[0]

    def hash_while(self, key: str, work: Callable[[], T]) -> tuple[dict[str, str], T]:
        """The hash at `key`, and what `work` gave, which is done while Redis answers.

        Where it has to be asked again, `work` is done again.
        """
        connection = self._take()
        try:
            found: tuple[dict[str, str], T] = connection.retry.call_with_retry(
                lambda: self._ask(connection, key, work), lambda _error: connection.disconnect()
            )
        except BaseException:
            connection.disconnect()  # whoever is next must not read what was meant for this one
            raise
        finally:
            self._idle.append(connection)
        return found

    def _take(self) -> Any:
        try:
            connection = self._idle.pop()
        except IndexError:
            return self._client.connection_pool.get_connection()
        if connection.pid == os.getpid():
            return connection
        self._idle.clear()  # these are our parent's: we were forked since
        return self._client.connection_pool.get_connection()

    def _ask(self, connection: Any, key: str, work: Callable[[], T]) -> tuple[dict[str, str], T]:
        connection.send_command("HGETALL", key)
        done = work()
        return self._client.parse_response(connection, "HGETALL"), done
