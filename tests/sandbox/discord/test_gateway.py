import asyncio
import json
import zlib
from typing import Any

import aiohttp
import discord
import pytest

from sandbox.discord import Simulator, SimulatorConfig
from sandbox.discord.defaults import CHANNELS
from tests.sandbox.discord.library import WITHOUT_CONTENT, Client, Start, connected

TOKEN = "demo-token"
ALL = 1 << 0 | 1 << 9 | 1 << 12 | 1 << 15


async def test_what_was_missed_while_the_socket_was_cut_is_replayed_by_resume(simulator: Simulator, client: Client) -> None:
    await simulator.say("user1", "general", "before")
    await client.hears("before")
    await simulator.drop()
    await simulator.wait_for(lambda: not simulator.gateway.connected)
    await simulator.say("user1", "general", "meanwhile")
    await client.hears("meanwhile")
    await client.told("resumed")
    counts = simulator.gateway.counts
    assert (counts.identifies, counts.resumes, counts.refused_resumes) == (1, 1, 0)
    assert [message.content for message in client.heard] == ["before", "meanwhile"]


async def test_a_forgotten_session_is_refused_and_begun_anew(simulator: Simulator, client: Client) -> None:
    await simulator.forget_sessions()
    await simulator.drop()
    await simulator.wait_for(lambda: simulator.gateway.counts.identifies == 2 and simulator.gateway.connected)
    assert simulator.gateway.counts.refused_resumes == 1


async def test_a_request_to_reconnect_is_answered_with_resume(simulator: Simulator, client: Client) -> None:
    await simulator.reconnect()
    await client.told("resumed")


async def test_a_resumable_invalid_session_is_resumed(simulator: Simulator, client: Client) -> None:
    await simulator.invalidate(resumable=True)
    await client.told("resumed")


async def test_a_close_code_leads_to_resume_or_to_the_end_as_discord_says(simulator: Simulator, client: Client) -> None:
    await simulator.close_gateway(4000)
    await client.told("resumed")


@pytest.mark.parametrize(("code", "answered"), [(1000, 9), (1001, 9), (4000, 0)])
async def test_a_session_that_the_client_closed_with_1000_or_1001_is_gone(simulator: Simulator, code: int, answered: int) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(simulator.gateway_url) as socket:
            assert (await socket.receive_json())["op"] == 10
            await socket.send_json({"op": 2, "d": {"token": TOKEN, "intents": ALL}})
            ready = await socket.receive_json()
            await socket.close(code=code)
        await simulator.wait_for(lambda: not simulator.gateway.connected)
        async with session.ws_connect(ready["d"]["resume_gateway_url"]) as socket:
            assert (await socket.receive_json())["op"] == 10
            known = {"token": TOKEN, "session_id": ready["d"]["session_id"], "seq": ready["s"]}
            await socket.send_json({"op": 6, "d": known})
            assert (await socket.receive_json())["op"] == answered


async def test_a_client_that_leaves_ends_its_session(simulator: Simulator) -> None:
    async with connected():
        await simulator.wait_for(lambda: simulator.gateway.connected)
    await simulator.wait_for(lambda: not simulator.gateway.connected)


async def test_a_wrong_token_is_refused_at_login_and_by_the_gateway(simulator: Simulator) -> None:
    with pytest.raises(discord.LoginFailure):
        async with connected("wrong"):
            pass
    assert await _close_code(simulator, {"op": 2, "d": {"token": "wrong", "intents": 1}}) == 4004


async def test_an_intent_that_was_not_granted_is_refused(start: Start) -> None:
    async with start(SimulatorConfig(message_content=False)):
        with pytest.raises(discord.PrivilegedIntentsRequired):
            async with connected():
                pass


async def test_without_the_intent_only_mentions_direct_chats_and_own_messages_have_content(start: Start) -> None:
    async with start(SimulatorConfig(message_content=False)) as simulator, connected(intents=WITHOUT_CONTENT) as client:
        await simulator.say("user1", "general", "unheard https://a.example")
        await simulator.say("user1", "general", "@threadline heard")
        await simulator.say("user1", "@user1", "in private")
        await client.text_channel().send("own")
        await client.until(lambda: len(client.heard) == 4)
        contents = [message.clean_content for message in client.heard]
        assert contents[0] == ""
        assert "heard" in contents[1]
        assert contents[2:] == ["in private", "own"]
        history = [message.content async for message in client.text_channel().history(oldest_first=True)]
        assert (history[0], history[2]) == ("", "own")


async def test_a_granted_intent_that_is_not_asked_for_hides_content_too(simulator: Simulator) -> None:
    async with connected(intents=WITHOUT_CONTENT) as client:
        await simulator.say("user1", "general", "unheard")
        await client.until(lambda: client.heard)
        assert client.heard[0].content == ""


async def test_only_the_events_of_the_intents_are_sent(simulator: Simulator) -> None:
    async with connected(intents=discord.Intents(guilds=True, dm_messages=True)) as client:
        await simulator.say("user1", "general", "in the guild")
        await simulator.say("user1", "@user1", "in private")
        await client.hears("in private")
        assert len(client.heard) == 1


async def test_a_socket_that_says_nothing_any_more_is_left_by_the_library(start: Start) -> None:
    async with start(SimulatorConfig(heartbeat=0.1)) as simulator, connected(heartbeat_timeout=0.4) as client:
        await simulator.zombify()
        await simulator.say("user1", "general", "said to a zombie")
        await client.hears("said to a zombie")
        await client.told("resumed")


async def test_a_duplicated_dispatch_arrives_twice(simulator: Simulator, client: Client) -> None:
    await simulator.duplicate(1)
    await simulator.say("user1", "general", "twice")
    await simulator.say("user1", "general", "once")
    await client.hears("once")
    assert [message.content for message in client.heard] == ["twice", "twice", "once"]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"op": 99}, 4001),
        ("no json", 4002),
        ({"op": 3, "d": {}}, 4003),
        ({"op": 2, "d": {"token": TOKEN, "intents": -1}}, 4013),
        ({"op": 2, "d": {"token": TOKEN, "intents": 1 << 8}}, 4014),
    ],
)
async def test_a_bad_frame_closes_the_socket_with_its_code(simulator: Simulator, frame: object, code: int) -> None:
    assert await _close_code(simulator, frame) == code


async def test_a_second_identify_and_a_flood_close_the_socket(simulator: Simulator) -> None:
    identify = {"op": 2, "d": {"token": TOKEN, "intents": 1}}
    assert await _close_code(simulator, identify, identify) == 4005
    assert await _close_code(simulator, *[{"op": 1, "d": None}] * 121) == 4008


async def test_frames_are_one_zlib_stream_when_asked_for(simulator: Simulator) -> None:
    url = f"{simulator.gateway_url}?v=10&encoding=json&compress=zlib-stream"
    inflate = zlib.decompressobj()
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as socket:
        assert await _unpacked(socket, inflate, 1) == ["HELLO"]
        await socket.send_json({"op": 2, "d": {"token": TOKEN, "intents": ALL}})
        assert await _unpacked(socket, inflate, 2) == ["READY", "GUILD_CREATE"]
        await simulator.say("user1", "general", "packed")
        assert await _unpacked(socket, inflate, 1) == ["MESSAGE_CREATE"]


async def test_events_leave_half_a_round_trip_after_the_change(simulator: Simulator, client: Client) -> None:
    await simulator.set_round_trip(0.4)
    loop = asyncio.get_running_loop()
    before = loop.time()
    await simulator.say("user1", "general", "slowly")
    await client.hears("slowly")
    assert 0.2 <= loop.time() - before < 0.4
    before = loop.time()
    await client.text_channel().send("answer")
    assert loop.time() - before >= 0.4
    await simulator.set_round_trip(0)


async def test_guilds_channels_and_the_bot_itself_come_and_go(simulator: Simulator, client: Client) -> None:
    await simulator.add_channel("more")
    assert (await client.told("guild_channel_create")).name == "more"
    await simulator.delete_channel("more")
    await client.told("guild_channel_delete")
    await simulator.add_guild("Second", ["lobby"])
    assert (await client.told("guild_join")).name == "Second"
    await simulator.kick()
    assert (await client.told("guild_remove")).name == "Threadline Lab"
    await simulator.say("user1", "general", "unheard")
    await simulator.say("user1", "lobby", "heard")
    await client.hears("heard")
    assert len(client.heard) == 1
    with pytest.raises(discord.Forbidden) as refused:
        await client.get_partial_messageable(CHANNELS["general"]).send("x")
    assert refused.value.code == 50001


async def _close_code(simulator: Simulator, *frames: object) -> int | None:
    async with aiohttp.ClientSession() as session, session.ws_connect(simulator.gateway_url) as socket:
        for frame in frames:
            await socket.send_str(frame if isinstance(frame, str) else json.dumps(frame))
        async for _ in socket:
            pass
        return socket.close_code


async def _unpacked(socket: aiohttp.ClientWebSocketResponse, inflate: Any, count: int) -> list[str]:
    names: list[str] = []
    for _ in range(count):
        data = await socket.receive_bytes()
        assert data.endswith(b"\x00\x00\xff\xff")
        frame = json.loads(inflate.decompress(data))
        names.append(frame["t"] or "HELLO")
    return names
