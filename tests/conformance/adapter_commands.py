"""What an adapter promises whose platform has buttons, commands, or messages that change. Part of `adapter.py`."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from shared.chat import Button, Command, Connected, Deleted, Edited, Message, Pressed, Target
from shared.commands import COMMANDS, Choice, Menus, Typing
from shared.errors import Refused
from tests.conformance.adapter_rig import Changes, Commands, Heard, Presses, Rig, answering, asked, listening

ALL = [spec.name for spec in COMMANDS]
STOP, RETRY = Button("stop/1", "Stop"), Button("retry/1", "Retry")


async def _complete(typing: Typing) -> Sequence[Choice]:
    return [Choice(f"{typing.command}/{typing.option}/{typing.text}", "as asked")]


@asynccontextmanager
async def offering(rig: Rig) -> AsyncGenerator[tuple[Heard, Commands]]:
    """Run the adapter with the commands of the table. Skips where there are none."""
    if not isinstance(rig.adapter, Menus) or not isinstance(rig, Commands):
        pytest.skip("no commands here")
    rig.adapter.offer(COMMANDS, _complete)
    async with listening(rig.adapter) as heard:
        await rig.offered(ALL)
        yield heard, rig


async def given(heard: Heard, rig: Commands, name: str, options: Mapping[str, str] | None = None) -> Command:
    """Somebody gives a command; the command as it was heard."""
    count = len(heard.of(Command)) + 1
    await rig.command(name, options or {})
    return await heard.one(Command, count)


class CommandPromises:
    """Skipped where the rig has not got the ability."""

    # buttons

    async def test_buttons_are_shown_changed_and_taken_away(self, rig: Rig) -> None:
        if not isinstance(rig, Presses):
            pytest.skip("no buttons here")
        async with listening(rig.adapter) as heard:
            target = await answering(rig, await asked(rig, heard))
            message = await rig.adapter.post(target, "one", key="k1", buttons=[STOP])
            assert rig.buttons(target.channel) == [["Stop"]]
            await rig.adapter.edit(target, message, "one two", buttons=[STOP])
            assert rig.buttons(target.channel) == [["Stop"]]
            await rig.adapter.edit(target, message, "one two", buttons=[RETRY, STOP])
            assert rig.buttons(target.channel) == [["Retry", "Stop"]]
            await rig.adapter.edit(target, message, "one two")
            assert rig.buttons(target.channel) == [[]]
            await rig.adapter.post(target, "two", key="k2")
            assert rig.buttons(target.channel) == [[], []]
            assert rig.shown(target.channel) == ["one two", "two"]

    async def test_a_press_tells_the_button_the_message_and_the_person(self, rig: Rig) -> None:
        if not isinstance(rig, Presses):
            pytest.skip("no buttons here")
        async with listening(rig.adapter) as heard:
            message = await asked(rig, heard)
            target = await answering(rig, message)
            shown = await rig.adapter.post(target, "one", key="k1", buttons=[RETRY, STOP])
            await rig.press(target.channel, "Stop")
            pressed = await heard.one(Pressed)
            assert (pressed.button, pressed.message) == (STOP.id, shown)
            assert pressed.author.id == message.author.id
            assert pressed.place.id == target.channel.id
            assert pressed.keys
            await rig.press(target.channel, "Stop")
            again = await heard.one(Pressed, 2)
            assert not set(pressed.keys) & set(again.keys)

    async def test_a_press_can_be_answered_for_the_person_alone(self, rig: Rig) -> None:
        if not isinstance(rig, Presses):
            pytest.skip("no buttons here")
        async with listening(rig.adapter) as heard:
            target = await answering(rig, await asked(rig, heard))
            await rig.adapter.post(target, "one", key="k1", buttons=[STOP])
            await rig.press(target.channel, "Stop")
            pressed = await heard.one(Pressed)
            await rig.adapter.post(pressed.target, "only for you", key="k2")
            if pressed.target.handle is not None and pressed.target.private:
                assert rig.shown(target.channel) == ["one"]

    async def test_a_button_can_be_pressed_after_a_restart(self, rig: Rig) -> None:
        if not isinstance(rig, Presses):
            pytest.skip("no buttons here")
        async with listening(rig.adapter) as heard:
            target = await answering(rig, await asked(rig, heard))
            shown = await rig.adapter.post(target, "one", key="k1", buttons=[STOP])
        async with listening(rig.adapter) as heard:
            await rig.press(target.channel, "Stop")
            pressed = await heard.one(Pressed)
            assert (pressed.button, pressed.message) == (STOP.id, shown)

    # changes

    async def test_a_message_that_was_changed_is_told_whole(self, rig: Rig) -> None:
        if not isinstance(rig, Changes):
            pytest.skip("nothing can be changed here")
        async with listening(rig.adapter) as heard:
            before = await asked(rig, heard, "see https://example.org/")
            await rig.preview()
            await rig.change("second thoughts")
            edited = await heard.one(Edited)
            assert edited.message == replace(before, text="second thoughts")
            assert not set(edited.keys) & set(before.keys)
            await rig.change("third thoughts")
            again = await heard.one(Edited, 2)
            assert again.message.text == "third thoughts"
            assert not set(edited.keys) & set(again.keys)

    async def test_what_nobody_did_is_no_change(self, rig: Rig) -> None:
        if not isinstance(rig, Changes):
            pytest.skip("nothing can be changed here")
        async with listening(rig.adapter) as heard:
            await asked(rig, heard, "see https://example.org/")
            await rig.change("see https://example.org/page")
            await heard.one(Edited)
            await rig.preview()
            target = await answering(rig, await asked(rig, heard, "and this"))
            own = await rig.adapter.post(target, "one", key="k1")
            await rig.adapter.edit(target, own, "two")
            await asked(rig, heard, "after all that")
            assert len(heard.of(Edited)) == 1

    async def test_a_message_that_was_taken_back_is_told(self, rig: Rig) -> None:
        if not isinstance(rig, Changes):
            pytest.skip("nothing can be taken back here")
        async with listening(rig.adapter) as heard:
            message = await asked(rig, heard)
            await rig.take_back()
            deleted = await heard.one(Deleted)
            assert (deleted.message, deleted.channel) == (message.id, message.target.channel.id)

    # commands

    async def test_commands_are_registered_only_if_they_have_changed(self, rig: Rig) -> None:
        async with offering(rig) as (heard, commands):
            assert await commands.offered(ALL) == 1
            await rig.new_session()
            await heard.connected(2)
        async with offering(rig) as (_, commands):
            assert await commands.offered(ALL) == 1
        assert isinstance(rig.adapter, Menus)
        rig.adapter.offer(COMMANDS[:3], _complete)
        async with listening(rig.adapter):
            assert await commands.offered([spec.name for spec in COMMANDS[:3]]) == 2

    async def test_a_command_arrives_with_its_options_and_is_answered(self, rig: Rig) -> None:
        async with offering(rig) as (heard, commands):
            command = await given(heard, commands, "new")
            assert (command.name, command.options) == ("new", {})
            assert command.author.name
            assert command.keys
            first = await rig.adapter.post(command.target, "one", key="k1")
            assert await rig.adapter.post(command.target, "one, again", key="k1") == first
            second = await rig.adapter.post(command.target, "two", key="k2")
            assert commands.read() == ["one, again", "two"]
            assert commands.read(others=True) == commands.read()
            await rig.adapter.edit(command.target, first, "three", buttons=[STOP])
            await rig.adapter.delete(command.target, second)
            await rig.adapter.delete(command.target, second)
            assert commands.read() == ["three"]
            chosen = await given(heard, commands, "model", {"name": "a model", "for": "channel"})
            assert (chosen.name, chosen.options) == ("model", {"name": "a model", "for": "channel"})

    async def test_an_answer_for_one_person_is_seen_by_them_alone(self, rig: Rig) -> None:
        async with offering(rig) as (heard, commands):
            command = await given(heard, commands, "help")
            if not command.target.private:
                pytest.skip("nothing is private here")
            first = await rig.adapter.post(command.target, "one", key="k1")
            await rig.adapter.post(command.target, "two", key="k2", silent=True)
            await rig.adapter.edit(command.target, first, "one, changed")
            assert commands.read() == ["one, changed", "two"]
            assert commands.read(others=True) == []

    async def test_a_command_is_answered_after_a_restart(self, rig: Rig) -> None:
        async with offering(rig) as (heard, commands):
            command = await given(heard, commands, "help")
        async with offering(rig) as (_, commands):
            first = await rig.adapter.post(command.target, "one", key="k1")
            await rig.adapter.post(command.target, "two", key="k2")
        async with offering(rig) as (_, commands):
            await rig.adapter.edit(command.target, first, "one, changed")
            assert commands.read() == ["one, changed", "two"]

    async def test_when_its_time_is_over_a_public_answer_is_shown_in_the_channel(self, rig: Rig) -> None:
        async with offering(rig) as (heard, commands):
            command = await given(heard, commands, "new")
            await commands.expire()
            message = await rig.adapter.post(command.target, "late", key="k1")
            await rig.adapter.edit(command.target, message, "late, changed")
            assert commands.read(others=True) == ["late, changed"]
            passed = _over((await given(heard, commands, "new")).target)
            message = await rig.adapter.post(passed, "too late", key="k2")
            assert commands.read(others=True) == ["late, changed", "too late"]
            await rig.adapter.delete(passed, message)
            assert commands.read(others=True) == ["late, changed"]

    async def test_when_its_time_is_over_a_private_answer_is_shown_to_nobody(self, rig: Rig) -> None:
        async with offering(rig) as (heard, commands):
            command = await given(heard, commands, "help")
            if not command.target.private:
                pytest.skip("nothing is private here")
            passed = _over(command.target)
            await commands.expire()
            for target in (command.target, passed):
                with pytest.raises(Refused):
                    await rig.adapter.post(target, "a secret", key="k1")
            assert commands.read() == commands.read(others=True) == []

    async def test_a_question_asked_by_command_arrives(self, rig: Rig) -> None:
        async with offering(rig) as (heard, commands):
            await commands.command("ask", {"question": f"what is *this*, {rig.hostile}?"})
            await heard.until(lambda: len(heard.messages) + len(heard.of(Command)) > 0)
            await asked(rig, heard, "after")
            [question] = [each for each in heard.events if isinstance(each, (Message, Command))][:1]
            text = question.text if isinstance(question, Message) else question.options["question"]
            assert text.startswith("what is *this*, ")
            await rig.adapter.post(question.target, "an answer", key="k1")
            assert commands.read(others=True) == ["an answer"]
        assert rig.pinged() == 0

    async def test_values_are_offered_while_a_person_writes(self, rig: Rig) -> None:
        async with offering(rig) as (_, commands):
            assert await commands.suggested("model", "name", "op") == ["model/name/op"]

    async def test_what_is_done_before_the_session_is_announced_comes_after_it(self, rig: Rig) -> None:
        async with offering(rig) as (heard, commands):
            await rig.new_session()
            await heard.connected(2)
            await given(heard, commands, "new")
            kinds = [type(each) for each in heard.events if isinstance(each, (Connected, Command))]
            assert kinds == [Connected, Connected, Command]


def _over(target: Target) -> Target:
    return replace(target, expires=datetime.now(UTC) - timedelta(seconds=1))
