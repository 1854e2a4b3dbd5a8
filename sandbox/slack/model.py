"""The things that the simulated Slack consists of. Times are Unix seconds; a `ts` is Slack's own kind of time and id."""

from dataclasses import dataclass, field
from typing import Any, Literal

Json = dict[str, Any]

Kind = Literal["channel", "group", "im"]
"""A public channel, a private one, the direct chat of a person with the bot: the `channel_type` of message events."""

StreamState = Literal["streaming", "stopped", "expired", "stopped_by_user"]


@dataclass(slots=True)
class User:
    """A person or a bot."""

    id: str
    name: str
    display: str
    bot_id: str | None = None
    """Set for bots."""
    team: str = ""
    """The workspace; another one's for people who come by Slack Connect."""


@dataclass(slots=True)
class Channel:
    """A channel or a direct chat."""

    id: str
    kind: Kind
    name: str
    created: float = 0.0
    person: str | None = None
    """The other side of a direct chat."""
    members: set[str] = field(default_factory=set[str])
    archived: bool = False
    deleted: bool = False
    read_only: bool = False
    external: bool = False
    """Whether it is shared with another workspace."""
    messages: list[str] = field(default_factory=list[str])
    """The ts of everything that was ever here and is not ephemeral, ascending."""
    whispers: list[str] = field(default_factory=list[str])
    """The ts of the ephemeral messages that were ever here, ascending."""


@dataclass(slots=True)
class Pings:
    """Whom a text notifies."""

    users: list[str] = field(default_factory=list[str])
    groups: list[str] = field(default_factory=list[str])
    everyone: bool = False


@dataclass(slots=True)
class Shown:
    """What a message showed from `at` on."""

    at: float
    text: str


@dataclass(slots=True)
class Stream:
    """The streaming side of a message."""

    started: float
    state: StreamState = "streaming"
    mode: str | None = None
    """`text` or `chunks`, from the first piece on (chat.appendStream: streaming_mode_mismatch)."""
    tasks: dict[str, Json] = field(default_factory=dict[str, Json])
    plan: str = ""
    recipient: str | None = None


@dataclass(slots=True)
class Message:
    """A message. It stays when it is deleted."""

    ts: str
    channel: str
    user: str
    text: str
    created: float
    markdown: bool = False
    """Whether the text is Markdown, not mrkdwn."""
    blocks: list[Json] = field(default_factory=list[Json])
    attachments: list[Json] = field(default_factory=list[Json])
    files: list[str] = field(default_factory=list[str])
    thread: str | None = None
    """The root of the thread in which it is a reply."""
    broadcast: bool = False
    subtype: str | None = None
    metadata: Json | None = None
    ephemeral: str | None = None
    """The only person who sees it."""
    pings: Pings = field(default_factory=Pings)
    unfurl: bool = True
    edited: float | None = None
    deleted: float | None = None
    stream: Stream | None = None
    trigger: str | None = None
    """The command or press that it answers."""
    shown: list[Shown] = field(default_factory=list[Shown])
    """Everything it ever showed, oldest first."""
    reactions: dict[str, list[str]] = field(default_factory=dict[str, list[str]])


@dataclass(slots=True)
class File:
    """A file. `ready` once its upload is complete."""

    id: str
    name: str
    size: int
    media: str
    user: str
    created: float
    mode: str = "hosted"
    title: str = ""
    connect: bool = False
    """Whether it comes from another workspace, so that events name only its id."""
    ready: bool = True
    deleted: bool = False
    ticket: str | None = None
    """What the address of its upload ends with."""
    snippet: str = ""
    alt: str = ""
    width: int | None = None
    height: int | None = None


@dataclass(slots=True)
class Session:
    """An agent session of a thread (docs.slack.dev, Agent sessions)."""

    channel: str
    thread: str
    status: str
    title: str = ""
    initiator: str | None = None


@dataclass(slots=True)
class Trigger:
    """A slash command given or a button pressed."""

    id: str
    kind: Literal["command", "action"]
    name: str
    """The command, or the action_id."""
    text: str
    user: str
    channel: str
    created: float
    secret: str
    """What its response_url ends with."""
    message: str | None = None
    """The message with the button."""
    thread: str | None = None
    outcome: str | None = None
    """None while it is on its way, `acked`, or `operation_timeout`: the person reads that nobody answered."""
    used: int = 0
    """How often its response_url was used."""
    over: bool = False
    """Whether its response_url was ended before its time."""
