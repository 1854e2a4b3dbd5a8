"""What goes wrong during the soak: faults of calls, mishaps of the gateway, and kills. All drawn from a seed.

It goes by the clock: it is meant to strike at any moment.
"""

import asyncio
import contextlib
import random
from collections import Counter
from dataclasses import dataclass, field

from sandbox import discord
from sandbox.faults import Rule
from tests.crash.house import House, Server

CHANNELS = r"^/channels/"
WRITES = r"^/channels/\d+/messages"


def limited(seconds: float, *, whole: bool = False) -> Rule:
    """A 429 that the simulator's own limits would not give."""
    headers = {"Retry-After": str(int(seconds + 0.999)), "Via": "1.1 simulator"}
    headers |= {"X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"} if whole else {"X-RateLimit-Scope": "shared"}
    body = {"message": "You are being rate limited.", "retry_after": seconds, "global": whole}
    chance = 0.001 if whole else 0.01
    return Rule("status", path=WRITES, status=429, headers=headers, body=body, chance=chance, times=None, name="429")


PLATFORM_FAULTS = (
    limited(0.7),
    limited(0.3, whole=True),
    Rule("status", path=CHANNELS, status=500, chance=0.008, times=None),
    Rule("status", path=CHANNELS, status=500, chance=0.006, times=None, moment="after"),
    Rule("status", path=CHANNELS, status=503, chance=0.006, times=None),
    Rule("reset", path=CHANNELS, chance=0.008, times=None),
    Rule("reset", path=CHANNELS, chance=0.008, times=None, moment="after"),
    Rule("slow", path=CHANNELS, chance=0.02, times=None, seconds=0.4),
)
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
    """Whether this life of the server has had no new session yet: each further one has to wait longer."""

    async def faults(self) -> None:
        """Put the faults of calls in force."""
        for rule in PLATFORM_FAULTS:
            await self.house.discord.fault(rule)
        for rule in MODEL_FAULTS:
            self.house.claude.faults.set(rule)

    async def gateway(self) -> None:
        """Trouble the gateway until cancelled."""
        acts = {"drop": 5, "reconnect": 4, "duplicate": 8, "pause": 2, "close": 2, "forget": 2}
        while True:
            await asyncio.sleep(self.dice.uniform(0.5, 3.0))
            await self._mishap(self.dice.choices(list(acts), list(acts.values()))[0])

    async def _mishap(self, act: str) -> None:
        platform: discord.Simulator = self.house.discord
        match act:
            case "drop":
                await platform.drop()
            case "reconnect":
                await platform.reconnect()
            case "duplicate":
                await platform.duplicate(self.dice.randint(1, 5))
            case "pause":
                await platform.invalidate(resumable=True)
            case "close":
                await platform.close_gateway(4000)
            case _:
                if not self.fresh:
                    return
                self.fresh = False
                await platform.forget_sessions()
                await platform.drop()
        self.counts[act] += 1

    async def lives(self, kills: int, longest: float) -> Server:
        """Start the server, kill it at a random moment, again and again; the one that is started last lives."""
        for _ in range(kills):
            how = self.dice.choice(("clock", "call", "commit"))
            moment = self.dice.choice(("before", "after"))
            commit = self.dice.randint(1, 500) if how == "commit" else 0
            self.fresh = True
            server = await self.house.start(commit, moment)
            rule = Rule("kill", path=CHANNELS, moment=moment, nth=self.dice.randint(1, 300), pid=server.pid)
            fault = await self.house.discord.fault(rule) if how == "call" else None
            if self.dice.random() < 0.8:
                # The others die while they start.
                await self.house.connected(server)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(server.process.wait(), self.dice.uniform(0.2, longest))
            await server.kill()
            if fault is not None:
                # The number of a dead process may be given to another.
                await self.house.discord.clear_faults(fault)
            self.counts[f"kill by {how}"] += 1
        # The last one lives long, and every new session waits twice as long as the one before.
        self.fresh = False
        return await self.house.start()
