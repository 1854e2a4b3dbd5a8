"""Delivery in order per channel, with the channels side by side."""

import asyncio
from collections import deque

from shared.chat import Deliver, Event


class Lanes:
    """Hands events on: those of one lane one after the other, those of different lanes at the same time."""

    def __init__(self, tasks: asyncio.TaskGroup, deliver: Deliver) -> None:
        """What `deliver` raises ends the group."""
        self._tasks = tasks
        self._deliver = deliver
        self._waiting: dict[int, deque[Event]] = {}
        self.ended = False
        """Whether `deliver` has failed: the group takes no tasks any more, and what is put is dropped."""

    def put(self, lane: int, event: Event) -> None:
        """Deliver an event after those that the lane holds already."""
        if self.ended:
            return
        waiting = self._waiting.get(lane)
        if waiting is not None:
            waiting.append(event)
            return
        self._waiting[lane] = deque((event,))
        self._tasks.create_task(self._empty(lane), name=f"discord lane {lane}")

    async def deliver(self, event: Event) -> None:
        """Deliver an event at once."""
        try:
            await self._deliver(event)
        except BaseException:
            self.ended = True
            raise

    async def _empty(self, lane: int) -> None:
        waiting = self._waiting[lane]
        try:
            while waiting:
                await self.deliver(waiting.popleft())
        finally:
            del self._waiting[lane]
