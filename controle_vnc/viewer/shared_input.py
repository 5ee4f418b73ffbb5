"""What a viewer of the decoded picture types and points, on its way to the workstation."""

from controle_vnc.rfb.client import RfbClient
from controle_vnc.rfb.constants import MAX_HELD_KEYS
from controle_vnc.rfb.viewer_messages import CutText, KeyEvent, PointerEvent
from controle_vnc.rfb.viewer_session import Wish


class Input:
    """Passes input on under `control`, and lets go of everything at the end."""

    def __init__(self, control: bool, clipboard: bool) -> None:
        self._control = control
        self._clipboard = clipboard
        self._keys: dict[int, None] = {}
        self._pointer = (0, 0, 0)

    def give(self, message: Wish, client: RfbClient) -> None:
        """Say `message` to the workstation, if it is input and may pass."""
        if not self._control:
            return
        if isinstance(message, KeyEvent):
            self._key(message, client)
        elif isinstance(message, PointerEvent):
            self._pointer = (message.mask, message.x, message.y)
            client.pointer_event(*self._pointer)
        elif isinstance(message, CutText) and self._clipboard:
            client.cut_text(message.text.encode("latin-1", "replace"))

    def _key(self, message: KeyEvent, client: RfbClient) -> None:
        if not message.down:
            self._keys.pop(message.keysym, None)
        elif message.keysym in self._keys or len(self._keys) < MAX_HELD_KEYS:
            self._keys[message.keysym] = None
        else:
            return
        client.key_event(message.down, message.keysym)

    def let_go(self, client: RfbClient) -> None:
        """Release what is held: the connection that carried it stays open for others."""
        for keysym in self._keys:
            client.key_event(False, keysym)
        self._keys.clear()
        mask, x, y = self._pointer
        if mask:
            client.pointer_event(0, x, y)
        self._pointer = (0, x, y)
