"""A long run under random faults, mishaps and kills. Every message is answered exactly once or told why, in its place and order.

`pytest --soak full` is the whole of it; the short one is part of every run. `--soak-seed` chooses another course of events.
"""

import asyncio
import contextlib
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.calls import Call
from sandbox.discord import SimulatorConfig
from shared import sentences
from tests.crash import reading, weather
from tests.crash.crowd import FOLD, Crowd, Question, questions, teach
from tests.crash.doings import Doings
from tests.crash.house import House, house

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]
ENDED = ("done", "stopped", "failed")
STANDSTILL = 130.0
"""Seconds without any call after which what is missing will not come any more: a new session waits for 120 s at most."""


@dataclass(frozen=True)
class Stretch:
    """A part of the soak under the same limits."""

    messages: int
    a_second: float
    kills: int
    life: float
    """Seconds that a life of the server lasts at most."""
    answer: float
    """Seconds that an answer streams at most."""
    real_limits: bool

    def config(self, folder: Path, seed: int) -> SimulatorConfig:
        """A Discord 20 ms away. Its real limits bound how much can be said; the wide ones are ten times as high."""
        state = folder / "discord.journal"
        if self.real_limits:
            return SimulatorConfig(round_trip=0.02, state=state, seed=seed)
        return SimulatorConfig(
            round_trip=0.02, state=state, seed=seed, channel_limit=(50, 5.0), delete_limit=(50, 1.0), typing_limit=(50, 5.0),
            thread_limit=(100, 10.0), history_limit=(100, 5.0), other_limit=(200, 5.0), global_limit=(500, 1.0),
            reaction_limit=(10, 0.25), webhook_limit=(50, 2.0),
        )  # fmt: skip


SETTINGS = {
    "DISCORD_DIRECT": "open", "SILENCE_SECONDS": "8", "HISTORY_TURNS": "20", "CODE_FILE_CHARACTERS": str(FOLD),
    "WEB_SEARCH": "on", "CODE_EXECUTION": "on",
    # A few people write what many would: each message is to be a question of its own, and none too fast or too many.
    "BURST_SECONDS": "0", "USER_PER_MINUTE": "0", "QUEUE_LIMIT": "1000",
}  # fmt: skip


@dataclass(frozen=True)
class Soak:
    channels: int
    stretches: tuple[Stretch, ...]


SOAKS = {
    "short": Soak(8, (Stretch(120, 15.0, 2, 3.0, 0.7, real_limits=False),)),
    "full": Soak(40, (Stretch(300, 5.0, 4, 14.0, 2.0, real_limits=True), Stretch(1700, 10.0, 20, 12.0, 2.0, real_limits=False))),
}


class Run:
    """What is gathered over the stretches of one soak."""

    def __init__(self, folder: Path, before: Path, soak: Soak, seed: int) -> None:
        self.folder = folder
        self.before = before
        self.soak = soak
        self.seed = seed
        self.dice = random.Random(seed)
        self.crowd: Crowd | None = None
        self.asked: list[Call] = []
        self.mishaps: Counter[str] = Counter()
        self.limited: list[int] = []
        self.problems: list[str] = []
        self.fates: Counter[str] = Counter()
        self.done: Counter[str] = Counter()

    async def stretch(self, number: int) -> None:
        """Do one stretch to its end; after the last one look at everything."""
        stretch, last = self.soak.stretches[number], number == len(self.soak.stretches) - 1
        # Not as many as were said: an /ask that came to a dead server was never asked.
        done = sum(each.messages for each in self.soak.stretches[:number])
        script = questions(self.dice, range(done, done + stretch.messages), stretch.answer)
        config = stretch.config(self.folder, self.seed + number)
        settings = SETTINGS
        async with house(self.folder, before=None if number else self.before, discord=config) as around:
            around.settings.update(settings)
            # What was asked in the stretch before can be edited and asked again.
            teach(around.claude, [*(self.crowd.said if self.crowd else ()), *script])
            crowd = self.crowd = self.crowd or await Crowd.gather(self.dice, around.discord, self.soak.channels)
            await self._weather(around, stretch, crowd, script)
            self.asked += around.claude.asked()
            self.limited.append(around.discord.stats()["suffered"])
            if self.limited[-1] and not stretch.real_limits:
                self.problems.append(f"{self.limited[-1]} calls were refused under limits far above our own")
            if last:
                self._look(around, crowd)

    async def _weather(self, around: House, stretch: Stretch, crowd: Crowd, script: list[Question]) -> None:
        sky = weather.Weather(random.Random(self.dice.random()), around)
        if not crowd.said:
            await self._greet(around, crowd, script[: len(crowd.guests)])
        left = [question for question in script if not question.place]
        await sky.faults()
        async with asyncio.TaskGroup() as tasks:
            trouble = tasks.create_task(sky.gateway())
            lives = tasks.create_task(sky.lives(stretch.kills, stretch.life))
            doings = Doings(random.Random(self.dice.random()), around.discord, crowd)
            doing = tasks.create_task(doings.go_on(stretch.a_second / 4))
            await tasks.create_task(crowd.talk(around.discord, left, stretch.a_second))
            server = await lives
            trouble.cancel()
            # What people do keeps the server going; what is lost must not keep them here.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended(around, crowd), STANDSTILL)
            doing.cancel()
        # The last commands are acknowledged, or never will be.
        await around.discord.wait_for(lambda: all(_told(view) for view in around.discord.interactions()), STANDSTILL)
        crowd.resolve(around.discord)
        self.done += doings.counts
        await ended(around, crowd)
        await server.stop()
        self.mishaps += sky.counts
        self.mishaps.update(f"model {call.fault}" for call in around.claude.calls if call.fault)

    async def _greet(self, around: House, crowd: Crowd, script: list[Question]) -> None:
        """The first words of every guest are stored; what happens next finds the server dead."""
        server = await around.start()
        await around.connected(server)
        await crowd.greet(around.discord, script)
        while len(turns(around.folder)) < len(script):  # noqa: ASYNC110  (the file tells nobody when it changes)
            await asyncio.sleep(0.02)
        await server.kill()
        self.mishaps["kill after the first words"] += 1

    def _look(self, around: House, crowd: Crowd) -> None:
        file = around.folder / "state" / "threadline.db"
        places = crowd.places()
        for more in reading.gone_on(around.discord, file):
            places[more.place] = sorted([*places[more.place], more], key=lambda each: int(each.message))
        # The log of the calls goes on from stretch to stretch, as the world does.
        self.mishaps.update(f"call {call.fault}" for call in around.discord.calls if call.fault)
        found = reading.Reading(around.discord, crowd, places, reading.owners(file), reading.unlucky(self.asked))
        self.fates = found.fates
        log = around.log()
        self.problems += [
            *found.problems,
            *reading.wrong_in_store(file, crowd.said),
            *reading.wrong_in_commands(around.discord, file),
            *reading.wrong_in_prompts(self.asked, places),
            *reading.wrong_in_log(log, [around.discord.config.token, around.claude.key]),
        ]

    def report(self, seconds: float) -> str:
        """The figures, for `pytest -rP`."""
        attempts = Counter(attempt for _, attempt in turns(self.folder))
        return "\n".join(
            [
                f"seed {self.seed}: {sum(stretch.messages for stretch in self.soak.stretches)} messages in {seconds:.0f} s",
                f"fates: {dict(self.fates)}",
                f"done: {dict(self.done)}",
                f"mishaps: {dict(self.mishaps)}",
                f"429s that nobody planted, by stretch: {self.limited}",
                f"requests to the model: {len(self.asked)}; attempts: {dict(attempts)}",
                f"log: {dict(reading.lines((self.folder / 'server.log').read_text()))}",
            ]
        )


def turns(folder: Path) -> Sequence[tuple[str, int]]:
    """State and attempts of the turns of questions that were written."""
    with contextlib.closing(sqlite3.connect(f"file:{folder}/state/threadline.db?mode=ro", uri=True)) as file:
        return list(
            file.execute("SELECT state, attempts FROM turns JOIN messages ON turn = id WHERE text != ?", (sentences.CONTINUE,))
        )


def _told(view: dict[str, Any]) -> bool:
    return view["answered"] is not None or view["shown"] is not None


async def ended(around: House, crowd: Crowd) -> None:
    """Wait until every question has come to an end, or nothing happens any more: what is missing then is told later."""
    calls, since = -1, time.monotonic()
    while True:
        known = {row[0].rpartition(":")[2] for row in around.rows("SELECT message FROM messages")}
        # One that was deleted while the server was dead was never asked.
        missing = [each for each in crowd.said if each.message not in known and not each.deleted]
        if not missing and all(state in ENDED for state, _ in around.turns()):
            return
        if len(around.discord.calls) != calls:
            calls, since = len(around.discord.calls), time.monotonic()
        elif time.monotonic() - since > STANDSTILL:
            return
        # The file tells nobody when it changes.
        await asyncio.sleep(0.2)


async def test_every_message_is_answered_once_or_told_why(tmp_path: Path, before: Path, request: pytest.FixtureRequest) -> None:
    soak = str(request.config.getoption("--soak"))
    run = Run(tmp_path, before, SOAKS[soak], int(str(request.config.getoption("--soak-seed"))))
    began = time.monotonic()
    for number in range(len(run.soak.stretches)):
        await run.stretch(number)
    report = run.report(time.monotonic() - began)
    print(report)  # noqa: T201  (pytest shows it with a failure, or with -rP)
    assert not run.problems, "\n".join([*run.problems[:100], f"{len(run.problems)} problems", report])
