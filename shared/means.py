"""What every turn works with, and what the operator has set for turns."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeVar
from uuid import UUID

import structlog

from shared.asking import Patience
from shared.backends import Backend
from shared.chat import Adapter
from shared.errors import StoreUnusable
from shared.files.blobs import Blobs
from shared.governor import Governor
from shared.reply import FIRST_PAUSE, LONGEST_PAUSE
from shared.scopes import Choices
from shared.store import Budget, Store

log = structlog.get_logger(__name__)
T = TypeVar("T")

BUSY_AFTER = 0.5
"""Seconds before a busy sign is shown: an answer that is quicker needs none."""

Thoughts = Literal["off", "summarised", "shown"]


@dataclass(frozen=True, slots=True)
class FileLimits:
    """For the files that people send with a question: how many, bytes of each, and bytes of all together."""

    count: int = 10
    each: int = 20_000_000
    together: int = 60_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnSettings:
    """What the operator has set for turns.

    `attempts` counts those that a crash may end before the turn is given up. `thinking`: whether people see what the model thinks
    while it does ("summarised"), or also above its answer ("shown"). A code block of more than `fold` characters is shown in part
    and sent as a file; 0 is never. People are warned once they have used up 80 % of one of the `budgets`.
    """

    patience: Patience
    attempts: int
    at_once: int
    history_turns: int
    history_characters: int
    system: str
    hold_sentence: bool
    thinking: Thoughts = "off"
    fold: int = 0
    files: FileLimits = FileLimits()
    budgets: Sequence[Budget] = ()
    busy_after: float = BUSY_AFTER


@dataclass(slots=True)
class Means:
    """What every turn works with."""

    store: Store
    backend: Backend
    governor: Governor
    adapters: Mapping[str, Adapter]
    settings: TurnSettings
    choices: Choices
    blobs: Blobs
    looking: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while a lost post is looked for and noted: two turns must not take the same message for theirs."""
    shortened: set[UUID] = field(default_factory=set[UUID])
    """Conversations of which people were told that their beginning is left out."""
    draining: bool = False

    async def insist(self, ask: Callable[[], Awaitable[T]]) -> T:
        """Do this with the store, however long it cannot be used: nothing else would keep the turn's state true."""
        pause = FIRST_PAUSE
        while True:
            try:
                return await ask()
            except StoreUnusable as failure:
                log.error("the store cannot be used; trying again", detail=failure.detail, pause=pause)
                if self.draining:
                    raise
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
