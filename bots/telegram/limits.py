"""Telegram's rate limits: told in words only, and counted for each chat (core.telegram.org/bots/faq, My bot is hitting limits).

Sends and edits share one bucket (tdlib/td issue 3034), and chat actions are counted with them to be sure. So long stretches are
given, not distances: a reply that is short enough has its previews in an even rhythm, and its final at once.
"""

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace

from bots.telegram.names import NAME
from shared.chat import Act, Limit

MINUTE = 60.0

PRIVATE = 40
"""Calls a minute in a private chat: one in 1.5 seconds. The FAQ has one message a second; edits every half second were answered
with waits of minutes (anything-llm issue 5447)."""

GROUP = 20
"""Calls a minute in a group, all its topics together (core.telegram.org/bots/faq: no more than 20 messages per minute)."""

GROUP_EDITS = 17
"""Of these, edits: one in 3.5 seconds, which leaves some room for posts (edits every 0.8 seconds: hermes-agent issue 102402)."""

GROUP_SIGNS = 4
"""Of these, signs that we are typing."""

BURST, BURST_SECONDS = 5, 5.0
"""Calls in a chat in a short time (core.telegram.org/bots/faq: short bursts over one message a second are let through)."""

QUIET, QUIET_SECONDS = 20, 20.0
"""Deletions and reactions in a chat: nothing is published of them."""

ANY = 1000
"""Calls of any kind a minute in a chat: never so many. This scope is the first of each act, and so the one that a wait closes,
also for a server that begins within it: the chat is to be left alone, not only by messages."""

OVERALL = 28
"""Calls a second for the whole bot (core.telegram.org/bots/faq: about 30 messages per second), two of them kept back for the
answers to buttons."""

KEPT = 2000
"""Of how many chats a block is remembered."""


class Limits:
    """The limits as known now."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives seconds that only grow."""
        self._clock = clock
        self._until: OrderedDict[int, float] = OrderedDict()

    def of(self, act: Act, chat: int) -> tuple[Limit, ...]:
        """Every scope that an act in a chat (Telegram's id: that of a group is negative) counts in."""
        scope = f"{NAME}:{chat}"
        overall = Limit(f"{NAME}:overall", OVERALL, 1.0)
        found = [self._blocked(Limit(scope, ANY, MINUTE), chat)]
        if act in ("delete", "react", "open"):
            return *found, Limit(f"{scope}:quiet", QUIET, QUIET_SECONDS), overall
        found += [
            self._blocked(Limit(f"{scope}:minute", PRIVATE if chat > 0 else GROUP, MINUTE), chat),
            Limit(f"{scope}:burst", BURST, BURST_SECONDS),
        ]
        if chat < 0 and act == "edit":
            found.append(Limit(f"{scope}:edits", GROUP_EDITS, MINUTE))
        if chat < 0 and act == "busy":
            found.append(Limit(f"{scope}:signs", GROUP_SIGNS, MINUTE))
        return *found, overall

    def block(self, chat: int, wait: float) -> None:
        """Telegram asked for silence: `wait` seconds in a chat."""
        self._until[chat] = max(self._until.get(chat, 0.0), self._clock() + wait)
        self._until.move_to_end(chat)
        if len(self._until) > KEPT:
            self._until.popitem(last=False)

    def silence(self, chat: int) -> float:
        """For how many seconds Telegram wants nothing in a chat; 0 or less where it does not."""
        return self._until.get(chat, 0.0) - self._clock()

    def _blocked(self, limit: Limit, chat: int) -> Limit:
        left = self.silence(chat)
        return replace(limit, blocked=left) if left > 0 else limit
