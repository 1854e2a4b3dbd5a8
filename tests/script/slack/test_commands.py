"""Commands: /ask and /threadline with the name of any of them; in threads, where Slack has none, as text after a mention."""

import pytest

from tests.script.base import ADMIN, text
from tests.script.slack.stage import Stage
from tests.script.test_commands import HELP, IN_CHANNEL, IN_DIRECT, IN_THREAD, NEW

pytestmark = pytest.mark.asyncio(loop_scope="module")

GIVEN = HELP.replace("`/", "`/threadline ").replace("/threadline ask", "/ask")
"""The same where commands are the app's own."""
WRITTEN = HELP.replace("`/", "`@threadline /")
"""The same in threads, where they are written."""

NOTHING = "There is nothing here to answer again. Write your question."


async def test_ask_in_a_channel_shows_the_question_and_is_answered_in_a_thread_on_it(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    stage.answers("a public question", "A public answer.")
    stage.answers("and then", "More.")
    await stage.call(ada, place, "/ask a public question")
    asked = f"threadline: **{ada}** asks:\n> a public question"
    await stage.reads(ada, place, asked)
    thread = f"{place}/{stage.ids(ada, place)[0]}"
    await stage.reads(ada, thread, asked, "threadline: A public answer.")
    await stage.say(ada, thread, "and then")
    await stage.reads(ada, thread, asked, "threadline: A public answer.", f"{ada}: and then", "threadline: More.")
    assert text(stage.body("a public question")) == f"{ada}: a public question"
    assert len(stage.body("and then")["messages"]) == 3


async def test_ask_in_a_direct_chat_is_answered_in_a_thread_too(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("a direct question", "A direct answer.")
    await stage.call(ada, chat, "/ask a direct question")
    asked = f"threadline: **{ada}** asks:\n> a direct question"
    await stage.reads(ada, chat, asked)
    await stage.reads(ada, f"{chat}/{stage.ids(ada, chat)[0]}", asked, "threadline: A direct answer.")


async def left(stage: Stage, place: str) -> None:
    """Take the bot out of a channel, and wait until it knows: it drops what was asked there before."""
    await stage.slack.kick(place)
    await stage.until(lambda: not stage.slack.delivery.busy)


async def test_ask_where_the_bot_is_not_is_answered_by_way_of_the_command(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    await left(stage, place)
    stage.answers("from outside", "From outside, too.")
    await stage.call(ada, place, "/ask from outside")
    await stage.until(lambda: any("From outside, too." in line for line in stage.sees(ada, place)))
    await stage.settled()
    assert stage.sees(ada, place) == ["threadline: From outside, too."]


async def test_a_long_answer_where_the_bot_is_not_is_shown_once(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    await left(stage, place)
    stage.answers("slowly from outside", "One two three four five six.", deltas=6, seconds=3.0)
    await stage.call(ada, place, "/ask slowly from outside")
    await stage.until(lambda: any("six." in line for line in stage.sees(ada, place)))
    await stage.settled()
    assert stage.sees(ada, place) == ["threadline: One two three four five six."]


async def test_ask_without_a_question_says_what_to_write_to_the_one_who_asked(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    told = await stage.told(ada, place, "/ask")
    assert told.endswith("(only you)")
    assert "question" in told


async def test_help_says_what_to_write_in_each_kind_of_place(stage: Stage) -> None:
    ada, chat = await stage.alone()
    place = await stage.channel()
    assert await stage.told(ada, chat, "/threadline help") == f"{IN_DIRECT}\n{GIVEN} (only you)"
    assert await stage.told(ada, place, "/threadline") == f"{IN_CHANNEL}\n{GIVEN} (only you)"
    stage.answers("help me", "How?")
    thread = await stage.say(ada, place, "@threadline help me")
    lines = [f"{ada}: @threadline help me", "threadline: How?"]
    await stage.reads(ada, thread, *lines)
    await stage.say(ada, thread, "@threadline /help")
    await stage.reads(ada, thread, *lines, f"{ada}: @threadline /help", f"threadline: {IN_THREAD}\n{WRITTEN}")
    await stage.reads("user2", place, f"{ada}: @threadline help me")


async def test_an_unknown_command_says_so(stage: Stage) -> None:
    ada, chat = await stage.alone()
    told = await stage.told(ada, chat, "/threadline dance")
    assert told == "I do not know this command. Write /threadline help to see those that there are. (only you)"


async def test_what_is_told_of_another_conversation_names_the_command_as_it_is_written_there(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    told = await stage.told(ada, place, "/threadline stop")
    assert told == (
        "There is nothing to stop here. Write @threadline /stop in the conversation whose answer should end. (only you)"
    )


async def test_a_model_chosen_for_a_channel_holds_in_its_threads(stage: Stage) -> None:
    place = await stage.channel()
    said = await stage.told(ADMIN, place, "/threadline model opus for:channel")
    assert said.endswith("(only you)")
    assert "opus" in said
    stage.answers("which model", "This one.")
    thread = await stage.say(ADMIN, place, "@threadline which model")
    await stage.reads(ADMIN, thread, f"{ADMIN}: @threadline which model", "threadline: This one.")
    assert "opus" in stage.body("which model")["model"]
    shown = await stage.told(ADMIN, place, "/threadline model")
    assert shown.startswith("The model here: `opus`")


async def test_settings_and_usage_and_why_are_told_to_one_person(stage: Stage) -> None:
    ada, ben, place = await stage.person(), await stage.person(), await stage.channel()
    for name, first in (
        ("settings", "What holds here:\n"),
        ("usage", f"Used in {stage.now():%B %Y}; "),
        ("why", "I have taken no message of yours here in the last days."),
        ("list", "There are no conversations here yet."),
        ("retry", NOTHING),
        ("undo", "There is nothing here to forget."),
    ):
        told = await stage.told(ada, place, f"/threadline {name}")
        assert told.startswith(first)
        assert told.endswith("(only you)")
    assert stage.sees(ben, place) == []


async def test_new_as_text_in_a_thread_closes_its_conversation(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    stage.answers("newly", "Here.")
    stage.answers("afresh", "There.")
    thread = await stage.say(ada, place, "@threadline newly")
    lines = [f"{ada}: @threadline newly", "threadline: Here."]
    await stage.reads(ada, thread, *lines)
    await stage.say(ada, thread, "@threadline /new")
    lines += [f"{ada}: @threadline /new", f"threadline: {NEW}"]
    await stage.reads(ada, thread, *lines)
    await stage.say(ada, thread, "afresh")
    await stage.reads(ada, thread, *lines, f"{ada}: afresh", "threadline: There.")
    assert len(stage.body("afresh")["messages"]) == 1


async def test_stop_and_retry_as_text_in_a_thread(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    stage.hangs("halting", "One two three.")
    stage.answers("halting", "All of it.")
    thread = await stage.say(ada, place, "@threadline halting")
    asked = f"{ada}: @threadline halting"
    await stage.glimpses(ada, thread, asked, "threadline: One two three. [Stop]")
    await stage.say(ada, thread, "@threadline /stop")
    stopped = "threadline: One two three.\n\n*Stopped.* [Continue] [Retry]"
    await stage.reads(ada, thread, asked, stopped, f"{ada}: @threadline /stop")
    await stage.say(ada, thread, "@threadline /retry")
    await stage.reads(ada, thread, asked, "threadline: All of it.", f"{ada}: @threadline /stop", f"{ada}: @threadline /retry")


async def test_a_command_by_mention_in_a_channel_is_answered_in_its_thread(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    thread = await stage.say(ada, place, "@threadline /retry")
    await stage.reads(ada, thread, f"{ada}: @threadline /retry", f"threadline: {NOTHING}")
    await stage.reads(ada, place, f"{ada}: @threadline /retry")


async def test_undo_in_a_thread_forgets_the_last_question_and_its_answer(stage: Stage) -> None:
    ada, chat = await stage.alone()
    for word in ("kept", "undone", "later"):
        stage.answers(word, f"On {word}.")
    thread = await stage.say(ada, chat, "kept")
    lines = [f"{ada}: kept", "threadline: On kept."]
    await stage.reads(ada, thread, *lines)
    await stage.say(ada, thread, "undone")
    lines += [f"{ada}: undone", "threadline: On undone."]
    await stage.reads(ada, thread, *lines)
    await stage.say(ada, thread, "@threadline /undo")
    forgotten = "I have forgotten the last question and its answer. They can still be read here, but I do not know them any more."
    lines += [f"{ada}: @threadline /undo", f"threadline: {forgotten}"]
    await stage.reads(ada, thread, *lines)
    await stage.say(ada, thread, "later")
    await stage.reads(ada, thread, *lines, f"{ada}: later", "threadline: On later.")
    assert [text(stage.body("later"), nth) for nth in range(3)] == ["kept", "On kept.", "later"]
