"""The one exception tree of the site. Knows nothing of the web."""


class EopError(Exception):
    """Root of every error the site raises on purpose; its text is a sentence."""


class NoApplicationError(EopError):
    """Nothing is linked in the folder of enabled applications."""

    def __init__(self) -> None:
        super().__init__("No application loaded")


class SchemaError(EopError):
    """The database is absent or older or newer than this program; the text names the remedy."""


class InvalidError(EopError):
    """A value cannot be stored; the text says which and why."""


class ExistsError(EopError):
    """Something of that name is there already."""


class NotFoundError(EopError):
    """Nothing of that name is there."""


class RefusedError(EopError):
    """A request is not carried out; `code` is stable and names the sentence in `eop.replies`."""

    def __init__(self, code: str, retry_after: int | None = None, detail: str = "") -> None:
        super().__init__(detail or code)
        self.code = code
        self.retry_after = retry_after


class DaemonDownError(RefusedError):
    """controle-vnc cannot be reached, or does not know our secret; the text is for a log."""

    def __init__(self, detail: str) -> None:
        super().__init__("daemon_down", detail=detail)


class SessionsDownError(RefusedError):
    """The store of sessions cannot be reached: nobody is let in; the text is for a log."""

    def __init__(self, detail: str) -> None:
        super().__init__("sessions_down", detail=detail)
