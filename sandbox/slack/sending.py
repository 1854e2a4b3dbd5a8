"""Bringing events, commands and presses to the app, through whichever way it has, again where Slack would."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from sandbox.slack.config import SimulatorConfig
from sandbox.slack.events import callback, events_of
from sandbox.slack.model import Json, Trigger
from sandbox.slack.world import Happening, World

SENT = 100_000
"""How many deliveries are remembered."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What became of one delivery. `reason` says why it failed, `payload` what came with the answer."""

    good: bool
    reason: str = ""
    payload: Json | None = None
    final: bool = False
    """Failed, and the app asked for no other try (header X-Slack-No-Retry)."""


@dataclass(slots=True)
class Outgoing:
    """One try to deliver something. Times are seconds of `time.monotonic`."""

    number: int
    """Counts from 1, in the order in which they left."""
    kind: str
    """`events_api`, `slash_commands` or `interactive`, as the envelopes of Socket Mode are named."""
    payload: Json
    name: str
    """The type of the event with its subtype, the command, or the action_id."""
    id: str
    """The event_id, or the trigger's."""
    ts: str | None
    """The message that it tells of."""
    attempt: int = 0
    reason: str = ""
    """Why the try before failed."""
    link: int | None = None
    """The number of the connection; None over HTTP, or when there was none."""
    left: float = 0.0
    answered: float | None = None
    outcome: str | None = None
    """`acked`, or why it failed; None while open."""

    def as_json(self) -> Json:
        """The try as JSON, without its payload."""
        return {name: getattr(self, name) for name in self.__slots__ if name != "payload"}


Send = Callable[[Outgoing], Awaitable[Answered]]


class Delivery:
    """Tells the app of what happens. Events are tried again, commands and presses are not (docs.slack.dev, Events API)."""

    def __init__(self, world: World, config: SimulatorConfig) -> None:
        self.round_trip = config.round_trip
        self.subscriptions = frozenset(config.subscriptions)
        self.scopes = frozenset(config.scopes)
        self.sent = deque[Outgoing](maxlen=SENT)
        self.given_up = 0
        """How many events were lost after the last try."""
        self.send: Send = _nowhere
        self._world = world
        self._config = config
        self._tasks: set[asyncio.Task[Any]] = set()
        self._last = 0
        world.listeners.append(self._happened)

    async def close(self) -> None:
        """Give up what is still on its way."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def busy(self) -> int:
        """How many deliveries are on their way or wait for their next try."""
        return len(self._tasks)

    def _happened(self, happening: Happening) -> None:
        for event in events_of(self._world, happening, self.subscriptions, self.scopes):
            self.event(event)

    def event(self, event: Json) -> str:
        """Deliver an inner event and return its event_id."""
        number = self._world.ids.next("Ev")
        payload = callback(self._world, event, number)
        name = ".".join(str(each) for each in (event["type"], event.get("subtype")) if each)
        ts = str(event["ts"]) if "ts" in event else None
        self._start(self._event(Outgoing(0, "events_api", payload, name, number, ts)))
        return number

    def trigger(self, trigger: Trigger, payload: Json, done: Callable[[Answered], None]) -> None:
        """Deliver a command or press once; `done` is called with what became of it."""
        kind = "slash_commands" if trigger.kind == "command" else "interactive"
        self._start(self._once(Outgoing(0, kind, payload, trigger.name, trigger.id, trigger.message), done))

    def _start(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        self._world.changes.notify()

    async def _event(self, first: Outgoing) -> None:
        reason = ""
        for attempt in range(len(self._config.retry_delays) + 1):
            if attempt:
                await asyncio.sleep(self._config.retry_delays[attempt - 1])
            answered = await self._try(Outgoing(0, first.kind, first.payload, first.name, first.id, first.ts, attempt, reason))
            if answered.good:
                return
            reason = answered.reason
            if answered.final:
                break
        self.given_up += 1
        self._world.changes.notify()

    async def _once(self, outgoing: Outgoing, done: Callable[[Answered], None]) -> None:
        done(await self._try(outgoing))

    async def _try(self, outgoing: Outgoing) -> Answered:
        if self.round_trip > 0:
            await asyncio.sleep(self.round_trip / 2)
        self._last += 1
        outgoing.number, outgoing.left = self._last, self._config.monotonic()
        self.sent.append(outgoing)
        self._world.changes.notify()
        answered = await self.send(outgoing)
        outgoing.answered = self._config.monotonic()
        outgoing.outcome = "acked" if answered.good else answered.reason
        self._world.changes.notify()
        return answered


async def _nowhere(_: Outgoing) -> Answered:
    return Answered(False, "connection_failed")
