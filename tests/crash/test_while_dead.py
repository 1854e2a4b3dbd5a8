"""What changes while the server is dead, and other places than a thread: the answer is ended where it was begun."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from sandbox.faults import Rule
from tests.crash.dying import CALLS, KINDS, ask, half_shown, look
from tests.crash.house import House, house, until

pytestmark = pytest.mark.crash
TURN = KINDS["streaming"]
OPEN = {"DISCORD_DIRECT": "open"}
IN_CHANNEL = {"DISCORD_ANSWER_IN": "channel"}


async def die_half_shown(around: House, place: str) -> int:
    """Kill the server while a part of the answer stands; returns how often the model may have been asked in the end."""
    await half_shown(around, place, TURN)
    await around.servers[-1].kill()
    await around.disconnected()
    return 2


async def die_answered(around: House, place: str) -> int:
    """Kill the server when the answer is on file and stands only in part."""
    await half_shown(around, place, TURN)
    # Nothing more is shown from here on.
    await around.discord.fault(Rule("status", method="PATCH", path=CALLS, status=503, times=None))
    await until(lambda: around.turns() == [("answered", 1)])
    await around.servers[-1].kill()
    await around.discord.clear_faults()
    await around.disconnected()
    return 1


Die = Callable[[House, str], Awaitable[int]]
DEATHS = pytest.mark.parametrize("die", [die_half_shown, die_answered])


@DEATHS
async def test_the_answer_to_a_question_that_was_deleted_is_ended_in_its_thread(die: Die, tmp_path: Path, before: Path) -> None:
    async with house(tmp_path, before=before) as around:
        await around.connected(await around.start())
        thread = (await ask(around, TURN))["id"]
        requests = await die(around, thread)
        await around.discord.delete(thread)
        await look(around, thread, TURN, requests=requests)


@DEATHS
async def test_an_answer_is_ended_in_its_thread_when_no_thread_may_be_opened_any_more(
    die: Die, tmp_path: Path, before: Path
) -> None:
    async with house(tmp_path, before=before) as around:
        await around.connected(await around.start())
        thread = (await ask(around, TURN))["id"]
        requests = await die(around, thread)
        await around.discord.permissions("general", deny=["create_public_threads"])
        await look(around, thread, TURN, requests=requests)


@DEATHS
async def test_an_answer_in_a_direct_chat_is_ended_there(die: Die, tmp_path: Path, before: Path) -> None:
    async with house(tmp_path, before=before) as around:
        await around.connected(await around.start(settings=OPEN))
        place = (await ask(around, TURN, "", direct=True))["channel"]
        requests = await die(around, place)
        await look(around, place, TURN, requests=requests, settings=OPEN)


@DEATHS
@pytest.mark.parametrize("now", [IN_CHANNEL, {}])
async def test_an_answer_in_a_channel_is_ended_there_even_if_threads_are_wanted_by_now(
    now: dict[str, str], die: Die, tmp_path: Path, before: Path
) -> None:
    async with house(tmp_path, before=before) as around:
        await around.connected(await around.start(settings=IN_CHANNEL))
        place = (await ask(around, TURN))["channel"]
        requests = await die(around, place)
        await look(around, place, TURN, requests=requests, settings=now)
