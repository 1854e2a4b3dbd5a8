"""What the store takes and gives: plain values, no rows. All times are aware and in UTC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from shared.backends import Made, Usage
from shared.chat import Attachment, AuthorId, Button, Channel, ChannelId, MessageId, Quoted, Target
from shared.files.material import Material
from shared.states import Outcome, State

Decision = Literal[
    "queued",
    "joined",
    "queue_full",
    "too_fast",
    "over_limit",
    "command",
    "button",
    "edited",
    "deleted",
    "not_allowed",
    "unreadable",
    "empty",
    "too_old",
    "unknown",
    "duplicate",
]
"""What was decided at the intake.

"joined" went into a turn that was there already. "duplicate" and "unknown" are given by the store alone and not kept: the event
was taken before, or is about something that was never taken. What became of a queued event is its turn's state.
"""

TurnKind = Literal["ask", "notice"]
"""An ask is answered by a backend. A notice is a sentence of our own: it is born answered and only delivered."""

PartState = Literal["sending", "shown"]
PartKind = Literal["text", "file"]

Why = Literal["new", "left", "idle", "resumed", "moved"]
"""Why a conversation was closed.

A person asked for a new one, we left its channel, nobody wrote for too long, an older one was taken up in its channel, or its
channel became one that had a conversation already.
"""

Refusal = Literal["nothing", "busy", "old", "unknown", "elsewhere"]
"""Why something that a person wants cannot be done: there is nothing to do it to, it is under way just now, something newer came
after it, we do not know it (any more), or it belongs to another place."""

Who = Literal["user", "channel", "all"]
Unit = Literal["tokens", "money"]


@dataclass(frozen=True, slots=True)
class Budget:
    """At most so much in a calendar month (UTC): of tokens, or of money in millionths of a US dollar.

    Counted for each person, for each channel with its threads, or for all together.
    """

    who: Who
    unit: Unit
    most: int


@dataclass(frozen=True, slots=True)
class Share:
    """How much of a budget is used, and when it begins anew."""

    budget: Budget
    used: int
    resets_at: datetime


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for a new question.

    Within `burst` after the last message of a turn of the same person that shows no answer yet, a message joins that turn. At
    most `queue` turns wait in a conversation behind the one that runs; `interrupt`: a new one stops it. At most `per_minute`
    messages of a person in any minute; 0 is no limit.
    """

    burst: timedelta = timedelta(0)
    queue: int = 10
    interrupt: bool = False
    per_minute: int = 0
    budgets: Sequence[Budget] = ()


@dataclass(frozen=True, slots=True)
class Waiting:
    """A turn that has not ended. `channel` is the place of its conversation, or where the notice is posted."""

    turn: int
    platform: str
    conversation: UUID | None
    kind: TurnKind
    state: State
    channel: ChannelId


@dataclass(frozen=True, slots=True)
class Signed:
    """A sign that may be left on a message of a turn, and whether that has ended."""

    turn: int
    platform: str
    message: MessageId
    ended: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """What an event led to.

    `waiting` is the turn that it made or opened again, ready to be scheduled: an ask, or the notice that tells people what became
    of it. `again` is a turn under way whose question has changed: it is to be asked again. `conversation` is the one that it
    belongs to (for "new": the one that it closed), `stopping` the turns that it told to stop, oldest first, and `behind` how many
    turns of the conversation a new question has before it. A duplicate has none of these: there is nothing to do.
    """

    decision: Decision
    waiting: Waiting | None = None
    conversation: UUID | None = None
    stopping: Sequence[Waiting] = ()
    again: Waiting | None = None
    behind: int = 0


@dataclass(frozen=True, slots=True)
class Kept:
    """A file of a message, `nth` among the message's own and then those of the message it quotes.

    As long as neither `material` nor `problem` is there it was not looked at. `problem` is a reason of `shared.files.unfit`.
    """

    nth: int
    attachment: Attachment
    quoted: bool
    material: Material | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """A message that a turn answers, `ordinal` among its messages."""

    ordinal: int
    id: MessageId
    author_id: AuthorId
    name: str
    text: str
    quoted: Quoted | None
    files: tuple[Kept, ...]
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """A platform message of a reply: text, or a file of its own.

    Ordinals begin at 0 for each kind; `message` is None as long as it is not known to be `shown`. `begun_at` is when its post was
    about to begin; of several tries whose end is not known, the first.
    """

    ordinal: int
    state: PartState
    message: MessageId | None
    channel: ChannelId
    begun_at: datetime
    kind: PartKind = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Final:
    """What people are to read in the end, and what it took.

    `note` is the sentence that is shown after the text, `buttons` stand under it, `files` come after it. `stop` is the backend's
    word for why the answer ended, `blocks` its native content as plain JSON, `condensed` as in `Finished`, `failure` the class
    name of what went wrong, `detail` its line for the operator. `usage` is that of the last attempt. `thoughts` is what the model
    thought before, if it is to be shown above the text.
    """

    text: str
    outcome: Outcome
    note: str = ""
    buttons: Sequence[Button] = ()
    files: Sequence[Made] = ()
    stop: str | None = None
    blocks: Sequence[Mapping[str, Any]] | None = None
    condensed: bool = False
    backend: str | None = None
    usage: Usage | None = None
    failure: str | None = None
    detail: str | None = None
    thoughts: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """A turn with all that is needed to do it. A notice has no conversation and no messages.

    `attempts` counts those that crashes may end; `tries` every asking there ever was, this one included, and names the attempt to
    a backend. `unspent` are earlier tries of which it is not known what they cost. `hidden`: people took the question away.
    """

    turn: int
    platform: str
    conversation: UUID | None
    kind: TurnKind
    state: State
    attempts: int
    tries: int
    unspent: Sequence[int]
    target: Target
    place: Channel
    messages: Sequence[Asked]
    parts: Sequence[Part]
    final: Final | None
    queued_at: datetime
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """A turn of the past: what was asked and what was answered (without the note). `blocks` are of that `backend`.

    `condensed`: in `blocks` is a summary of everything before.
    """

    turn: int
    asked: Sequence[Asked]
    text: str
    blocks: Sequence[Mapping[str, Any]] | None
    backend: str | None
    condensed: bool = False


@dataclass(frozen=True, slots=True)
class Past:
    """What was said in a conversation: first what `summary` (if any) sums up, then the turns after it, oldest first.

    `shortened`: turns before these were left out because they are too many or too long.
    """

    summary: str | None
    exchanges: Sequence[Exchange]
    shortened: bool = False


@dataclass(frozen=True, slots=True)
class Talk:
    """A conversation as people see it in a list. `heard_at` is when a person last wrote; `title` how it began."""

    id: UUID
    channel: Channel
    title: str
    opened_at: datetime
    heard_at: datetime
    closed_at: datetime | None
    why: Why | None
    turns: int


@dataclass(frozen=True, slots=True)
class Told:
    """What became of an event: the decision, and what its turn has come to, if it made one. `failure` as in `Final`."""

    at: datetime
    author_id: AuthorId | None
    decision: Decision
    turn: int | None = None
    state: State | None = None
    attempts: int = 0
    failure: str | None = None
    stop: str | None = None


@dataclass(frozen=True, slots=True)
class Spending:
    """What was used up in a month. `cost` is in millionths of a US dollar."""

    tokens: int = 0
    cost: int = 0
