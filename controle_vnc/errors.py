"""The one exception tree of the daemon's side. Knows nothing else."""


class ControleVncError(Exception):
    """Root of every error this package raises on purpose."""


class SettingsError(ControleVncError):
    """A setting is unknown, of the wrong type or unsafe; the text names file, key and remedy."""


class CannotListenError(ControleVncError):
    """A port or a socket of ours is taken or not allowed; the text names it."""


class ProtocolError(ControleVncError):
    """The peer broke its protocol or a limit: that one connection is dead, for good."""


class HungUpError(ControleVncError):
    """The peer closed the connection, or said that nothing more follows."""


class AuthenticationError(ControleVncError):
    """A workstation refused our password, or a peer of 8788 could not prove the secret."""


class UnsupportedError(ControleVncError):
    """The peer speaks the protocol but offers nothing that we can use."""


class TurnedAwayError(UnsupportedError):
    """The server lets nobody in now, or not us, and says why (zero security types)."""


class UntrustedServerError(ControleVncError):
    """A workstation's server cannot prove that it is the one we know; it was told no password.

    `shown`: the fingerprint of what it shows, where there is one.
    """

    def __init__(self, message: str, shown: str | None = None) -> None:
        super().__init__(message)
        self.shown = shown


class KeyChangedError(UntrustedServerError):
    """The server shows another key or certificate than the one that is stored for it."""


class UnconfirmedServerError(UntrustedServerError):
    """The server wants a password that it could read, and nobody has said that it is the one."""


class TicketRefusedError(ControleVncError):
    """A ticket is unknown, expired, used or revoked. Says no more, on purpose."""


class DaemonUnreachableError(ControleVncError):
    """controle-vnc did not answer in time or could not be reached."""


class RequestRefusedError(ControleVncError):
    """controle-vnc answered a request with a failure.

    `code` is stable (`unknown_workstation`, `exists`, `invalid`, `not_leased`, `journal` …).
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class JournalError(ControleVncError):
    """The journal cannot be written: what it should have told must not happen."""
