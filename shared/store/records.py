"""What the store takes and gives: plain values, no rows. All times are aware and in UTC."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from shared.chat import Attachment, AuthorId, Channel, ChannelId, MessageId, Quoted, Target
from shared.states import Outcome, State

Decision = Literal[
    "queued",
    "command",
    "not_allowed",
    "unreadable",
    "empty",
    "too_old",
    "duplicate",
]
"""What was decided at the intake. "duplicate" is given by the store alone; what became of a queued event is its turn's state."""

TurnKind = Literal["ask", "notice"]
"""An ask is answered by a backend. A notice is a sentence of our own: it is born answered and only delivered."""

PartState = Literal["sending", "shown"]

Why = Literal["new", "left"]
"""Why a conversation was closed: a person asked for a new one, or we left its channel."""


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
class Taken:
    """What an event led to.

    `waiting` is the turn that it made, ready to be scheduled: an ask if it was queued, else the notice that tells people what
    became of it. `conversation` is the one that it belongs to (for "new": the one that it closed), and `stopping` the turns that
    it told to stop, oldest first. A duplicate has none of these: there is nothing to do.
    """

    decision: Decision
    waiting: Waiting | None = None
    conversation: UUID | None = None
    stopping: Sequence[Waiting] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A message that a turn answers."""

    id: MessageId
    author_id: AuthorId
    name: str
    text: str
    quoted: Quoted | None
    attachments: tuple[Attachment, ...]
    sent_at: datetime


@dataclass(frozen=True, slots=True)
class Part:
    """A platform message of a reply. Ordinals begin at 0; `message` is None as long as it is not known to be `shown`.

    `begun_at` is when its post was about to begin; of several tries whose end is not known, the first.
    """

    ordinal: int
    state: PartState
    message: MessageId | None
    channel: ChannelId
    begun_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Final:
    """What people are to read in the end, and what it took.

    `note` is the sentence that is shown after the text. `stop` is the backend's word for why the answer ended, `blocks` its
    native content as plain JSON, `failure` the class name of what went wrong, `detail` its line for the operator.
    Counts are tokens.
    """

    text: str
    outcome: Outcome
    note: str = ""
    stop: str | None = None
    blocks: Sequence[Mapping[str, Any]] | None = None
    backend: str | None = None
    model: str | None = None
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    failure: str | None = None
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class Work:
    """A turn with all that is needed to do it. A notice has no conversation and no messages."""

    turn: int
    platform: str
    conversation: UUID | None
    kind: TurnKind
    state: State
    attempts: int
    target: Target
    place: Channel
    messages: Sequence[Asked]
    parts: Sequence[Part]
    final: Final | None
    queued_at: datetime


@dataclass(frozen=True, slots=True)
class Exchange:
    """A turn of the past: what was asked and what was answered (without the note). `blocks` are of that `backend`."""

    turn: int
    asked: Sequence[Asked]
    text: str
    blocks: Sequence[Mapping[str, Any]] | None
    backend: str | None
