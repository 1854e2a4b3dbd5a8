"""Commands, picked from the menu and written, in private chats, groups and topics."""

import re

import pytest

from sandbox.anthropic import Script
from shared.commands import COMMANDS
from tests.script.base import ADMIN
from tests.script.telegram.stage import ME, Stage
from tests.script.test_commands import HELP, HERE_CHANNEL, HERE_DIRECT, IN_CHANNEL, IN_DIRECT, NEW

pytestmark = pytest.mark.asyncio(loop_scope="module")

LISTED = HELP.replace("- `", "• `")
"""Lists have dots here."""
NAMED = re.sub(r"`(/\w+)", rf"`\1{ME}", LISTED)
"""The same in groups, where commands name the bot."""

NOTHING = "There is nothing here to answer again. Write your question."
UNKNOWN = "I know no such conversation here. Write /list to see those that there are."


async def test_the_menu_offers_every_command_in_private_chats_and_in_groups(stage: Stage) -> None:
    ada, chat = await stage.alone()
    place = await stage.group()
    await stage.until(lambda: len(stage.calls("setMyCommands")) == 3)
    for where in (chat, place):
        offered = {each["command"]: each["description"] for each in stage.telegram.commands(ada, where)}
        assert list(offered) == [spec.name for spec in COMMANDS]
        assert offered["ask"] == "Ask Claude <question>"
        assert offered["model"] == "Show or choose the model [name] [for]"


async def test_the_menus_are_registered_once_however_often_the_server_starts(stage: Stage) -> None:
    await stage.until(lambda: len(stage.calls("setMyCommands")) == 3)
    known = len(stage.calls("getMyCommands"))
    await stage.stop()
    await stage.start()
    await stage.until(lambda: len(stage.calls("getMyCommands")) == known + 3)
    assert len(stage.calls("setMyCommands")) == 3


async def test_start_and_help_say_what_to_write(stage: Stage) -> None:
    ada, chat = await stage.alone()
    assert await stage.told(ada, chat, "start") == f"{IN_DIRECT}\n{LISTED}"
    assert await stage.told(ada, chat, "start from-a-link") == f"{IN_DIRECT}\n{LISTED}"
    assert await stage.told(ada, chat, "help") == f"{IN_DIRECT}\n{LISTED}"
    place = await stage.group()
    assert await stage.told(ada, place, "help") == f"{IN_CHANNEL}\n{NAMED}"


@pytest.mark.parametrize("written", ["/help", "/HELP", f"/help{ME}", f"/Help{ME.upper()}", "  /help ", f"{ME} /help"])
async def test_a_command_can_be_written_in_each_way_in_a_private_chat(stage: Stage, written: str) -> None:
    ada, chat = await stage.alone()
    said = await stage.say(ada, chat, written)
    assert await stage.answer(ada, chat, said) == f"{IN_DIRECT}\n{LISTED}"


@pytest.mark.parametrize("written", ["/help", f"/help{ME}", f"/HELP{ME.upper()}", f"{ME} /help", f"/start{ME}"])
async def test_a_command_can_be_written_in_each_way_in_a_group(stage: Stage, written: str) -> None:
    ada, place = await stage.person(), await stage.group()
    said = await stage.say(ada, place, written)
    assert await stage.answer(ada, place, said) == f"{IN_CHANNEL}\n{NAMED}"
    assert stage.answered_to(ada, place) == [None, f"{ada}: {written}"]


@pytest.mark.parametrize("written", ["/etc/hosts", "/dance", "/help please", "look at /help", "/ help"])
async def test_what_only_looks_like_a_command_is_a_question(stage: Stage, written: str) -> None:
    ada, chat = await stage.alone()
    await stage.say(ada, chat, written)
    await stage.reads(ada, chat, f"{ada}: {written}", f"threadline: You said: {written}")


async def test_new_closes_the_conversation_and_the_next_message_knows_nothing_of_it(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("newt 1", "First.")
    stage.answers("newt 2", "Second.")
    await stage.say(ada, chat, "newt 1")
    await stage.reads(ada, chat, f"{ada}: newt 1", "threadline: First.")
    assert await stage.told(ada, chat, "new") == NEW
    await stage.say(ada, chat, "newt 2")
    await stage.reads(ada, chat, *stage.sees(ada, chat)[:5], "threadline: Second.")
    assert len(stage.body("newt 2")["messages"]) == 1


async def test_new_in_one_topic_leaves_the_others_open(stage: Stage) -> None:
    ada, forum = await stage.person(), await stage.group(forum=True)
    first, second = await stage.topic(ada, forum), await stage.topic(ada, forum)
    for where in (first, second):
        await stage.say(ada, where, f"{ME} opens")
        await stage.reads(ada, where, f"{ada}: {ME} opens", f"threadline: You said: {ada}: opens")
    assert await stage.told(ada, first, "new") == NEW
    for where, known in ((first, 1), (second, 3)):
        await stage.say(ada, where, f"{ME} goes on {known}")
        answer = f"threadline: You said: {ada}: goes on {known}"
        await stage.until(lambda where=where, answer=answer: stage.sees(ada, where)[-1] == answer)
        await stage.settled()
        assert len(stage.body(f"goes on {known}")["messages"]) == known


async def test_stop_ends_the_answer_and_says_nothing_more(stage: Stage) -> None:
    ada, chat = await stage.alone()
    idle = "There is nothing to stop here. Write /stop in the conversation whose answer should end."
    assert await stage.told(ada, chat, "stop") == idle
    stage.hangs("halting", "One two three.")
    await stage.say(ada, chat, "halting")
    lines = [f"{ada}: /stop", f"threadline: {idle}", f"{ada}: halting"]
    await stage.glimpses(ada, chat, *lines, "threadline: One two three. [Stop]")
    await stage.say(ada, chat, "/stop")
    await stage.reads(ada, chat, *lines, "threadline: One two three.\n\n*Stopped.* [Continue] [Retry]", f"{ada}: /stop")


async def test_a_group_names_the_bot_in_what_to_write(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.group()
    idle = f"There is nothing to stop here. Write /stop{ME} in the conversation whose answer should end."
    assert await stage.told(ada, place, "stop") == idle
    stage.claude.script(Script(status=400, error_message="no"), match="refused here")
    await stage.say(ada, place, f"{ME} refused here")
    failed = f"Claude did not accept this request. Write /new{ME} to start a fresh conversation, then ask again."
    await stage.until(lambda: stage.sees(ada, place)[-1] == f"threadline: {failed} [Retry]")
    await stage.settled()


async def test_retry_answers_the_last_question_again_in_place(stage: Stage) -> None:
    ada, chat = await stage.alone()
    assert await stage.told(ada, chat, "retry") == NOTHING
    stage.answers("dice", "Three.")
    stage.answers("dice", "Five.")
    await stage.say(ada, chat, "dice")
    lines = [f"{ada}: /retry", f"threadline: {NOTHING}", f"{ada}: dice"]
    await stage.reads(ada, chat, *lines, "threadline: Three.")
    await stage.say(ada, chat, "/retry")
    await stage.reads(ada, chat, *lines, "threadline: Five.", f"{ada}: /retry")


async def test_undo_forgets_the_last_question_and_its_answer(stage: Stage) -> None:
    ada, chat = await stage.alone()
    assert await stage.told(ada, chat, "undo") == "There is nothing here to forget."
    lines = [f"{ada}: /undo", "threadline: There is nothing here to forget."]
    stage.answers("undone", "Done.")
    await stage.say(ada, chat, "undone")
    await stage.reads(ada, chat, *lines, f"{ada}: undone", "threadline: Done.")
    forgotten = "I have forgotten the last question and its answer. They can still be read here, but I do not know them any more."
    assert await stage.told(ada, chat, "undo") == forgotten
    await stage.say(ada, chat, "after the undone")
    await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: You said: after the undone")
    assert len(stage.body("after the undone")["messages"]) == 1
    await stage.settled()


async def test_a_model_chosen_for_a_group_holds_in_its_topics(stage: Stage) -> None:
    ada, forum = ADMIN, await stage.group(forum=True)
    topic = await stage.topic(ada, forum)
    ben = await stage.person()
    assert (await stage.told(ben, topic, "model haiku channel")).startswith("Only this bot's admins may choose that")
    assert await stage.told(ada, topic, "model opus channel") == ("The model for this channel: `opus` (`claude-opus-5-5`).")
    stage.answers("with which model", "With that.")
    await stage.say(ada, topic, f"{ME} with which model")
    await stage.until(lambda: stage.sees(ada, topic)[-1] == "threadline: With that.")
    assert stage.body("with which model")["model"] == "claude-opus-5-5"
    second = await stage.topic(ada, forum)
    assert (await stage.told(ada, second, "model")).startswith("The model here: `opus` (`claude-opus-5-5`)")
    await stage.settled()


async def test_choices_are_shown_set_and_taken_back(stage: Stage) -> None:
    ada, chat = await stage.alone()
    await stage.say(ada, chat, "opens it")
    await stage.reads(ada, chat, f"{ada}: opens it", "threadline: You said: opens it")
    assert await stage.told(ada, chat, "model haiku") == "The model for this conversation: `haiku` (`claude-haiku-5-5`)."
    assert await stage.told(ada, chat, "effort high") == "The effort for this conversation: `high`."
    told = await stage.told(ada, chat, "system Be kind.")
    assert told == "The instructions for this conversation, from the next answer on:\n```\nBe kind.\n```"
    ben, other = await stage.alone()
    assert (await stage.told(ben, other, "effort")).splitlines() == [
        "The effort here: the model's own, as this bot is set up.",
        "You can choose `low`, `medium`, `high`, `xhigh`, `max` or `default`.",
    ]
    assert await stage.told(ben, other, "effort nonsense") == (
        "There is no effort `nonsense`. There are `low`, `medium`, `high`, `xhigh`, `max` and `default`."
    )
    assert (await stage.told(ben, other, "model gpt")).startswith("There is no model `gpt` for me.")


async def test_list_names_the_conversations_and_resume_goes_on_with_one_by_its_number(stage: Stage) -> None:
    ada, chat = await stage.alone()
    await stage.say(ada, chat, "talk one")
    await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: You said: talk one")
    assert await stage.told(ada, chat, "new") == NEW
    listed = await stage.told(ada, chat, "list")
    [number] = re.findall(r"`([0-9a-f]{8})`", listed)
    assert listed == (
        "The conversations here; /resume and a number goes on with one:\n"
        f"• `{number}` `talk one`: 1 question, just now, closed with /new"
    )
    assert await stage.told(ada, chat, f"resume {number}") == "The conversation `talk one` goes on."
    await stage.say(ada, chat, "talk on")
    await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: You said: talk on")
    assert [message["role"] for message in stage.body("talk on")["messages"]] == ["user", "assistant", "user"]
    await stage.settled()
    ben, other = await stage.alone()
    assert await stage.told(ben, other, "list") == "There are no conversations here yet. Ask me something to start one."
    assert await stage.told(ben, other, f"resume {number}") == UNKNOWN
    none = "There is no closed conversation here to go on with. Your next message to me starts a new one."
    assert await stage.told(ben, other, "resume") == none


async def test_usage_tells_what_was_used_and_admins_what_all_have_used(stage: Stage) -> None:
    ada, chat = await stage.alone()
    begun = f"Used in {stage.now():%B %Y}; a new month begins on 1 {stage.next_month()} (UTC):"
    assert await stage.told(ada, chat, "usage") == f"{begun}\n• by you: 0 tokens, $0.00\n• in this channel: 0 tokens, $0.00"
    tokens = {"input_tokens": 900, "output_tokens": 100, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    stage.claude.script(Script(text="So much.", usage=tokens), match="costly")
    await stage.say(ada, chat, "costly")
    await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: So much.")
    await stage.settled()
    assert await stage.told(ada, chat, "usage") == (
        f"{begun}\n• by you: 1,000 tokens, less than $0.01\n• in this channel: 1,000 tokens, less than $0.01"
    )
    assert "• by all: " in await stage.told(ADMIN, f"@{ADMIN}", "usage")


async def test_why_tells_what_became_of_messages(stage: Stage) -> None:
    ada, chat = await stage.alone()
    none = "I have taken no message of yours here in the last days."
    assert await stage.told(ada, chat, "why") == f"{none} {HERE_DIRECT}"
    await stage.say(ada, chat, "why not")
    await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: You said: why not")
    await stage.settled()
    what = "What became of the last messages here:\n"
    assert await stage.told(ada, chat, "why") == f"{what}• just now: It was answered.\n{HERE_DIRECT}"
    place = await stage.group()
    await stage.say(ada, place, "just talking")
    await stage.say(ada, place, ME)
    await stage.until(lambda: len(stage.sees(ada, place)) == 3)
    empty = "It was not answered: it had no text. Write a question."
    assert await stage.told(ada, place, "why") == f"{what}• just now: {empty}\n{HERE_CHANNEL}"


async def test_settings_tells_what_holds_and_where_it_comes_from(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.group()
    told = (await stage.told(ada, place, "settings")).splitlines()
    assert told[:2] == ["What holds here:", "• model: `sonnet` (`claude-sonnet-5-5`), as this bot is set up"]
    assert "• `BURST_SECONDS`: `0`, set by the operator" in told
    assert told[-1] == f"/model{ME}, /effort{ME} and /system{ME} change the first three; /usage{ME} shows the limits."
