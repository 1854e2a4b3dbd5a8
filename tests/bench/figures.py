"""The arithmetic of the bench: from the times of one reply to the figures of many. Pure; times are seconds of one clock."""

import math
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field

STEP = 0.01
"""Seconds between two samples of a reply's staleness."""


@dataclass(frozen=True, slots=True)
class Shown:
    """From `at` on the chat shows the first `length` characters of the reply."""

    at: float
    length: int


@dataclass(slots=True)
class Reply:
    """One question and what became of it. A time is None if that never happened."""

    conversation: int
    number: int
    asked: float
    """When the question was written by the bench."""
    opens_thread: bool
    left: float | None = None
    """When the event left the platform's simulator."""
    requested: float | None = None
    """When the request for it arrived at the model's simulator."""
    deltas: Sequence[float] = ()
    """When the model sent each delta."""
    ends: Sequence[int] = ()
    """How many characters, without spaces at the end, the model had sent with each delta."""
    shown: Sequence[Shown] = ()
    """What the chat showed, by the moment at which each call took effect."""
    whole: bool = False
    """Whether the chat shows exactly the model's text in the end."""
    posts: int = 0
    """In how many messages it stands; more than one for one text of this length is a doubled reply."""
    preview_in_flight: bool = False
    """Whether an earlier call in its channel was still unanswered when the model sent its last delta."""

    @property
    def complete(self) -> float | None:
        """When the whole text showed for the first time."""
        if not self.ends:
            return None
        return next((state.at for state in self.shown if state.length >= self.ends[-1]), None)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` (0 to 1) of the values lie, with straight lines between them; NaN if there is none."""
    if not values:
        return math.nan
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = math.floor(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


@dataclass(slots=True)
class Staleness:
    """Samples in seconds, by two definitions.

    `behind`: how long ago the model's text was last what the chat shows, that is the age of the oldest delta not yet shown; 0
    if there is none. `age`: how long ago the model had sent the text that the chat shows, that is the age of the newest delta
    shown. The second is the greater one by the time between two deltas.
    """

    behind: list[float] = field(default_factory=list[float])
    age: list[float] = field(default_factory=list[float])

    def add(self, reply: Reply, step: float = STEP) -> None:
        """Sample a reply every `step` seconds from its first text shown to the model's last delta."""
        if not reply.shown or not reply.deltas:
            return
        counts = [bisect_right(reply.ends, state.length) for state in reply.shown]
        times = [state.at for state in reply.shown]
        for number in range(max(0, math.ceil((reply.deltas[-1] - times[0]) / step))):
            at = times[0] + number * step
            count = counts[bisect_right(times, at) - 1]
            if count:
                self.age.append(at - reply.deltas[count - 1])
            missing = count < len(reply.deltas) and reply.deltas[count] <= at
            self.behind.append(at - reply.deltas[count] if missing else 0.0)


def ideal(deltas: Sequence[float], ends: Sequence[int], *, interval: float, one_way: float) -> Reply:
    """The reply of a bot that shows the newest text every `interval` seconds from the first delta on and costs no time itself."""
    shown: list[Shown] = []
    at = deltas[0]
    while at < deltas[-1]:
        shown.append(Shown(at + one_way, ends[bisect_right(deltas, at) - 1]))
        at += interval
    shown.append(Shown(deltas[-1] + one_way, ends[-1]))
    return Reply(0, 0, deltas[0], opens_thread=False, deltas=deltas, ends=ends, shown=shown)


def lengths(text: str, deltas: int) -> list[int]:
    """How many characters are there, spaces at the end left out, after each of `deltas` pieces of nearly equal length."""
    return [len(text[: len(text) * place // deltas].rstrip()) for place in range(1, deltas + 1)]


def interval(conversations: int, *, overall: float = 50.0, channel: float = 1.0) -> float:
    """Seconds between two states of one reply at best: one call a second in a channel, `overall` calls a second in all.

    Discord developer docs, Rate Limits: 50 requests a second; Discord.Net issue 2375: 5 messages or edits in 5 seconds.
    """
    return max(1.0 / channel, conversations / overall)


def previews(rate: float, number: int, *, overall: float = 50.0, most: int = 5) -> int:
    """How many previews the reply `number` (from 0) can have if `rate` replies a second share `overall` calls a second evenly.

    Each has a post and a final besides; `most` is what its channel bears in 6 s.
    """
    share = min(float(most), max(0.0, overall / rate - 2))
    return int((number + 1) * share) - int(number * share)


def bearable(calls: float, *, share: float = 0.85, overall: float = 50.0) -> float:
    """Replies a second with `calls` calls each that use `share` of the overall limit."""
    return share * overall / calls


def busiest(times: Sequence[float], seconds: float = 1.0) -> int:
    """The most of these times (ascending) that lie within any `seconds`, the end of which is left out."""
    first = most = 0
    for last, at in enumerate(times):
        while at - times[first] >= seconds:
            first += 1
        most = max(most, last - first + 1)
    return most
