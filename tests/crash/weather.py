"""What goes wrong during the soak: faults of calls, mishaps of connections, and kills. All drawn from a seed.

It goes by the clock: it is meant to strike at any moment.
"""

import asyncio
import contextlib
import random
from collections import Counter
from dataclasses import dataclass, field

from sandbox.faults import Rule
from tests.crash.house import House, Server

MODEL_FAULTS = (
    Rule("status", path="/v1/messages", status=500, chance=0.02, times=None),
    Rule("reset", path="/v1/messages", chance=0.02, times=None),
    Rule("slow", path="/v1/messages", chance=0.02, times=None, seconds=0.3),
)


@dataclass(slots=True)
class Weather:
    """The mishaps of one run. `counts` says how many there were of each."""

    dice: random.Random
    house: House
    counts: Counter[str] = field(default_factory=Counter[str])
    fresh: bool = True
    """Whether nothing that is survived slowly has happened in this life of the server: each further one would take longer."""

    async def faults(self) -> None:
        """Put the faults of calls in force."""
        for rule in self.house.platform.faults:
            await self.house.platform.fault(rule)
        for rule in MODEL_FAULTS:
            self.house.claude.faults.set(rule)

    async def connections(self) -> None:
        """Trouble the connections until cancelled."""
        acts = self.house.platform.mishaps
        while True:
            await asyncio.sleep(self.dice.uniform(0.5, 3.0))
            act = self.dice.choices(list(acts), list(acts.values()))[0]
            if act in self.house.platform.scarce:
                if not self.fresh:
                    continue
                self.fresh = False
            await self.house.platform.mishap(act, self.dice)
            self.counts[act] += 1

    async def lives(self, kills: int, longest: float) -> Server:
        """Start the server, kill it at a random moment, again and again; the one that is started last lives."""
        for _ in range(kills):
            how = self.dice.choice(("clock", "call", "commit"))
            moment = self.dice.choice(("before", "after"))
            commit = self.dice.randint(1, 500) if how == "commit" else 0
            self.fresh = True
            server = await self.house.start(commit, moment)
            rule = Rule("kill", path=self.house.platform.writes, moment=moment, nth=self.dice.randint(1, 300), pid=server.pid)
            fault = await self.house.platform.fault(rule) if how == "call" else None
            if self.dice.random() < 0.8:
                # The others die while they start.
                await self.house.connected(server)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(server.process.wait(), self.dice.uniform(0.2, longest))
            await server.kill()
            if fault is not None:
                # The number of a dead process may be given to another.
                await self.house.platform.clear_faults(fault)
            self.counts[f"kill by {how}"] += 1
        # The last one lives long, and may wait twice as long each time.
        self.fresh = False
        return await self.house.start()
