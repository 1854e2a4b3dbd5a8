"""The store's public face: the life of a turn."""

from collections.abc import Callable, Collection, Sequence

from shared.backends import Usage
from shared.chat import ChannelId, MessageId
from shared.files.material import Material
from shared.store import files, parts, reads, signs, spending, turns
from shared.store.face import Face
from shared.store.records import Budget, Final, PartKind, Share, Signed, Waiting, Work


def _wordless(_share: Share) -> str:
    return ""


class Doing(Face):
    """Keeps what is done for a turn. A step that its state does not allow raises `IllegalStep`."""

    async def unfinished(self) -> Sequence[Waiting]:
        """Every turn that has not ended, oldest first."""
        return await self._reader.run(reads.unfinished)

    async def begin(self, turn: int) -> Work:
        """Start an attempt, counted in the same commit.

        Where the question has changed since the last one began, attempts are counted anew; tries never are.
        """
        return await self._writer.run(lambda c: turns.begin(c, turn))

    async def load(self, turn: int) -> Work:
        """The turn as it is."""
        return await self._reader.run(lambda c: reads.work(c, turn))

    async def release(self, turn: int) -> None:
        """Give a running turn back, its attempt not counted: the server stops."""
        await self._writer.run(lambda c: turns.release(c, turn))

    async def ask_stop(self, turn: int) -> None:
        """Ask a turn to stop; that its question has changed no longer matters."""
        await self._writer.run(lambda c: turns.ask_stop(c, turn))

    async def attached(self, turn: int, ordinal: int, nth: int, result: Material | str) -> None:
        """Keep what was made of a file of a message, or the problem with it. A file that is gone by now is no failure."""
        await self._writer.run(lambda c: files.attached(c, turn, ordinal, nth, result))

    async def blobs(self) -> frozenset[str]:
        """Every blob that the store names."""
        return await self._reader.run(files.blobs)

    async def forget_blobs(self, names: Collection[str]) -> None:
        """These blobs are lost: the files of messages that they held count as never looked at."""
        names = sorted(names)
        await self._writer.run(lambda c: files.forget(c, names))

    async def sending(self, turn: int, ordinal: int, channel: ChannelId, *, kind: PartKind = "text") -> None:
        """The part is about to be posted to the channel. If it was shown before, that is forgotten."""
        now = self._clock()
        await self._writer.run(lambda c: parts.sending(c, now, turn, kind, ordinal, channel))

    async def shown(self, turn: int, ordinal: int, message: MessageId, *, kind: PartKind = "text") -> None:
        """The part is there, as this message. Raises `UnknownPart` if it was never `sending`."""
        await self._writer.run(lambda c: parts.shown(c, turn, kind, ordinal, message))

    async def dropped(self, turn: int, ordinal: int, *, kind: PartKind = "text") -> None:
        """The part is not there any more. One that never was is no failure."""
        await self._writer.run(lambda c: parts.dropped(c, turn, kind, ordinal))

    async def ours(self, channel: ChannelId) -> frozenset[MessageId]:
        """The ids of our parts in this channel, as far back as 24 h before the oldest part there that is still `sending`.

        If there is none, as far back as 24 h before now.
        """
        now = self._clock()
        return await self._reader.run(lambda c: reads.ours(c, now, channel))

    async def signing(self, turn: int, message: MessageId) -> None:
        """The sign that the turn has to wait is about to be left on this message."""
        await self._writer.run(lambda c: signs.signing(c, turn, message))

    async def unsigned(self, turn: int) -> None:
        """The sign is not there any more. One that never was is no failure."""
        await self._writer.run(lambda c: signs.unsigned(c, turn))

    async def signed(self) -> Sequence[Signed]:
        """Every sign that may be left somewhere."""
        return await self._reader.run(signs.signed)

    async def settle(
        self, turn: int, final: Final, *, budgets: Sequence[Budget] = (), warn: Callable[[Share], str] = _wordless
    ) -> Final:
        """Store what people are to read in the end, as returned; from here on the turn is only delivered.

        What the try has used up is counted in the same commit. For each budget that has passed 80 % for the first time in the
        month, the sentence of `warn` is added to the note.
        """
        now = self._clock()
        return await self._writer.run(lambda c: spending.settle(c, now, turn, final, budgets, warn))

    async def spend(self, turn: int, tried: int, usage: Usage) -> None:
        """Count what a try has used up that ended without being settled. One that is counted already is left as it is."""
        now = self._clock()
        await self._writer.run(lambda c: spending.spend(c, now, turn, tried, usage))

    async def delivered(self, turn: int, *, failed: bool = False) -> bool:
        """End an answered turn: people have it, or, if `failed`, cannot have it. Its target's secret handle is forgotten.

        So are, where it ends as failed, its parts that are still `sending`. True if its question has changed meanwhile (and it
        did not fail): then it has not ended but is queued again, its final forgotten.
        """
        now = self._clock()
        return await self._writer.run(lambda c: turns.delivered(c, now, turn, failed))
