"""One answer at a time per conversation."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from .errors import ConversationBusyError


class Hold:
    """A conversation that is held."""

    def __init__(self) -> None:
        self._last: asyncio.Task[Any] | None = None

    @property
    def last(self) -> "asyncio.Task[Any] | None":
        """What has still to end before the conversation is let go."""
        return self._last

    def until(self, task: "asyncio.Task[Any]") -> None:
        """Keep the conversation held until this task has ended, even if the holder leaves before."""
        self._last = task


class _Entry:
    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.owner: asyncio.Task[Any] | None = None
        self.users = 0


class ConversationLocks:
    """A lock for each conversation that is in use; those of the others take no memory."""

    def __init__(self, grace: float = 5.0) -> None:
        """`grace`: seconds that a task waits for a stream that it has left itself, before it is told of the deadlock."""
        self._grace = grace
        self._entries: dict[str, _Entry] = {}

    def __len__(self) -> int:
        return len(self._entries)

    @asynccontextmanager
    async def hold(self, conversation_id: str) -> AsyncGenerator[Hold]:
        """Hold a conversation, first come, first served. Raises ConversationBusyError for a task that waits for itself."""
        entry = self._entries.setdefault(conversation_id, _Entry())
        entry.users += 1
        try:
            await self._acquire(entry)
        except BaseException:
            self._leave(conversation_id, entry)
            raise
        entry.owner = asyncio.current_task()
        hold = Hold()
        try:
            yield hold
        finally:
            entry.owner = None
            if hold.last is None or hold.last.done():
                self._release(conversation_id, entry)
            else:
                hold.last.add_done_callback(lambda _: self._release(conversation_id, entry))

    async def _acquire(self, entry: _Entry) -> None:
        if entry.owner is None or entry.owner is not asyncio.current_task():
            await entry.lock.acquire()
            return
        # A stream that was left in this task may be on its way to be closed by the event loop.
        try:
            async with asyncio.timeout(self._grace):
                await entry.lock.acquire()
        except TimeoutError:
            raise ConversationBusyError(
                "this task still has an answer of this conversation open: read it to its end or close it first"
            ) from None

    def _release(self, conversation_id: str, entry: _Entry) -> None:
        entry.lock.release()
        self._leave(conversation_id, entry)

    def _leave(self, conversation_id: str, entry: _Entry) -> None:
        entry.users -= 1
        if not entry.users:
            del self._entries[conversation_id]
