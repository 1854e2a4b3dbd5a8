"""What the parts of the store's public face have in common."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Connection

from shared.chat import Cause, Message
from shared.store import notes, upkeep
from shared.store.choices import Memory
from shared.store.notes import Happened
from shared.store.reader import Reader
from shared.store.records import Taken
from shared.store.worker import Worker

Clock = Callable[[], datetime]


class Face:
    """The two connections and the clock."""

    def __init__(self, writer: Worker, reader: Reader, clock: Clock) -> None:
        """Use `Store.open`."""
        self._writer = writer
        self._reader = reader
        self._clock = clock
        self._chosen = Memory()

    async def _take(self, platform: str, cause: Cause, decide: Callable[[Connection, Happened], Taken]) -> Taken:
        """Take an event once, and its direct chat as known: platforms do not list these, so a later loss would not be noticed."""
        event = notes.happened(self._clock(), platform, cause)

        def take(c: Connection) -> Taken:
            taken = notes.DUPLICATE if notes.known(c, event) else decide(c, event)
            if isinstance(cause, Message) and cause.target.channel.kind == "direct":
                upkeep.first_seen(c, platform, cause.target.channel, cause.id)
            return taken

        return await self._writer.run(take)
