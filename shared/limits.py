"""How much people may use: the rules for questions, made of the settings, and the pace of everything that is not a question."""

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from shared import sentences
from shared.chat import AuthorId, Channel, ChannelId
from shared.scopes import IdleTimes, channel_of
from shared.settings import Settings
from shared.store import Budget, Decision, Rules, Share, Unit, Who

MINUTE = timedelta(minutes=1)
MICRO = 1_000_000
"""Money is counted in millionths of a US dollar."""


def budgets(settings: Settings) -> Sequence[Budget]:
    """The budgets that the operator has set; one of 0 is none."""
    listed: Sequence[tuple[Who, Unit, float]] = (
        ("user", "tokens", settings.budget_user_tokens),
        ("user", "money", settings.budget_user_dollars * MICRO),
        ("channel", "tokens", settings.budget_channel_tokens),
        ("channel", "money", settings.budget_channel_dollars * MICRO),
        ("all", "tokens", settings.budget_total_tokens),
        ("all", "money", settings.budget_total_dollars * MICRO),
    )
    return [Budget(who, unit, max(1, round(most))) for who, unit, most in listed if most > 0]


def rules(settings: Settings) -> Rules:
    """What holds for a new question."""
    return Rules(
        burst=timedelta(seconds=settings.burst_seconds),
        queue=settings.queue_limit,
        interrupt=settings.when_busy == "interrupt",
        per_minute=settings.user_per_minute,
        budgets=budgets(settings),
    )


def spender(who: Who, author: AuthorId, place: Channel) -> str:
    """The key under which the store counts what is used."""
    match who:
        case "user":
            return f"user:{author}"
        case "channel":
            return f"channel:{channel_of(place)}"
        case "all":
            return "all"


def next_month(now: datetime) -> datetime:
    """When the budgets of this month begin anew: months are those of UTC."""
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return first.replace(year=first.year + 1, month=1) if first.month == 12 else first.replace(month=first.month + 1)


def refused(decision: Decision, share: Share | None) -> str:
    """The sentence about a question that is not taken. Pure."""
    if decision == "over_limit" and share is not None:
        budget = share.budget
        return sentences.over_limit(budget.who, budget.unit, budget.most, share.resets_at)
    return sentences.QUEUE_FULL if decision == "queue_full" else sentences.TOO_FAST


class Pace:
    """At most so many acts of a person in any minute, as far as this run of the server knows; 0 is no limit."""

    def __init__(self, per_minute: int, *, clock: Callable[[], datetime]) -> None:
        self._most = per_minute
        self._clock = clock
        self._acts: dict[AuthorId, deque[datetime]] = {}
        self._told: dict[AuthorId, datetime] = {}

    def allows(self, author: AuthorId) -> bool:
        """Whether one more act is within the limit; then it is counted."""
        if not self._most:
            return True
        now = self._clock()
        acts = self._acts.setdefault(author, deque())
        while acts and now - acts[0] >= MINUTE:
            acts.popleft()
        if len(acts) >= self._most:
            return False
        acts.append(now)
        if len(self._acts) > 10_000:
            self._acts = {who: when for who, when in self._acts.items() if when and now - when[-1] < MINUTE}
        return True

    def tells(self, author: AuthorId) -> bool:
        """Whether this refusal is to be told: the first one in a minute."""
        now = self._clock()
        self._told = {who: at for who, at in self._told.items() if now - at < MINUTE}
        if author in self._told:
            return False
        self._told[author] = now
        return True


def idle_times(settings: Settings) -> IdleTimes:
    """After how long without a message conversations are closed; 0 hours is never."""
    return IdleTimes(
        everywhere=_time(settings.idle_hours),
        platforms={platform: _time(hours) for platform, hours in settings.idle_by_platform().items()},
        channels={ChannelId(channel): _time(hours) for channel, hours in settings.idle_channels.items()},
    )


def _time(hours: float) -> timedelta | None:
    return timedelta(hours=hours) if hours else None
