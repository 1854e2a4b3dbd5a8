"""Holds live events of a channel back until what was missed there has been recalled, and lets them through in order."""

import asyncio
from collections import deque
from collections.abc import Iterable

from shared.chat import ChannelId


class Gate:
    """Open at first. `shut` holds every channel, `hold` narrows it down to some; `open` and `close` change one."""

    def __init__(self) -> None:
        self._all = False
        self._held: set[ChannelId] = set()
        self._queues: dict[ChannelId, deque[asyncio.Future[None]]] = {}

    async def passed(self, channel: ChannelId) -> None:
        """Returns when it is this event's turn in its channel, in the order of the calls.

        An event that need not wait passes without giving up control, so that order holds from the caller's first line on.
        """
        queue = self._queues.get(channel)
        if queue is None and not self._shut(channel):
            return
        if queue is None:
            queue = self._queues[channel] = deque()
        mine = asyncio.get_running_loop().create_future()
        queue.append(mine)
        try:
            await mine
        finally:
            # The one behind is woken only now that this one goes on: nobody can slip in between.
            queue.remove(mine)
            if not queue:
                del self._queues[channel]
            elif not self._shut(channel):
                _wake(queue[0])

    def shut(self) -> None:
        """Hold every channel."""
        self._all = True

    def hold(self, channels: Iterable[ChannelId]) -> None:
        """Hold just these channels from now on; the others go on."""
        self._held = set(channels)
        self._all = False
        for channel, queue in list(self._queues.items()):
            if channel not in self._held:
                _wake(queue[0])

    def close(self, channel: ChannelId) -> None:
        """Hold this channel, too."""
        self._held.add(channel)

    def open(self, channel: ChannelId) -> None:
        """Let the events of a channel through."""
        self._held.discard(channel)
        if not self._shut(channel) and (queue := self._queues.get(channel)):
            _wake(queue[0])

    def _shut(self, channel: ChannelId) -> bool:
        return self._all or channel in self._held


def _wake(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
