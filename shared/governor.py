"""Decides when each call to a platform may go out.

An act is counted in several scopes at once and goes when all of them allow it. A waiting act is parked in the one scope that
holds it up longest, so that it holds up nobody elsewhere, and is looked at again only when that scope opens.
"""

import asyncio
import time
from bisect import bisect_left, insort
from collections import OrderedDict
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from math import inf
from types import TracebackType
from typing import Protocol

from shared.chat import Limit
from shared.errors import Failure, RateLimited, Unavailable
from shared.pacing import MARGIN, Call, Grade, Pace

__all__ = ["Governor", "Grade", "Timer"]

_LATER = 0.001
"""When to look again at an act that gives way to one whose timer is due this instant, in seconds."""
_BEYOND = 1e-6
"""Timers aim this much beyond the instant: an event loop may wake them early by its clock's resolution."""


class Timer(Protocol):
    """A call that is to come; `asyncio.TimerHandle` is one."""

    def cancel(self) -> None:
        """Make it not happen."""
        ...


CallLater = Callable[[float, Callable[[], None]], Timer]


def _call_later(delay: float, callback: Callable[[], None]) -> Timer:
    return asyncio.get_running_loop().call_later(delay, callback)


class _Act:
    __slots__ = ("calls", "future", "grade", "number", "parked", "scopes")

    def __init__(self, scopes: "list[_Scope]", grade: Grade, number: int) -> None:
        self.scopes = scopes
        self.grade = grade
        self.number = number
        self.calls: list[Call] = []
        self.parked: _Scope | None = None
        self.future: asyncio.Future[None] | None = None


class _Scope:
    """One scope, who waits in it, and who waits elsewhere but is counted here too."""

    __slots__ = ("due", "held", "name", "pace", "queues", "timer", "users", "waiting")

    def __init__(self, name: str, pace: Pace) -> None:
        self.name = name
        self.pace = pace
        self.queues: tuple[list[tuple[int, _Act]], ...] = ([], [], [])
        self.held = set[_Act]()
        self.due = inf
        self.timer: Timer | None = None
        self.users = 0
        self.waiting = 0

    def first(self) -> _Act | None:
        """The act that is next here, whether it can go or not."""
        for queue in self.queues:
            if queue:
                return queue[0][1]
        return None

    def ready(self, act: _Act, now: float) -> float:
        """When this scope lets the act go; it gives way to a better one held up elsewhere, if it would delay that one."""
        at = self.pace.opens(act.grade, now)
        if at > now or not self.held:
            return at
        after = self.pace.opens_after(now)
        if after <= now:
            return at
        mine = (act.grade, act.number)
        due = min((self._due(other) for other in self.held if (other.grade, other.number) < mine), default=inf)
        return max(due, now) + _LATER if due < after else at

    def has_room(self, now: float) -> bool:
        """Whether a call can go now and leaves a permit for each act that waits and each live reply."""
        return self.pace.opens(Grade.FINAL, now) <= now and self.pace.spare(now) > self.waiting + self.pace.live

    @staticmethod
    def _due(act: _Act) -> float:
        return act.parked.due if act.parked is not None else inf


class _Permit:
    """The time of one call: from when it may go to when it is over."""

    __slots__ = ("_act", "_governor", "_grade", "_limits")

    def __init__(self, governor: "Governor", limits: Sequence[Limit], grade: Grade, act: _Act | None = None) -> None:
        self._governor = governor
        self._limits = limits
        self._grade = grade
        self._act = act

    async def __aenter__(self) -> None:
        if self._act is None:
            self._act = await self._governor.admit(self._limits, self._grade)

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._act is not None:
            act, self._act = self._act, None
            self._governor.leave(act, error)


class Governor:
    """Lets calls to platforms go when their limits allow it, the more important ones first.

    Belongs to one event loop. The scopes of one act have to differ from each other.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.monotonic,
        call_later: CallLater = _call_later,
        margin: float = MARGIN,
        on_block: Callable[[str, float], None] | None = None,
    ) -> None:
        """`call_later` has to go by the same `clock`; both are in seconds.

        `margin` (seconds) is how much longer one call may be under way to the platform than another. `on_block` is told
        the scope and the seconds of every new block; it must not raise.
        """
        self._clock = clock
        self._call_later = call_later
        self._margin = margin
        self.on_block = on_block
        self._scopes = OrderedDict[str, _Scope]()
        self._number = 0

    def permit(self, limits: Sequence[Limit], grade: Grade) -> AbstractAsyncContextManager[None]:
        """Entering waits until the call may go; inside it exactly one call is made; leaving says that it is over.

        The first limit is the most specific: a `RateLimited` that leaves the context blocks its scope and is passed on.
        Cancelling the wait frees the place. Raises `ValueError` for `Grade.BUSY`, which never waits: see `try_permit`.
        """
        if grade is Grade.BUSY:
            raise ValueError("a busy sign never waits: use try_permit")
        return _Permit(self, limits, grade)

    def try_permit(self, limits: Sequence[Limit]) -> AbstractAsyncContextManager[None] | None:
        """The permit for a busy sign, already counted and so to be entered at once; None if it cannot go now.

        In every scope it leaves one permit for each act that waits there and each live reply.
        """
        now = self._clock()
        scopes = self._find(limits, now)
        if not all(scope.has_room(now) for scope in scopes):
            return None
        act = self._new(scopes, Grade.BUSY)
        self._let_go(act, now)
        return _Permit(self, limits, Grade.BUSY, act)

    def live(self, limits: Sequence[Limit]) -> AbstractContextManager[None]:
        """While entered: a reply is under way that will need one `FINAL` permit in these scopes."""
        return self._live(limits)

    def has_room(self, limits: Sequence[Limit]) -> bool:
        """Whether one more live reply would find a `FINAL` permit in these scopes at once, with every other that is live."""
        now = self._clock()
        return all(scope.has_room(now) for scope in self._find(limits, now))

    def block(self, scope: str, seconds: float) -> None:
        """Let nothing go in this scope for `seconds` (from the platform, or what is left of a stored block)."""
        now = self._clock()
        self._sweep(now, 1)
        self._block(self._scope(Limit(scope, 1, 0.0)), seconds, now)

    @property
    def scopes(self) -> int:
        """How many scopes are remembered."""
        return len(self._scopes)

    async def admit(self, limits: Sequence[Limit], grade: Grade) -> _Act:
        """Wait until an act may go. For `permit`, which also says when the call is over."""
        now = self._clock()
        scopes = self._find(limits, now)
        for scope in scopes:
            if scope.waiting:
                self._serve(scope, now)
        act = self._new(scopes, grade)
        for scope in scopes:
            scope.waiting += 1
        if self._place(act, now):
            return act
        act.future = asyncio.get_running_loop().create_future()
        try:
            await act.future
        except asyncio.CancelledError:
            self._withdraw(act)
            raise
        return act

    def leave(self, act: _Act, error: BaseException | None) -> None:
        """The call of an act is over. For `permit`."""
        now = self._clock()
        if isinstance(error, RateLimited) and act.scopes:
            self._block(act.scopes[0], error.retry_after, now)
        answered = error is None or (isinstance(error, Failure) and not isinstance(error, Unavailable))
        for scope, call in zip(act.scopes, act.calls, strict=True):
            scope.users -= 1
            if scope.pace.returned(call, now, answered=answered) and scope.waiting:
                self._serve(scope, now)

    @contextmanager
    def _live(self, limits: Sequence[Limit]) -> Generator[None, None, None]:
        scopes = self._find(limits, self._clock())
        for scope in scopes:
            scope.pace.live += 1
        try:
            yield
        finally:
            now = self._clock()
            for scope in scopes:
                scope.pace.live -= 1
                if scope.waiting:
                    self._serve(scope, now)

    def _find(self, limits: Sequence[Limit], now: float) -> list[_Scope]:
        # Before the look-up: a scope that was just made has no user yet.
        self._sweep(now, len(limits) + 1)
        return [self._known(limit, now) for limit in limits]

    def _known(self, limit: Limit, now: float) -> _Scope:
        scope = self._scope(limit)
        changed = scope.pace.follow(limit, now)
        if limit.blocked > 0:
            self._block(scope, limit.blocked, now)
        if changed and scope.waiting:
            self._serve(scope, now)
        return scope

    def _scope(self, limit: Limit) -> _Scope:
        scope = self._scopes.get(limit.scope)
        if scope is None:
            scope = self._scopes[limit.scope] = _Scope(limit.scope, Pace(limit, self._margin))
        return scope

    def _sweep(self, now: float, most: int) -> None:
        """Look at the few scopes not looked at for longest, and forget those of which nothing is left to know."""
        for _ in range(min(most, len(self._scopes))):
            name, scope = next(iter(self._scopes.items()))
            if scope.users == 0 and scope.pace.idle(now):
                del self._scopes[name]
            else:
                self._scopes.move_to_end(name)

    def _block(self, scope: _Scope, seconds: float, now: float) -> None:
        new = scope.pace.block(seconds, now)
        if scope.waiting:
            self._arm(scope, now)
        if new and self.on_block is not None:
            self.on_block(scope.name, seconds)

    def _new(self, scopes: list[_Scope], grade: Grade) -> _Act:
        self._number += 1
        for scope in scopes:
            scope.users += 1
        return _Act(scopes, grade, self._number)

    def _place(self, act: _Act, now: float) -> bool:
        """Let the act go if every scope allows it; else park it in the scope that holds it up longest."""
        latest, where = now, None
        for scope in act.scopes:
            at = scope.ready(act, now)
            if at > latest:
                latest, where = at, scope
        if where is None:
            self._unpark(act)
            self._let_go(act, now)
            return True
        act.parked = where
        insort(where.queues[act.grade], (act.number, act))
        if act.grade < Grade.PREVIEW:
            for scope in act.scopes:
                if scope is where:
                    scope.held.discard(act)
                else:
                    scope.held.add(act)
        self._arm(where, now)
        return False

    def _unpark(self, act: _Act) -> None:
        act.parked = None
        for scope in act.scopes:
            scope.waiting -= 1
            scope.held.discard(act)

    def _let_go(self, act: _Act, now: float) -> None:
        act.calls = [scope.pace.take(act.grade, now) for scope in act.scopes]

    def _serve(self, scope: _Scope, now: float) -> None:
        """Let go what this scope allows, the best first."""
        for queue in scope.queues:
            while queue and scope.ready(queue[0][1], now) <= now:
                _, act = queue.pop(0)
                if act.future is None or act.future.cancelled():
                    self._drop(act)
                elif self._place(act, now):
                    act.future.set_result(None)
            if queue:
                break
        self._arm(scope, now)

    def _arm(self, scope: _Scope, now: float) -> None:
        first = scope.first()
        due = inf if first is None else scope.ready(first, now)
        if due == scope.due:
            return
        if scope.timer is not None:
            scope.timer.cancel()
            scope.timer = None
        scope.due = due
        if due < inf:
            scope.timer = self._call_later(max(due - now, 0.0) + _BEYOND, lambda: self._wake(scope))

    def _wake(self, scope: _Scope) -> None:
        scope.timer = None
        scope.due = inf
        self._serve(scope, self._clock())

    def _drop(self, act: _Act) -> None:
        self._unpark(act)
        for scope in act.scopes:
            scope.users -= 1

    def _withdraw(self, act: _Act) -> None:
        """The wait was cancelled: before the act was let go, or just after, before the call could be made."""
        if act.calls:
            for scope, call in zip(act.scopes, act.calls, strict=True):
                scope.pace.undo(call)
                scope.users -= 1
        elif act.parked is not None:
            queue = act.parked.queues[act.grade]
            del queue[bisect_left(queue, (act.number,))]
            self._drop(act)
        now = self._clock()
        for scope in act.scopes:
            if scope.waiting:
                self._serve(scope, now)
