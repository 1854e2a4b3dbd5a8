"""Kills the real server before and after every commit and every platform call of one turn, starts it again, and looks.

However it dies, the question is answered once, with the whole text of one answer, in its thread, and the turn is done.
"""

import re
import time
from pathlib import Path
from typing import Any

import pytest

from sandbox.faults import Moment
from shared.marks import FLUSH_SECONDS
from tests.crash.dying import KINDS, Turn, ask, finished, kill_at_call, look
from tests.crash.house import house

pytestmark = pytest.mark.crash
FIRST = "discord"
"""The platform on which every point is tried."""


async def die_and_look(
    folder: Path, before: Path, on: str, turn: Turn, *, commit: int = 0, call: int = 0, moment: Moment
) -> None:
    async with house(folder, before=before, on=on) as around:
        server = await around.start(commit, moment)
        await around.connected(server)
        fault = await kill_at_call(around, server, call, moment) if call else 0
        asked = await ask(around, turn)
        await around.dead_or_settled(server)
        # A kill that has not struck shows nothing: that may only be one that a plain turn need not come to.
        assert server.struck() or commit > turn.sure_commits or call, server.count()
        assert not around.platform.in_force(fault) or call > turn.sure_calls
        # The number of a dead process may be given to another.
        await around.platform.clear_faults()
        await look(around, asked.place, turn)


# Before a commit is after the one before it and after the calls between them, of which each platform has its own points.
def points(what: str) -> list[Any]:
    return [
        pytest.param(on, kind, number, moment, id=f"{on}-{kind}-{moment}-{what}-{number}")
        for on, kinds in KINDS.items()
        for kind, turn in kinds.items()
        for number in range(getattr(turn, f"first_{what}"), getattr(turn, f"{what}s") + 1)
        for moment in ("before", "after")
        if on == FIRST or what == "call" or moment == "after" or kind == "short"
    ]


@pytest.mark.parametrize(("on", "kind", "number", "moment"), points("commit"))
async def test_a_kill_at_a_commit_loses_and_doubles_nothing(
    on: str, kind: str, number: int, moment: Moment, tmp_path: Path, before: Path
) -> None:
    await die_and_look(tmp_path, before, on, KINDS[on][kind], commit=number, moment=moment)


@pytest.mark.parametrize(("on", "kind", "number", "moment"), points("call"))
async def test_a_kill_at_a_platform_call_loses_and_doubles_nothing(
    on: str, kind: str, number: int, moment: Moment, tmp_path: Path, before: Path
) -> None:
    await die_and_look(tmp_path, before, on, KINDS[on][kind], call=number, moment=moment)


@pytest.mark.parametrize("moment", ["before", "after"])
@pytest.mark.parametrize("on", ["telegram-webhook"])
async def test_a_kill_at_the_commit_of_what_was_posted_to_us_loses_and_doubles_nothing(
    on: str, moment: Moment, tmp_path: Path, before: Path
) -> None:
    await die_and_look(tmp_path, before, on, KINDS["telegram"]["short"], commit=1, moment=moment)


@pytest.mark.parametrize(("on", "kind"), [(on, kind) for on, kinds in KINDS.items() for kind in kinds])
async def test_the_matrix_covers_every_commit_and_every_call(on: str, kind: str, tmp_path: Path, before: Path) -> None:
    turn = KINDS[on][kind]
    began = time.monotonic()
    async with house(tmp_path, before=before, on=on) as around:
        server = await around.start()
        await around.connected(server)
        asked = await ask(around, turn)
        await finished(around, asked.place, turn)
        await around.settled()
        calls = [call for call in around.platform.log if re.search(around.platform.calls, call.path)]
        # On a slow machine the marks are written once more.
        marks = int((time.monotonic() - began) / FLUSH_SECONDS)
        assert turn.sure_commits <= server.count() <= turn.commits + marks
        assert turn.sure_calls <= len(calls) <= turn.calls
