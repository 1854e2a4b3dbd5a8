"""The things that the simulated Telegram consists of. Times are Unix seconds."""

from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]
Kind = Literal["private", "group", "supergroup"]
Media = Literal["photo", "document", "voice", "audio", "video", "video_note", "animation", "sticker"]
GENERAL = 1
"""The id of a forum's General topic (core.telegram.org/api/forum: id 1). Its messages carry no message_thread_id."""
PRESENT = ("creator", "administrator", "member")


@dataclass(slots=True)
class User:
    """A person or a bot."""

    id: int
    username: str
    first_name: str
    bot: bool = False
    deactivated: bool = False


@dataclass(slots=True)
class Topic:
    """A topic of a forum, or of a private chat. Its id is that of the message that says it was created."""

    id: int
    name: str
    closed: bool = False
    deleted: bool = False


@dataclass(slots=True)
class Chat:
    """A private chat with the bot, whose id is the person's, or a group."""

    id: int
    kind: Kind
    title: str
    members: dict[int, str] = field(default_factory=dict[int, str])
    """User id to status: creator, administrator, member, left or kicked."""
    forum: bool = False
    hears_all: bool = False
    """Whether privacy mode was off when the bot joined."""
    started: bool = False
    """Whether the person of a private chat has ever written."""
    blocked: bool = False
    """Whether that person has blocked the bot."""
    muted: bool = False
    """Whether only administrators may write."""
    migrated_to: int | None = None
    messages: list[int] = field(default_factory=list[int])
    topics: dict[int, Topic] = field(default_factory=dict[int, Topic])
    last: int = 0
    """The last message id of a supergroup; other chats share one count (core.telegram.org/api/updates, message boxes)."""


@dataclass(slots=True)
class Shown:
    """What a message showed from `at` on."""

    at: float
    text: str
    buttons: list[str]


@dataclass(slots=True)
class Message:
    """A message. It stays when it is deleted."""

    chat: int
    id: int
    sender: int
    created: float
    text: str = ""
    """Text or caption."""
    entities: list[Json] = field(default_factory=list[Json])
    media: Media | None = None
    file: str | None = None
    topic: int | None = None
    """The topic; None in General and where there are none."""
    thread: int | None = None
    """The first message of a chain of replies outside of topics: see `world.chain`."""
    reply_to: int | None = None
    quote: str | None = None
    markup: Json | None = None
    album: str | None = None
    forward: Json | None = None
    """A MessageOrigin."""
    service: Json | None = None
    """The fields of a service message."""
    preview: bool = True
    """Whether links may have previews."""
    silent: bool = False
    edited: float | None = None
    deleted: float | None = None
    shown: list[Shown] = field(default_factory=list[Shown])
    """Everything it ever showed, oldest first."""
    reactions: dict[int, list[str]] = field(default_factory=dict[int, list[str]])
    """User id to emoji."""


@dataclass(slots=True)
class File:
    """A file."""

    id: str
    number: int
    name: str
    size: int
    media: str
    kind: Media
    width: int = 0
    height: int = 0
    emoji: str = ""


@dataclass(slots=True)
class Query:
    """A press of an inline button."""

    id: str
    user: int
    chat: int
    message: int
    data: str
    created: float
    answer: Json | None = None
    """What the bot answered, with `text` and `alert`; None before."""
    over: bool = False
    """Whether its time was ended before it ran out."""


@dataclass(slots=True)
class Update:
    """An update that waits to be confirmed."""

    id: int
    kind: str
    body: Json
    queue: int
    """The chat; updates of one keep their order."""
    created: float


@dataclass(slots=True)
class Webhook:
    """Where updates are posted to. An empty url means long polling."""

    url: str = ""
    secret: str = ""
    connections: int = 40


@dataclass(frozen=True, slots=True)
class Draft:
    """A text that is shown while it is made."""

    chat: int
    topic: int | None
    id: int
    text: str
    entities: list[Json]
    until: float
