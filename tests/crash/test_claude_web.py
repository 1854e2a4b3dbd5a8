"""Kills the real server before and after every commit and every call to claude.ai, starts it again, and looks.

However it dies: each question is answered once, with the whole text of one answer. An answer that was whole at claude.ai is not
asked for again. The branch that claude.ai shows in the end is our transcript.
"""

import asyncio
import signal
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from sandbox.claude_web import ClaudeWebSimulator, Script
from sandbox.claude_web.script import Stored
from sandbox.faults import Moment, Rule
from shared.marks import FLUSH_SECONDS
from tests.crash.house import PATIENCE, House, Server, house

pytestmark = pytest.mark.crash

API = r"^/api/"
DELTAS = 24
PERSON = "Ada"
LOOKS = 4
"""Calls of a server that goes on with a turn: the organisation, the conversation, the stop, the question."""
PATIENT = {"ATTEMPTS": "3"}
"""By default a turn is given up that has ended two lives of the server."""


@dataclass(frozen=True)
class Kind:
    """What is asked while the server may die, and how many commits and calls to claude.ai that has.

    `second`: there is a turn before it, which ends well. A busy machine leaves commits out; the marks are written every few
    seconds.
    """

    size: int
    seconds: float
    sure_commits: int
    commits: int
    calls: int
    first_commit: int = 1
    first_call: int = 1
    """What comes before is killed in another kind: the question is stored, the turn begun, the organisation found."""
    second: bool = False


KINDS = {
    "short": Kind(8, 0.0, sure_commits=7, commits=9, calls=2),
    "streaming": Kind(120, 2.2, sure_commits=7, commits=9, calls=2, first_commit=4, first_call=2),
    "second": Kind(8, 0.0, sure_commits=4, commits=6, calls=1, second=True),
}


def words(name: str, count: int) -> str:
    """A text in which a lost, doubled or misplaced word shows."""
    return " ".join(f"{name}{number}" for number in range(count))


@dataclass(slots=True)
class Talk:
    """What is asked in one house, and where; `said` are the questions."""

    around: House
    web: ClaudeWebSimulator
    kind: Kind
    place: str = ""
    said: list[str] = field(default_factory=list[str])

    @property
    def answers(self) -> set[str]:
        """The texts with which the last question may be answered: a first time, and any later time."""
        return {words("a", self.kind.size), words("b", self.kind.size)}

    async def begin(self, server: Server) -> None:
        """Everything before the turn in which the server may die."""
        if self.kind.second:
            self.web.default = Script(text=words("z", 8))
            await self._say("first")
            await self.around.platform.see(lambda: self.shown() == [words("z", 8)], PATIENCE)
            await self.around.settled(at_least=1)

    async def ask(self, stored: Stored = "partial") -> None:
        """The question of which it may die."""
        self.web.script(Script(text=words("a", self.kind.size), deltas=DELTAS, seconds=self.kind.seconds, stored=stored))
        self.web.default = Script(text=words("b", self.kind.size))
        await self._say("count")

    async def _say(self, text: str) -> None:
        platform = self.around.platform
        said = await (platform.go_on("user1", self.place, text) if self.place else platform.ask("user1", text))
        self.place = said.place
        self.said.append(text)

    def shown(self) -> list[str]:
        """What the bot shows in its thread, oldest first; all that it shows anywhere is there."""
        everywhere = {place: self.around.platform.answers(place) for place in self.around.platform.places()}
        here = everywhere.pop(self.place, [])
        assert not any(everywhere.values()), everywhere
        return [each.text for each in here]

    def answered(self) -> bool:
        """Whether as many answers stand as there were questions, and the last one is whole."""
        shown = self.shown()
        return len(shown) == len(self.said) and shown[-1] in self.answers

    def turns(self) -> int:
        return len(self.said)

    def made(self) -> int:
        """How many answers claude.ai was asked for; one that only finds the conversation there already is none."""
        return len([call for call in self.web.asked() if call.status == 200])

    def whole_upstream(self) -> bool:
        """Whether the last question has a whole answer at claude.ai."""
        kept = [message for each in self.web.conversations.values() for message in each.messages.values()]
        return any(each.sender == "assistant" and each.text == words("a", self.kind.size) for each in kept)

    async def restart(self, settings: dict[str, str] | None = None) -> None:
        """Start the server again, let it come to rest, and check everything that can be seen."""
        whole, before = self.whole_upstream(), self.made()
        server = await self.around.start(settings=settings)
        await self.around.connected(server)
        await self.around.platform.see(self.answered, PATIENCE)
        await self.around.settled(at_least=self.turns())
        await server.stop()
        self.judge()
        assert self.made() <= before + (0 if whole else 1), [call.path for call in self.web.asked()]
        assert self.shown()[-1] == words("a", self.kind.size) or not whole

    def judge(self) -> None:
        log, around = self.around.log(), self.around
        assert self.answered(), log
        assert [state for state, _ in around.turns()] == ["done"] * self.turns(), log
        assert around.platform.suffered == 0
        assert "Traceback" not in log
        assert self.web.session_key not in log
        ((conversation,),) = around.rows("SELECT id FROM conversations")
        assert list(self.web.conversations) == [conversation]
        pairs = zip(self.said, self.shown(), strict=True)
        transcript = [line for said, shown in pairs for line in (("human", f"{PERSON}: {said}"), ("assistant", shown))]
        assert [(message.sender, message.text) for message in self.web.branch(conversation)] == transcript


@asynccontextmanager
async def talking(folder: Path, before: Path, kind: str) -> AsyncGenerator[Talk]:
    """A house whose server asks claude.ai."""
    async with house(folder, before=before) as around, ClaudeWebSimulator() as web:
        around.settings |= {
            "BACKEND": "claude_web",
            "CLAUDE_WEB_SESSION_KEY": web.session_key,
            "CLAUDE_WEB_BASE_URL": web.url,
            "BURST_SECONDS": "0",
        }
        yield Talk(around, web, KINDS[kind])


async def dead_or_settled(talk: Talk, server: Server) -> None:
    """Wait until the server was killed; one that had nothing more to do is killed now."""
    dead = asyncio.create_task(server.process.wait())
    idle = asyncio.create_task(talk.around.settled(at_least=talk.turns()))
    await asyncio.wait([dead, idle], return_when=asyncio.FIRST_COMPLETED)
    idle.cancel()
    await asyncio.wait([idle])
    if not dead.done():
        await server.kill()
    assert await dead == -signal.SIGKILL
    await talk.around.disconnected()


def kill_at_call(talk: Talk, server: Server, number: int, moment: Moment) -> None:
    """Kill the server at its so-manyth call to claude.ai from now on."""
    talk.web.faults.set(Rule("kill", path=API, moment=moment, nth=number, pid=server.pid))


async def half_shown(talk: Talk) -> None:
    """Wait until a part of the first answer stands."""

    def half() -> bool:
        shown = talk.shown()
        return bool(shown) and 0 < len(shown[-1]) < len(words("a", talk.kind.size))

    await talk.around.platform.see(half, PATIENCE)


def points(what: str) -> list[Any]:
    return [
        pytest.param(kind, number, moment, id=f"{kind}-{moment}-{what}-{number}")
        for kind, each in KINDS.items()
        for number in range(getattr(each, f"first_{what}"), getattr(each, f"{what}s") + 1)
        for moment in ("before", "after")
    ]


@pytest.mark.parametrize(("kind", "number", "moment"), points("commit"))
async def test_a_kill_at_a_commit_loses_doubles_and_pays_nothing_twice(
    kind: str, number: int, moment: Moment, tmp_path: Path, before: Path
) -> None:
    async with talking(tmp_path, before, kind) as talk:
        server = await (talk.around.start() if talk.kind.second else talk.around.start(number, moment))
        await talk.around.connected(server)
        await talk.begin(server)
        if talk.kind.second:
            server.die_at(number, moment)
        await talk.ask()
        await dead_or_settled(talk, server)
        # A kill that has not struck shows nothing: that may only be one that a plain turn need not come to.
        assert server.struck() or number > talk.kind.sure_commits, server.count()
        await talk.restart()


@pytest.mark.parametrize(("kind", "number", "moment"), points("call"))
async def test_a_kill_at_a_call_to_claude_ai_loses_doubles_and_pays_nothing_twice(
    kind: str, number: int, moment: Moment, tmp_path: Path, before: Path
) -> None:
    async with talking(tmp_path, before, kind) as talk:
        server = await talk.around.start()
        await talk.around.connected(server)
        await talk.begin(server)
        kill_at_call(talk, server, number, moment)
        await talk.ask()
        await dead_or_settled(talk, server)
        assert not talk.web.faults.in_force()
        await talk.restart()


@pytest.mark.parametrize("stored", ["whole", "partial", "human", "nothing"])
async def test_a_kill_in_the_middle_of_an_answer_loses_and_doubles_nothing_whatever_claude_ai_keeps_of_it(
    stored: Stored, tmp_path: Path, before: Path
) -> None:
    async with talking(tmp_path, before, "streaming") as talk:
        server = await talk.around.start()
        await talk.around.connected(server)
        await talk.ask(stored)
        await half_shown(talk)
        await server.kill()
        await talk.around.disconnected()
        await talk.restart()


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("number", range(1, LOOKS + 1))
async def test_a_second_kill_while_it_looks_for_the_answer_loses_and_doubles_nothing(
    number: int, moment: Moment, tmp_path: Path, before: Path
) -> None:
    async with talking(tmp_path, before, "streaming") as talk:
        server = await talk.around.start(settings=PATIENT)
        await talk.around.connected(server)
        await talk.ask()
        await half_shown(talk)
        await server.kill()
        await talk.around.disconnected()
        server = await talk.around.start(settings=PATIENT)
        kill_at_call(talk, server, number, moment)
        await dead_or_settled(talk, server)
        assert not talk.web.faults.in_force()
        await talk.restart(PATIENT)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_matrix_covers_every_commit_and_every_call(kind: str, tmp_path: Path, before: Path) -> None:
    began = time.monotonic()
    async with talking(tmp_path, before, kind) as talk:
        server = await talk.around.start()
        await talk.around.connected(server)
        await talk.begin(server)
        commits, calls = (server.count(), len(talk.web.calls)) if talk.kind.second else (0, 0)
        await talk.ask()
        await talk.around.platform.see(talk.answered, PATIENCE)
        await talk.around.settled(at_least=talk.turns())
        # On a slow machine the marks are written once more.
        marks = int((time.monotonic() - began) / FLUSH_SECONDS)
        assert talk.kind.sure_commits <= server.count() - commits <= talk.kind.commits + marks
        assert len(talk.web.calls) - calls == talk.kind.calls
        talk.judge()
