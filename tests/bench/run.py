"""`make bench`: speed and size of the real server against the simulators, all on loopback, in about six minutes.

The Discord simulator (50 ms round trip), the model's simulator and the server are processes of their own; the bench writes as
people through the control API at times fixed beforehand and then reads both logs. The processes' monotonic clocks are one.

What is measured:
- event to model request: from the gateway event's leaving the Discord simulator to the arrival of POST /v1/messages.
- first delta to first text: from the model's first delta to the moment at which the first post takes effect, which is one way
  (half a round trip) after its arrival at the simulator.
- staleness, over the time from a reply's first text shown to the model's last delta, sampled every 10 ms: the age of the oldest
  text missing (how long ago the model's text was last what the chat shows; 0 if nothing is missing), and the age of the newest
  text shown (how long ago the model had sent it), which is greater by the 60 ms between two deltas. Their bound is that of a bot
  that shows the newest text from the first delta on at even intervals and costs no time itself; it has five previews a reply, or
  what 50 calls a second leave beside the post and the final of every reply. The targets are the table's: 1 s or N/50 s.
- last delta to whole text: to the moment at which the call takes effect that makes the chat show the whole text; apart for
  replies for which a call was under way when the last delta came.
- processor time: user and system time of the server over the measured stretch, per 100 replies completed in it.
- memory: resident; at rest 2 s after a start, and the peak under load; beside a process that only imports the same modules.
- start to ready: from exec to the end of the gateway's handshake, as the simulator sees it.

The load: N conversations, each in a thread of its own, opened by a mention in a text channel of its own before measuring begins.
Questions come at fixed, jittered times, whatever the answers do. A reply has 200 words in 100 deltas over 6 s, the first delta
0.3 s after the request. One conversation and ten ask every 8 s each: a channel bears 5 calls in 5 seconds. A hundred ask as
often as lets each reply show a new state every two seconds (N/50) with 85 % of 50 calls a second: a post, two previews and a
final are 4 calls, so 10.6 questions a second; a hundred replies under way at every moment would leave less than one preview for
each. Five hundred ask as often as the overall limit bears at all: 2 calls a reply use 85 % of it, and hardly a preview has room.

On Slack and Telegram the platform's limits set the pace, so what is judged is how old the text shown may get (95 % of the time):
on Slack, where answers are streams, max(0.7 s, 0.6 s x N) with N answers of a workspace at a time, since chat.appendStream bears
100 calls a minute; one conversation asks every 8 s, three every 10 s (chat.startStream: 20 a minute). On Telegram 1.5 s in
private chats and 3.5 s in groups; ten conversations ask every 10 s and every 15 s, each in a chat of its own. All four loads run
side by side. The rows about time are the same; nothing may be refused, and every reply has to be whole.
"""

import argparse
import asyncio
import io
import json
import os
import platform
import pstats
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.bench import report, shelves
from tests.bench.figures import bearable
from tests.bench.machine import ROUND_TRIP, House, house, imports_alone, memory
from tests.bench.report import Row
from tests.bench.sites import Discord, Site, Slack, Telegram
from tests.bench.talk import Load, Talk, talk

LOADS = {
    1: Load(1, period=8.0, jitter=0.5, opening=2.0, ramp=0.0, seconds=32.0),
    10: Load(10, period=8.0, jitter=0.5, opening=2.0, ramp=7.0, seconds=16.0),
    100: Load(100, period=100 / bearable(4), jitter=0.5, opening=bearable(3), ramp=7.0, seconds=27.0),
    500: Load(500, period=500 / bearable(2), jitter=1.0, opening=bearable(3), ramp=7.0, seconds=30.0),
}


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A load on another platform, with how old the text shown may be there, in seconds."""

    part: str
    name: str
    site: Callable[[], Site]
    load: Load
    staleness: float


OTHERS = (
    Elsewhere("slack", "Slack", Slack, Load(1, 8.0, 0.5, 2.0, 0.0, 24.0), 0.7),
    Elsewhere("slack", "Slack by 3", Slack, Load(3, 10.0, 0.5, 0.25, 2.0, 30.0), 1.8),
    Elsewhere("telegram", "Telegram, private", lambda: Telegram(private=True), Load(10, 10.0, 0.5, 2.0, 2.0, 30.0), 1.5),
    Elsewhere("telegram", "Telegram, groups", lambda: Telegram(private=False), Load(10, 15.0, 0.5, 2.0, 2.0, 30.0), 3.5),
)
QUICK = ("start", "10", "store")
PARTS = ("start", *map(str, LOADS), "slack", "telegram", "store")


class Bench:
    """One run of the bench."""

    def __init__(self, folder: Path, *, profile: bool, keep: Path | None) -> None:
        self._folder = folder
        self._profile = folder / "profile" if profile else None
        self._keep = keep
        self._rows: list[Row] = []
        self.sound = True
        """Whether every reply was whole and no call was refused."""

    async def run(self, *, start: int, loads: list[Load], others: Sequence[Elsewhere], largest: tuple[int, int]) -> None:
        """Measure `start` starts, these loads, and the store up to `largest` conversations and turns; 0 leaves a part out."""
        imports = await imports_alone()
        if start:
            await self._start(start, imports)
        for load in loads:
            await self._load(load, imports)
        if others:
            await self._elsewhere(others)
        if largest[0]:
            await self._store(*largest)
        _say("\n" + report.table(self._rows))

    async def _start(self, times: int, imports: float) -> None:
        _say(f"start: {times} times")
        seconds: list[float] = []
        asked: list[float] = []
        answered = 0
        rest = 0.0
        async with house(self._folder / "start", Discord()) as around:
            await around.claude.post("scripts", match="start", times=None, script={})  # echoes at once
            for number in range(times):
                known = len(await around.chat.get("dispatches"))
                server = await around.start()
                await around.connected(server)
                said = await around.chat.post("say", **{"as": "user1", "in": "general", "text": f"@threadline start {number}"})
                await asyncio.sleep(1.0 if number < times - 1 else 2.0)
                rest = memory(server.pid)
                written = await around.chat.get("dispatches", after=known)
                seconds.append(max(each["mono"] for each in written if each["event"] == "GUILD_CREATE") - server.spawned)
                calls = (await around.claude.get("log", bodies=0))["calls"]
                mine = [call for call in calls if f"start {number}" in call["notes"].get("last", "")]
                asked += [call["arrived_mono"] - server.spawned for call in mine]
                await server.stop()
                shown = await around.chat.get("messages", channel=said["id"])
                answered += sum(1 for each in shown if f"start {number}" in each["content"])
        self._rows += report.starts(seconds, asked, answered) + report.memory_at_rest(imports, rest)

    async def _load(self, load: Load, imports: float) -> None:
        _say(f"{load.conversations} conversations, {load.rate:.2f} questions a second: measuring {load.seconds:.0f} s")
        async with house(self._folder / str(load.conversations), Discord()) as around:
            channels = await around.site.channels(around.chat, load.conversations)
            server = await around.start(self._profile)
            await around.connected(server)
            await asyncio.sleep(1.0)
            talked = await talk(around, server, load, channels)
            await server.stop()
            if self._keep:
                await _kept(self._keep, around, load)
        self._told(talked, imports)

    def _told(self, talked: Talk, imports: float) -> None:
        load = talked.load
        streaming = load.rate * 6.3
        _say(
            f"  {talked.calls:.1f} calls a second, {talked.busiest} in the busiest one; about "
            f"{min(streaming, load.conversations):.0f} replies under way at a time"
        )
        _say(
            f"  for want of a processor the server waited {100 * talked.waited:.1f} % of the time, the busier simulator "
            f"{100 * talked.simulators_waited:.1f} %; the latest question was {1000 * talked.late:.0f} ms late"
        )
        if self._profile:
            _say(_costliest(self._profile))
        self.sound &= not talked.suffered and all(reply.whole for reply in talked.all)
        self._rows += report.talked(talked, imports)

    async def _elsewhere(self, others: Sequence[Elsewhere]) -> None:
        """The loads of the other platforms, side by side: none of them is heavy."""
        for each in others:
            _say(f"{each.name}: {each.load.conversations} conversations, {60 * each.load.rate:.1f} questions a minute")
        async with asyncio.TaskGroup() as tasks:
            talks = [tasks.create_task(self._there(each)) for each in others]
        for each, task in zip(others, talks, strict=True):
            talked = task.result()
            self.sound &= not talked.suffered and all(reply.whole for reply in talked.all)
            self._rows += report.elsewhere(each.name, talked, each.staleness)

    async def _there(self, other: Elsewhere) -> Talk:
        async with house(self._folder / other.name.replace(" ", "-"), other.site()) as around:
            channels = await around.site.channels(around.chat, other.load.conversations)
            server = await around.start()
            await around.connected(server)
            await asyncio.sleep(2.0)
            talked = await talk(around, server, other.load, channels)
            await server.stop()
            if self._keep:
                await _kept(self._keep, around, other.load)
            return talked

    async def _store(self, conversations: int, turns: int) -> None:
        _say("store")
        folder = self._folder / "store"
        folder.mkdir()
        sizes = tuple(size for size in (10, 1_000, 100_000) if size < conversations)
        self._rows += report.stored("conversations", await shelves.by_conversations(folder, (*sizes, conversations)))
        sizes = tuple(size for size in (10, 100) if size < turns)
        self._rows += report.stored("turns in a conversation", await shelves.by_turns(folder, (*sizes, turns)))


async def _kept(folder: Path, around: House, load: Load) -> None:
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240 - nothing is measured any more
    (folder / f"server-{load.conversations}.log").write_bytes((around.folder / "server.log").read_bytes())
    if (profile := around.folder.parent / "profile").exists():
        (folder / f"profile-{load.conversations}").write_bytes(profile.read_bytes())
    (folder / f"{around.site.name}-{load.conversations}.json").write_text(json.dumps(await around.chat.get("log")))


def _costliest(profile: Path) -> str:
    """The functions that took most time themselves, in the main thread."""
    out = io.StringIO()
    pstats.Stats(str(profile), stream=out).strip_dirs().sort_stats("tottime").print_stats(25)
    return out.getvalue()


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """The exit status: 0, also if a target is missed; 1 if a reply was not whole or a call was refused with 429."""
    parser = argparse.ArgumentParser(prog="make bench", description="Measure speed and size against the simulators.")
    parser.add_argument("--quick", action="store_true", help="a rough look in less than a minute")
    parser.add_argument("--only", default="", help=f"parts with commas between them: {', '.join(PARTS)}")
    parser.add_argument("--profile", action="store_true", help="run the server under cProfile and show what costs most")
    parser.add_argument("--seconds", type=float, help="measure each load for so long")
    parser.add_argument("--period", type=float, help="let each conversation ask every so many seconds")
    parser.add_argument("--keep", type=Path, help="keep the logs, and the profile, in this folder")
    given = parser.parse_args()
    parts = given.only.split(",") if given.only else QUICK if given.quick else PARTS
    if unknown := set(parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    loads = [load for name, load in LOADS.items() if str(name) in parts]
    if given.seconds or given.quick:
        loads = [replace(load, seconds=given.seconds or 10.0) for load in loads]
    if given.period:
        loads = [replace(load, period=given.period) for load in loads]
    begun = time.monotonic()
    machine = f"Python {platform.python_version()}, {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}"
    _say(f"{machine}, round trip {1000 * ROUND_TRIP:.0f} ms")
    with tempfile.TemporaryDirectory(prefix="threadline-bench-") as folder:
        bench = Bench(Path(folder), profile=given.profile, keep=given.keep)
        start = (2 if given.quick else 5) if "start" in parts else 0
        largest = ((10_000, 1_000) if given.quick else (100_000, 1_000)) if "store" in parts else (0, 0)
        others = [each for each in OTHERS if each.part in parts]
        asyncio.run(bench.run(start=start, loads=loads, others=others, largest=largest))
    _say(f"{time.monotonic() - begun:.0f} s; load {os.getloadavg()[0]:.1f}")
    if given.profile:
        _say("The server ran under cProfile: its times and its processor time are higher than they are.")
    return 0 if bench.sound else 1


if __name__ == "__main__":
    sys.exit(main())
