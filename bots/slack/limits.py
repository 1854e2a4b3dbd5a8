"""Slack's rate limits: each method has its own, for all users of the workspace together (docs.slack.dev, Rate limits)."""

import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import replace

from bots.slack.names import NAME
from shared.chat import Act, Limit

MINUTE = 60.0

TIER_2, TIER_3, TIER_4 = 20, 50, 100
"""Calls a minute that each tier allows at least (docs.slack.dev, Rate limits: Web API tiers)."""

OWN = 100
"""Calls a minute for methods with a limit of their own that Slack does not publish."""

ALL_POSTS = 200
"""Posts a minute in a workspace: Slack says "several hundred" (docs.slack.dev, Rate limits: Posting messages)."""

RESPONSES, RESPONSES_SECONDS = 5, 1800.0
"""Uses of a response_url and its life (docs.slack.dev, Handling user interaction: Using the response_url)."""

WAIT_SECONDS = 30.0
"""How long to wait after a 429 that names no time."""

CHANNEL_WAIT = 5.0
"""A longer wait than this is not for the one post a second of a channel, but for the whole workspace."""

KEPT = 2000
"""How many blocked scopes are remembered."""

POST = "chat.postMessage"

_METHODS: Mapping[Act, tuple[str, int]] = {
    "edit": ("chat.update", TIER_3),
    "delete": ("chat.delete", TIER_3),
    "busy": ("assistant.threads.setStatus", OWN),
    "open": ("conversations.info", TIER_3),
    "upload": ("files.completeUploadExternal", TIER_4),
    # Taking a reaction away is in a lower tier than leaving it.
    "react": ("reactions.remove", TIER_2),
    "begin": ("chat.startStream", TIER_2),
    "extend": ("chat.appendStream", TIER_4),
    "finish": ("chat.stopStream", TIER_2),
}


class Limits:
    """The limits as known now. One adapter has one workspace, so that the method alone names a scope."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds that only grow."""
        self._clock = clock
        self._until: OrderedDict[str, float] = OrderedDict()

    def of(self, act: Act, channel: str) -> tuple[Limit, ...]:
        """Every scope that an act in a channel (Slack's id) counts in."""
        if act == "post":
            return self._limit(_in_channel(channel), 1, 1.0), self._limit(_scope(POST), ALL_POSTS, MINUTE)
        if act not in _METHODS:
            return ()  # there are no drafts here
        method, calls = _METHODS[act]
        return (self._limit(_scope(method), calls, MINUTE),)

    def answers(self, scope: str) -> tuple[Limit, ...]:
        """The scope of the answers through one response_url, which `scope` names."""
        return (self._limit(f"{NAME}:response:{scope}", RESPONSES, RESPONSES_SECONDS),)

    def whispers(self) -> tuple[Limit, ...]:
        """The scope of messages that one person alone sees, by the bot's own right."""
        return (self._limit(_scope("chat.postEphemeral"), TIER_4, MINUTE),)

    def block(self, method: str, channel: str | None, wait: float) -> None:
        """Slack asked for silence: `wait` seconds for a method, or for posts in a channel."""
        if method != POST or channel is None or wait > CHANNEL_WAIT:
            self._block(_scope("reactions.remove" if method == "reactions.add" else method), wait)
        if method == POST and channel is not None:
            self._block(_in_channel(channel), wait)

    def spent(self, channel: str) -> None:
        """A post was made that nobody has asked a permit for: the next one in the channel waits its second."""
        self._block(_in_channel(channel), 1.0)

    def _block(self, scope: str, wait: float) -> None:
        self._until[scope] = max(self._until.get(scope, 0.0), self._clock() + wait)
        self._until.move_to_end(scope)
        if len(self._until) > KEPT:
            self._until.popitem(last=False)

    def _limit(self, scope: str, calls: int, seconds: float) -> Limit:
        limit = Limit(scope=scope, calls=calls, seconds=seconds)
        left = self._until.get(scope, 0.0) - self._clock()
        return replace(limit, blocked=left) if left > 0 else limit


def _scope(method: str) -> str:
    return f"{NAME}:{method}"


def _in_channel(channel: str) -> str:
    return f"{NAME}:{POST}:{channel}"
