"""An RFB server of our own on loopback: a port for viewers, and a page with noVNC for browsers."""

import asyncio
import base64
import hashlib
import mimetypes
import socket
import threading
from pathlib import Path

from controle_vnc.rfb.server import EVERYTHING, RfbServer
from controle_vnc.rfb.server_handshake import OPEN, ServerHandshake
from controle_vnc.viewer.showing import Showing
from controle_vnc.viewer.stream import Stream, WebSocketStream
from controle_vnc.wire import Wire

NOVNC = Path(__file__).resolve().parents[2] / "eop/frontend/node_modules/@novnc/novnc"
MAGIC = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"  # RFC 6455, 1.3
MAX_HEAD_BYTES = 8192
SECONDS = 10
PAGE = b"""<!DOCTYPE html><title>noVNC</title><div id="screen"></div><script type="module">
import RFB from "/core/rfb.js";
const rfb = new RFB(document.getElementById("screen"), `ws://${location.host}/rfb`, {
  wsProtocols: ["binary"],
});
window.rfb = rfb;
window.heard = [];
for (const kind of ["connect", "bell", "clipboard", "desktopname", "disconnect"]) {
  rfb.addEventListener(kind, (event) => window.heard.push([kind, { ...event.detail }]));
}
window.shown = () => {
  const picture = rfb.getImageData();
  let bytes = "";
  for (let at = 0; at < picture.data.length; at += 8192) {
    bytes += String.fromCharCode(...picture.data.subarray(at, at + 8192));
  }
  return [picture.width, picture.height, btoa(bytes)];
};
</script>"""


class PictureServer:
    """`with PictureServer(framebuffer) as server:` shows it to whoever comes.

    Viewers come to `port`, browsers to `url`. The framebuffer belongs to the server's thread: use
    `change`. `wishes` are what viewers have said; `servers` are those that are connected.
    """

    def __init__(self, framebuffer, choice=EVERYTHING, name="picture", lock=OPEN):
        self.framebuffer, self.choice, self.name = framebuffer, choice, name
        self.lock = lock
        self.wishes = []
        self.port = self.page_port = 0
        self._showings = set()
        self._tasks = set()
        self._listeners = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    @property
    def url(self):
        return f"http://127.0.0.1:{self.page_port}/"

    @property
    def servers(self):
        return [showing.server for showing in self._showings]

    def change(self, work):
        """Run `work()` where the framebuffer lives, then show everybody what has changed."""
        return self._run(self._change(work))

    def __enter__(self):
        self._thread.start()
        self.port, self.page_port = self._run(self._listen())
        return self

    def __exit__(self, *_):
        self._run(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(SECONDS)
        self._loop.close()

    def _run(self, work):
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(SECONDS)

    async def _change(self, work):
        result = work()
        for showing in self._showings:
            showing.refresh()
        return result

    async def _listen(self):
        ports = []
        for serve in (self._serve_viewer, self._serve_browser):
            listener = socket.create_server(("127.0.0.1", 0))
            listener.setblocking(False)
            self._listeners.append(listener)
            self._keep(self._accept(listener, serve))
            ports.append(listener.getsockname()[1])
        return ports

    def _keep(self, work):
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _close(self):
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for listener in self._listeners:
            listener.close()

    async def _accept(self, listener, serve):
        while True:
            viewer, _ = await self._loop.sock_accept(listener)
            self._keep(serve(viewer))

    async def _serve_viewer(self, viewer):
        await self._show(Stream(Wire(viewer)))

    async def _show(self, stream):
        handshake = ServerHandshake(self.lock)
        server = RfbServer(self.framebuffer, self.name, handshake, self.choice)
        showing = Showing(server, stream, self.wishes.append)
        self._showings.add(showing)
        try:
            await showing.run("a picture")
        finally:
            self._showings.discard(showing)
            await stream.close()

    # --- browsers

    async def _serve_browser(self, browser):
        """One request: a file of noVNC, the page, or the WebSocket."""
        head = b""
        while b"\r\n\r\n" not in head:
            head += (data := await self._loop.sock_recv(browser, MAX_HEAD_BYTES))
            if not data or len(head) > MAX_HEAD_BYTES:
                browser.close()
                return
        head, early = head.split(b"\r\n\r\n", 1)
        lines = head.decode("latin-1").split("\r\n")
        path = lines[0].split()[1]
        fields = {line.split(":")[0].lower(): line.split(":", 1)[1].strip() for line in lines[1:]}
        if path != "/rfb":
            await self._loop.sock_sendall(browser, self._file(path))
            browser.close()
            return
        key = fields["sec-websocket-key"].encode()
        accept = base64.b64encode(hashlib.sha1(key + MAGIC).digest()).decode()
        await self._loop.sock_sendall(
            browser,
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Accept: {accept}\r\nSec-WebSocket-Protocol: binary\r\n\r\n".encode(),
        )
        await self._show(WebSocketStream(browser, early))

    @staticmethod
    def _file(path):
        file = (NOVNC / path.lstrip("/")).resolve()
        if path == "/":
            body, kind = PAGE, "text/html"
        elif file.is_relative_to(NOVNC.resolve()) and file.is_file():
            body, kind = file.read_bytes(), mimetypes.guess_type(file.name)[0]
        else:
            return b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        return (
            f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
            "Connection: close\r\n\r\n"
        ).encode() + body
