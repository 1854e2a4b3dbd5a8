"""The seam to Claude: what a backend is asked, and what it answers.

A backend turns one `Prompt` into a stream of `Answer`s that ends with exactly one `Finished`, or raises a failure of
`shared.errors`. It keeps nothing: the transcript is ours. Importing this module imports no SDK.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, Protocol, runtime_checkable
from uuid import UUID

from shared.files.material import Material

Role = Literal["user", "assistant"]
Stop = Literal["end", "max_tokens", "refusal", "context_full", "stop_sequence", "pause"]
Blocks = Sequence[Mapping[str, Any]]
"""A backend's native content blocks, as plain JSON; sent back unchanged to the backend that made them."""


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the transcript, ready to be sent.

    Where several people may speak, `text` already begins with the speaker's name ("Ada: …"). Two lines of the same role may
    follow each other (a burst, an answer that failed before its first word); a backend merges what its protocol wants merged.
    `blocks` are the native blocks of an answer if the same backend gave it. `files` were sent along; the text names them all.
    """

    role: Role
    text: str
    blocks: Blocks | None = None
    files: Sequence[Material] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What is asked in one attempt at one turn. `ask` has one or more lines, all of role user.

    `attempt` counts every asking there ever was for the turn, `crashes` those right before this one that a crash has ended: of
    these nobody knows whether they were answered.
    """

    conversation: UUID
    turn: int
    attempt: int
    crashes: int = 0
    history: Sequence[Said]
    ask: Sequence[Said]
    system: str | None = None
    model: str | None = None
    effort: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one attempt, the model that answered, and what it cost.

    `input_tokens` are those neither read from the cache nor written to it. `cost` is in millionths of a US dollar, None where
    nothing is charged by use or the price is not known. `estimated`: worked out by us, the far side did not say.
    """

    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost: int | None = None
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Delta:
    """More text."""

    text: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """At work without text yet: thinking, or a sign of life from the far side. `text` is more of what it thinks, if it tells."""

    text: str = ""


@dataclass(frozen=True, slots=True)
class Doing:
    """A tool runs, or has ended: then `tool` is None. `about` is what it works on (hostile text): a query, an address."""

    tool: Literal["search", "fetch", "code", "other"] | None
    about: str = ""


@dataclass(frozen=True, slots=True)
class Spent:
    """What the attempt has used up so far, if it were broken off now. A later one replaces it."""

    usage: Usage


@dataclass(frozen=True, slots=True)
class Made:
    """A file that the model has made; its bytes are in the blob store. `name` is hostile text, `size` is in bytes."""

    name: str
    media_type: str
    blob: str
    size: int


@dataclass(frozen=True, slots=True)
class Retrying:
    """The attempt failed before its first word and is made again after `after` seconds. `reason` is for the log."""

    after: float
    reason: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end. `text` is authoritative: all deltas of the attempt together. `explanation` is the model's word on a refusal.

    `condensed`: the far side has replaced the beginning of the conversation by a summary, which is in `blocks`.
    """

    text: str
    stop: Stop
    usage: Usage
    blocks: Blocks | None = None
    explanation: str | None = None
    files: Sequence[Made] = ()
    condensed: bool = False


Answer = Delta | Thinking | Doing | Spent | Retrying | Finished


class Backend(Protocol):
    """A way to ask Claude."""

    @property
    def name(self) -> str:
        """The name that settings, the store and the log know it by."""
        ...

    def answer(self, prompt: Prompt) -> AbstractAsyncContextManager[AsyncIterator[Answer]]:
        """Ask. Leaving the context stops the work upstream at once.

        Entering, or the iteration, raises `RateLimited`, `Unavailable` and its kinds, or `Refused` and its kinds.
        """
        ...

    async def aclose(self) -> None:
        """Let go of connections. May be called twice."""
        ...


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be asked. `window` and `output` are in tokens; `efforts` are the levels it knows, weakest first.

    `condenses`: its far side shortens a conversation that nears the window by itself.
    """

    id: str
    name: str
    window: int
    output: int
    efforts: Sequence[str] = ()
    condenses: bool = False
    retires: date | None = None


@runtime_checkable
class Models(Protocol):
    """Knows its models."""

    async def models(self) -> Sequence[Model]:
        """All that can be asked, best known first. Never fails: without the far side it answers from a table of its own."""
        ...

    async def model(self, name: str) -> Model:
        """The model of an id or of an alias ("opus"). Raises `UnknownModel`."""
        ...


@runtime_checkable
class Counts(Protocol):
    """Can tell how large a prompt is."""

    async def count(self, prompt: Prompt) -> int:
        """The tokens that the prompt takes in. Raises as `answer` does."""
        ...


@runtime_checkable
class Estimates(Protocol):
    """Can guess what an attempt has cost of whose end nothing is known."""

    def estimate(self, prompt: Prompt, text: str) -> Usage:
        """The usage if it had answered with this text. Pure."""
        ...


@runtime_checkable
class Loads(Protocol):
    """Is not there from the start."""

    async def load(self) -> object:
        """Returns once it is there. Raises `Misconfigured` if it cannot be."""
        ...
