"""What people do that nobody expects: twice at once, too long, hostile, from the wrong place."""

import re

import pytest

from tests.script.base import file, text
from tests.script.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

BROKE_OFF = "*The answer above is incomplete. The connection to Claude broke off. Ask again in a moment.*"


async def test_continue_pressed_twice_goes_on_once(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("twice pressed", "Half", deltas=2, ending="cut")
    stage.answers("Continue.", "and half.")
    await stage.say(ada, chat, "twice pressed")
    torn = f"threadline: Half\n\n{BROKE_OFF} [Continue] [Retry]"
    await stage.reads(ada, chat, f"{ada}: twice pressed", torn)
    await stage.press(ada, chat, "Continue")
    await stage.press(ada, chat, "Continue")
    old = "threadline: Something else was asked after this. Write what I should go on with. (only you)"
    await stage.answered(ada, chat, 4)
    assert sorted(stage.sees(ada, chat)) == sorted([f"{ada}: twice pressed", torn, "threadline: and half.", old])


async def test_retry_pressed_twice_answers_once(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("again twice", "Half", deltas=2, ending="cut")
    stage.answers("again twice", "Whole.", wait=3.0)
    await stage.say(ada, chat, "again twice")
    await stage.reads(ada, chat, f"{ada}: again twice", f"threadline: Half\n\n{BROKE_OFF} [Continue] [Retry]")
    await stage.press(ada, chat, "Retry")
    await stage.press(ada, chat, "Retry")
    busy = "threadline: The last question is being answered just now. Wait for it, or write /stop first. (only you)"
    await stage.reads(ada, chat, f"{ada}: again twice", "threadline: Whole.", busy)


async def test_ask_as_text_takes_its_question_and_files(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    stage.answers("what says it", "Milk.")
    thread = await stage.say(ada, place, "@threadline /ask what says it", file("list.txt", "milk"))
    await stage.reads(ada, thread, "threadline: Milk.")
    assert text(stage.body("what says it")) == f"{ada}: what says it\n  [a file: list.txt]"


async def test_ask_as_text_without_a_question_is_told(stage: Stage) -> None:
    ada, chat = await stage.alone()
    await stage.say(ada, chat, "/ask")
    await stage.until(lambda: len(stage.sees(ada, chat)) == 2)
    assert stage.sees(ada, chat)[1] == "threadline: There is no question. Write it after /ask."


async def test_instructions_of_full_length_are_shown_back_whole_and_break_nothing(stage: Stage) -> None:
    ada, chat = await stage.alone()
    hostile = ("```\n@everyone <@1> `" + "x" * 1500)[:1500]
    told = await stage.told(ada, chat, "system", text=hostile)
    assert told.count("x") >= 1480
    assert told.startswith("The instructions for this channel, from the next answer on:\n```\n'''\n@everyone <@1> `xxx")
    assert told.endswith("xxx\n``` (only you)")
    shown = stage.discord.world.state.messages[int(stage.discord.sees(ada, chat)[-1]["id"])]
    assert not shown.pings.everyone
    assert not shown.pings.users
    await stage.say(ada, chat, f"/system {'x' * 1501}")
    await stage.until(
        lambda: stage.sees(ada, chat)[-1] == "threadline: These instructions are too long. Shorten them to 1,500 characters."
    )


async def test_a_hostile_title_is_harmless_in_lists_and_menus(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("loud", "Yes.")
    await stage.say(ada, chat, "loud `**@everyone**`\n# big " + "y" * 200)
    await stage.answered(ada, chat, 2)
    listed = await stage.told(ada, chat, "list")
    line = listed.splitlines()[1]
    assert re.fullmatch(r"- `[0-9a-f]{8}` `[^`\n]{1,100}`: 1 question, just now, open \(only you\)", line), line
    await stage.told(ada, chat, "new")
    [offered] = await stage.discord.autocomplete(ada, "resume", "conversation", "", chat)
    assert len(offered["name"]) <= 100


async def test_an_answer_to_a_command_that_is_too_long_for_one_message_comes_in_several(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    for nth in range(10):
        thread = await stage.say(ada, place, f"@threadline {nth} {'title ' * 40}")
        await stage.answered(ada, thread, 1)
    await stage.told(ada, place, "list")
    await stage.settled()
    shown = "\n".join(line for line in stage.sees(ada, place) if line.endswith("(only you)"))
    assert shown.count(": 1 question, just now, open, in a thread") == 10


async def test_stop_in_the_channel_of_the_thread_says_where_to_write_it(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    stage.hangs("stop from outside", "One two three.")
    thread = await stage.say(ada, place, "@threadline stop from outside")
    await stage.glimpses(ada, thread, "threadline: One two three. [Stop]")
    idle = "There is nothing to stop here. Write /stop in the conversation whose answer should end. (only you)"
    assert await stage.told(ada, place, "stop") == idle
    await stage.told(ada, thread, "stop")
    await stage.until(lambda: "[Retry]" in stage.sees(ada, thread)[0])
    await stage.settled()


async def test_new_while_an_answer_is_written_ends_it(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.hangs("closed meanwhile", "One two three.")
    await stage.say(ada, chat, "closed meanwhile")
    await stage.glimpses(ada, chat, f"{ada}: closed meanwhile", "threadline: One two three. [Stop]")
    await stage.say(ada, chat, "/new")
    await stage.until(lambda: "[Stop]" not in stage.sees(ada, chat)[1])
    await stage.settled()
    assert stage.sees(ada, chat) == [
        f"{ada}: closed meanwhile", "threadline: One two three.\n\n*Stopped.* [Continue] [Retry]", f"{ada}: /new",
        "threadline: This conversation is closed. Your next message starts a new one.",
    ]  # fmt: skip


async def test_undo_takes_back_what_retry_would_answer(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("undo me", "Yes.")
    await stage.say(ada, chat, "undo me")
    await stage.reads(ada, chat, f"{ada}: undo me", "threadline: Yes.")
    await stage.told(ada, chat, "undo")
    assert await stage.told(ada, chat, "retry") == "There is nothing here to answer again. Write your question. (only you)"


async def test_a_name_that_is_edited_into_a_command_changes_nothing(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("edit to command", "Yes.")
    question = await stage.say(ada, chat, "edit to command")
    await stage.reads(ada, chat, f"{ada}: edit to command", "threadline: Yes.")
    await stage.edit(question, "/new")
    await stage.told(ada, chat, "help")
    await stage.reads(ada, chat, f"{ada}: /new", "threadline: Yes.", stage.sees(ada, chat)[-1])
