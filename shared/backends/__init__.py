"""The seam to Claude: what a backend is asked, and what it answers.

A backend turns one `Prompt` into a stream of `Answer`s that ends with exactly one `Finished`, or raises a failure of
`shared.errors`. It keeps nothing: the transcript is ours. Importing this module imports no SDK.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol
from uuid import UUID

Role = Literal["user", "assistant"]
Stop = Literal["end", "max_tokens", "refusal", "context_full", "stop_sequence", "pause"]
Blocks = Sequence[Mapping[str, Any]]
"""A backend's native content blocks, as plain JSON; sent back unchanged to the backend that made them."""


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the transcript, ready to be sent.

    Where several people may speak, `text` already begins with the speaker's name ("Ada: …"). Two lines of the same role may
    follow each other (a burst, an answer that failed before its first word); a backend merges what its protocol wants merged.
    `blocks` are the native blocks of an answer if the same backend gave it.
    """

    role: Role
    text: str
    blocks: Blocks | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """What is asked in one attempt at one turn. `ask` has one or more lines, all of role user."""

    conversation: UUID
    turn: int
    attempt: int
    history: Sequence[Said]
    ask: Sequence[Said]
    system: str | None = None
    model: str | None = None
    effort: str | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one attempt, and the model that answered."""

    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Delta:
    """More text."""

    text: str


@dataclass(frozen=True, slots=True)
class Thinking:
    """At work without text yet: thinking, or a sign of life from the far side."""


@dataclass(frozen=True, slots=True)
class Retrying:
    """The attempt failed before its first word and is made again after `after` seconds. `reason` is for the log."""

    after: float
    reason: str


@dataclass(frozen=True, slots=True)
class Finished:
    """The end. `text` is authoritative: all deltas of the attempt together. `explanation` is the model's word on a refusal."""

    text: str
    stop: Stop
    usage: Usage
    blocks: Blocks | None = None
    explanation: str | None = None


Answer = Delta | Thinking | Retrying | Finished


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
