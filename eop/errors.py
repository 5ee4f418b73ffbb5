"""The one exception tree of the site. Knows nothing of the web."""


def N_(text: str) -> str:  # noqa: N802 - the name that message extraction knows
    """Marks a text for translation; whoever shows it translates it."""
    return text


class EopError(Exception):
    """Root of every error the site raises on purpose; its text is a sentence."""


class NoApplicationError(EopError):
    """Nothing is linked in the folder of enabled applications."""

    def __init__(self) -> None:
        super().__init__("No application loaded")


class SchemaError(EopError):
    """The database is absent or older or newer than this program; the text names the remedy."""


class InvalidError(EopError):
    """A value cannot be stored; the text says which and why.

    A text that `N_` marked is shown in the user's language, its `arguments` filled in.
    """

    is_translated = False  # whether the text is in the user's language already

    def __init__(self, text: str, /, **arguments: str | int) -> None:
        super().__init__(text % arguments if arguments else text)
        self.text = text
        self.arguments = arguments


class ExistsError(EopError):
    """Something of that name is there already."""


class NotFoundError(EopError):
    """Nothing of that name is there."""


class RefusedError(EopError):
    """A request is not carried out; `code` is stable and names the sentence in `eop.replies`.

    `where` is the address to go to instead, `retry_after` how many seconds to wait.
    """

    def __init__(
        self, code: str, retry_after: int | None = None, detail: str = "", where: str = ""
    ) -> None:
        super().__init__(detail or code)
        self.code = code
        self.retry_after = retry_after
        self.where = where


class DaemonDownError(RefusedError):
    """controle-vnc cannot be reached, or does not know our secret; the text is for a log."""

    def __init__(self, detail: str) -> None:
        super().__init__("daemon_down", detail=detail)


class SessionsDownError(RefusedError):
    """The store of sessions cannot be reached: nobody is let in; the text is for a log."""

    def __init__(self, detail: str) -> None:
        super().__init__("sessions_down", detail=detail)
