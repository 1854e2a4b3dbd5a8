"""Connecting, sessions, and what is held back until the servers are known."""

import asyncio
import gc
import socket
import time
from typing import Any

import pytest
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bots.discord.config import DiscordConfig
from bots.discord.convert import channel_id
from bots.discord.pace import LONGEST_GAP, Pace
from sandbox.discord.defaults import BOT, CHANNELS, GUILD
from sandbox.faults import Rule
from shared.chat import Channel, Connected, Deleted, Event, Left, Message, Target
from shared.errors import Misconfigured
from tests.bots.discord.rig import DiscordRig, discord_rig
from tests.bots.discord.scripted import begin, guild, said, scripted_gateway
from tests.conformance.adapter_rig import Heard, asked, listening, running

CONTENT = 1 << 15


async def ended(rig: DiscordRig) -> str:
    """What the operator is told when the adapter gives up."""
    with pytest.raises(Misconfigured) as caught:
        async with asyncio.timeout(60):
            await rig.adapter.run(Heard())
    return caught.value.detail


async def test_a_wrong_token_names_the_setting_and_not_the_token() -> None:
    async with discord_rig(token="a-wrong-secret") as rig:
        detail = await ended(rig)
    assert "DISCORD_TOKEN" in detail
    assert "a-wrong-secret" not in detail
    assert "a-wrong-secret" not in repr(DiscordConfig(token="a-wrong-secret"))


async def test_a_token_that_was_reset_ends_run_too(rig: DiscordRig) -> None:
    heard = Heard()
    run = asyncio.create_task(rig.adapter.run(heard))
    await heard.connected()
    await rig.simulator.set_token("another")
    await rig.simulator.drop()
    with pytest.raises(Misconfigured, match="DISCORD_TOKEN"):
        async with asyncio.timeout(60):
            await run


async def test_content_that_is_demanded_and_not_granted_ends_run(rig: DiscordRig) -> None:
    await rig.simulator.set_message_content(False)
    detail = await ended(rig)
    assert "Message Content Intent" in detail
    assert "DISCORD_MESSAGE_CONTENT=auto" in detail


async def test_auto_goes_on_without_content_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    async with discord_rig(message_content="auto") as rig:
        await rig.simulator.set_message_content(False)
        async with listening(rig.adapter) as heard:
            assert (await asked(rig, heard, "by mention")).text == "by mention"
    assert "only mentions can be read" in caplog.text
    assert rig.simulator.gateway.counts.identifies == 2


async def test_auto_takes_content_that_is_granted_and_off_never_asks() -> None:
    for setting, unreadable in (("auto", False), ("off", True)):
        async with discord_rig(message_content=setting) as rig, listening(rig.adapter) as heard:
            await rig.say("between us", to_bot=False)
            assert (await heard.message()).unreadable == unreadable
            assert rig.simulator.gateway.counts.identifies == 1


async def test_a_dropped_connection_is_resumed_and_nothing_is_missed_or_announced(rig: DiscordRig) -> None:
    async with listening(rig.adapter) as heard:
        await asked(rig, heard, "before")
        await rig.simulator.drop()
        await rig.simulator.wait_for(lambda: not rig.simulator.gateway.connected)
        await rig.say("meanwhile")
        await heard.until(lambda: heard.texts == ["before", "meanwhile"])
        assert [event for event in heard.events if isinstance(event, Connected)] == [Connected()]
        assert rig.simulator.gateway.counts.resumes == 1


async def test_a_session_that_cannot_be_resumed_is_announced_anew(rig: DiscordRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.simulator.forget_sessions()
        await rig.simulator.drop()
        await heard.connected(2)
        assert (await asked(rig, heard, "after")).text == "after"
        assert rig.adapter.health().connected


async def test_a_rest_api_that_is_down_at_the_start_is_tried_again(rig: DiscordRig) -> None:
    await rig.simulator.fault(Rule("status", path="/users/@me$", status=503, times=2))
    await rig.simulator.fault(Rule("reset", path="/users/@me$", nth=3))
    async with listening(rig.adapter) as heard:
        await asked(rig, heard)
    assert len(rig.simulator.calls.matching("GET", "/users/@me")) >= 4


async def test_a_gateway_that_cannot_be_reached_is_tried_again() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"ws://127.0.0.1:{closed.getsockname()[1]}/gateway"
        async with discord_rig(gateway_url=address) as rig, running(rig.adapter, Heard()):
            await rig.simulator.wait_for(lambda: len(rig.simulator.calls.matching("GET", "/users/@me")) >= 2)
            assert not rig.adapter.health().connected


async def test_the_process_wide_addresses_are_put_back(rig: DiscordRig) -> None:
    before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
    async with listening(rig.adapter):
        assert rig.simulator.api_url == Route.BASE
    assert before == (Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY)


async def test_without_addresses_it_is_the_real_discord_that_is_meant() -> None:
    assert Route.BASE.startswith("https://discord.com/api/")
    assert DiscordConfig(token="t").api_url == DiscordConfig(token="t").gateway_url == ""


async def test_a_new_session_waits_for_our_spacing_and_not_for_the_librarys() -> None:
    async with discord_rig(identify_spacing=0.3) as rig, listening(rig.adapter) as heard:
        began = time.monotonic()
        await rig.new_session()
        await heard.connected(2)
        assert 0.2 < time.monotonic() - began < 4


def test_identifies_are_spaced_more_and_more_and_never_use_up_a_days_worth() -> None:
    now = 0.0
    pace = Pace(5.0, lambda: now)
    waits: list[float] = []
    for _ in range(8):
        waits.append(pace.wait())
        now += waits[-1]
        pace.count()
    assert waits[:4] == [0.0, 5.0, 10.0, 20.0]
    assert waits[5:] == [80.0, LONGEST_GAP, LONGEST_GAP]
    now, count = 10_000.0, 0
    while now < 10_000.0 + 86_400:
        now += pace.wait()
        pace.count()
        now += 0.1
        count += 1
    assert count < 1000


def test_a_session_long_after_the_last_one_waits_for_nothing() -> None:
    now = 0.0
    pace = Pace(5.0, lambda: now)
    pace.count()
    now = 7.0
    assert pace.wait() == 0.0
    pace.count()
    now = 8.0
    assert pace.wait() == 9.0
    now = 5000.0
    assert pace.wait() == 0.0


def test_a_wait_that_is_cut_short_counts_for_nothing() -> None:
    pace = Pace(5.0, lambda: 0.0)
    pace.count()
    assert [pace.wait(), pace.wait()] == [5.0, 5.0]


# what the simulator's world never does

OTHER = GUILD + 1000


async def test_nothing_is_delivered_before_the_servers_are_known() -> None:
    channel = CHANNELS["general"]
    heard = Heard()
    async with scripted_gateway() as gateway, discord_rig(gateway_url=gateway.url) as rig, running(rig.adapter, heard):
        await begin(gateway, GUILD)
        await gateway.dispatch("MESSAGE_CREATE", said(10**18, channel, GUILD, "too early"))
        await gateway.dispatch("MESSAGE_DELETE", {"id": "7", "channel_id": str(channel), "guild_id": str(GUILD)})
        await gateway.dispatch("GUILD_CREATE", guild(GUILD, channel))
        await heard.until(lambda: len(heard.events) == 3)
    kinds: list[type[Event]] = [type(event) for event in heard.events]
    assert kinds == [Connected, Message, Deleted]
    [message] = heard.messages
    assert (message.text, message.target.channel.title) == ("too early", "here")
    assert message.thread is not None, "its permissions were not known when it came"


async def test_a_server_in_an_outage_is_not_waited_for_long_and_announced_when_it_is_back() -> None:
    channel = CHANNELS["general"]
    heard = Heard()
    async with scripted_gateway() as gateway, discord_rig(gateway_url=gateway.url) as rig, running(rig.adapter, heard):
        await begin(gateway, GUILD, OTHER)
        await gateway.dispatch("GUILD_CREATE", guild(GUILD, channel))
        await gateway.dispatch("MESSAGE_CREATE", said(10**18, channel, GUILD, "hello"))
        await heard.until(lambda: len(heard.events) == 2)
        await gateway.dispatch("GUILD_CREATE", guild(OTHER, OTHER + 1))
        await heard.connected(2)
        await gateway.dispatch("GUILD_DELETE", {"id": str(OTHER), "unavailable": True})
        await gateway.dispatch("GUILD_CREATE", guild(OTHER, OTHER + 1))
        await heard.connected(3)
    assert [type(event) for event in heard.events] == [Connected, Message, Connected, Connected]


async def test_a_bot_in_no_server_is_connected_at_once() -> None:
    heard = Heard()
    async with scripted_gateway() as gateway, discord_rig(gateway_url=gateway.url) as rig, running(rig.adapter, heard):
        await begin(gateway)
        await heard.connected()
        assert rig.adapter.health().connected


async def test_an_event_that_cannot_be_read_does_not_stop_the_next(caplog: pytest.LogCaptureFixture) -> None:
    channel = CHANNELS["general"]
    heard = Heard()
    poison = said(10**18, channel, GUILD, "poison")
    del poison["mentions"]
    async with scripted_gateway() as gateway, discord_rig(gateway_url=gateway.url) as rig, running(rig.adapter, heard):
        await begin(gateway, GUILD)
        await gateway.dispatch("MESSAGE_CREATE", poison)
        await gateway.dispatch("GUILD_CREATE", guild(GUILD, channel))
        await heard.connected()
        await gateway.dispatch("MESSAGE_CREATE", poison)
        await gateway.dispatch("MESSAGE_CREATE", said(10**18 + 1, channel, GUILD, "fine"))
        await heard.message()
    assert heard.texts == ["fine"]
    assert "a message could not be read" in caplog.text


async def test_many_deletions_at_once_are_told_one_by_one() -> None:
    heard = Heard()
    async with scripted_gateway() as gateway, discord_rig(gateway_url=gateway.url) as rig, running(rig.adapter, heard):
        await begin(gateway, GUILD)
        await gateway.dispatch("GUILD_CREATE", guild(GUILD, 7))
        await gateway.dispatch("MESSAGE_DELETE_BULK", {"ids": ["9", "8"], "channel_id": "7", "guild_id": str(GUILD)})
        await heard.until(lambda: len(heard.events) == 3)
    assert [event.message for event in heard.events if isinstance(event, Deleted)] == ["discord:8", "discord:9"]


async def test_channels_that_a_change_of_roles_takes_out_of_view_are_left() -> None:
    heard, server, role = Heard(), str(GUILD), str(GUILD + 5)
    everyone = {"id": server, "name": "@everyone", "position": 0, "color": 0, "colors": {"primary_color": 0}, "hoist": False}
    everyone |= {"managed": False, "mentionable": False, "flags": 0}
    sees = everyone | {"id": role, "name": "sees", "permissions": str(1 << 10)}
    me = {"user": {"id": str(BOT), "username": "t", "discriminator": "0", "avatar": None}, "joined_at": None, "flags": 0}

    def left() -> int:
        return sum(event == Left(channel=channel_id(7)) for event in heard.events)

    async with scripted_gateway() as gateway, discord_rig(gateway_url=gateway.url) as rig, running(rig.adapter, heard):

        async def change(what: str, **fields: object) -> None:
            await gateway.dispatch(what, {"guild_id": server, **fields})

        async def shown(permissions: str) -> None:
            await change("GUILD_ROLE_UPDATE", role=everyone | {"permissions": permissions})

        async def in_view(number: int) -> None:
            await change("GUILD_MEMBER_UPDATE", **me, roles=[role])
            await gateway.dispatch("MESSAGE_CREATE", said(number, 7, GUILD, "in view"))
            await heard.message(number)

        await begin(gateway, GUILD)
        await gateway.dispatch("GUILD_CREATE", guild(GUILD, 7))
        await heard.connected()
        await shown("0")
        await heard.until(lambda: left() == 1)
        await shown("0")
        await change("GUILD_ROLE_CREATE", role=sees)
        await in_view(1)
        await change("GUILD_MEMBER_UPDATE", **me, roles=[])
        await heard.until(lambda: left() == 2)
        await in_view(2)
        await change("GUILD_ROLE_DELETE", role_id=role)
        await heard.until(lambda: left() == 3)
        await shown(str(1 << 10))
        await gateway.dispatch("GUILD_DELETE", {"id": server})
        await heard.until(lambda: isinstance(heard.events[-1], Left) and heard.events[-1].space is not None)
    assert [type(event) for event in heard.events if not isinstance(event, Message)] == [Connected, Left, Left, Left, Left]


async def test_only_a_thread_that_the_bot_was_taken_out_of_is_left_and_none_that_was_archived_unseen() -> None:
    heard, server = Heard(), str(GUILD)
    state = {"archived": False, "auto_archive_duration": 60, "archive_timestamp": "2026-01-01T00:00:00+00:00", "locked": False}
    thread: dict[str, Any] = {"guild_id": server, "parent_id": "7", "owner_id": str(BOT), "type": 11, "name": "a thread"}
    thread |= {"message_count": 0, "member_count": 1, "thread_metadata": state}
    async with scripted_gateway() as gateway, discord_rig(gateway_url=gateway.url) as rig, running(rig.adapter, heard):
        await begin(gateway, GUILD)
        await gateway.dispatch("GUILD_CREATE", guild(GUILD, 7))
        await heard.connected()
        await gateway.dispatch("THREAD_CREATE", thread | {"id": "8"})
        # Sent with the threads that are active; one that is not among them was archived, or never was in view.
        await gateway.dispatch("THREAD_LIST_SYNC", {"guild_id": server, "channel_ids": ["7"], "threads": [], "members": []})
        await gateway.dispatch("THREAD_CREATE", thread | {"id": "9"})
        gone = {"guild_id": server, "id": "9", "member_count": 0, "removed_member_ids": [str(BOT)]}
        await gateway.dispatch("THREAD_MEMBERS_UPDATE", gone)
        await heard.until(lambda: isinstance(heard.events[-1], Left))
    assert heard.events[1:] == [Left(channel=channel_id(9))]


async def test_while_the_gateway_is_away_health_says_so_and_posts_go_on() -> None:
    heard = Heard()
    async with scripted_gateway() as gateway, discord_rig(gateway_url=gateway.url) as rig, running(rig.adapter, heard):
        await begin(gateway, GUILD)
        await gateway.dispatch("GUILD_CREATE", guild(GUILD, 7))
        await heard.connected()
        await gateway.go_down()
        async with asyncio.timeout(60):
            await gateway.refused.wait()
        assert not rig.adapter.health().connected
        target = Target(Channel(channel_id(CHANNELS["general"]), "group", space=f"discord:{GUILD}"))
        await rig.adapter.post(target, "still here", key="k1")
        assert rig.shown(target.channel) == ["still here"]


async def test_a_payload_that_the_library_cannot_read_costs_a_session_and_no_more() -> None:
    heard = Heard()
    async with scripted_gateway() as gateway, discord_rig(gateway_url=gateway.url) as rig, running(rig.adapter, heard):
        await begin(gateway)
        await heard.connected()
        gateway.identified.clear()
        await gateway.dispatch("MESSAGE_CREATE", {"id": "no number", "channel_id": "7"})
        await begin(gateway)
        await heard.connected(2)


async def test_what_the_library_still_does_after_the_end_does_no_harm() -> None:
    heard = Heard()
    async with scripted_gateway() as gateway, discord_rig(gateway_url=gateway.url) as rig:
        async with running(rig.adapter, heard):
            await begin(gateway)
            await heard.connected()
        left = [task for task in asyncio.all_tasks() if "_delay_ready" in repr(task.get_coro())]
        assert len(left) == 1
        await left[0]


async def test_a_gateway_that_answers_no_close_holds_up_the_next_try_only_for_a_moment() -> None:
    heard = Heard()
    async with scripted_gateway() as gateway, discord_rig(gateway_url=gateway.url, close_timeout=0.1) as rig:
        gateway.deaf = True
        async with running(rig.adapter, heard):
            await begin(gateway)
            await heard.connected()
            gateway.identified.clear()
            await gateway.dispatch("MESSAGE_CREATE", {"id": "no number", "channel_id": "7"})
            await begin(gateway)
            await heard.connected(2)
        gc.collect()  # a connection left open is a ResourceWarning, and so a failure
