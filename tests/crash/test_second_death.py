"""The server dies in the middle of an answer, and once more while it goes on with it; the third one ends it."""

from pathlib import Path

import pytest

from sandbox.faults import Moment
from tests.crash.dying import KINDS, Turn, ask, half_shown, kill_at_call, look
from tests.crash.house import House, house

pytestmark = pytest.mark.crash
KIND = "two-part"
ON = pytest.mark.parametrize("on", KINDS)
PATIENT = {"ATTEMPTS": "3"}
"""By default a turn is given up that has ended two lives of the server."""


async def die_half_shown(around: House, turn: Turn) -> str:
    """The first life; returns the place of the answer."""
    server = await around.start(settings=PATIENT)
    await around.connected(server)
    asked = await ask(around, turn, again=1.2)
    await half_shown(around, asked.place, turn)
    await server.kill()
    await around.disconnected()
    return asked.place


@ON
@pytest.mark.parametrize(("number", "moment"), [(2, "before"), (2, "after"), (3, "after"), (4, "after"), (5, "after")])
async def test_a_second_kill_at_a_commit_loses_and_doubles_nothing(
    on: str, number: int, moment: Moment, tmp_path: Path, before: Path
) -> None:
    turn = KINDS[on][KIND]
    async with house(tmp_path, before=before, on=on) as around:
        place = await die_half_shown(around, turn)
        server = await around.start(number, moment, settings=PATIENT)
        await around.dead_or_settled(server)
        assert server.struck()
        await look(around, place, turn, requests=3, settings=PATIENT)


CALLS: list[tuple[int, Moment]] = [(2, "before"), (2, "after"), (3, "after"), (4, "after")]
FEW = frozenset({("slack", 4)})
"""Where a second life makes fewer calls: each preview shows as much as Slack's edits allow."""


@pytest.mark.parametrize(("on", "number", "moment"), [(on, *call) for on in KINDS for call in CALLS if (on, call[0]) not in FEW])
async def test_a_second_kill_at_a_platform_call_loses_and_doubles_nothing(
    on: str, number: int, moment: Moment, tmp_path: Path, before: Path
) -> None:
    turn = KINDS[on][KIND]
    async with house(tmp_path, before=before, on=on) as around:
        place = await die_half_shown(around, turn)
        server = await around.start(settings=PATIENT)
        fault = await kill_at_call(around, server, number, moment)
        await around.dead_or_settled(server)
        assert not around.platform.in_force(fault)
        await look(around, place, turn, requests=3, settings=PATIENT)
