"""A maintained OpenID Connect provider in a process: npm's oidc-provider."""

import json
import shutil
import subprocess

import pytest

from tests.desktops import free_port
from tests.server_process import ROOT, ServerProcess

FOLDER = ROOT / "tests/oidc_provider"
NODE = 20  # older ones have no global `crypto`, which it uses


def why_not() -> str:
    """What this machine lacks to run it; nothing where it lacks nothing."""
    if not (FOLDER / "node_modules/oidc-provider").is_dir():
        return "oidc-provider is not installed: run npm ci in tests/oidc_provider"
    if shutil.which("node") is None:
        return "no node on this machine"
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True)
    if int(version.stdout.strip().lstrip("v").split(".")[0]) < NODE:
        return f"node is older than {NODE}"
    return ""


class OidcServer(ServerProcess):
    """`with OidcServer(client, users) as server:` then `server.issuer`, `server.sign_out`.

    `client` is its metadata, as OpenID Connect Dynamic Client Registration 1.0 (2) names it;
    `users` are logins and their passwords.
    """

    def __init__(self, client: dict[str, object], users: dict[str, str]) -> None:
        if why_not():
            pytest.skip(why_not())
        port = free_port()
        self.issuer = f"http://localhost:{port}"
        self.sign_out = self.issuer + "/session/end"
        given = {"port": port, "issuer": self.issuer, "client": client, "users": users}
        super().__init__("node", str(FOLDER / "server.mjs"), json.dumps(given))
