"""The store's public face: opening and closing it, conversations, and what is kept beside turns."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from shared.chat import AuthorId, Channel, ChannelId, MessageId, Seen
from shared.store import past, reads, spending, sqlite, talks, upkeep
from shared.store.doing import Doing
from shared.store.face import Clock
from shared.store.reader import Reader
from shared.store.records import Budget, Past, Share, Spending, Talk
from shared.store.rows import UnknownPart, UnknownTurn
from shared.store.taking import Taking
from shared.store.worker import Worker

__all__ = ["Store", "UnknownPart", "UnknownTurn"]


def _now() -> datetime:
    return datetime.now(UTC)


class Store(Taking, Doing):
    """Everything that has to survive a crash.

    A call returns after its commit. Calls that write are applied in the order in which they were begun, each all or nothing;
    cancelling one cancels only the wait. Each raises `StoreUnusable` if the database refuses: then it had no effect, and a later
    one may work. A step that the table of `shared.states` does not have raises `IllegalStep`, a turn that is not there
    `UnknownTurn`; both are faults of the caller. Lone surrogates in a text become U+FFFD; nothing else changes.
    """

    @classmethod
    async def open(cls, path: Path, *, clock: Clock = _now) -> "Store":
        """Open the file, made if need be, and bring it up to date. `clock` gives aware times.

        Raises `StoreUnusable` if it is newer, locked, read-only, damaged, or not ours; then nothing is left open.
        """
        explain = sqlite.explain(path)
        reader = Reader(sqlite.reader(path), explain)
        writer = Worker(sqlite.writer(path), explain, name="store-writer")
        await writer.start(sqlite.prepare_writer(path))
        return cls(writer, reader, clock)

    async def aclose(self) -> None:
        """Finish the writes that were begun, then close the file. May be called twice."""
        try:
            await self._reader.aclose()
        finally:
            await self._writer.aclose()

    async def history(self, conversation: UUID, *, before: int, turns: int, characters: int) -> Past:
        """The newest answered turns before the turn `before`, oldest first.

        At most `turns` whole ones, with at most `characters` characters together, after the newest summary; refusals and hidden
        turns are left out. A turn whose blocks sum up what was before is the first one, and no summary stands before it.
        """
        return await self._reader.run(lambda c: past.history(c, conversation, before, turns, characters))

    async def summarise(self, turn: int, upto: int, text: str) -> None:
        """From now on this text, made while `turn` was asked, stands for the turns of its conversation up to and with `upto`.

        Nothing is kept if people have changed or deleted anything before `turn` since that was queued: it may be in the text.
        """
        now = self._clock()
        await self._writer.run(lambda c: past.summarise(c, now, turn, upto, text))

    async def conversation(self, channel: ChannelId) -> UUID | None:
        """The open conversation of the channel."""
        return await self._reader.run(lambda c: talks.opened(c, channel))

    async def open_talk(self, channel: ChannelId) -> Talk | None:
        """The open conversation of the channel, as people see it."""
        return await self._reader.run(lambda c: talks.open_talk(c, channel))

    async def talk(self, conversation: UUID) -> Talk | None:
        """A conversation as people see it; None if there is none of this id."""
        return await self._reader.run(lambda c: talks.talk(c, conversation))

    async def talks(self, channel: ChannelId, *, most: int) -> Sequence[Talk]:
        """The conversations of the channel and of those below it that are not secluded, the one that was heard last first."""
        return await self._reader.run(lambda c: talks.talks(c, channel, most))

    async def quiet(self, platform: str, *, before: datetime, most: int) -> Sequence[Talk]:
        """Open conversations that were not heard since `before` and have no unfinished turn, the longest quiet first."""
        return await self._reader.run(lambda c: talks.quiet(c, platform, before, most))

    async def over(self, author: AuthorId, place: Channel, budgets: Sequence[Budget]) -> Share | None:
        """The first of these budgets that is used up in this month for a person in a place."""
        now = self._clock()
        return await self._reader.run(lambda c: spending.over(c, now, author, place, budgets))

    async def spendings(self, keys: Sequence[str]) -> Mapping[str, Spending]:
        """What was used up in this month (UTC), by key: "user:" and an author's id, "channel:" and a channel's, or "all"."""
        now = self._clock()
        return await self._reader.run(lambda c: spending.spendings(c, now, keys))

    async def seen(self, platform: str, newest: Mapping[ChannelId, tuple[Channel, MessageId]], at: datetime) -> None:
        """Remember the newest message of each of these channels, and that the platform was heard at `at`.

        The caller passes only forward moves: the last call for a channel counts.
        """
        newest = dict(newest)
        await self._writer.run(lambda c: upkeep.see(c, platform, newest, at))

    async def marks(self, platform: str) -> Seen | None:
        """What had been seen of the platform; None if it was never heard."""
        return await self._reader.run(lambda c: reads.seen(c, platform))

    async def block(self, scope: str, until: datetime) -> None:
        """Remember that the platform asked for silence in this scope. Of two times the later one counts."""
        await self._writer.run(lambda c: upkeep.block(c, scope, until))

    async def blocks(self) -> Mapping[str, datetime]:
        """The scopes in which silence was asked for, and until when; those that are over are left out."""
        now = self._clock()
        return await self._reader.run(lambda c: reads.blocked(c, now))

    async def sweep(self) -> None:
        """Throw away keys, and notices that were delivered, older than 7 days, and silences that are over."""
        now = self._clock()
        while await self._writer.run(lambda c: upkeep.sweep(c, now)):
            pass
