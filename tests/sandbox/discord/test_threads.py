from collections.abc import Awaitable, Callable

import discord
import pytest

from sandbox.discord import Simulator, SimulatorConfig
from sandbox.discord.defaults import CHANNELS, GUILD
from tests.sandbox.discord.library import Client, Rest, Start, connected
from tests.sandbox.discord.talking import Clock

GENERAL = CHANNELS["general"]
HERE = f"/channels/{GENERAL}/messages"


async def test_a_thread_on_a_message_has_its_id_and_its_own_talk(simulator: Simulator, client: Client) -> None:
    await simulator.say("user1", "general", "@threadline question")
    message = await client.hears("question")
    thread = await message.create_thread(name="Question")
    assert thread.id == message.id
    assert (await client.told("thread_create")).id == thread.id
    starter = await client.told("raw_message_edit")
    assert starter.data["thread"]["id"] == str(thread.id)
    await thread.send("answer")
    await simulator.say("user2", str(thread.id), "and another")
    heard = await client.hears("and another")
    assert isinstance(heard.channel, discord.Thread)
    kinds = [each.type for each in client.heard if each.channel.id == thread.id]
    assert kinds[0] is discord.MessageType.thread_starter_message
    history = [each.content async for each in thread.history(oldest_first=True)]
    assert history[-2:] == ["answer", "and another"]


async def test_a_message_has_one_thread_only(simulator: Simulator, client: Client) -> None:
    await simulator.say("user1", "general", "question")
    message = await client.hears("question")
    await message.create_thread(name="first")
    with pytest.raises(discord.HTTPException) as refused:
        await message.create_thread(name="second")
    assert (refused.value.status, refused.value.code) == (400, 160004)


@pytest.mark.parametrize("name", ["", "x" * 101, None])
async def test_a_thread_name_has_1_to_100_characters(simulator: Simulator, rest: Rest, name: str | None) -> None:
    said = (await simulator.say("user1", "general", "x"))["id"]
    assert (await rest("POST", f"{HERE}/{said}/threads", {"name": name})).code == 50035


async def test_a_thread_can_stand_alone(simulator: Simulator, client: Client) -> None:
    thread = await client.text_channel().create_thread(name="Alone", type=discord.ChannelType.public_thread)
    assert simulator.messages("general")[-1]["type"] == 18
    assert [each.id for each in await client.guilds[0].active_threads()] == [thread.id]


async def test_an_archived_thread_comes_back_with_a_message_but_not_when_locked(simulator: Simulator, client: Client) -> None:
    view = await simulator.open_thread("user1", "general", "theirs")
    thread = await client.fetch_channel(int(view["id"]))
    assert isinstance(thread, discord.Thread)
    first = await thread.send("one")
    await simulator.archive(view["id"])
    with pytest.raises(discord.HTTPException) as refused:
        await thread.get_partial_message(first.id).edit(content="edited")
    assert refused.value.code == 50083
    await thread.send("two")
    await client.until(lambda: client.events.count("raw_thread_update") == 2)
    await simulator.archive(view["id"], locked=True)
    with pytest.raises(discord.HTTPException) as refused:
        await thread.send("three")
    assert refused.value.code == 50083


async def test_a_deleted_thread_and_the_threads_of_a_deleted_channel_are_gone(simulator: Simulator, client: Client) -> None:
    first = await simulator.open_thread("user1", "general", "first")
    second = await simulator.open_thread("user1", "general", "second")
    await simulator.delete_channel(first["id"])
    assert (await client.told("raw_thread_delete")).thread_id == int(first["id"])
    await simulator.delete_channel("general")
    with pytest.raises(discord.NotFound) as refused:
        await client.get_partial_messageable(int(second["id"])).send("x")
    assert refused.value.code == 10003


async def test_members_join_and_leave(simulator: Simulator, client: Client) -> None:
    view = await simulator.open_thread("user1", "general", "theirs")
    thread = await client.fetch_channel(int(view["id"]))
    assert isinstance(thread, discord.Thread)
    await thread.join()
    assert client.user is not None
    assert client.user.id in [member.id for member in await thread.fetch_members()]
    await thread.leave()
    assert client.user.id not in [member.id for member in await thread.fetch_members()]


Act = Callable[[Rest, str, str], Awaitable[int]]


async def _send(rest: Rest, said: str, thread: str) -> int:
    return (await rest("POST", HERE, {"content": "x"})).code


async def _send_in_thread(rest: Rest, said: str, thread: str) -> int:
    return (await rest("POST", f"/channels/{thread}/messages", {"content": "x"})).code


async def _open(rest: Rest, said: str, thread: str) -> int:
    return (await rest("POST", f"{HERE}/{said}/threads", {"name": "x"})).code


async def _read(rest: Rest, said: str, thread: str) -> int:
    return (await rest("GET", f"{HERE}/{said}")).code


async def _reply(rest: Rest, said: str, thread: str) -> int:
    return (await rest("POST", HERE, {"content": "x", "message_reference": {"message_id": said}})).code


async def _look(rest: Rest, said: str, thread: str) -> int:
    return (await rest("GET", f"/channels/{thread}")).code


@pytest.mark.parametrize(
    ("taken", "act", "code"),
    [
        ("send_messages", _send, 50013),
        ("send_messages_in_threads", _send_in_thread, 50013),
        ("create_public_threads", _open, 50013),
        ("read_message_history", _read, 50013),
        ("read_message_history", _reply, 160002),
        ("view_channel", _send, 50001),
        ("view_channel", _look, 50001),
    ],
)
async def test_a_permission_taken_away_refuses_what_it_covers(
    simulator: Simulator, rest: Rest, taken: str, act: Act, code: int
) -> None:
    said = (await simulator.say("user1", "general", "x"))["id"]
    thread = (await simulator.open_thread("user1", "general", "t"))["id"]
    await simulator.permissions("general", deny=[taken])
    assert await act(rest, said, thread) == code


async def test_history_is_empty_without_the_permission_to_read_it(simulator: Simulator, rest: Rest) -> None:
    await simulator.say("user1", "general", "x")
    await simulator.permissions("general", deny=["read_message_history"])
    assert (await rest("GET", HERE)).body == []


async def test_threads_do_not_need_the_permission_to_send_in_the_channel(simulator: Simulator, rest: Rest) -> None:
    thread = (await simulator.open_thread("user1", "general", "t"))["id"]
    await simulator.permissions("general", deny=["send_messages"])
    assert (await rest("POST", f"/channels/{thread}/messages", {"content": "x"})).status == 200


async def test_an_overwrite_for_the_bot_beats_one_for_everyone(simulator: Simulator, rest: Rest) -> None:
    await simulator.permissions("general", "&everyone", deny=["send_messages"])
    assert (await rest("POST", HERE, {"content": "x"})).code == 50013
    await simulator.permissions("general", allow=["send_messages"])
    assert (await rest("POST", HERE, {"content": "x"})).status == 200


async def test_threads_of_a_hidden_channel_are_not_shown(simulator: Simulator, client: Client) -> None:
    await simulator.permissions("general", deny=["view_channel"])
    hidden = await simulator.open_thread("user1", "general", "hidden")
    shown = await simulator.open_thread("user1", "random", "shown")
    await client.told("thread_create")
    assert [thread.id for thread in client.guilds[0].threads] == [int(shown["id"])]
    async with connected() as later:
        assert [thread.id for thread in later.guilds[0].threads] == [int(shown["id"])]
    await simulator.permissions("general")
    await client.until(lambda: client.get_channel(int(hidden["id"])))


async def test_a_hidden_channel_is_silent_until_it_is_shown_again(simulator: Simulator, client: Client) -> None:
    await simulator.permissions("general", deny=["view_channel"])
    await simulator.say("user1", "general", "hidden")
    await simulator.permissions("general")
    await simulator.say("user1", "general", "shown")
    await client.hears("shown")
    assert len(client.heard) == 1
    assert "guild_channel_update" in client.events


async def test_a_role_can_give_the_right_to_ping_everyone(simulator: Simulator, client: Client, rest: Rest) -> None:
    first = await rest("POST", HERE, {"content": "@everyone"})
    await simulator.role("criers", permissions=["mention_everyone"], members=["threadline"])
    await client.told("member_update")
    second = await rest("POST", HERE, {"content": "@everyone"})
    assert [simulator.message(each.body["id"])["pinged"]["everyone"] for each in (first, second)] == [False, True]
    assert client.guilds[0].id == GUILD


async def test_a_thread_in_which_nobody_writes_is_archived_when_its_time_is_up(start: Start) -> None:
    clock = Clock()
    async with start(SimulatorConfig(clock=clock)) as simulator, connected() as client:
        message = await client.text_channel().send("x")
        thread = await message.create_thread(name="t", auto_archive_duration=60)
        clock.now += 3000
        await thread.send("still here")
        clock.now += 3599
        assert await simulator.archive_due() == []
        clock.now += 1
        assert await simulator.archive_due() == [str(thread.id)]
        assert (await client.told("thread_update")).id == thread.id
        assert await simulator.archive_due() == []
        await thread.send("back")
        assert not simulator.world.state.channels[thread.id].archived
