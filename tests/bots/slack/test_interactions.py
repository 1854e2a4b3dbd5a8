import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.faults import Rule
from sandbox.slack.defaults import CHANNELS
from shared.chat import Button, Command, Event, Pressed, Seen
from shared.errors import Refused, Unavailable
from tests.bots.slack.rig import SlackRig
from tests.conformance.adapter_rig import Heard, answering, asked, listening, running

GENERAL = f"slack:{CHANNELS['general']}"


async def given(rig: SlackRig, heard: Heard, text: str, name: str = "/threadline", where: str = "general") -> Command:
    """Somebody gives a command; the command as it was heard."""
    count = len(heard.of(Command)) + 1
    await rig.simulator.call("user1", name, where, text)
    return await heard.one(Command, count)


def read(rig: SlackRig, by: str = "user1", where: str = "general") -> list[str]:
    """What a person reads of the bot in a channel, without the questions that it shows again."""
    seen = [each for each in rig.simulator.sees(by, where) if each["author"] == "threadline"]
    return [each["text"] for each in seen if "asks:" not in each["text"]]


@pytest.mark.parametrize(
    ("text", "name", "options"),
    [
        ("", "help", {}),
        ("new", "new", {}),
        ("  STOP ", "stop", {}),
        ("model opus for:channel", "model", {"name": "opus", "for": "channel"}),
        ("system be brief & <kind>", "system", {"text": "be brief & <kind>"}),
        ("undo everything now", "undo everything now", {}),
        ("dance", "dance", {}),
        ("ask", "ask", {}),
    ],
)
async def test_a_command_is_read_from_its_text(rig: SlackRig, text: str, name: str, options: dict[str, str]) -> None:
    async with listening(rig.adapter) as heard:
        command = await given(rig, heard, text)
        assert (command.name, command.options) == (name, options)
        assert (command.place.id, command.author.name) == (GENERAL, "user1")
        assert command.target.expires == command.sent_at + timedelta(minutes=30)
        assert abs(command.sent_at - datetime.now(UTC)) < timedelta(minutes=1)
        await rig.simulator.wait_for(lambda: rig.simulator.triggers()[-1]["outcome"] == "acked")


async def test_a_private_answer_is_seen_by_one_person_and_shown_again_when_it_changes(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        command = await given(rig, heard, "help")
        assert command.target.private
        first = await rig.adapter.post(command.target, "one", key="k1")
        await rig.adapter.edit(command.target, first, "one, changed")
        await rig.adapter.delete(command.target, first)
        assert read(rig) == ["one", "one, changed"]
        assert read(rig, "user2") == []
        other = await given(rig, heard, "help")
        assert not set(other.keys) & set(command.keys)
        assert await rig.adapter.post(other.target, "two", key="k1") != first


async def test_a_command_is_answered_after_a_restart(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        command = await given(rig, heard, "help")
    async with listening(rig.again().adapter):
        pass
    again = rig.again()
    async with listening(again.adapter):
        await again.adapter.post(command.target, "one", key="k1")
    assert read(rig) == ["one"]


async def test_when_its_address_is_used_up_a_private_answer_stays_private(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        command = await given(rig, heard, "help")
        for number in range(7):
            await rig.adapter.post(command.target, f"{number}", key=f"k{number}")
        assert read(rig) == [f"{number}" for number in range(7)]
        assert read(rig, "user2") == []


async def test_when_its_time_is_over_a_private_answer_is_shown_to_nobody(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        command = await given(rig, heard, "help")
        passed = replace(command.target, expires=datetime.now(UTC) - timedelta(seconds=1))
        with pytest.raises(Refused):
            await rig.adapter.post(passed, "a secret", key="k1")
        assert read(rig) == read(rig, "user2") == []


async def test_a_public_answer_is_shown_in_the_channel_however_late(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        command = await given(rig, heard, "new")
        assert not command.target.private
        await rig.simulator.expire_responses()
        message = await rig.adapter.post(command.target, "late", key="k1")
        await rig.adapter.edit(command.target, message, "late, changed")
        assert read(rig, "user2") == ["late, changed"]
        await rig.adapter.delete(command.target, message)
        assert read(rig, "user2") == []


async def test_where_the_bot_is_not_a_public_answer_goes_by_the_command(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        command = await given(rig, heard, "new", where="lounge")
        first = await rig.adapter.post(command.target, "one", key="k1")
        await rig.adapter.edit(command.target, first, "two")
        assert read(rig, "user2", "lounge") == ["one", "two"]
        await rig.simulator.expire_responses()
        with pytest.raises(Refused):
            await rig.adapter.edit(command.target, first, "three")
        assert read(rig, "user2", "lounge") == ["one", "two"]


async def test_limits_of_private_answers_are_their_own(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        one, two = await given(rig, heard, "help"), await given(rig, heard, "help")
        [first] = rig.adapter.limits(one.target, "post")
        [second] = rig.adapter.limits(two.target, "edit")
        assert first.scope != second.scope
        assert (first.calls, first.seconds) == (5, 1800.0)
        assert one.target.handle is not None
        assert first.scope not in one.target.handle


async def test_a_question_by_command_is_shown_and_answered_in_its_thread(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.simulator.call("user1", "/ask", "general", f"what is *this*, {rig.hostile}?")
        await heard.until(lambda: any(each.addressed for each in heard.messages))
        [question] = [each for each in heard.messages if each.addressed]
        assert question.commanded
        assert question.text.startswith("what is *this*, ")
        assert question.author.name == "user1"
        target = await answering(rig, question)
        assert target.channel.kind == "thread"
        await rig.adapter.post(target, "an answer", key="k1")
        assert read(rig, "user2") == ["an answer"]
        shown = rig.shown(question.target.channel)
        assert len(shown) == 1
        assert shown[0].startswith("**user1** asks:\n> what is *this*")
        assert rig.pinged() == 0
        await rig.simulator.say("user2", "general", "tell me more", thread=question.id.rpartition("/")[2])
        await heard.until(lambda: "tell me more" in heard.texts)
        assert heard.messages[-1].addressed


async def test_a_question_by_command_is_recalled_as_the_same(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.simulator.call("user1", "/threadline", "general", "ask why?")
        question = await heard.message()
    again = rig.again()
    async with listening(again.adapter):
        seen = Seen(since=question.sent_at - timedelta(seconds=1))
        [recalled] = [each async for each in again.adapter.missed(question.target.channel, seen) if each.addressed]
    assert recalled == replace(question, recalled=True)


async def test_a_question_in_a_direct_chat_begins_a_thread_there(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.simulator.call("user1", "/ask", "", "why?")
        question = await heard.message()
        target = await answering(rig, question)
        assert target.channel.kind == "direct"
        await rig.adapter.post(target, "because", key="k1")
        assert read(rig, where="@user1") == ["because"]


async def test_where_the_bot_is_not_a_question_is_answered_by_the_command(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        question = await given(rig, heard, "why?", "/ask", "lounge")
        assert (question.name, question.options) == ("ask", {"question": "why?"})
        await rig.adapter.post(question.target, "because", key="k1")
        assert read(rig, "user2", "lounge") == ["because"]


async def test_an_address_that_is_not_slacks_gets_no_answer(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        command = await given(rig, heard, "help")
        assert "http" not in repr(command)
        for handle in ("command https://example.org/x", "command http://hooks.slack.com/x", "nonsense", "command ::"):
            with pytest.raises(Refused):
                await rig.adapter.post(replace(command.target, handle=handle), "a secret", key="k1")


async def test_an_answer_is_led_nowhere_else(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        command = await given(rig, heard, "help")
        headers = {"Location": f"{rig.simulator.api_url}chat.postMessage"}
        await rig.simulator.fault(Rule("status", path="/responses", status=307, headers=headers))
        with pytest.raises(Refused):
            await rig.adapter.post(command.target, "a secret", key="k1")
        assert [each.path for each in rig.simulator.calls if each.path == "/chat.postMessage"] == []


async def test_an_answer_that_goes_wrong_on_the_way_is_not_doubled(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        command = await given(rig, heard, "help")
        await rig.simulator.fault(Rule("reset", path="/responses", moment="after"))
        with pytest.raises(Unavailable):
            await rig.adapter.post(command.target, "one", key="k1")
        assert read(rig) == ["one"]


async def test_a_press_is_answered_in_its_thread_for_the_person_alone(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        target = await answering(rig, await asked(rig, heard))
        await rig.adapter.post(target, "one", key="k1", buttons=[Button("stop/1", "Stop"), Button("retry/1", "Retry")])
        await rig.press(target.channel, "Retry")
        pressed = await heard.one(Pressed)
        assert (pressed.button, pressed.place) == ("retry/1", target.channel)
        await rig.adapter.post(pressed.target, "only for you", key="k2")
        assert [(each["text"], each["thread"]) for each in rig.simulator.sees("user1", "general") if each["ephemeral"]] == [
            ("only for you", rig.said)
        ]
        assert "only for you" not in read(rig, "user2")
        await rig.simulator.wait_for(lambda: rig.simulator.triggers()[-1]["outcome"] == "acked")


async def test_a_private_answer_goes_by_its_address_where_the_bot_may_not_write_any_more(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        target = await answering(rig, await asked(rig, heard))
        await rig.adapter.post(target, "one", key="k1", buttons=[Button("retry/1", "Retry")])
        await rig.press(target.channel, "Retry")
        pressed = await heard.one(Pressed)
        await rig.simulator.kick("general")
        await rig.adapter.post(pressed.target, "only for you", key="k2")
        assert [each["text"] for each in rig.simulator.sees("user1", "general") if each["ephemeral"]] == ["only for you"]
        assert "only for you" not in read(rig, "user2")
        with pytest.raises(Refused):
            await rig.adapter.post(replace(pressed.target, handle=None), "only for you", key="k3")


async def test_a_private_answer_in_a_thread_of_which_nothing_is_known_is_not_made_again(rig: SlackRig) -> None:
    async with listening(rig.adapter) as heard:
        target = replace(await answering(rig, await asked(rig, heard)), private=True)
        await rig.simulator.fault(Rule("reset", path="/chat.postEphemeral", moment="after"))
        with pytest.raises(Unavailable):
            await rig.adapter.post(target, "only for you", key="k1")
        assert [each["text"] for each in rig.simulator.sees("user1", "general") if each["ephemeral"]] == ["only for you"]


async def test_a_command_that_waits_to_be_stored_is_acknowledged_in_time(rig: SlackRig) -> None:
    stored, delivered = asyncio.Event(), asyncio.Event()

    async def deliver(event: Event) -> None:
        if isinstance(event, Command):
            await stored.wait()
            delivered.set()

    async with running(rig.adapter, deliver):
        await rig.simulator.wait_for(lambda: rig.simulator.sockets.open)
        await rig.simulator.call("user1", "/threadline", "general", "new")
        await rig.simulator.wait_for(lambda: rig.simulator.triggers()[-1]["outcome"])
        assert rig.simulator.triggers()[-1]["outcome"] == "acked"
        assert not delivered.is_set()
        stored.set()
        async with asyncio.timeout(30):
            await delivered.wait()
