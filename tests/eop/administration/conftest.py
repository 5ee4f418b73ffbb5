"""The fixture of every page of the administration."""

from tests.eop.administration.pages import school

__all__ = ["school"]
