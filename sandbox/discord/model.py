"""The things that the simulated Discord consists of."""

from dataclasses import dataclass, field
from enum import IntFlag
from typing import Any

Json = dict[str, Any]


class Permission(IntFlag):
    """The bits that the simulator looks at (Discord developer docs, Permissions)."""

    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    SEND_MESSAGES_IN_THREADS = 1 << 38


EVERYONE = (
    Permission.ADD_REACTIONS
    | Permission.VIEW_CHANNEL
    | Permission.SEND_MESSAGES
    | Permission.EMBED_LINKS
    | Permission.ATTACH_FILES
    | Permission.READ_MESSAGE_HISTORY
    | Permission.CREATE_PUBLIC_THREADS
    | Permission.SEND_MESSAGES_IN_THREADS
)
"""What everyone may do in a new guild here. MENTION_EVERYONE is left out: a test gives it where it matters."""

TEXT, DIRECT, PUBLIC_THREAD = 0, 1, 11
"""Channel types (Discord developer docs, Channel: Channel Types)."""

DEFAULT, REPLY, THREAD_CREATED, COMMAND_ANSWER, THREAD_STARTER = 0, 19, 18, 20, 21
"""Message types (Discord developer docs, Message: Message Types)."""

SUPPRESS_EMBEDS, HAS_THREAD, SUPPRESS_NOTIFICATIONS = 1 << 2, 1 << 5, 1 << 12
EPHEMERAL, LOADING, COMPONENTS_V2 = 1 << 6, 1 << 7, 1 << 15
"""Message flags (Discord developer docs, Message: Message Flags)."""


@dataclass(slots=True)
class User:
    """A person, a bot or a webhook."""

    id: int
    name: str
    display: str
    bot: bool = False
    webhook: bool = False
    refuses_direct: bool = False
    """Whether the bot may not write to this user (error 50007)."""


@dataclass(slots=True)
class Role:
    """A role of a guild. `permissions` are bits."""

    id: int
    name: str
    permissions: int
    position: int
    mentionable: bool = False


@dataclass(slots=True)
class Guild:
    """A guild, which people call a server."""

    id: int
    name: str
    owner: int
    roles: dict[int, Role]
    """The role with the guild's own id is @everyone."""
    members: dict[int, list[int]]
    """User id to role ids. Whether the bot is among them says whether it is in the guild."""
    channels: dict[int, None] = field(default_factory=dict[int, None])
    """Ids of the channels and threads, in order of creation."""


@dataclass(slots=True)
class Overwrite:
    """What a role or member is allowed and denied in one channel, as bits."""

    id: int
    member: bool
    """True for a member's overwrite, False for a role's."""
    allow: int
    deny: int


@dataclass(slots=True)
class Channel:
    """A text channel, a thread or a direct chat."""

    id: int
    type: int
    name: str
    guild: int | None = None
    parent: int | None = None
    owner: int | None = None
    """Who opened the thread."""
    person: int | None = None
    """The other side of a direct chat."""
    overwrites: dict[int, Overwrite] = field(default_factory=dict[int, Overwrite])
    messages: list[int] = field(default_factory=list[int])
    """Ids of the messages that were ever here, ascending. Ephemeral ones are not among them."""
    whispers: list[int] = field(default_factory=list[int])
    """Ids of the ephemeral messages that were ever here, ascending."""
    members: set[int] = field(default_factory=set[int])
    """Who joined the thread."""
    created: float = 0.0
    auto_archive: int = 1440
    """Minutes. The simulator archives only on demand (`People.archive_due`)."""
    archived: bool = False
    locked: bool = False
    deleted: bool = False
    last: int | None = None

    @property
    def thread(self) -> bool:
        """Whether it is a thread."""
        return self.type == PUBLIC_THREAD


@dataclass(slots=True)
class Pings:
    """Whom a text really pings, after allowed mentions."""

    users: list[int] = field(default_factory=list[int])
    roles: list[int] = field(default_factory=list[int])
    everyone: bool = False


@dataclass(slots=True)
class Edit:
    """What a message showed from `at` (Unix seconds) on."""

    at: float
    content: str
    flags: int


@dataclass(slots=True)
class Message:
    """A message. It stays when it is deleted. Times are Unix seconds."""

    id: int
    channel: int
    author: int
    content: str
    created: float
    type: int = DEFAULT
    nonce: str | None = None
    flags: int = 0
    tts: bool = False
    pings: Pings = field(default_factory=Pings)
    reference: Json | None = None
    attachments: list[Json] = field(default_factory=list[Json])
    components: list[Json] = field(default_factory=list[Json])
    webhook: str | None = None
    """The name shown when a webhook wrote it."""
    edited: float | None = None
    deleted: float | None = None
    shown: list[Edit] = field(default_factory=list[Edit])
    """Everything it ever showed, oldest first."""
    reactions: dict[str, list[int]] = field(default_factory=dict[str, list[int]])
    interaction: int | None = None
    """The interaction that it answers."""
    ephemeral: int | None = None
    """The only person who sees it."""


COMMAND, COMPONENT, AUTOCOMPLETE = 2, 3, 4
"""Interaction types (Discord developer docs, Receiving and Responding: Interaction Type)."""


@dataclass(slots=True)
class Interaction:
    """A command called, a button pressed, or choices asked for. Times are Unix seconds."""

    id: int
    type: int
    token: str
    user: int
    channel: int
    name: str
    """The command's full name, or the custom id of what was pressed."""
    data: Json
    """The interaction data, with attachments without their addresses."""
    created: float
    message: int | None = None
    """The message with the button."""
    answered: int | None = None
    """The type of the answer; None while there is none."""
    original: int | None = None
    """The message that answers, or with types 6 and 7 the one with the button."""
    choices: list[Json] | None = None
    """The answer to AUTOCOMPLETE."""
