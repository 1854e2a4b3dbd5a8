"""Finding people, channels and messages by what one types."""

from sandbox.discord.model import Channel, Guild, Message, User
from sandbox.discord.world import World


class Unknown(ValueError):
    """What was named does not exist. The text says what was looked for."""


def user(world: World, named: str) -> User:
    """A user by name, shown name or id. Raises `Unknown`."""
    wanted = named.removeprefix("@")
    if wanted.isdigit() and int(wanted) in world.state.users:
        return world.state.users[int(wanted)]
    for each in world.state.users.values():
        if wanted in (each.name, each.display):
            return each
    raise Unknown(f"no user {named}")


def guild(world: World, named: str | None) -> Guild:
    """A guild by name or id; the first one when None. Raises `Unknown`."""
    for each in world.state.guilds.values():
        if named is None or named in (each.name, str(each.id)):
            return each
    raise Unknown(f"no guild {named}")


def channel(world: World, named: str) -> Channel:
    """A channel or thread by name or id, or as `@user` the direct chat with that user. Raises `Unknown`."""
    if named.startswith("@"):
        return world.open_direct(user(world, named).id)
    wanted = named.removeprefix("#")
    if wanted.isdigit() and (found := world.channel(int(wanted))) is not None:
        return found
    for each in world.state.channels.values():
        if each.name == wanted and not each.deleted and each.person is None:
            return each
    raise Unknown(f"no channel {named}")


def message(world: World, wanted: int | str) -> Message:
    """A message by id, also a deleted one. Raises `Unknown`."""
    found = world.state.messages.get(int(wanted)) if str(wanted).isdigit() else None
    if found is None:
        raise Unknown(f"no message {wanted}")
    return found
