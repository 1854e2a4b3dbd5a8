"""The vocabulary of the platform seam: what people say, where answers go, and what an adapter can do.

Ids are opaque strings that begin with the platform's name ("platform:123"); only the adapter that made one reads it.
Markdown crosses the seam: an adapter renders it for its platform and says through `fits` what one message can hold.
No exception but those of `shared.errors` crosses it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, NewType, Protocol

ChannelId = NewType("ChannelId", str)
MessageId = NewType("MessageId", str)
AuthorId = NewType("AuthorId", str)

Kind = Literal["direct", "group", "thread"]
Act = Literal["post", "edit", "delete", "busy", "open", "upload", "react", "begin", "extend", "finish", "draft"]


@dataclass(frozen=True, slots=True)
class Channel:
    """A place where people talk: a channel, a thread, a direct chat."""

    id: ChannelId
    kind: Kind
    parent: ChannelId | None = None
    space: str | None = None
    """The server or workspace that it belongs to; None for a direct chat."""
    title: str | None = None
    secluded: bool = False
    """Whether people who see the parent need not see this: what is said here is not to be told there."""


@dataclass(frozen=True, slots=True)
class Author:
    """Who wrote. `name` is what people see; it is hostile text like any other."""

    id: AuthorId
    name: str
    is_bot: bool = False
    roles: frozenset[str] = frozenset()
    space: str | None = None
    """The workspace that they belong to, where people of several can be in one place."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where an answer goes, and how.

    `handle` is what the adapter needs to answer there (a token): secret, stored with the turn, useless after `expires`.
    `private` asks that `user` alone sees it, where the platform can do that; elsewhere it is shown to all.
    """

    channel: Channel
    reply_to: MessageId | None = None
    user: AuthorId | None = None
    private: bool = False
    handle: str | None = field(default=None, repr=False)
    expires: datetime | None = None


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file beside a message. `ref` is enough to fetch it again after a restart.

    `size` is in bytes, 0 if the platform does not tell; `name`, `media_type` and `size` are what others claim.
    """

    ref: str
    name: str
    media_type: str
    size: int


@dataclass(frozen=True, slots=True)
class File:
    """A file of ours, to be shown. `path` is where its bytes are on this machine; `name` has no folders in it."""

    name: str
    media_type: str
    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class Button:
    """Something to press under a message. `id` has at most 40 ASCII characters, `label` a word or two."""

    id: str
    label: str


@dataclass(frozen=True, slots=True)
class Quoted:
    """The message that a person replied to: context for the answer."""

    name: str
    text: str
    own: bool
    """True if it is one of ours."""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something that was written: by a person, or by a bot, us included, which moves the mark of its channel and no more.

    `keys` (one or more) name the event for de-duplication: an event is known as soon as one of its keys is. `text` is what they
    wrote without the mention of the bot; `addressed` says whether it is meant for the bot. `thread` is the channel in which the
    answer would be, where that is not `target.channel`: it names the conversation before the thread exists.
    `unreadable` says that the platform withheld the text; addressed or not. Messages with the same `album` were sent as one: what
    comes after one of them that was addressed counts as addressed, too.
    `commanded`: it was asked by a command of the platform's own, and whoever gave that waits for an answer, which has to come.
    """

    keys: tuple[str, ...]
    id: MessageId
    target: Target
    author: Author
    sent_at: datetime
    text: str
    addressed: bool
    recalled: bool = False
    unreadable: bool = False
    commanded: bool = False
    thread: Channel | None = None
    quoted: Quoted | None = None
    attachments: tuple[Attachment, ...] = ()
    album: str | None = None

    @property
    def place(self) -> Channel:
        """The channel that holds the conversation."""
        return self.thread or self.target.channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Edited:
    """A person has changed a message. `message` is how it is now, with the keys that it always had.

    `keys` name this change. Changes that people do not make (a link preview that appears) are not delivered.
    """

    keys: tuple[str, ...]
    message: Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command that the platform has recognised as one. `options` are texts by the names in `shared.commands`.

    The adapter has acknowledged it, or will; whoever gave it waits for an answer in `target`, which has to come. `quiet`: the
    platform itself shows that it was taken, and nothing is to be said about it.
    """

    keys: tuple[str, ...]
    target: Target
    author: Author
    sent_at: datetime
    name: str
    options: Mapping[str, str] = field(default_factory=dict[str, str])
    quiet: bool = False

    @property
    def place(self) -> Channel:
        """The channel that holds the conversation."""
        return self.target.channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Pressed:
    """A button was pressed under a message of ours. An answer in `target` is possible and need not come."""

    keys: tuple[str, ...]
    target: Target
    author: Author
    sent_at: datetime
    button: str
    message: MessageId

    @property
    def place(self) -> Channel:
        """The channel that holds the conversation."""
        return self.target.channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Deleted:
    """A message is no longer there; it may have been ours."""

    channel: ChannelId
    message: MessageId


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """We can no longer be in a channel, or in any channel of a space.

    `at` is when that came to be, by the platform's clock and rather too late than too early; None where it does not tell. What
    people have said there since is not touched: they have let us in again.
    """

    channel: ChannelId | None = None
    space: str | None = None
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """A channel has become another: what was said in `old` goes on in `channel`. Its messages have other ids from now on."""

    old: ChannelId
    channel: Channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Connected:
    """A new session with the platform: what was said before it may have been missed."""


Event = Message | Edited | Deleted | Command | Pressed | Left | Moved | Connected
Cause = Message | Command | Pressed
"""What a person does to get something from us."""

Deliver = Callable[[Event], Awaitable[None]]
"""Returns once the event is stored. Called in the order of the events of a channel; calls may overlap.

Raises `Unavailable` if it could not be stored and the platform's past cannot be read: the adapter does not acknowledge the event
and delivers it again, after a pause and before what came after it in its channel.
"""


@dataclass(frozen=True, slots=True)
class Limit:
    """One scope in which an act is counted: at most `calls` in `seconds`, at least `spacing` seconds between two.

    `windowed`: the platform counts in windows that open with the first call and then last `seconds`; otherwise in any stretch of
    `seconds`. `blocked` is how many seconds from now the platform has asked for silence in this scope.
    """

    scope: str
    calls: int
    seconds: float
    spacing: float = 0.0
    windowed: bool = False
    blocked: float = 0.0


@dataclass(frozen=True, slots=True)
class Health:
    """How an adapter is: whether it hears its platform, and one line for the operator."""

    connected: bool
    detail: str = ""


class Adapter(Protocol):
    """One platform. Built by `bots/__main__.py`; knows nothing of the core but the `Deliver` that `run` is given.

    Any call may raise `RateLimited`, `Unavailable`, `Gone`, `Forbidden` or `Refused`.
    """

    @property
    def name(self) -> str:
        """The platform's name: the folder's name and the beginning of every id."""
        ...

    async def run(self, deliver: Deliver) -> None:
        """Connect and deliver events until cancelled. Raises `Misconfigured` if the operator has to act.

        The platform's acknowledgement, where it has one, is given only after `deliver` has returned.
        """
        ...

    def fits(self, target: Target, markdown: str) -> bool:
        """Whether the platform would take this as one message. Pure, and true for every prefix of a text that fits."""
        ...

    def limits(self, target: Target, act: Act) -> Sequence[Limit]:
        """Every scope in which the act is counted, as known now; none for an act that the platform does not have."""
        ...

    async def post(
        self, target: Target, markdown: str, *, key: str, buttons: Sequence[Button] = (), silent: bool = False
    ) -> MessageId:
        """Show a new message; `key` (at most 25 ASCII characters) makes a repeat harmless where the platform can.

        After it returned the message shows this text, also if an earlier call with this key had shown another.
        `silent` messages notify nobody. Where there are no buttons they are left out.
        """
        ...

    async def edit(self, target: Target, message: MessageId, markdown: str, *, buttons: Sequence[Button] = ()) -> None:
        """Change what a message of ours shows; `buttons` are all it has from then on.

        An edit that changes nothing is no failure.
        """
        ...

    async def delete(self, target: Target, message: MessageId) -> None:
        """Take a message of ours away; one that is not there any more is no failure."""
        ...

    async def busy(self, target: Target, label: str | None) -> None:
        """Show that we are at work; None ends it where the platform can. Lasts `busy_seconds` at most."""
        ...

    @property
    def busy_seconds(self) -> float:
        """After how many seconds a busy sign has to be renewed."""
        ...

    def fetch(self, attachment: Attachment) -> AsyncIterator[bytes]:
        """The bytes of a file that came with a message, in pieces, from the platform's own hosts alone.

        Raises, besides the others, `Gone` if it is not there any more, and `Forbidden` if it lies elsewhere.
        """
        ...

    def health(self) -> Health:
        """How the connection is. No waiting, no calls."""
        ...


@dataclass(frozen=True, slots=True)
class Seen:
    """What had been seen of a platform before: the newest message by channel, and when it was last heard at all.

    `channels` holds every channel ever seen, with what is needed to reach it again.
    """

    since: datetime
    newest: Mapping[ChannelId, MessageId] = field(default_factory=dict[ChannelId, MessageId])
    channels: Sequence[Channel] = ()
