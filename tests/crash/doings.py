"""What the people of the soak do beside asking: they press buttons, edit, delete, and give commands."""

import asyncio
import contextlib
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.crash.crowd import Crowd, Question
from tests.crash.platforms.base import Platform, Shown

PRESSES = {"Stop": 3, "Retry": 2, "Continue": 2}
CHANGES = {"edit": 6, "delete": 1, "private": 6, "new": 1}
"""What people do, and how frequently."""
PRIVATE = (("model", "opus"), ("model", ""), ("usage", ""), ("why", ""), ("settings", ""), ("list", ""))
RECENT, MANY = 12, 40
"""Among how many of the newest questions something is looked for that can be done; a button among more."""
PATIENCE = 1.0
"""Seconds for which somebody waits for a button."""


@dataclass(slots=True)
class Doings:
    """Whatever people do; `counts` says how often they could."""

    dice: random.Random
    platform: Platform
    crowd: Crowd
    counts: Counter[str] = field(default_factory=Counter[str])
    pressed: set[str] = field(default_factory=set[str])
    """Messages under which something was pressed: once is enough."""

    async def go_on(self, a_second: float) -> None:
        """Do so many things a second on average, until cancelled. It goes by the clock, whatever the server does."""
        async with asyncio.TaskGroup() as tasks:
            for some in (CHANGES, PRESSES):
                tasks.create_task(self._go_on(some, a_second / 2))

    async def _go_on(self, some: Mapping[str, int], a_second: float) -> None:
        while True:
            await asyncio.sleep(self.dice.expovariate(a_second))
            self.crowd.resolve(self.platform)
            what = self.dice.choices(list(some), list(some.values()))[0]
            try:
                done = await self._do(what)
            except ValueError:
                # There is no such command yet, no such button any more, or nobody has answered there.
                continue
            self.counts[what] += done

    async def _do(self, what: str) -> bool:
        recent = [each for each in self.crowd.said[-RECENT:] if not each.deleted]
        if not recent:
            return False
        question = self.dice.choice(recent)
        match what:
            case "Stop" | "Retry" | "Continue":
                return await self._press(what)
            case "edit" if not question.edited and not question.commanded:
                question.edited = True
                await self.platform.edit(question.message, f"{question.name} edited {question.kind}")
                return True
            case "delete":
                question.deleted = True
                await self.platform.delete(question.message)
                return True
            case "private":
                await self.platform.aside(question.author, question.place, *self.dice.choice(PRIVATE))
                return True
            case "new" if self.platform.open(question.place):
                self.crowd.stops.add(question.place)
                await self.platform.command(question.author, question.place, "new")
                return True
            case _:
                return False

    async def _press(self, button: str) -> bool:
        """Press it where it stands or soon will."""
        with contextlib.suppress(TimeoutError):
            question, message = await self.platform.see(lambda: self._pressable(button), PATIENCE)
            if button == "Stop":
                self.crowd.stops.add(question.place)
            await self.platform.press(question.author, message, button)
            return True
        return False

    def _pressable(self, button: str) -> tuple[Question, str] | None:
        for question in reversed(self.crowd.said[-MANY:]):
            for each in self._standing(question):
                if button in each.buttons and each.id not in self.pressed:
                    self.pressed.add(each.id)
                    return question, each.id
        return None

    def _standing(self, question: Question) -> list[Shown]:
        return self.platform.answers(question.place)
