"""Finding people, chats, topics and messages by what one types."""

from sandbox.telegram.model import GENERAL, Chat, Message, User
from sandbox.telegram.world import World


class Unknown(ValueError):
    """What was named does not exist. The text says what was looked for."""


def user(world: World, named: str) -> User:
    """A user by username, first name or id. Raises `Unknown`."""
    wanted = named.removeprefix("@")
    for each in world.state.users.values():
        if wanted in (each.username, each.first_name, str(each.id)):
            return each
    raise Unknown(f"no user {named}")


def chat(world: World, named: str) -> Chat:
    """A chat by title or id, or as `@user` the private chat of the bot with that user. Raises `Unknown`.

    A title stands for the supergroup that a group has become; the old group is found by its id.
    """
    if named.startswith("@"):
        return world.open_private(user(world, named).id)
    for each in world.state.chats.values():
        if str(each.id) == named or (each.title == named and each.kind != "private" and each.migrated_to is None):
            return each
    raise Unknown(f"no chat {named}")


def topic(chat: Chat, named: str | int | None) -> int | None:
    """A topic's id by name or id; None for General and when none is named. Raises `Unknown`."""
    if named is None or named in ("General", GENERAL, str(GENERAL)):
        return None
    for each in chat.topics.values():
        if not each.deleted and named in (each.id, str(each.id), each.name):
            return each.id
    raise Unknown(f"no topic {named}")


def message(world: World, named: str) -> Message:
    """A message by `chat:message_id`, also a deleted one. Raises `Unknown`."""
    place, _, number = named.rpartition(":")
    try:
        return world.state.messages[int(place), int(number)]
    except (KeyError, ValueError) as error:
        raise Unknown(f"no message {named}") from error
