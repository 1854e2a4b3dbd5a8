"""Commands that tell something, close and take up conversations: as slash commands and as text, word for word."""

import re

import pytest

from sandbox.anthropic import Script
from tests.script.base import ADMIN
from tests.script.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

HELP = """\
You can attach pictures, PDFs and texts. Edit your last question to have it answered again.
- `/ask <question> [file]`: Ask Claude
- `/new`: Close this conversation; the next message starts a new one
- `/stop`: Stop the answer that is being written here
- `/retry`: Answer the last question again
- `/undo`: Forget the last question and its answer
- `/model [name] [for]`: Show or choose the model
- `/effort [level] [for]`: Show or choose how hard the model works
- `/system [text] [for]`: Show or set further instructions for the model
- `/usage`: Show what was used this month, and the limits
- `/list`: List the conversations of this place
- `/resume [conversation]`: Go on with a conversation that was closed
- `/help`: Show what I can do
- `/why`: Show what became of the last messages here
- `/settings`: Show the settings that hold here, and where each comes from"""
IN_DIRECT = "Write to me; every message is for me."
IN_CHANNEL = "Mention me with a question, or reply to one of my messages. Commands written as text need the mention, too."
IN_THREAD = "Write in my thread; elsewhere mention me, or reply to one of my messages."
HERE_DIRECT = "Here I take every message that is not a bot's."
HERE_CHANNEL = "Here I take messages that mention me or reply to me. Others, and those of bots, I leave alone."
NEW = "This conversation is closed. Your next message starts a new one."


async def test_help_says_what_to_write_in_each_kind_of_place(stage: Stage) -> None:
    ada, chat = await stage.alone()
    place = await stage.channel()
    assert await stage.told(ada, chat, "help") == f"{IN_DIRECT}\n{HELP} (only you)"
    assert await stage.told(ada, place, "help") == f"{IN_CHANNEL}\n{HELP} (only you)"
    thread = await stage.say(ada, place, "@threadline a question")
    await stage.answered(ada, thread, 1)
    assert await stage.told(ada, thread, "help") == f"{IN_THREAD}\n{HELP} (only you)"


async def test_a_command_can_be_written_as_text_in_a_direct_chat_and_by_mention_in_a_channel(stage: Stage) -> None:
    ada, chat = await stage.alone()
    place = await stage.channel()
    await stage.say(ada, chat, "/HELP")
    await stage.reads(ada, chat, f"{ada}: /HELP", f"threadline: {IN_DIRECT}\n{HELP}")
    await stage.say(ada, place, "@threadline /help")
    await stage.reads(ada, place, f"{ada}: @threadline /help", f"threadline: {IN_CHANNEL}\n{HELP}")


async def test_what_only_looks_like_a_command_is_a_question(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("/etc/hosts", "That is a file.")
    await stage.say(ada, chat, "/etc/hosts")
    await stage.reads(ada, chat, f"{ada}: /etc/hosts", "threadline: That is a file.")


async def test_new_closes_the_conversation_and_the_next_message_knows_nothing_of_it(stage: Stage) -> None:
    ada, chat = await stage.alone()
    assert await stage.told(ada, chat, "new") == "No conversation is open here. Ask me something to start one."
    stage.answers("newt 1", "First.")
    stage.answers("newt 2", "Second.")
    await stage.say(ada, chat, "newt 1")
    await stage.reads(ada, chat, *stage.sees(ada, chat)[:2], "threadline: First.")
    assert await stage.told(ada, chat, "new") == NEW
    await stage.say(ada, chat, "newt 2")
    await stage.reads(ada, chat, *stage.sees(ada, chat)[:5], "threadline: Second.")
    assert len(stage.body("newt 2")["messages"]) == 1


async def test_new_as_text_in_a_thread_closes_its_conversation(stage: Stage) -> None:
    ada = await stage.person()
    place = await stage.channel()
    stage.answers("newly", "Here.")
    thread = await stage.say(ada, place, "@threadline newly")
    await stage.reads(ada, thread, "threadline: Here.")
    await stage.say(ada, thread, "/new")
    await stage.reads(ada, thread, "threadline: Here.", f"{ada}: /new", f"threadline: {NEW}")


async def test_stop_ends_the_answer_that_is_being_written(stage: Stage) -> None:
    ada, chat = await stage.alone()
    idle = "There is nothing to stop here. Write /stop in the conversation whose answer should end. (only you)"
    assert await stage.told(ada, chat, "stop") == idle
    stage.hangs("stoppable", "One two three.")
    await stage.say(ada, chat, "stoppable")
    await stage.glimpses(ada, chat, *stage.sees(ada, chat)[:1], f"{ada}: stoppable", "threadline: One two three. [Stop]")
    assert await stage.told(ada, chat, "stop") == "I am stopping the answer that is being written here. (only you)"
    await stage.until(lambda: "threadline: One two three.\n\n*Stopped.* [Continue] [Retry]" in stage.sees(ada, chat))


async def test_stop_as_text_says_no_more_than_the_answer_that_ends(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.hangs("halting", "One two three.")
    await stage.say(ada, chat, "halting")
    await stage.glimpses(ada, chat, f"{ada}: halting", "threadline: One two three. [Stop]")
    await stage.say(ada, chat, "/stop")
    await stage.reads(
        ada, chat, f"{ada}: halting", "threadline: One two three.\n\n*Stopped.* [Continue] [Retry]", f"{ada}: /stop"
    )


async def test_retry_answers_the_last_question_again_in_place(stage: Stage) -> None:
    ada, chat = await stage.alone()
    nothing = "There is nothing here to answer again. Write your question. (only you)"
    assert await stage.told(ada, chat, "retry") == nothing
    stage.answers("dice", "Three.")
    stage.answers("dice", "Five.")
    await stage.say(ada, chat, "dice")
    await stage.reads(ada, chat, f"threadline: {nothing}", f"{ada}: dice", "threadline: Three.")
    assert await stage.told(ada, chat, "retry") == "I am answering the last question again. (only you)"
    await stage.until(lambda: stage.sees(ada, chat)[1:3] == [f"{ada}: dice", "threadline: Five."])


async def test_undo_forgets_the_last_question_and_its_answer(stage: Stage) -> None:
    ada, chat = await stage.alone()
    assert await stage.told(ada, chat, "undo") == "There is nothing here to forget. (only you)"
    for word in ("undone 1", "undone 2"):
        stage.answers(word, f"Answer to {word}.")
        await stage.say(ada, chat, word)
        await stage.until(lambda word=word: f"threadline: Answer to {word}." in stage.sees(ada, chat))
        await stage.settled()
    forgotten = "I have forgotten the last question and its answer. They can still be read here, but I do not know them any more."
    assert await stage.told(ada, chat, "undo") == f"{forgotten} (only you)"
    stage.answers("undone 3", "Fine.")
    await stage.say(ada, chat, "undone 3")
    await stage.until(lambda: "threadline: Fine." in stage.sees(ada, chat))
    said = str(stage.body("undone 3")["messages"])
    assert "undone 1" in said
    assert "undone 2" not in said


async def test_list_names_the_conversations_and_resume_goes_on_with_one_by_its_number(stage: Stage) -> None:
    ada, chat = await stage.alone()
    assert await stage.told(ada, chat, "list") == "There are no conversations here yet. Ask me something to start one. (only you)"
    for word in ("talk one", "talk two"):
        stage.answers(word, "Yes.")
        await stage.say(ada, chat, word)
        await stage.answered(ada, chat, 1)
        await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: Yes.")
        assert await stage.told(ada, chat, "new") == NEW
    listed = await stage.told(ada, chat, "list")
    first, second = (re.findall(r"`([0-9a-f]{8})`", listed)[nth] for nth in (1, 0))
    assert listed == (
        "The conversations here; /resume and a number goes on with one:\n"
        f"- `{second}` `talk two`: 1 question, just now, closed with /new\n"
        f"- `{first}` `talk one`: 1 question, just now, closed with /new (only you)"
    )
    assert await stage.told(ada, chat, "resume", conversation=first) == "The conversation `talk one` goes on."
    stage.answers("talk on", "On it goes.")
    await stage.say(ada, chat, "talk on")
    await stage.until(lambda: "threadline: On it goes." in stage.sees(ada, chat))
    assert [message["role"] for message in stage.body("talk on")["messages"]] == ["user", "assistant", "user"]
    assert "talk one" in str(stage.body("talk on")["messages"][0])
    assert f"- `{first}` `talk one`: 2 questions, just now, open\n" in await stage.told(ada, chat, "list")


async def test_resume_without_a_number_takes_the_last_one(stage: Stage) -> None:
    ada, chat = await stage.alone()
    none = "There is no closed conversation here to go on with. Your next message to me starts a new one."
    assert await stage.told(ada, chat, "resume") == none
    stage.answers("resumable", "Yes.")
    await stage.say(ada, chat, "resumable")
    await stage.until(lambda: "threadline: Yes." in stage.sees(ada, chat))
    await stage.told(ada, chat, "new")
    assert await stage.told(ada, chat, "resume") == "The conversation `resumable` goes on."
    unknown = "I know no such conversation here. Write /list to see those that there are."
    assert await stage.told(ada, chat, "resume", conversation="deadbeef") == unknown
    assert await stage.told(ada, chat, "resume", conversation="no number at all") == unknown


async def test_a_conversation_of_another_place_is_not_to_be_had(stage: Stage) -> None:
    ada, chat = await stage.alone()
    ben, other = await stage.alone()
    stage.answers("private matter", "Yes.")
    await stage.say(ada, chat, "private matter")
    await stage.reads(ada, chat, f"{ada}: private matter", "threadline: Yes.")
    await stage.told(ada, chat, "new")
    number = re.findall(r"`([0-9a-f]{8})`", await stage.told(ada, chat, "list"))[0]
    unknown = "I know no such conversation here. Write /list to see those that there are."
    assert await stage.told(ben, other, "resume", conversation=number) == unknown


async def test_models_and_conversations_are_offered_while_one_types(stage: Stage) -> None:
    ada, chat = await stage.alone()
    models = await stage.discord.autocomplete(ada, "model", "name", "haiku", chat)
    assert models == [
        {"name": "Claude Haiku 5.5", "value": "claude-haiku-5-5"},
        {"name": "Claude Haiku 4.5", "value": "claude-haiku-4-5"},
    ]
    assert await stage.discord.autocomplete(ada, "model", "name", "def", chat) == [
        {"name": "default: as it is set up", "value": "default"}
    ]
    stage.answers("completed talk", "Yes.")
    await stage.say(ada, chat, "completed talk")
    await stage.reads(ada, chat, f"{ada}: completed talk", "threadline: Yes.")
    [offered] = await stage.discord.autocomplete(ada, "resume", "conversation", "compl", chat)
    assert offered["name"] == f"completed talk ({offered['value']})"
    assert await stage.discord.autocomplete(ada, "resume", "conversation", "nothing like it", chat) == []


async def test_usage_tells_what_was_used_and_admins_what_all_have_used(stage: Stage) -> None:
    ada, chat = await stage.alone()
    now = stage.now()
    begun = f"Used in {now:%B %Y}; a new month begins on 1 {stage.next_month()} (UTC):"
    assert await stage.told(ada, chat, "usage") == (
        f"{begun}\n- by you: 0 tokens, $0.00\n- in this channel: 0 tokens, $0.00 (only you)"
    )
    tokens = {"input_tokens": 900, "output_tokens": 99, "cache_read_input_tokens": 1, "cache_creation_input_tokens": 0}
    stage.claude.script(Script(text="So much.", usage=tokens), match="costly")
    await stage.say(ada, chat, "costly")
    await stage.until(lambda: "threadline: So much." in stage.sees(ada, chat))
    assert await stage.told(ada, chat, "usage") == (
        f"{begun}\n- by you: 1,000 tokens, less than $0.01\n- in this channel: 1,000 tokens, less than $0.01 (only you)"
    )
    assert "- by all: " in await stage.told(ADMIN, f"@{ADMIN}", "usage")


async def test_why_tells_what_became_of_messages(stage: Stage) -> None:
    ada, chat = await stage.alone()
    none = "I have taken no message of yours here in the last days."
    assert await stage.told(ada, chat, "why") == f"{none} {HERE_DIRECT} (only you)"
    stage.answers("answered one", "Yes.")
    stage.claude.script(Script(status=400, error_message="no"), match="failing one")
    stage.claude.script(Script(text="", stop="refusal"), match="refused one")
    for count, word in enumerate(("answered one", "failing one", "refused one"), 1):
        await stage.say(ada, chat, word)
        await stage.answered(ada, chat, 1 + 2 * count)
    assert await stage.told(ada, chat, "why") == (
        "What became of the last messages here:\n"
        "- just now: The model declined to answer it. Ask differently.\n"
        "- just now: It was not answered. Claude did not accept this request. Write /new to start a fresh conversation, then ask "
        "again.\n"
        "- just now: It was answered.\n"
        f"{HERE_DIRECT} (only you)"
    )


async def test_why_tells_in_a_channel_that_messages_without_a_mention_are_left_alone(stage: Stage) -> None:
    ada = await stage.person()
    place = await stage.channel()
    await stage.say(ada, place, "just talking")
    await stage.say(ada, place, "@threadline")
    empty = "You mentioned me without a question. Write it after the mention."
    await stage.reads(ada, place, f"{ada}: just talking", f"{ada}: @threadline", f"threadline: {empty}")
    assert await stage.told(ada, place, "why") == (
        "What became of the last messages here:\n"
        "- just now: It was not answered: it had no text. Write a question.\n"
        f"{HERE_CHANNEL} (only you)"
    )
