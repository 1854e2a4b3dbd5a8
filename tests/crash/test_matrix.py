"""Kills the real server before and after every commit and every platform call of one turn, starts it again, and looks.

However it dies, the question is answered once, with the whole text of one answer, in its thread, and the turn is done.
"""

import time
from pathlib import Path
from typing import Any

import pytest

from sandbox.faults import Moment
from shared.marks import FLUSH_SECONDS
from tests.crash.dying import KINDS, Turn, ask, finished, kill_at_call, look
from tests.crash.house import house

pytestmark = pytest.mark.crash


async def die_and_look(folder: Path, before: Path, turn: Turn, *, commit: int = 0, call: int = 0, moment: Moment) -> None:
    async with house(folder, before=before) as around:
        server = await around.start(commit, moment)
        await around.connected(server)
        fault = await kill_at_call(around, server, call, moment) if call else ""
        asked = await ask(around, turn)
        await around.dead_or_settled(server)
        # A kill that has not struck shows nothing: that may only be one that a plain turn need not come to.
        assert server.struck() or commit > turn.sure_commits or call, server.count()
        assert fault not in around.discord.faults_in_force() or call > turn.sure_calls
        # The number of a dead process may be given to another.
        await around.discord.clear_faults()
        await look(around, asked["id"], turn)


def points(what: str) -> list[Any]:
    return [
        pytest.param(kind, number, moment, id=f"{kind}-{moment}-{what}-{number}")
        for kind, turn in KINDS.items()
        for number in range(getattr(turn, f"first_{what}"), getattr(turn, f"{what}s") + 1)
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
    began = time.monotonic()
    async with house(tmp_path, before=before) as around:
        server = await around.start()
        await around.connected(server)
        asked = await ask(around, turn)
        await finished(around, asked["id"], turn)
        await around.settled()
        calls = [call for call in around.discord.calls if "/channels/" in call.path]
        # On a slow machine the marks are written once more.
        marks = int((time.monotonic() - began) / FLUSH_SECONDS)
        assert turn.sure_commits <= server.count() <= turn.commits + marks
        assert turn.sure_calls <= len(calls) <= turn.calls
