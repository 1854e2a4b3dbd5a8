"""What changes while the server is dead, and other places than a thread: the answer is ended where it was begun."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from sandbox.faults import Rule
from tests.crash.dying import KINDS, ask, half_shown, look
from tests.crash.house import House, house, until
from tests.crash.platforms.discord import Discord
from tests.crash.platforms.slack import Slack

pytestmark = pytest.mark.crash
KIND = "streaming"
IN_CHANNEL = {"DISCORD_ANSWER_IN": "channel"}


async def die_half_shown(around: House, place: str) -> int:
    """Kill the server while a part of the answer stands; returns how often the model may have been asked in the end."""
    await half_shown(around, place, KINDS[around.platform.name][KIND])
    await around.servers[-1].kill()
    await around.disconnected()
    return 2


async def die_answered(around: House, place: str) -> int:
    """Kill the server when the answer is on file and stands only in part."""
    await half_shown(around, place, KINDS[around.platform.name][KIND])
    # Nothing more is shown from here on.
    await around.platform.fault(Rule("status", path=around.platform.edits, status=503, times=None))
    await until(lambda: around.turns() == [("answered", 1)])
    await around.servers[-1].kill()
    await around.platform.clear_faults()
    await around.disconnected()
    return 1


Die = Callable[[House, str], Awaitable[int]]
DEATHS = pytest.mark.parametrize("die", [die_half_shown, die_answered])
ON = pytest.mark.parametrize("on", KINDS)


@DEATHS
@ON
async def test_the_answer_to_a_question_that_was_deleted_is_ended_in_its_thread(
    on: str, die: Die, tmp_path: Path, before: Path
) -> None:
    turn = KINDS[on][KIND]
    async with house(tmp_path, before=before, on=on) as around:
        await around.connected(await around.start())
        asked = await ask(around, turn)
        requests = await die(around, asked.place)
        await around.platform.delete(asked.message)
        await look(around, asked.place, turn, requests=requests)


@DEATHS
async def test_an_answer_is_ended_in_its_thread_when_no_thread_may_be_opened_any_more(
    die: Die, tmp_path: Path, before: Path
) -> None:
    turn = KINDS["discord"][KIND]
    async with house(tmp_path, before=before) as around:
        assert isinstance(around.platform, Discord)
        await around.connected(await around.start())
        thread = (await ask(around, turn)).place
        requests = await die(around, thread)
        await around.platform.discord.permissions("general", deny=["create_public_threads"])
        await look(around, thread, turn, requests=requests)


@DEATHS
@ON
async def test_an_answer_in_a_direct_chat_is_ended_there(on: str, die: Die, tmp_path: Path, before: Path) -> None:
    turn = KINDS[on][KIND]
    async with house(tmp_path, before=before, on=on) as around:
        open_ = dict(around.platform.direct_open)
        await around.connected(await around.start(settings=open_))
        place = (await ask(around, turn, direct=True)).place
        requests = await die(around, place)
        await look(around, place, turn, requests=requests, settings=open_)


@DEATHS
@pytest.mark.parametrize("now", [IN_CHANNEL, {}])
async def test_an_answer_in_a_channel_is_ended_there_even_if_threads_are_wanted_by_now(
    now: dict[str, str], die: Die, tmp_path: Path, before: Path
) -> None:
    turn = KINDS["discord"][KIND]
    async with house(tmp_path, before=before) as around:
        assert isinstance(around.platform, Discord)
        await around.connected(await around.start(settings=IN_CHANNEL))
        asked = await ask(around, turn)
        place = around.platform.discord.message(asked.message)["channel"]
        requests = await die(around, place)
        await look(around, place, turn, requests=requests, settings=now)


@pytest.mark.parametrize("on", ["slack"])
async def test_the_first_mention_in_a_channel_that_was_never_heard_comes_again(on: str, tmp_path: Path, before: Path) -> None:
    turn = KINDS["slack"]["short"]
    async with house(tmp_path, before=before, on=on) as around:
        assert isinstance(around.platform, Slack)
        server = await around.start(1, "before")
        await around.connected(server)
        # Slack names no channels at the start: only the event that was not acknowledged tells of this one.
        asked = await ask(around, turn, "random")
        await around.dead_or_settled(server)
        await look(around, asked.place, turn)


@pytest.mark.parametrize("on", ["slack-streams"])
async def test_a_stream_that_ran_out_while_the_server_was_dead_is_repaired(on: str, tmp_path: Path, before: Path) -> None:
    turn = KINDS[on][KIND]
    async with house(tmp_path, before=before, on=on) as around:
        assert isinstance(around.platform, Slack)
        await around.connected(await around.start())
        asked = await ask(around, turn)
        requests = await die_half_shown(around, asked.place)
        await around.platform.slack.expire_streams()
        [begun] = around.platform.answers(asked.place)
        assert around.platform.slack.message(begun.id)["stream"]["state"] == "expired"
        await look(around, asked.place, turn, requests=requests)
        assert [each.id for each in around.platform.answers(asked.place)] == [begun.id]


@pytest.mark.parametrize("on", ["slack"])
async def test_what_is_said_in_a_thread_waits_for_the_question_that_began_it_and_was_missed(
    on: str, tmp_path: Path, before: Path
) -> None:
    async with house(tmp_path, before=before, on=on) as around:
        asked = await ask(around, KINDS[on]["short"])
        # The histories come late, and what people say now at once.
        await around.platform.fault(Rule("slow", path="conversations.history", seconds=1.5, times=None))
        await around.connected(await around.start())
        second = await around.platform.go_on("user2", asked.place, "and then")
        await around.settled(at_least=2)
        assert around.rows("SELECT message FROM messages ORDER BY turn") == [(asked.key,), (second.key,)]


@pytest.mark.parametrize("on", ["slack"])
async def test_a_direct_chat_that_began_while_the_server_was_dead_is_answered(on: str, tmp_path: Path, before: Path) -> None:
    turn = KINDS["slack"]["short"]
    async with house(tmp_path, before=before, on=on) as around:
        asked = await ask(around, turn, direct=True)
        # Every try to tell us of it was in vain by now.
        await around.platform.see(lambda: around.platform.simulator.stats()["given_up"], 10.0)
        await look(around, asked.place, turn, settings=dict(around.platform.direct_open))
