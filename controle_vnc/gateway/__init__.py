"""The gateway on 6080: a WebSocket on one side, a private unix socket of the daemon on the other."""
