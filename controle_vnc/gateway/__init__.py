"""The gateway on 6080: WebSockets on one side, the daemon's private unix sockets on the other."""
