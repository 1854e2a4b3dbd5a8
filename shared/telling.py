"""Sentences about what is not taken, said often enough to be known and not so often that anyone could make us flood a place."""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from shared import sentences
from shared.chat import Adapter, AuthorId, Cause, ChannelId, Command, Message, Target
from shared.errors import Failure, StoreUnusable
from shared.limits import Pace
from shared.store import Decision, Store, Taken

log = structlog.get_logger(__name__)

TELL_AGAIN = timedelta(hours=1)
"""How long a person is not told the same thing again in a place."""


class Telling:
    """Tells people why something of theirs was not taken."""

    def __init__(self, store: Store, pace: Pace, *, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._pace = pace
        self._clock = clock
        self._told: dict[tuple[Decision, ChannelId, AuthorId], datetime] = {}
        self._unstored: set[str] = set()

    async def once(self, platform: str, cause: Cause, decision: Decision, text: str) -> Taken:
        """Told once an hour per person and place; what only one person sees, or waits for, is told every time."""
        waits = cause.target.private or (isinstance(cause, Message) and cause.commanded)
        if not waits and not self.tells(cause, decision):
            return await self._store.note(platform, cause, decision=decision)
        try:
            return await self._store.tell(platform, cause, decision=decision, text=text)
        except StoreUnusable:
            self._told.pop((decision, cause.target.channel.id, cause.author.id), None)
            raise

    def tells(self, cause: Cause, decision: Decision) -> bool:
        """Whether this person is to be told in this place; from then on they are not for an hour."""
        now = self._clock()
        self._told = {key: at for key, at in self._told.items() if now - at < TELL_AGAIN}
        key = (decision, cause.target.channel.id, cause.author.id)
        if key in self._told:
            return False
        self._told[key] = now
        return True

    async def too_fast(self, platform: str, cause: Cause) -> Taken:
        """Told once a minute; a command of the platform's own always gets its answer."""
        if not isinstance(cause, Command) and not self._pace.tells(cause.author.id):
            return await self._store.note(platform, cause, decision="too_fast")
        return await self._store.tell(platform, cause, decision="too_fast", text=sentences.TOO_FAST)

    async def not_stored(self, adapter: Adapter, target: Target, name: str, failure: StoreUnusable) -> None:
        """Say that the event of this id or key could not be stored; once, until `stored`."""
        # Without the store nothing can be remembered, so this one sentence is posted directly; a repeat has the same key.
        log.error("event not stored", platform=adapter.name, event_key=name, detail=failure.detail)
        if name in self._unstored:
            return
        self._unstored.add(name)
        try:
            await adapter.post(target, sentences.NOT_STORED, key=not_stored_key(name), silent=True)
        except Failure as second:
            log.warning("could not say so", platform=adapter.name, event_key=name, detail=second.detail)

    def stored(self, name: str) -> None:
        """It was stored after all."""
        self._unstored.discard(name)


def not_stored_key(name: str) -> str:
    """The key of the sentence that is said where an event of this id or key could not be stored."""
    tail = name.rpartition(":")[2]
    if not (tail.isascii() and tail.isalnum() and len(tail) <= 20):
        tail = hashlib.blake2b(name.encode(errors="replace"), digest_size=10).hexdigest()
    return f"lost-{tail}"
