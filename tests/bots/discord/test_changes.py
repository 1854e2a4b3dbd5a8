"""Which changes of messages are told, and how."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bots.discord.changes import KEPT, Changes
from sandbox.discord.defaults import BOT, CHANNELS, GUILD
from sandbox.discord.payloads import message_json
from shared.chat import Edited, Quoted
from tests.bots.discord.rig import DiscordRig, discord_rig
from tests.bots.discord.scripted import begin, guild, said, scripted_gateway
from tests.conformance.adapter_commands import RETRY, STOP
from tests.conformance.adapter_rig import Heard, asked, listening, running

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def changed(message: dict[str, Any], text: str, seconds: int = 0) -> dict[str, Any]:
    at = (NOW + timedelta(seconds=seconds)).isoformat()
    return message | {"content": f"<@{BOT}> {text}", "edited_timestamp": at}


def test_a_change_is_new_once() -> None:
    changes = Changes()
    assert not changes.new(1, None)
    assert changes.new(1, NOW)
    assert not changes.new(1, NOW)
    assert changes.new(2, NOW)
    assert changes.new(1, NOW + timedelta(seconds=1))


def test_only_so_many_changes_are_remembered() -> None:
    changes = Changes()
    for number in range(KEPT + 1):
        assert changes.new(number, NOW)
    assert not changes.new(KEPT, NOW)
    assert changes.new(0, NOW)


async def test_a_change_that_is_told_twice_has_one_key_and_comes_once() -> None:
    channel, heard = CHANNELS["general"], Heard()
    async with scripted_gateway() as gateway, discord_rig(gateway_url=gateway.url) as rig, running(rig.adapter, heard):
        await begin(gateway, GUILD)
        message = said(10**18, channel, GUILD, "first")
        await gateway.dispatch("MESSAGE_UPDATE", changed(message, "early"))
        await gateway.dispatch("GUILD_CREATE", guild(GUILD, channel))
        await gateway.dispatch("MESSAGE_UPDATE", changed(message, "early"))
        await gateway.dispatch("MESSAGE_UPDATE", changed(message, "late", 1))
        await heard.one(Edited, 2)
    assert [each.message.text for each in heard.of(Edited)] == ["early", "late"]
    assert heard.of(Edited)[0].keys == (f"discord:{10**18}/edit/{NOW.isoformat()}",)


async def test_what_a_changed_message_replies_to_is_looked_up_where_it_is_left_out() -> None:
    channel, heard = CHANNELS["general"], Heard()
    async with scripted_gateway() as gateway, discord_rig(gateway_url=gateway.url) as rig, running(rig.adapter, heard):
        first = await rig.simulator.say("user1", "general", "the sky is green")
        reply = await rig.simulator.say("user2", "general", "@threadline is it?", reply_to=first["id"])
        await rig.simulator.edit(reply["id"], "@threadline is it really?")
        whole = message_json(rig.simulator.world, rig.simulator.world.state.messages[int(reply["id"])])
        part = whole | {"guild_id": str(GUILD)}
        del part["referenced_message"]
        await begin(gateway, GUILD)
        await gateway.dispatch("GUILD_CREATE", guild(GUILD, channel))
        await gateway.dispatch("MESSAGE_UPDATE", part)
        edited = await heard.one(Edited)
        assert edited.message.text == "is it really?"
        assert edited.message.quoted == Quoted(name="Ada", text="the sky is green", own=False)
        await rig.simulator.delete(reply["id"])
        await gateway.dispatch("MESSAGE_UPDATE", changed(part, "is it not?"))
        edited = await heard.one(Edited, 2)
        assert (edited.message.text, edited.message.quoted) == ("is it not?", None)


async def test_changes_of_bots_are_not_told(rig: DiscordRig) -> None:
    async with listening(rig.adapter) as heard:
        other = await rig.simulator.say("otherbot", "general", "@threadline hello")
        await rig.simulator.edit(other["id"], "@threadline hello again")
        await asked(rig, heard, "after")
        assert heard.of(Edited) == []


async def test_a_message_that_becomes_one_for_the_bot_is_told_as_such(rig: DiscordRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.say("between us", to_bot=False)
        before = await heard.message()
        await rig.simulator.edit(str(before.id.partition(":")[2]), "@threadline what about this?")
        edited = await heard.one(Edited)
        assert (before.addressed, edited.message.addressed) == (False, True)
        assert edited.message.thread is not None
        assert edited.message.id == before.id


async def test_an_edit_keeps_link_previews_away_with_and_without_buttons(rig: DiscordRig) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        message = await rig.adapter.post(target, "see https://example.org/", key="k1", buttons=[STOP])
        await rig.adapter.edit(target, message, "see https://example.org/a", buttons=[STOP])
        await rig.adapter.edit(target, message, "see https://example.org/b")
        [shown] = rig.own(target.channel)
        assert not shown["embeds_shown"]


async def test_a_post_repeated_with_its_key_shows_its_newest_buttons(rig: DiscordRig) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        await rig.adapter.post(target, "one", key="k1", buttons=[STOP])
        await rig.adapter.post(target, "one", key="k1", buttons=[RETRY])
        assert rig.buttons(target.channel) == [["Retry"]]
        await rig.adapter.post(target, "one", key="k1")
        assert rig.buttons(target.channel) == [[]]
