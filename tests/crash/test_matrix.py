"""Kills the real server before and after every commit and every platform call of one turn, starts it again, and looks.

However it dies, the question is answered once, with the whole text of one answer, in its thread, and the turn is done.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.anthropic import Script
from sandbox.faults import Moment, Rule
from tests.crash.house import PATIENCE, House, house

pytestmark = pytest.mark.crash
CALLS = r"/channels/"


def words(name: str, count: int) -> str:
    """A text in which a lost, doubled or misplaced word shows."""
    return " ".join(f"{name}{number}" for number in range(count))


@dataclass(frozen=True)
class Turn:
    """A kind of turn: the first attempt's text and pace, and how many commits and calls it has at most."""

    text: str
    seconds: float
    commits: int
    calls: int

    @property
    def again(self) -> str:
        """What a second attempt says: of the same kind and nowhere the same."""
        return self.text.replace("a", "b")


KINDS = {
    "short": Turn(words("a", 8), 0.0, 9, 4),
    "streaming": Turn(words("a", 120), 2.2, 9, 7),
    "two-part": Turn(words("a", 560), 2.2, 11, 9),
}


async def ask(house: House, turn: Turn) -> dict[str, Any]:
    house.claude.script(Script(text=turn.text, deltas=24, seconds=turn.seconds))
    house.claude.default = Script(text=turn.again, deltas=24)
    return await house.discord.say("user1", "general", "@threadline count")


def shown(house: House, thread: str) -> str:
    return " ".join(each["content"] for each in house.answers(thread))


async def finished(house: House, thread: str, turn: Turn) -> None:
    """Wait until one of the two answers stands whole."""
    known = house.discord.everything

    def whole() -> bool:
        there = any(channel["id"] == thread for channel in known()["channels"])
        return there and shown(house, thread) in (turn.text, turn.again)

    await house.discord.wait_for(whole, PATIENCE)


async def look(house: House, asked: dict[str, Any], turn: Turn) -> None:
    """Restart, let it come to rest, and check everything that can be seen."""
    server = await house.start()
    await house.connected(server)
    thread = asked["id"]
    await finished(house, thread, turn)
    await house.settled(at_least=1)
    await server.stop()
    assert shown(house, thread) in (turn.text, turn.again), house.log()
    assert house.answers("general") == []
    assert [each["content"] for each in house.answers(thread)] == [
        each["content"] for each in sorted(house.answers(thread), key=lambda each: int(each["id"]))
    ]
    assert [state for state, _ in house.turns()] == ["done"], house.log()
    assert house.discord.stats()["suffered"] == 0
    assert len(house.claude.asked()) <= 2
    assert "Traceback" not in house.log()


async def die_and_look(folder: Path, before: Path, turn: Turn, *, commit: int = 0, call: int = 0, moment: Moment) -> None:
    async with house(folder, before=before) as around:
        server = await around.start(commit, moment)
        await around.connected(server)
        if call:
            await around.discord.fault(Rule("kill", path=CALLS, moment=moment, nth=call, pid=server.pid))
        asked = await ask(around, turn)
        await around.dead_or_settled(server)
        await look(around, asked, turn)


def points(what: str) -> list[Any]:
    return [
        pytest.param(kind, number, moment, id=f"{kind}-{moment}-{what}-{number}")
        for kind, turn in KINDS.items()
        for number in range(1, getattr(turn, f"{what}s") + 1)
        for moment in ("before", "after")
    ]


@pytest.mark.parametrize(("kind", "number", "moment"), points("commit"))
async def test_a_kill_at_a_commit_loses_and_doubles_nothing(
    kind: str, number: int, moment: Moment, tmp_path: Path, before: Path
) -> None:
    await die_and_look(tmp_path, before, KINDS[kind], commit=number, moment=moment)


@pytest.mark.parametrize(("kind", "number", "moment"), points("call"))
async def test_a_kill_at_a_platform_call_loses_and_doubles_nothing(
    kind: str, number: int, moment: Moment, tmp_path: Path, before: Path
) -> None:
    await die_and_look(tmp_path, before, KINDS[kind], call=number, moment=moment)


@pytest.mark.parametrize("kind", KINDS)
async def test_the_matrix_covers_every_commit_and_every_call(kind: str, tmp_path: Path, before: Path) -> None:
    turn = KINDS[kind]
    async with house(tmp_path, before=before) as around:
        server = await around.start()
        await around.connected(server)
        asked = await ask(around, turn)
        await finished(around, asked["id"], turn)
        await around.settled()
        calls = [call for call in around.discord.calls if "/channels/" in call.path]
        # A busy machine may leave previews out, and with them calls.
        assert turn.commits - 1 <= server.count() <= turn.commits
        assert turn.calls - 4 <= len(calls) <= turn.calls
