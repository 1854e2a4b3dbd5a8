"""People who talk to the server at times fixed beforehand, whatever it answers, and the reading of what came of it."""

import asyncio
import math
import random
import re
import time
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from tests.bench.figures import Reply, Shown, busiest, lengths
from tests.bench.machine import DELTAS, ONE_WAY, SECONDS, THINK, House, Server, held_up, memory, processor_seconds
from tests.bench.sites import Said

TAIL = SECONDS + THINK + 1.5
"""Seconds after which an answer has long ended, if nothing holds it up."""
LATEST = 20.0
"""Seconds that answers get beyond that at the end of a stretch."""
_QUESTION = re.compile(r"question (\d+) of conversation (\d+)\b")


@dataclass(frozen=True, slots=True)
class Load:
    """`conversations` of them, opened at `opening` a second; then each asks every `period` seconds, moved by up to `jitter`.

    `ramp` seconds after that begins, measuring begins, and lasts `seconds`.
    """

    conversations: int
    period: float
    jitter: float
    opening: float
    ramp: float
    seconds: float

    @property
    def rate(self) -> float:
        """Questions a second."""
        return self.conversations / self.period


@dataclass(slots=True)
class Talk:
    """What was measured under one load. Processor time in seconds, memory in MB."""

    load: Load
    opened: list[Reply]
    """The answers to the first questions, for which a thread was opened."""
    replies: list[Reply]
    """The answers to the questions asked in the measured stretch, in threads that existed."""
    processor: float
    ended: int
    """How many replies were completed in the measured stretch."""
    peak: float
    suffered: int
    calls: float
    """Calls a second that the platform counted in the measured stretch."""
    busiest: int
    """The most calls that arrived there within one second."""
    waited: float
    """Share of the measured stretch (0 to 1) for which the server was ready to run and had no processor."""
    simulators_waited: float
    """The same of the simulator that waited longer."""
    late: float
    """How much later than fixed the latest question was written, in seconds."""

    @property
    def all(self) -> list[Reply]:
        """Every reply."""
        return self.opened + self.replies


async def talk(house: House, server: Server, load: Load, channels: list[str], seed: int = 1) -> Talk:
    """Put a load on a connected server. `channels` are as many channels."""
    chance = random.Random(seed)
    loop = asyncio.get_running_loop()
    begin = loop.time() + 0.5
    steady = begin + load.conversations / load.opening + TAIL
    measured = steady + load.ramp
    end = measured + load.seconds
    asked: dict[tuple[int, int], Reply] = {}
    said: dict[tuple[int, int], Said] = {}
    threads: dict[int, Said] = {}
    site, chat = house.site, house.chat
    late = 0.0

    async def ask(conversation: int, number: int, at: float) -> None:
        nonlocal late
        await asyncio.sleep(at - loop.time())
        late = max(late, loop.time() - at)
        text = f"question {number} of conversation {conversation}"
        asked[conversation, number] = Reply(conversation, number, time.monotonic(), opens_thread=number == 0)
        person = f"user{conversation % 5 + 1}"
        if number:
            said[conversation, number] = await site.go_on(chat, person, threads[conversation], text)
        else:
            said[conversation, number] = threads[conversation] = await site.ask(chat, person, channels[conversation], text)

    async with asyncio.TaskGroup() as people:
        order = chance.sample(range(load.conversations), load.conversations)
        for place, conversation in enumerate(order):
            people.create_task(ask(conversation, 0, begin + place / load.opening))
            at = steady + place / load.conversations * load.period
            number = 1
            while at < end:
                moved = max(steady, at + chance.uniform(-load.jitter, load.jitter))
                people.create_task(ask(conversation, number, moved))
                number, at = number + 1, at + load.period
        await asyncio.sleep(measured - loop.time())
        before, used = (await chat.get("stats"))["calls"], processor_seconds(server.pid)
        waits = [held_up(pid) for pid in (server.pid, *house.simulators)]
        await asyncio.sleep(end - loop.time())
        after, used = (await chat.get("stats"))["calls"], processor_seconds(server.pid) - used
        waits = [(held_up(pid) - was) / load.seconds for pid, was in zip((server.pid, *house.simulators), waits, strict=True)]
    await asyncio.sleep(TAIL)
    reading = Reading(house, asked, said, threads)
    deadline = loop.time() + LATEST
    while not await reading.read() and loop.time() < deadline:  # noqa: ASYNC110 - the logs of other processes tell nobody
        await asyncio.sleep(1.0)
    everything = list(asked.values())
    return Talk(
        load=load,
        opened=[reply for reply in everything if reply.opens_thread],
        replies=[reply for reply in everything if not reply.opens_thread and measured <= reply.asked <= end],
        processor=used,
        ended=sum(1 for reply in everything if reply.complete is not None and measured <= reply.complete <= end),
        peak=memory(server.pid, "VmHWM"),
        suffered=(await chat.get("stats"))["suffered"],
        calls=(after - before) / load.seconds,
        busiest=reading.busiest,
        waited=waits[0],
        simulators_waited=max(waits[1:]),
        late=late,
    )


class Reading:
    """Fills the replies in from the logs of both simulators."""

    def __init__(
        self,
        house: House,
        asked: Mapping[tuple[int, int], Reply],
        said: Mapping[tuple[int, int], Said],
        threads: Mapping[int, Said],
    ) -> None:
        self._house = house
        self._asked = asked
        self._said = said
        self._threads = threads
        self._texts: dict[tuple[int, int], str] = {}
        self.busiest = 0

    async def read(self) -> bool:
        """Read everything anew. True if every reply is whole."""
        house = self._house
        left = await house.site.left(house.chat, list(self._said.values()))
        for key, reply in self._asked.items():
            reply.left = left.get(self._said[key].event)
        self._model((await house.claude.get("log", bodies=0))["calls"])
        calls: list[dict[str, Any]] = await house.chat.get("log")
        self.busiest = busiest([call["arrived_mono"] for call in calls])
        ahead = median(call["arrived"] - call["arrived_mono"] for call in calls)
        flights: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for call in calls:
            if call["applied_mono"] is not None and (place := house.site.where(call)) is not None:
                flights[place].append((call["applied_mono"], call["ended_mono"] or math.inf))
        for conversation, said in self._threads.items():
            messages = await house.site.shown(house.chat, said.place)
            self._chat(conversation, messages, ahead, flights[said.place.partition("/")[0]])
        return all(reply.whole for reply in self._asked.values())

    def _model(self, calls: Iterable[dict[str, Any]]) -> None:
        for call in calls:
            found = _QUESTION.search(call["notes"].get("last", ""))
            if not found or "text" not in call["notes"]:
                continue
            key = int(found[2]), int(found[1])
            reply, text = self._asked[key], call["notes"]["text"]
            reply.requested = call["arrived_mono"]
            reply.deltas, reply.ends = call["notes"].get("deltas", ()), lengths(text, DELTAS)
            self._texts[key] = text

    def _chat(
        self, conversation: int, messages: Iterable[dict[str, Any]], ahead: float, flights: list[tuple[float, float]]
    ) -> None:
        seen: dict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
        for message in messages:
            if found := _QUESTION.search(message["content"]):
                seen[int(found[2]), int(found[1])].append(message)
        for key, parts in seen.items():
            reply = self._asked[key]
            reply.posts = len(parts)
            states = parts[0]["history"]
            reply.shown = [Shown(state["at"] - ahead, len(state["content"].rstrip())) for state in states]
            reply.whole = len(parts) == 1 and parts[0]["content"].strip() == self._texts.get(key, "").strip()
            if reply.deltas and reply.complete is not None:
                # The call that completed the text took effect at `complete` itself, give or take the clocks' difference.
                last, before = reply.deltas[-1], reply.complete - ONE_WAY / 2
                reply.preview_in_flight = any(applied < before and last < ended for applied, ended in flights)
