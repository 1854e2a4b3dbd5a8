"""Ids: Telegram's own, and those of the seam that are made of them.

A chat is "telegram:-100123", a topic of it "telegram:-100123/7", and a message of the chat "telegram:-100123/42": a message_id
alone is only unique in its chat. A group that becomes a supergroup gets another id, and its messages other numbers.
"""

from dataclasses import dataclass

from shared.chat import AuthorId, ChannelId, MessageId

NAME = "telegram"

GENERAL = 1
"""The General topic of a forum (core.telegram.org/api/forum): it is the group itself, and is not named in calls. Private chats
have none."""


@dataclass(frozen=True, slots=True)
class Place:
    """A chat by Telegram's own id; `topic` is its message_thread_id where it is a topic other than General."""

    chat: int
    topic: int | None = None

    @property
    def private(self) -> bool:
        """Whether it is a chat with one person: their ids are positive (core.telegram.org/api/bots/ids)."""
        return self.chat > 0


def channel_id(chat: int, topic: int | None = None) -> ChannelId:
    """The id of a chat, or of a topic in it, across the seam."""
    general = topic is None or (chat < 0 and topic == GENERAL)
    return ChannelId(f"{NAME}:{chat}" if general else f"{NAME}:{chat}/{topic}")


def message_id(chat: int, number: int) -> MessageId:
    """The id of a message across the seam."""
    return MessageId(f"{NAME}:{chat}/{number}")


def author_id(user: int) -> AuthorId:
    """The id of a user, or of a chat that writes, across the seam."""
    return AuthorId(f"{NAME}:{user}")


def space_id(chat: int) -> str:
    """The id of a group as a space across the seam: its topics belong together."""
    return f"{NAME}:{chat}"


def place_of(channel: ChannelId) -> Place:
    """Where a channel of the seam is. Raises `ValueError` for one of another platform."""
    chat, _, topic = _bare(channel).partition("/")
    return Place(int(chat), int(topic) if topic else None)


def message_of(message: MessageId) -> tuple[int, int]:
    """The chat and the message_id of a message. Raises `ValueError` for one of another platform."""
    chat, _, number = _bare(message).partition("/")
    return int(chat), int(number)


def _bare(identity: str) -> str:
    name, _, rest = identity.partition(":")
    if name != NAME or not rest:
        raise ValueError(f"not an id of {NAME}: {identity!r}")
    return rest


class Moves:
    """Groups that have become supergroups: what is said to the old id goes to the new one."""

    def __init__(self) -> None:
        self._new: dict[int, int] = {}

    def learn(self, old: int, new: int) -> bool:
        """Remember a move; whether it is news."""
        if old == new or self._new.get(old) == new:
            return False
        self._new[old] = new
        return True

    def now(self, chat: int) -> int:
        """The id that a chat has now."""
        seen = {chat}
        while (new := self._new.get(chat)) is not None and new not in seen:
            seen.add(chat := new)
        return chat
