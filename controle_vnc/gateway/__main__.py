"""`python -m controle_vnc.gateway`: the gateway as a program."""

import logging
import sys

from controle_vnc import log, settings
from controle_vnc.errors import SettingsError

logger = logging.getLogger("controle_vnc.gateway")


def main() -> int:
    """Serve until SIGTERM or SIGINT; 2 where the settings are wrong, 1 where the port is taken."""
    try:
        chosen = settings.load()
        log.setup(chosen.LOG_LEVEL, chosen.log_file.with_name("gateway.log"))
        from controle_vnc.gateway.server import GatewayServer  # after: 200 ms of imports

        server = GatewayServer(chosen)
    except SettingsError as error:
        sys.stderr.write(f"controle-vnc gateway: {error}\n")
        return 2
    except OSError as error:
        where = f"{chosen.GATEWAY_HOST}:{chosen.GATEWAY_PORT}"
        logger.error("cannot listen on %s: %s", where, error)  # noqa: TRY400
        return 1
    server.start_server()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
