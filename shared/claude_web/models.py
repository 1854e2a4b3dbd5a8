"""What the client gives: answers while they grow, their candidates, and the account's message limit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypedDict
from uuid import UUID, uuid4


class Metadata(TypedDict, total=False):
    """Where a conversation stands, as JSON: what `start_chat(metadata=...)` goes on from in any process.

    `parent_message_uuid` is the answer to go on from, None before the first. `created` says whether claude.ai has the
    conversation: None means that it is not known, and that it is looked up.
    """

    conversation_id: str
    parent_message_uuid: str | None
    created: bool | None
    model: str
    system_prompt: str | None


@dataclass(frozen=True, slots=True)
class TurnIds:
    """The uuids that a question and its answer get. Whoever chooses them can find the answer after a crash."""

    human: str
    assistant: str

    @classmethod
    def new(cls) -> "TurnIds":
        """Choose them at random."""
        return cls(str(uuid4()), str(uuid4()))

    @classmethod
    def of(cls, human: UUID | str, assistant: UUID | str) -> "TurnIds":
        """Take them as given. Raises ValueError if one is not a uuid."""
        return cls(uuid_of(human), uuid_of(assistant))


def uuid_of(value: UUID | str) -> str:
    """Write a uuid as claude.ai does. Raises ValueError if it is none."""
    return str(value if isinstance(value, UUID) else UUID(value))


@dataclass(frozen=True, slots=True)
class MessageLimit:
    """How much of the account's message limit is used.

    `over`: no message is answered until `reset_at` (UTC, None if not told). `utilization`: the fullest window's share,
    0.0 to 1.0 and above, None if not told. `raw`: claude.ai's own words.
    """

    kind: str
    over: bool
    reset_at: datetime | None
    utilization: float | None
    raw: Mapping[str, Any]


class Candidate:
    """One of the answers to a question. It grows while it is streamed."""

    __slots__ = ("_parts", "_thoughts", "index", "message_uuid", "stop_reason")

    def __init__(self, index: int, message_uuid: str) -> None:
        """`index` counts from 0; `message_uuid` is what a further message names as its parent."""
        self.index = index
        self.message_uuid = message_uuid
        self.stop_reason: str | None = None
        self._parts: list[str] = []
        self._thoughts: list[str] = []

    @property
    def text(self) -> str:
        """The text that has come so far. Texts before and after a tool's work are parted by an empty line."""
        return "".join(self._parts)

    @property
    def thoughts(self) -> str:
        """What the model has shown of its thinking so far."""
        return "".join(self._thoughts)

    def at(self, index: int) -> "Candidate":
        """The same under another index."""
        same = Candidate(index, self.message_uuid)
        same.stop_reason, same._parts, same._thoughts = self.stop_reason, self._parts, self._thoughts
        return same

    def grow(self, text: str, thinking: str = "") -> tuple[int, int]:
        """Add what has come; gives how many parts there are of each, for `upto`."""
        if text:
            self._parts.append(text)
        if thinking:
            self._thoughts.append(thinking)
        return len(self._parts), len(self._thoughts)

    def upto(self, parts: int, thoughts: int) -> tuple[str, str]:
        """The text and the thoughts as they were at an earlier time."""
        return "".join(self._parts[:parts]), "".join(self._thoughts[:thoughts])

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Candidate(index={self.index}, message_uuid={self.message_uuid!r}, text={self.text[:60]!r})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOutput:
    """An answer: whole from `generate_content` and `send_message`, one state after the other from a stream.

    `text_delta` and `thinking_delta` are what has come since the state before: all of them joined are `text` and
    `thoughts` of the last state (of the first candidate, if there are several). `event_type` is claude.ai's name of the
    event, `message_stop` for the last state. `tool` is the name of a tool at the state in which it begins to work.
    `stop_reason` is known at the end: `end_turn`, `max_tokens`, `user_canceled` if somebody stopped it, and others.
    `limit` is the account's message limit, once it was told.
    """

    candidates: Sequence[Candidate]
    chosen: int = 0
    conversation_id: str
    human_uuid: str
    text_delta: str = ""
    thinking_delta: str = ""
    event_type: str = ""
    tool: str | None = None
    limit: MessageLimit | None = None
    reached: tuple[int, int] | None = field(default=None, repr=False)

    @property
    def whole(self) -> bool:
        """Whether this is the last state, with all of the answer."""
        return self.reached is None

    @property
    def candidate(self) -> Candidate:
        """The candidate that `text` is of."""
        return self.candidates[self.chosen]

    @property
    def text(self) -> str:
        """The text up to this state."""
        return self.candidate.text if self.reached is None else self.candidate.upto(*self.reached)[0]

    @property
    def thoughts(self) -> str:
        """What the model has shown of its thinking up to this state."""
        return self.candidate.thoughts if self.reached is None else self.candidate.upto(*self.reached)[1]

    @property
    def message_uuid(self) -> str:
        """The answer's uuid."""
        return self.candidate.message_uuid

    @property
    def stop_reason(self) -> str | None:
        """Why the answer ended, in claude.ai's words; None before its end."""
        return self.candidate.stop_reason

    @property
    def metadata(self) -> Metadata:
        """Enough to go on from this answer with `start_chat(metadata=...)`."""
        return Metadata(conversation_id=self.conversation_id, parent_message_uuid=self.message_uuid, created=True)

    def __str__(self) -> str:
        return self.text
