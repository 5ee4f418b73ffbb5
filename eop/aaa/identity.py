"""Who is asking: what policy needs to know of a signed-in user. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from eop.directory.substitutes import TemporaryGrant
from eop.directory.users import ACTIVE, User


@dataclass(frozen=True)
class Identity:
    """A signed-in user: login, name to show, roles, and the rooms and classes granted.

    `heads` are the classes whose head teacher this is.

    `temporary` is what is granted at this moment as a substitute, the longest first.
    """

    login: str
    name: str
    roles: tuple[str, ...]
    rooms: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    heads: frozenset[str] = frozenset()
    language: str | None = None
    theme: str | None = None
    single_keys: bool = True
    state: str = ACTIVE
    temporary: tuple[TemporaryGrant, ...] = ()


def of_user(user: User, temporary: Sequence[TemporaryGrant] = ()) -> Identity:
    """The identity of a user of the directory; `temporary` is what `substitutes.grants_at` says."""
    return Identity(
        login=user.login,
        name=user.name,
        roles=(user.role,),
        rooms=frozenset(user.rooms),
        classes=frozenset(user.classes),
        heads=frozenset(user.heads),
        language=user.language,
        theme=user.theme,
        single_keys=user.single_keys,
        state=user.state,
        temporary=tuple(temporary),
    )
