"""Who is asking: what policy needs to know of a signed-in user. Pure."""

from dataclasses import dataclass

from eop.directory.users import EVERYTHING, User


@dataclass(frozen=True)
class Identity:
    """A signed-in user: login, name to show, roles, and the rooms and classes granted."""

    login: str
    name: str
    roles: tuple[str, ...]
    rooms: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    language: str | None = None
    theme: str | None = None

    @property
    def sees_every_room(self) -> bool:
        return EVERYTHING in self.rooms or "administrator" in self.roles

    @property
    def sees_every_class(self) -> bool:
        return EVERYTHING in self.classes or "administrator" in self.roles


def of_user(user: User) -> Identity:
    """The identity of a user of the directory."""
    return Identity(
        login=user.login,
        name=user.name,
        roles=(user.role,),
        rooms=frozenset(user.rooms),
        classes=frozenset(user.classes),
        language=user.language,
        theme=user.theme,
    )
