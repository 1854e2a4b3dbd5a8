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

import pytest

from sandbox.calls import Call
from shared import sentences
from tests.crash import reading, weather
from tests.crash.crowd import FOLD, Crowd, Question, questions, teach
from tests.crash.doings import Doings
from tests.crash.house import House, Server, house, until
from tests.crash.platforms.base import Sky

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

    def sky(self, folder: Path, seed: int) -> Sky:
        """20 ms away. The platform's real limits bound how much can be said; the wide ones are ten times as high."""
        return Sky(wide=not self.real_limits, round_trip=0.02, state=folder / "platform.journal", seed=seed)


SETTINGS = {
    "SILENCE_SECONDS": "8", "HISTORY_TURNS": "20", "CODE_FILE_CHARACTERS": str(FOLD),
    "WEB_SEARCH": "on", "CODE_EXECUTION": "on",
    # A few people write what many would: each message is to be a question of its own, and none too fast or too many.
    "BURST_SECONDS": "0", "USER_PER_MINUTE": "0", "QUEUE_LIMIT": "1000",
}  # fmt: skip


@dataclass(frozen=True)
class Soak:
    channels: int
    stretches: tuple[Stretch, ...]


DISCORD = {
    "short": Soak(8, (Stretch(120, 15.0, 2, 3.0, 0.7, real_limits=False),)),
    "full": Soak(40, (Stretch(300, 5.0, 4, 14.0, 2.0, real_limits=True), Stretch(1700, 10.0, 20, 12.0, 2.0, real_limits=False))),
}
# Our own limits are those of a workspace: 50 edits a minute in all.
SLACK = {
    "short": Soak(6, (Stretch(40, 8.0, 2, 3.0, 0.7, real_limits=False),)),
    "full": Soak(20, (Stretch(60, 0.8, 3, 14.0, 2.0, real_limits=True), Stretch(240, 1.2, 12, 12.0, 2.0, real_limits=False))),
}
# One chat bears 20 or 40 calls a minute.
TELEGRAM = {
    "short": Soak(10, (Stretch(40, 5.0, 2, 3.0, 0.7, real_limits=False),)),
    "full": Soak(30, (Stretch(60, 0.6, 3, 14.0, 2.0, real_limits=True), Stretch(240, 1.2, 12, 12.0, 2.0, real_limits=False))),
}
SOAKS = {"discord": DISCORD, "slack": SLACK, "slack-streams": SLACK, "telegram": TELEGRAM}
"""By platform: what can be said in a while depends on its limits."""


class Run:
    """What is gathered over the stretches of one soak."""

    def __init__(self, on: str, folder: Path, before: Path, soak: Soak, seed: int) -> None:
        self.on = on
        self.folder = folder
        self.before = before
        self.soak = soak
        self.seed = seed
        self.dice = random.Random(seed)
        self.crowd: Crowd | None = None
        self.asked: list[Call] = []
        self.mishaps: Counter[str] = Counter()
        self.limited: list[int] = []
        self.kills = 0
        self.problems: list[str] = []
        self.fates: Counter[str] = Counter()
        self.done: Counter[str] = Counter()

    async def stretch(self, number: int) -> None:
        """Do one stretch to its end; after the last one look at everything."""
        stretch, last = self.soak.stretches[number], number == len(self.soak.stretches) - 1
        # Not as many as were said: an /ask that came to a dead server was never asked.
        done = sum(each.messages for each in self.soak.stretches[:number])
        script = questions(self.dice, range(done, done + stretch.messages), stretch.answer)
        sky = stretch.sky(self.folder, self.seed + number)
        async with house(self.folder, before=None if number else self.before, on=self.on, sky=sky) as around:
            around.cold = True
            around.settings.update({**SETTINGS, **around.platform.direct_open})
            # What was asked in the stretch before can be edited and asked again.
            teach(around.claude, [*(self.crowd.said if self.crowd else ()), *script])
            crowd = self.crowd = self.crowd or await Crowd.gather(self.dice, around.platform, self.soak.channels)
            await self._weather(around, stretch, crowd, script)
            self.asked += around.claude.asked()
            self.limited.append(around.platform.suffered)
            self.kills += around.kills
            if self.limited[-1] > around.kills * around.platform.blind and not stretch.real_limits:
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
            trouble = tasks.create_task(sky.connections())
            lives = tasks.create_task(sky.lives(stretch.kills, stretch.life))
            doings = Doings(random.Random(self.dice.random()), around.platform, crowd)
            doing = tasks.create_task(doings.go_on(stretch.a_second / 4))
            await tasks.create_task(crowd.talk(around.platform, left, stretch.a_second))
            server = await lives
            trouble.cancel()
            # What people do keeps the server going; what is lost must not keep them here.
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(ended(around, crowd), STANDSTILL)
            doing.cancel()
        # The last commands are acknowledged, or never will be.
        await around.platform.see(lambda: not around.platform.commands_open(), STANDSTILL)
        crowd.resolve(around.platform)
        self.done += doings.counts
        await self._end(around, crowd, server)
        self.mishaps += sky.counts
        self.mishaps.update(f"model {call.fault}" for call in around.claude.calls if call.fault)

    async def _end(self, around: House, crowd: Crowd, server: Server) -> None:
        """Stop the server when everything is over; what came in the last moment is left to one more."""
        await ended(around, crowd)
        await server.stop()
        if any(state not in ENDED for state, _ in around.turns()):
            server = await around.start()
            await around.settled()
            await server.stop()

    async def _greet(self, around: House, crowd: Crowd, script: list[Question]) -> None:
        """The first words of every guest are stored; what happens next finds the server dead."""
        server = await around.start()
        await around.connected(server)
        others = await crowd.greet(around.platform, script)
        await until(lambda: len(turns(around.folder)) >= len(script))
        await until(lambda: {(each,) for each in others} <= set(around.rows("SELECT message FROM marks")))
        await server.kill()
        self.mishaps["kill after the first words"] += 1

    def _look(self, around: House, crowd: Crowd) -> None:
        file = around.folder / "state" / "threadline.db"
        places = crowd.places()
        for more in reading.gone_on(around.platform, file):
            places[more.place] = sorted([*places[more.place], more], key=lambda each: each.nth)
        # The log of the calls goes on from stretch to stretch, as the world does.
        self.mishaps.update(f"call {call.fault}" for call in around.platform.log if call.fault)
        found = reading.Reading(
            around.platform, crowd, places, reading.owners(around.platform, file), reading.unlucky(self.asked),
            reading.notices(around.platform, file), self.kills,
        )  # fmt: skip
        self.fates = found.fates
        log = around.log()
        self.problems += [
            *found.problems,
            *reading.wrong_in_store(file, crowd.said),
            *reading.wrong_in_commands(around.platform, file, self.kills),
            *reading.wrong_in_prompts(self.asked, places, reading.never_fetched(file)),
            *reading.wrong_in_log(log, [*around.platform.secrets(), around.claude.key]),
        ]

    def report(self, seconds: float) -> str:
        """The figures, for `pytest -rP`."""
        attempts = Counter(attempt for _, attempt in turns(self.folder))
        messages = sum(stretch.messages for stretch in self.soak.stretches)
        return "\n".join(
            [
                f"{self.on}, seed {self.seed}: {messages} messages in {seconds:.0f} s",
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


async def ended(around: House, crowd: Crowd) -> None:
    """Wait until every question has come to an end, or nothing happens any more: what is missing then is told later."""
    calls, since = -1, time.monotonic()
    while True:
        known = {row[0] for row in around.rows("SELECT message FROM messages")}
        # One that was deleted while the server was dead was never asked.
        missing = [each for each in crowd.said if each.key not in known and not each.deleted]
        if not missing and all(state in ENDED for state, _ in around.turns()):
            return
        if len(around.platform.log) != calls:
            calls, since = len(around.platform.log), time.monotonic()
        elif time.monotonic() - since > STANDSTILL:
            return
        # The file tells nobody when it changes.
        await asyncio.sleep(0.2)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The short soak is played on every platform, the whole one on that which is named."""
    chosen = str(metafunc.config.getoption("--soak-platform"))
    metafunc.parametrize("on", [chosen] if chosen else list(SOAKS))


async def test_every_message_is_answered_once_or_told_why(
    on: str, tmp_path: Path, before: Path, request: pytest.FixtureRequest
) -> None:
    soak = str(request.config.getoption("--soak"))
    run = Run(on, tmp_path, before, SOAKS[on][soak], int(str(request.config.getoption("--soak-seed"))))
    began = time.monotonic()
    for number in range(len(run.soak.stretches)):
        await run.stretch(number)
    report = run.report(time.monotonic() - began)
    print(report)  # noqa: T201  (pytest shows it with a failure, or with -rP)
    assert not run.problems, "\n".join([*run.problems[:100], f"{len(run.problems)} problems", report])
