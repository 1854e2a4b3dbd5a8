"""The store's public face."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection

from shared.chat import Channel, ChannelId, Message, MessageId, Seen, Target
from shared.store import intake, reads, sqlite, turns, upkeep
from shared.store.reader import Reader
from shared.store.records import Decision, Exchange, Final, Taken, Waiting, Work
from shared.store.rows import UnknownPart, UnknownTurn
from shared.store.worker import Worker

__all__ = ["Store", "UnknownPart", "UnknownTurn"]

Clock = Callable[[], datetime]


def _now() -> datetime:
    return datetime.now(UTC)


class Store:
    """Everything that has to survive a crash.

    A call returns after its commit. Calls that write are applied in the order in which they were begun, each all or nothing;
    cancelling one cancels only the wait. Each raises `StoreUnusable` if the database refuses: then it had no effect, and a later
    one may work. A step that the table of `shared.states` does not have raises `IllegalStep`, a turn that is not there
    `UnknownTurn`; both are faults of the caller. Lone surrogates in a text become U+FFFD; nothing else changes.
    """

    def __init__(self, writer: Worker, reader: Reader, clock: Clock) -> None:
        """Use `open`."""
        self._writer = writer
        self._reader = reader
        self._clock = clock

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

    async def ask(self, platform: str, message: Message) -> Taken:
        """Queue a turn with this message in the open conversation of `message.place`, which is opened if need be."""
        now = self._clock()
        return await self._take(platform, message, lambda c: intake.ask(c, now, platform, message))

    async def tell(self, platform: str, message: Message, *, decision: Decision, text: str) -> Taken:
        """Answer in `message.target` with a notice: a turn outside of any conversation, born answered with this text."""
        now = self._clock()
        return await self._take(
            platform,
            message,
            lambda c: intake.tell(c, now, platform, message.target, message.keys, decision, text),
        )

    async def note(self, platform: str, message: Message, *, decision: Decision) -> Taken:
        """Keep the decision; say nothing."""
        now = self._clock()
        return await self._take(platform, message, lambda c: intake.note(c, now, platform, message, decision))

    async def stop(self, platform: str, message: Message, *, nothing: str) -> Taken:
        """Ask every turn of the open conversation of `message.place` to stop that is not yet answered.

        If there is none, a notice with the text `nothing` is made.
        """
        now = self._clock()
        return await self._take(platform, message, lambda c: intake.stop(c, now, platform, message, nothing))

    async def new(self, platform: str, message: Message, *, text: str, nothing: str) -> Taken:
        """Close the open conversation of `message.place`, ask its turns to stop, and make a notice with `text`.

        If there is none, the notice has the text `nothing`.
        """
        now = self._clock()
        return await self._take(platform, message, lambda c: intake.new(c, now, platform, message, text, nothing))

    async def aside(self, platform: str, target: Target, *, key: str, decision: Decision, text: str) -> Taken:
        """Make a notice that no single message has caused, once for each `key`."""
        now = self._clock()
        return await self._writer.run(lambda c: intake.tell(c, now, platform, target, (key,), decision, text))

    async def _take(self, platform: str, message: Message, decide: Callable[[Connection], Taken]) -> Taken:
        """Take a message, and its direct chat as known: platforms do not list these, so a later loss would not be noticed."""

        def take(c: Connection) -> Taken:
            taken = decide(c)
            channel = message.target.channel
            if channel.kind == "direct":
                upkeep.first_seen(c, platform, channel, message.id)
            return taken

        return await self._writer.run(take)

    async def known(self, platform: str, keys: Collection[str]) -> frozenset[str]:
        """Those of these keys that belong to an event that was taken."""
        return await self._reader.run(lambda c: intake.known(c, platform, keys))

    async def unfinished(self) -> Sequence[Waiting]:
        """Every turn that has not ended, oldest first."""
        return await self._reader.run(reads.unfinished)

    async def begin(self, turn: int) -> Work:
        """Start an attempt, counted in the same commit."""
        return await self._writer.run(lambda c: turns.begin(c, turn))

    async def load(self, turn: int) -> Work:
        """The turn as it is."""
        return await self._reader.run(lambda c: reads.work(c, turn))

    async def history(self, conversation: UUID, *, before: int, turns: int, characters: int) -> Sequence[Exchange]:
        """The newest answered turns before the turn `before`, oldest first.

        At most `turns` whole ones, with at most `characters` characters together; refusals are left out.
        """
        return await self._reader.run(lambda c: reads.history(c, conversation, before, turns, characters))

    async def release(self, turn: int) -> None:
        """Give a running turn back, its attempt not counted: the server stops."""
        await self._writer.run(lambda c: turns.release(c, turn))

    async def ask_stop(self, turn: int) -> None:
        """Ask a turn to stop."""
        await self._writer.run(lambda c: turns.ask_stop(c, turn))

    async def sending(self, turn: int, ordinal: int, channel: ChannelId) -> None:
        """The part is about to be posted to the channel. If it was shown before, that is forgotten."""
        now = self._clock()
        await self._writer.run(lambda c: turns.sending(c, now, turn, ordinal, channel))

    async def shown(self, turn: int, ordinal: int, message: MessageId) -> None:
        """The part is there, as this message. Raises `UnknownPart` if it was never `sending`."""
        await self._writer.run(lambda c: turns.shown(c, turn, ordinal, message))

    async def dropped(self, turn: int, ordinal: int) -> None:
        """The part is not there any more. One that never was is no failure."""
        await self._writer.run(lambda c: turns.dropped(c, turn, ordinal))

    async def settle(self, turn: int, final: Final) -> None:
        """Store what people are to read in the end; from here on the turn is only delivered."""
        await self._writer.run(lambda c: turns.settle(c, turn, final))

    async def delivered(self, turn: int, *, failed: bool = False) -> None:
        """End an answered turn: people have it, or, if `failed`, cannot have it. Its target's secret handle is forgotten.

        So are, where it ends as failed, its parts that are still `sending`.
        """
        now = self._clock()
        await self._writer.run(lambda c: turns.delivered(c, now, turn, failed))

    async def ours(self, channel: ChannelId) -> frozenset[MessageId]:
        """The ids of our parts in this channel, as far back as 24 h before the oldest part there that is still `sending`.

        If there is none, as far back as 24 h before now.
        """
        now = self._clock()
        return await self._reader.run(lambda c: reads.ours(c, now, channel))

    async def conversation(self, channel: ChannelId) -> UUID | None:
        """The open conversation of the channel."""
        return await self._reader.run(lambda c: reads.conversation(c, channel))

    async def leave(self, platform: str, *, channel: ChannelId | None = None, space: str | None = None) -> Sequence[Waiting]:
        """Close the open conversations of the channel and of those whose parent it is, or of the space.

        Their turns that are not yet answered are asked to stop and are returned, oldest first.
        """
        now = self._clock()
        return await self._writer.run(lambda c: intake.leave(c, now, platform, channel, space))

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
