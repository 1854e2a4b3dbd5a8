"""Delivery in order per channel, with the channels side by side.

Slack hands each event to any one of the connections, so that two of a channel can overtake each other: an event waits a moment
for an earlier one. What comes twice (as mention and as message, or again for want of an acknowledgement) is delivered once.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from bots.slack.spawning import spawn
from shared.chat import Deliver, Event
from shared.errors import Failure

log = logging.getLogger(__name__)

KEPT = 5000
"""How many events are remembered as delivered."""

Make = Callable[[], Awaitable[Sequence[Event]]]
"""Makes the events of what came in; may look things up."""


@dataclass(order=True, slots=True)
class _Waiting:
    order: tuple[int, int]
    key: str = field(compare=False)
    make: Make = field(compare=False)
    at: float = field(compare=False)
    whole: bool = field(compare=False)
    taken: "asyncio.Future[bool]" = field(compare=False)


class Lanes:
    """Hands events on: those of one lane one after the other, those of different lanes at the same time."""

    def __init__(
        self, tasks: asyncio.TaskGroup, deliver: Deliver, settle: float, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`settle` is in seconds, as is `clock`. What `deliver` raises ends the group. Nothing is delivered before `resume`."""
        self._tasks = tasks
        self._deliver = deliver
        self._settle = settle
        self._clock = clock
        self._lanes: dict[str, list[_Waiting]] = {}
        self._known: OrderedDict[str, asyncio.Future[bool] | _Waiting] = OrderedDict()
        self._count = 0
        self._going = asyncio.Event()

    def pause(self) -> None:
        """Hold everything that is not yet being delivered."""
        self._going.clear()

    def resume(self) -> None:
        """Let it go on."""
        self._going.set()

    def put(self, lane: str, key: str, order: int, make: Make, *, whole: bool = True) -> "asyncio.Future[bool]":
        """Deliver what `make` gives, after all of a lower `order` that the lane holds or gets within the moment.

        Of a `key` that is known nothing is delivered again; a `whole` version takes the place of a lesser one that still waits.
        The future says whether it is stored; False means that it could not be made just now, and may be put again.
        """
        known = self._known.get(key)
        if isinstance(known, _Waiting):
            if whole and not known.whole:
                known.make, known.whole = make, True
            return known.taken
        if known is not None:
            return known
        self._count += 1
        taken: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        waiting = _Waiting((order, self._count), key, make, self._clock(), whole, taken)
        self._known[key] = waiting
        if len(self._known) > KEPT:
            self._forget()
        if lane in self._lanes:
            self._lanes[lane].append(waiting)
        else:
            self._lanes[lane] = [waiting]
            if not spawn(self._tasks, self._empty(lane), f"slack lane {lane}"):
                taken.set_result(False)
        return taken

    def _forget(self) -> None:
        oldest = next((key for key, known in self._known.items() if not isinstance(known, _Waiting)), None)
        if oldest is not None:
            del self._known[oldest]

    async def _empty(self, lane: str) -> None:
        waiting = self._lanes[lane]
        try:
            while waiting:
                await self._going.wait()
                first = min(waiting)
                left = first.at + self._settle - self._clock()
                if left > 0:
                    await asyncio.sleep(left)
                    continue
                waiting.remove(first)
                await self._hand_on(first)
        finally:
            del self._lanes[lane]

    async def _hand_on(self, waiting: _Waiting) -> None:
        self._known[waiting.key] = waiting.taken
        try:
            events = await waiting.make()
        except Failure as failure:
            log.warning("an event has to come again", extra={"event_key": waiting.key, "detail": failure.detail})
            self._known.pop(waiting.key, None)
            waiting.taken.set_result(False)
            return
        except Exception:
            # Nobody knows what else people and Slack can put into an event; one must not hold up the others.
            log.exception("an event could not be read", extra={"event_key": waiting.key})
            events = ()
        for event in events:
            await self._deliver(event)
        if not waiting.taken.done():
            waiting.taken.set_result(True)
