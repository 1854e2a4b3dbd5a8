"""The commands that only tell: /usage, /list, /why, /settings and /help. Each reads and gives a text."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from shared import answers
from shared.access import Access
from shared.chat import Author, Channel
from shared.choosing import Choosing
from shared.limits import next_month, spender
from shared.scopes import IdleTimes
from shared.store import Budget, Spending, Store, Who

TALKS = 10
TOLD = 8
"""How many conversations and messages are listed."""

READ = 100
"""How many events are read to find the messages among them."""

Told = Sequence[tuple[str, str, bool]]
"""Settings of the operator: name, value, and whether it was set."""


class Reports:
    """Tells what there is."""

    def __init__(
        self,
        store: Store,
        choosing: Choosing,
        access: Mapping[str, Access],
        budgets: Sequence[Budget],
        idle: IdleTimes,
        told: Told,
        *,
        clock: Callable[[], datetime],
    ) -> None:
        self._store = store
        self._choosing = choosing
        self._access = access
        self._budgets = budgets
        self._idle = idle
        self._told = told
        self._clock = clock

    async def usage(self, platform: str, author: Author, place: Channel) -> str:
        """What was used this month, and the limits; what all have used is for admins alone."""
        now = self._clock()
        whose: list[tuple[str, Who]] = [("by you", "user"), ("in this channel", "channel")]
        if self._admin(platform, author):
            whose.append(("by all", "all"))
        keys = {who: spender(who, author.id, place) for _, who in whose}
        spent = await self._store.spendings(list(keys.values()))
        lines = [
            (label, spent.get(keys[who], Spending()), [budget for budget in self._budgets if budget.who == who])
            for label, who in whose
        ]
        return answers.usage(now, next_month(now), lines)

    async def conversations(self, place: Channel) -> str:
        """The conversations of a place."""
        return answers.listed(await self._store.talks(place.id, most=TALKS), self._clock(), here=place)

    async def why(self, platform: str, author: Author, place: Channel) -> str:
        """What became of a person's last messages in a place; for admins everybody's."""
        admin = self._admin(platform, author)
        told = await self._store.told(place.id, author=None if admin else author.id, most=READ)
        # That a command was one is nothing that anybody wonders about.
        asked = [each for each in told if each.decision not in ("command", "button")]
        return answers.why(asked[:TOLD], self._clock(), place, names=admin)

    async def settings(self, platform: str, place: Channel) -> str:
        """Every setting that people may know, and where it comes from."""
        held = await self._choosing.all_held(platform, place)
        return answers.settings(held, self._idle.of(platform, place), self._told)

    def _admin(self, platform: str, author: Author) -> bool:
        access = self._access.get(platform)
        return access is not None and access.administers(author)
