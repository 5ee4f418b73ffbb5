"""The product under measurement: workstations from a list of ports, and its processes."""

import json
from collections.abc import Iterable
from urllib.parse import urlsplit

from tests.bench.cpu import tree
from tests.stack import Api, Stack


class Product(Stack):
    """A `Stack` without desktops of its own; `ids` of its workstations in their order."""

    def register(self, ports: Iterable[int], room: str = "BENCH", password: str = "") -> list[str]:
        """Make a workstation of each port; gives their ids."""
        names = {f"{room.lower()}-{place:03}": port for place, port in enumerate(ports, 1)}
        file = self.folder / f"{room}.csv"
        lines = [f"{name},{room},127.0.0.1:{port},{password}" for name, port in names.items()]
        file.write_text("\n".join(["name,room,vnc,password", *lines]) + "\n")
        file.chmod(0o600)
        self.eopctl("workstation", "import", str(file))
        listed = json.loads(self.eopctl("workstation", "list", "--json"))
        ids = {entry["name"]: entry["id"] for entry in listed}
        return [ids[name] for name in names]

    def pids(self, part: str = "") -> set[int]:
        """Every process between browser and VNC server, or only the `daemon` or the `gateway`."""
        roots = {
            pid: "gateway" if "controle_vnc.gateway" in command else "daemon"
            for pid, command in self.processes().items()
            if "controle_vnc" in command and "controle_vnc.demo" not in command
            if "/demo/" not in command
        }
        return tree(*(pid for pid, name in roots.items() if part in ("", name)))


def target(api: Api, **wanted: str) -> dict[str, object]:
    """Where and with what to open a WebSocket: a ticket in the words of `ws_client`."""
    ticket = api.ticket(**wanted)
    parts = urlsplit(ticket["url"])
    return {
        "host": parts.hostname,
        "port": parts.port,
        "path": parts.path,
        "protocols": ["binary", f"ticket.{ticket['ticket']}"],
        "origin": api.stack.origin,
    }
