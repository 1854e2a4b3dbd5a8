"""Finding people, channels and messages by what one types."""

from sandbox.slack.model import Channel, Message, User
from sandbox.slack.world import World


class Unknown(ValueError):
    """What was named does not exist. The text says what was looked for."""


def user(world: World, named: str) -> User:
    """A user by name, shown name or id. Raises `Unknown`."""
    wanted = named.removeprefix("@")
    if wanted in world.state.users:
        return world.state.users[wanted]
    for each in world.state.users.values():
        if wanted in (each.name, each.display):
            return each
    raise Unknown(f"no user {named}")


def channel(world: World, named: str) -> Channel:
    """A channel by name or id, or as `@user` the direct chat of the bot with that user. Raises `Unknown`."""
    if named.startswith("@"):
        return world.open_direct(user(world, named).id)
    wanted = named.removeprefix("#")
    if (found := world.channel(wanted)) is not None:
        return found
    for each in world.state.channels.values():
        if each.name == wanted and not each.deleted and each.kind != "im":
            return each
    raise Unknown(f"no channel {named}")


def message(world: World, ts: str) -> Message:
    """A message by its ts, also a deleted one. Raises `Unknown`."""
    found = world.state.messages.get(ts)
    if found is None:
        raise Unknown(f"no message {ts}")
    return found
