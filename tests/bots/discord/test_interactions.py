import logging
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bots.discord.convert import snowflake
from sandbox.discord.defaults import BOT, CHANNELS, GUILD, HELPERS, PEOPLE
from sandbox.faults import Rule
from shared.chat import Command, Connected, Message, Pressed, Seen
from shared.commands import COMMANDS, Choice
from shared.errors import Refused, Unavailable
from tests.bots.discord.rig import ROOMY, DiscordRig, discord_rig
from tests.bots.discord.scripted import begin, guild, said, scripted_gateway
from tests.conformance.adapter_commands import STOP, given, offering
from tests.conformance.adapter_rig import Heard, answering, asked, listening, running

CALLBACK, ANSWERS = r"/interactions/\d+/[^/]+/callback$", r"/webhooks/\d+/"
NOTE = {"name": "notes.txt", "content_base64": "aGVsbG8="}


async def questioned(rig: DiscordRig, heard: Heard, question: str = "why?", where: str = "general", **options: Any) -> Message:
    """Somebody asks by /ask; the message as it was heard."""
    count = len(heard.messages) + 1
    await rig.simulator.call("user2", "ask", where, {"question": question, **options})
    return await heard.message(count)


def token_of(rig: DiscordRig) -> str:
    return list(rig.simulator.world.state.interactions.values())[-1].token


async def test_a_question_is_shown_as_a_quote_and_answered_in_a_thread_on_it(rig: DiscordRig) -> None:
    async with offering(rig) as (heard, _):
        message = await questioned(rig, heard, "why is <@1> @everyone?")
        [shown] = rig.simulator.sees("user1", "general")
        assert shown["text"] == "> why is <@1> @everyone?"
        assert message.id == f"discord:{shown['id']}"
        assert set(message.keys) == {message.id, f"discord:{rig.simulator.interactions()[-1]['id']}"}
        assert message.text == "why is @someone @everyone?"
        assert message.author.id == f"discord:{PEOPLE['user2'][0]}"
        assert message.author.roles == {f"discord:{HELPERS}"}
        assert message.target.handle is None
        assert message.thread is not None
        target = await answering(rig, message)
        await rig.adapter.post(target, "because", key="k1")
        assert rig.shown(target.channel) == ["because"]
        assert rig.pinged() == 0


async def test_a_question_is_heard_once_though_the_channel_repeats_it(rig: DiscordRig) -> None:
    async with offering(rig) as (heard, _):
        await questioned(rig, heard)
        await asked(rig, heard, "after")
        assert heard.texts == ["why?", "after"]


async def test_the_channel_may_tell_a_question_before_the_answer_to_the_acknowledgement_comes(rig: DiscordRig) -> None:
    async with offering(rig) as (heard, _):
        await rig.simulator.fault(Rule("hang", path=CALLBACK, moment="after"))
        message = await questioned(rig, heard, file=NOTE)
        assert message.author.roles == {f"discord:{HELPERS}"}
        assert [(each.name, each.size) for each in message.attachments] == [("notes.txt", 5)]


async def test_a_question_is_recalled_with_its_file_after_a_restart(rig: DiscordRig) -> None:
    async with offering(rig) as (heard, _):
        before = await asked(rig, heard)
        live = await questioned(rig, heard, "what is this?", file=NOTE)
    async with listening(rig.adapter):
        channel = before.target.channel
        seen = Seen(since=before.sent_at, newest={channel.id: before.id}, channels=[channel])
        [recalled] = [each async for each in rig.adapter.missed(channel, seen)]
        [file] = recalled.attachments
        assert b"".join([piece async for piece in rig.adapter.fetch(file)]) == b"hello"
    assert recalled == replace(live, recalled=True, attachments=recalled.attachments)
    assert (file.ref, file.name, file.media_type) == (live.attachments[0].ref, "notes.txt", "text/plain")


async def test_an_answer_of_a_command_is_never_taken_for_a_question(rig: DiscordRig) -> None:
    async with offering(rig) as (heard, _):
        command = await given(heard, rig, "new")
        await rig.adapter.post(command.target, "> not a question", key="k1")
        await asked(rig, heard, "after")
        assert heard.texts == ["after"]


async def test_a_question_that_is_acknowledged_too_late_is_taken_all_the_same() -> None:
    async with discord_rig(replace(ROOMY, interaction_window=0.0)) as rig, offering(rig) as (heard, _):
        message = await questioned(rig, heard)
        [shown] = [each for each in rig.simulator.sees("user1", "general") if each["state"] is None]
        assert (shown["text"], f"discord:{shown['id']}") == ("> why?", message.id)
        target = await answering(rig, message)
        await rig.adapter.post(target, "because", key="k1")
        assert rig.shown(target.channel) == ["because"]


async def test_a_question_is_taken_even_if_it_cannot_be_shown() -> None:
    async with discord_rig(replace(ROOMY, interaction_window=0.0)) as rig, offering(rig) as (heard, _):
        await rig.simulator.permissions("general", deny=["SEND_MESSAGES"])
        message = await questioned(rig, heard)
        assert (message.text, message.thread, message.target.reply_to) == ("why?", None, None)


@pytest.mark.parametrize("action", ["status", "reset"])
@pytest.mark.parametrize("moment", ["before", "after"])
async def test_an_acknowledgement_that_goes_wrong_on_the_way_shows_one_question(
    rig: DiscordRig, action: Any, moment: Any
) -> None:
    async with offering(rig) as (heard, _):
        await rig.simulator.fault(Rule(action, path=CALLBACK, status=503, moment=moment))
        message = await questioned(rig, heard)
        await rig.simulator.wait_for(lambda: rig.simulator.interactions()[-1]["answered"])
        shown = rig.simulator.sees("user1", "general")
        assert [(each["text"], f"discord:{each['id']}") for each in shown] == [("> why?", message.id)]


async def test_a_question_in_a_channel_out_of_sight_is_answered_by_the_command(rig: DiscordRig) -> None:
    async with offering(rig) as (heard, _):
        await rig.simulator.permissions("support", deny=["VIEW_CHANNEL"])
        message = await questioned(rig, heard, where="support")
        assert message.thread is None
        assert message.target.handle is not None
        first = await rig.adapter.post(message.target, "be", key="k1", buttons=[STOP])
        await rig.adapter.edit(message.target, first, "because")
        assert [each["text"] for each in rig.simulator.sees("user1", "support")] == ["> why?", "because"]


async def test_a_question_in_the_direct_chat_is_answered_there(rig: DiscordRig) -> None:
    async with offering(rig) as (heard, _):
        message = await questioned(rig, heard, where="")
        assert (message.target.channel.kind, message.thread, message.target.handle) == ("direct", None, None)
        await rig.adapter.post(message.target, "because", key="k1")
        assert [each["text"] for each in rig.simulator.sees("user2")] == ["> why?", "because"]


async def test_a_long_question_with_a_file_fits_into_its_message(rig: DiscordRig) -> None:
    async with offering(rig) as (heard, _):
        message = await questioned(rig, heard, "x" * 1800, file=NOTE)
        assert (message.text, len(message.attachments)) == ("x" * 1800, 1)


async def test_the_bot_is_thinking_until_a_command_is_answered(rig: DiscordRig) -> None:
    async with offering(rig) as (heard, _):
        command = await given(heard, rig, "help")
        [shown] = rig.simulator.sees("user1", "general")
        assert (shown["state"], shown["ephemeral"]) == ("thinking", True)
        assert command.target.expires is not None
        assert abs(command.target.expires - datetime.now(UTC) - timedelta(minutes=15)) < timedelta(minutes=1)
        await rig.adapter.busy(command.target, "thinking")
        assert rig.simulator.typing() == []
        assert rig.adapter.limits(command.target, "busy") == ()


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_a_command_whose_acknowledgement_goes_wrong_on_the_way_is_answered(
    rig: DiscordRig, caplog: pytest.LogCaptureFixture, moment: Any
) -> None:
    async with offering(rig) as (heard, _):
        await rig.simulator.fault(Rule("reset", path=CALLBACK, moment=moment))
        command = await given(heard, rig, "help")
        await rig.adapter.post(command.target, "one", key="k1")
        assert rig.read() == ["one"]
    assert "not acknowledged" not in caplog.text


async def test_a_press_shows_nothing_by_itself(rig: DiscordRig) -> None:
    async with offering(rig) as (heard, _):
        target = await answering(rig, await asked(rig, heard))
        await rig.adapter.post(target, "one", key="k1", buttons=[STOP])
        await rig.press(target.channel, "Stop")
        pressed = await heard.one(Pressed)
        assert rig.simulator.interactions()[-1]["answered"] == 6
        await rig.adapter.post(pressed.target, "too late to stop", key="k2")
        thread = str(snowflake(target.channel.id))
        shown = [(each["text"], each["ephemeral"]) for each in rig.simulator.sees("user1", thread) if each["text"]]
        assert shown == [("one", False), ("too late to stop", True)]
        assert [each["text"] for each in rig.simulator.sees("user2", thread) if each["text"]] == ["one"]


async def test_a_command_that_is_acknowledged_too_late_is_still_told() -> None:
    async with discord_rig(replace(ROOMY, interaction_window=0.0)) as rig, offering(rig) as (heard, _):
        private, public = await given(heard, rig, "help"), await given(heard, rig, "new")
        with pytest.raises(Refused):
            await rig.adapter.post(private.target, "a secret", key="k1")
        await rig.adapter.post(public.target, "for all", key="k2")
        assert rig.read(others=True) == ["for all"]


@pytest.mark.parametrize("moment", ["before", "after"])
async def test_the_first_answer_is_repeated_without_harm_and_others_never(rig: DiscordRig, moment: Any) -> None:
    async with offering(rig) as (heard, _):
        command = await given(heard, rig, "help")
        await rig.simulator.fault(Rule("reset", path=ANSWERS, moment=moment))
        await rig.adapter.post(command.target, "one", key="k1")
        assert rig.read() == ["one"]
        await rig.simulator.fault(Rule("reset", path=ANSWERS, moment=moment))
        with pytest.raises(Unavailable):
            await rig.adapter.post(command.target, "two", key="k2")
        assert rig.read() == (["one"] if moment == "before" else ["one", "two"])


async def test_the_first_answer_is_found_after_a_crash(rig: DiscordRig) -> None:
    async with offering(rig) as (heard, _):
        target = (await given(heard, rig, "help")).target
        since = datetime.now(UTC) - timedelta(minutes=1)
        assert await rig.adapter.find(target, "k1", None, since=since, known=(), silent=False) is None
        first = await rig.adapter.post(target, "one", key="k1")
        await rig.adapter.post(target, "two", key="k2")
        assert await rig.adapter.find(target, "k1", None, since=since, known=(), silent=False) == first
        assert await rig.adapter.find(target, "k2", None, since=since, known=(first,), silent=False) is None


async def test_answers_are_counted_by_themselves_and_their_tokens_are_told_to_nobody(
    rig: DiscordRig, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "bots")
    async with offering(rig) as (heard, _):
        command = await given(heard, rig, "help")
        token = token_of(rig)
        assert command.target.handle is not None
        assert token in command.target.handle
        [limit] = rig.adapter.limits(command.target, "post")
        assert token not in limit.scope
        await rig.simulator.fault(Rule("status", path=ANSWERS, status=400, body={"message": "no", "code": 50035}))
        with pytest.raises(Refused) as refused:
            await rig.adapter.post(command.target, "one", key="k1")
        await rig.expire()
        with pytest.raises(Refused) as spent:
            await rig.adapter.post(command.target, "one", key="k1")
        assert token not in refused.value.detail + spent.value.detail + caplog.text


async def test_values_that_come_too_late_or_are_too_long_are_not_offered(rig: DiscordRig) -> None:
    rig.adapter.offer(COMMANDS, _too_long)
    async with listening(rig.adapter):
        await rig.offered([spec.name for spec in COMMANDS])
        assert await rig.suggested("resume", "conversation", "x") == ["fits"]


async def _too_long(typing: object) -> list[Any]:
    return [Choice("v" * 101, "too long"), Choice("fits", "l" * 101)]


async def test_commands_and_presses_name_the_server_and_the_thread_they_are_in(rig: DiscordRig) -> None:
    async with offering(rig) as (heard, _):
        target = await answering(rig, await asked(rig, heard))
        await rig.simulator.call("user2", "stop", str(snowflake(target.channel.id)))
        command = await heard.one(Command)
        assert (command.place.id, command.place.kind, command.place.parent) == (
            target.channel.id,
            "thread",
            target.channel.parent,
        )
        assert command.place.space == f"discord:{GUILD}"
        assert command.author.roles == {f"discord:{HELPERS}"}


async def test_an_interaction_that_is_told_twice_has_the_same_key(rig: DiscordRig) -> None:
    async with offering(rig) as (heard, _):
        await rig.simulator.duplicate(1)
        command = await given(heard, rig, "new")
        again = await heard.one(Command, 2)
        assert again == command
        await rig.adapter.post(again.target, "once", key="k1")
        assert rig.read() == ["once"]
        await rig.simulator.duplicate(1)
        question = await questioned(rig, heard)
        assert all(each.keys == question.keys for each in heard.messages)


async def test_what_the_library_is_given_by_an_unknown_command_does_no_harm(rig: DiscordRig) -> None:
    async with offering(rig) as (heard, _):
        rig.adapter.offer(COMMANDS[:1], _too_long)
        command = await given(heard, rig, "usage")
        assert (command.name, command.target.private) == ("usage", True)
        await rig.adapter.post(command.target, "not any more", key="k1")
        assert (rig.read(), rig.read(others=True)) == (["not any more"], [])


async def test_a_command_that_comes_before_the_servers_are_known_is_told_after_them_with_its_roles() -> None:
    channel, role, heard = CHANNELS["general"], str(GUILD + 5), Heard()
    member: dict[str, Any] = {
        "user": {"id": "5", "username": "ada", "discriminator": "0", "avatar": None},
        "roles": [role],
        "joined_at": None,
    }
    command: dict[str, Any] = {
        "id": str(10**18),
        "application_id": str(BOT),
        "type": 2,
        "token": "t",
        "version": 1,
        "entitlements": [],
    }
    command |= {"data": {"id": "1", "name": "help", "type": 1}, "attachment_size_limit": 10, "app_permissions": "0"}
    command |= {"guild_id": str(GUILD), "guild": {"id": str(GUILD), "features": []}, "member": member | {"flags": 0}}
    command |= {"channel_id": str(channel), "channel": {"id": str(channel), "type": 0, "name": "here", "position": 0}}
    known = guild(GUILD, channel)
    known["roles"].append(known["roles"][0] | {"id": role, "name": "helpers"})
    async with scripted_gateway() as gateway, discord_rig(gateway_url=gateway.url) as rig, running(rig.adapter, heard):
        await begin(gateway, GUILD)
        await gateway.dispatch("INTERACTION_CREATE", command)
        await rig.simulator.wait_for(lambda: any("/callback" in call.path for call in rig.simulator.calls))
        assert heard.events == []
        await gateway.dispatch("GUILD_CREATE", known)
        told = await heard.one(Command)
    assert isinstance(heard.events[0], Connected)
    assert told.author.roles == {f"discord:{role}"}


async def test_an_interaction_that_cannot_be_read_does_not_stop_the_next(caplog: pytest.LogCaptureFixture) -> None:
    heard = Heard()
    async with scripted_gateway() as gateway, discord_rig(gateway_url=gateway.url) as rig, running(rig.adapter, heard):
        await begin(gateway, GUILD)
        await gateway.dispatch("GUILD_CREATE", guild(GUILD, CHANNELS["general"]))
        poison = {"id": "9", "application_id": "1", "type": 2, "token": "secret-token", "version": 1, "attachment_size_limit": 1}
        poison |= {"channel": {"id": "7", "type": 1, "recipients": []}, "data": {}}
        await gateway.dispatch("INTERACTION_CREATE", poison)
        await gateway.dispatch("MESSAGE_CREATE", said(10**18, CHANNELS["general"], GUILD, "fine"))
        await heard.message()
    assert "an interaction could not be read" in caplog.text
    assert "secret-token" not in caplog.text
