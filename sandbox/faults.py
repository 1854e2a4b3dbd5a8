"""Faults on demand: rules that say which call of a simulator goes wrong, and how."""

import asyncio
import contextlib
import json
import os
import random
import re
import signal
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, cast, get_args

from aiohttp import web

Action = Literal["status", "reset", "slow", "kill", "hang"]
Moment = Literal["before", "after"]


@dataclass(frozen=True, slots=True)
class Rule:
    """One fault. `before` strikes before the call takes effect, `after` between its effect and its answer."""

    action: Action
    """`status`: answer with `status`; `reset`: cut the connection; `slow`: wait `seconds`; `kill`: SIGKILL to `pid` and
    cut the connection; `hang`: no answer until the caller goes away."""
    method: str = "*"
    """The HTTP method; `*` is any."""
    path: str = ""
    """A regular expression searched in the path without its query."""
    moment: Moment = "before"
    nth: int = 1
    """The first match that is struck, counted from 1 since the rule was set."""
    times: int | None = 1
    """How many matches are struck, beginning with the `nth`; None is all."""
    status: int = 500
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: Any = None
    """What a `status` answers: an object or list is sent as JSON, a string as plain text, None as an empty JSON object."""
    seconds: float = 0.0
    pid: int | None = None
    chance: float = 1.0
    """The probability, 0 to 1, that a match which is due is struck; drawn from the seeded generator of `Faults`."""
    name: str = ""
    """What the call log shows; made from action and moment when empty."""

    def __post_init__(self) -> None:
        if self.action not in get_args(Action) or self.moment not in get_args(Moment):
            raise ValueError(f"unknown action or moment: {self.action}, {self.moment}")
        if self.nth < 1 or (self.times is not None and self.times < 1):
            raise ValueError("nth and times count from 1")
        if not 0.0 <= self.chance <= 1.0 or self.seconds < 0:
            raise ValueError("chance is 0 to 1, and seconds are not negative")
        if self.action == "kill" and (self.pid is None or self.pid <= 1 or self.pid == os.getpid()):
            raise ValueError("kill needs the pid of another process")
        re.compile(self.path)

    @property
    def label(self) -> str:
        """The name shown in the call log."""
        return self.name or f"{self.action}-{self.moment}"


def rule_from_json(given: Mapping[str, Any]) -> Rule:
    """Read a rule from a JSON object with the field names of `Rule`. Raises `ValueError` with what is wrong."""
    unknown = set(given) - {each.name for each in fields(Rule)}
    if unknown:
        raise ValueError(f"unknown fields of a fault: {', '.join(sorted(unknown))}")
    try:
        return Rule(**given)
    except (TypeError, re.error) as error:
        raise ValueError(str(error)) from error


@dataclass(slots=True)
class _Armed:
    rule: Rule
    pattern: re.Pattern[str]
    matched: int = 0
    struck: int = 0

    @property
    def spent(self) -> bool:
        return self.rule.times is not None and self.struck >= self.rule.times


class Faults:
    """The rules in force. Every rule counts every call it matches; the first rule that is due strikes."""

    def __init__(self, seed: int = 0) -> None:
        self._armed: dict[int, _Armed] = {}
        self._last = 0
        self._random = random.Random(seed)

    def seed(self, seed: int) -> None:
        """Begin the sequence of random choices anew."""
        self._random.seed(seed)

    def set(self, rule: Rule) -> int:
        """Put a rule in force and return its number."""
        self._last += 1
        self._armed[self._last] = _Armed(rule, re.compile(rule.path))
        return self._last

    def clear(self, number: int | None = None) -> None:
        """Take one rule, or all, out of force. An unknown number is ignored."""
        if number is None:
            self._armed.clear()
        else:
            self._armed.pop(number, None)

    def in_force(self) -> dict[int, Rule]:
        """The rules that may still strike, by number. One that has struck as often as it may is no longer among them."""
        return {number: armed.rule for number, armed in self._armed.items()}

    def draw(self, method: str, path: str) -> Rule | None:
        """The rule that strikes this call, if any. Counts the call, so it is asked once per call."""
        chosen: _Armed | None = None
        for number, armed in list(self._armed.items()):
            rule = armed.rule
            if rule.method not in ("*", method) or not armed.pattern.search(path):
                continue
            armed.matched += 1
            if chosen is not None or armed.matched < rule.nth:
                continue
            if rule.chance < 1.0 and self._random.random() >= rule.chance:
                continue
            chosen = armed
            armed.struck += 1
            if armed.spent:
                del self._armed[number]
        return chosen.rule if chosen else None


async def strike(
    rule: Rule | None,
    moment: Moment,
    request: web.BaseRequest,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> web.Response | None:
    """Carry out the part of a fault that belongs to this moment.

    Returns the answer to give in place of the real one, or None when the call goes on. After a cut connection the
    answer returned reaches nobody.
    """
    if rule is None or rule.moment != moment:
        return None
    if rule.action == "slow":
        await sleep(rule.seconds)
        return None
    if rule.action == "status":
        return _answer(rule)
    if rule.action == "hang":
        await _gone(request)
    if rule.action == "kill" and rule.pid is not None:
        with contextlib.suppress(ProcessLookupError):  # it was already dead, which is what was asked for
            os.kill(rule.pid, signal.SIGKILL)
    cut(request)
    return web.Response(status=500)


def cut(request: web.BaseRequest) -> None:
    """Abort the connection: the caller sees a reset, not an answer."""
    if request.transport is not None:
        request.transport.abort()


async def _gone(request: web.BaseRequest) -> None:
    """Wait until the caller closed the connection."""
    # aiohttp has no event for that, short of cancelling every handler whose caller goes away.
    while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110
        await asyncio.sleep(0.05)


def _answer(rule: Rule) -> web.Response:
    headers = dict(rule.headers)
    if isinstance(rule.body, str):
        return web.Response(status=rule.status, text=rule.body, headers=headers)
    # Set by hand: a content type with a charset is not JSON to discord.py (http.py, json_or_text).
    headers.setdefault("Content-Type", "application/json")
    body: object = cast(object, rule.body) if rule.body is not None else {}
    return web.Response(status=rule.status, body=json.dumps(body).encode(), headers=headers)
