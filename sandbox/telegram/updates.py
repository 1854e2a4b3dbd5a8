"""The queue of updates and long polling (core.telegram.org/bots/api, getUpdates; tdlib/telegram-bot-api, do_get_updates)."""

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from sandbox.telegram.errors import ApiError
from sandbox.telegram.events import UNUSUAL, updates_of
from sandbox.telegram.model import Json, Update
from sandbox.telegram.world import Happening, World

OTHER = "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running"
HOOKED = "Conflict: terminated by setWebhook request"
ACTIVE = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"
REMEMBERED = 100_000
"""How many deliveries are remembered."""


class Cut(Exception):
    """The connection of a poll is to be cut."""


@dataclass(slots=True)
class _Waiting:
    """The one poll that waits."""

    woken: asyncio.Event = field(default_factory=asyncio.Event)
    conflict: str | None = None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """An update that left, confirmed or not."""

    number: int
    """Counts from 1."""
    update: int
    kind: str
    attempt: int
    """Counts from 1; more than 1 is a redelivery."""
    way: str
    """`poll` or `webhook`."""
    at: float
    """Seconds of `time.monotonic`."""


class Updates:
    """Keeps what the bot has not confirmed: by a getUpdates with a higher offset, or by a webhook's 2xx."""

    def __init__(self, world: World) -> None:
        self.conflicts = 0
        """How many polls were answered with 409, those of callers that had gone left out."""
        self.sent = deque[Delivery](maxlen=REMEMBERED)
        self._world = world
        self._attempts: dict[int, int] = {}
        self._waiting: _Waiting | None = None
        self._left = 0
        self._conflict_until = 0.0
        world.listeners.append(self._happened)

    @property
    def polling(self) -> bool:
        """Whether a poll waits."""
        return self._waiting is not None

    def _happened(self, happening: Happening) -> None:
        for kind, body in updates_of(self._world, happening):
            self.add(kind, body, happening.chat or 0)

    def add(self, kind: str, body: Json, queue: int) -> int | None:
        """Queue an update and return its id; None when the bot has not asked for its kind."""
        state = self._world.state
        if kind not in state.allowed if state.allowed else kind in UNUSUAL:
            return None
        number = state.last_update + 1
        change: Json = {"op": "update", "id": number, "kind": kind, "body": body, "queue": queue}
        self._world.commit(change | {"created": self._world.now()})
        if self._waiting is not None:
            self._waiting.woken.set()
        return number

    def allow(self, kinds: list[str] | None) -> None:
        """Take which kinds the bot asks for; None leaves it as it is. It counts for updates that come after it."""
        if kinds is not None and kinds != self._world.state.allowed:
            self._world.commit({"op": "allowed", "kinds": kinds})

    def pending(self) -> list[Update]:
        """The updates that wait, oldest first. Those whose time is over are dropped."""
        state, oldest = self._world.state, self._world.now() - self._world.config.update_lifetime
        late = [each.id for each in state.updates.values() if each.created <= oldest]
        if late:
            self.forget(late)
        return list(state.updates.values())

    def forget(self, updates: list[int]) -> None:
        """Take updates out of the queue."""
        if updates:
            self._world.commit({"op": "forget", "updates": updates})

    def leaves(self, update: Update, way: str) -> None:
        """Remember that an update left."""
        self._left += 1
        attempt = self._attempts[update.id] = self._attempts.get(update.id, 0) + 1
        self.sent.append(Delivery(self._left, update.id, update.kind, attempt, way, self._world.config.monotonic()))

    async def poll(self, offset: int, limit: int, timeout: float, gone: Callable[[], bool] = lambda: False) -> list[Json]:
        """Confirm what is below `offset` and return at most `limit` updates, or none after `timeout` seconds.

        A negative offset counts from the end and confirms what lies before. Raises `ApiError` 409 while there is a webhook,
        and, in the poll that waited, when another one begins to wait; `Cut` when its connection is to be cut. `gone` says
        whether the caller is still there: nothing is counted for one that is not.
        """
        if self._world.state.webhook.url:
            raise await self._conflict(ACTIVE)
        pending = self.pending()
        first = offset
        if offset < 0 and pending:
            first = pending[max(0, len(pending) + offset)].id
        self.forget([each.id for each in pending if each.id < first])
        if self._world.state.updates or timeout <= 0:
            return self._leaving(limit)
        self._end(OTHER)
        waiting = self._waiting = _Waiting()
        self._world.changes.notify()
        try:
            async with asyncio.timeout(timeout):
                await waiting.woken.wait()
        except TimeoutError:
            return []
        finally:
            if self._waiting is waiting:
                self._waiting = None
        if waiting.cut or gone():
            raise Cut
        if waiting.conflict is not None:
            raise await self._conflict(waiting.conflict)
        return self._leaving(limit)

    def release(self, *, conflict: bool = False, cut: bool = False) -> None:
        """Let the poll that waits return: with nothing, with the conflict of setWebhook, or by cutting its connection."""
        if self._waiting is not None:
            self._waiting.cut = cut
            self._end(HOOKED if conflict else None)

    def _end(self, conflict: str | None) -> None:
        if self._waiting is not None:
            self._waiting.conflict = conflict
            self._waiting.woken.set()
            self._waiting = None

    async def _conflict(self, text: str) -> ApiError:
        """A second one comes late, so that two pollers do not answer each other without end (fail_query_conflict)."""
        self.conflicts += 1
        now = self._world.config.monotonic()
        if now < self._conflict_until:
            await asyncio.sleep(self._world.config.conflict_delay)
        else:
            self._conflict_until = now + self._world.config.conflict_delay
        return ApiError(409, text)

    def _leaving(self, limit: int) -> list[Json]:
        leaving = self.pending()[:limit]
        for each in leaving:
            self.leaves(each, "poll")
        return [update_json(each) for each in leaving]


def update_json(update: Update) -> Json:
    """An Update."""
    return {"update_id": update.id, update.kind: update.body}
