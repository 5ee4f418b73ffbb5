"""Something that listens where controle-vnc should, and is not well: named by how it fails."""

import socket
import threading


class BadControlServer:
    """`how`: `silent` takes connections and says nothing, `garbage` answers noise, `hangs_up`."""

    def __init__(self, how: str) -> None:
        self._how = how
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "BadControlServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)
        self._listener.close()
        for connection in self._open:
            connection.close()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed by the test
            if self._how == "hangs_up":
                connection.close()
                continue
            if self._how == "garbage":
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 100)
            self._open.append(connection)
