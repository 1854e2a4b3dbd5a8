"""/ask in every kind of place, with files, and commands that are acknowledged while everything else is slow."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sandbox.anthropic import Script
from sandbox.faults import Rule
from tests.script.base import file, text
from tests.script.stage import Stage, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_ask_in_a_direct_chat_shows_the_question_and_answers_it(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("a direct question", "A direct answer.")
    await stage.call(ada, chat, "ask", question="a direct question")
    await stage.reads(ada, chat, "threadline: > a direct question", "threadline: A direct answer.")
    assert text(stage.body("a direct question")) == "a direct question"


async def test_ask_in_a_channel_is_answered_in_a_thread_on_the_question(stage: Stage) -> None:
    ada = await stage.person()
    place = await stage.channel()
    stage.answers("a public question", "A public answer.")
    await stage.call(ada, place, "ask", question="a public question")
    await stage.reads(ada, place, "threadline: > a public question")
    thread = stage.discord.sees(ada, place)[0]["id"]
    await stage.reads(ada, thread, "threadline: A public answer.")
    assert text(stage.body("a public question")) == f"{ada}: a public question"


async def test_ask_in_a_thread_is_answered_there_and_goes_on_with_its_conversation(stage: Stage) -> None:
    ada, ben = await stage.person(), await stage.person()
    place = await stage.channel()
    stage.answers("first of thread", "One.")
    stage.answers("second of thread", "Two.")
    thread = await stage.say(ada, place, "@threadline first of thread")
    await stage.reads(ada, thread, "threadline: One.")
    await stage.call(ben, thread, "ask", question="second of thread")
    await stage.reads(ada, thread, "threadline: One.", "threadline: > second of thread", "threadline: Two.")
    assert [text(stage.body("second of thread"), nth) for nth in range(3)] == [
        f"{ada}: first of thread", "One.", f"{ben}: second of thread",
    ]  # fmt: skip


async def test_ask_with_a_file_hands_it_on_and_names_it_under_the_question(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("what is in it", "A list.")
    await stage.call(ada, chat, "ask", question="what is in it", file=file("list.txt", "eggs\nmilk\n"))
    await stage.until(lambda: "threadline: A list." in stage.sees(ada, chat))
    question = stage.sees(ada, chat)[0]
    assert question.startswith("threadline: > what is in it\n-# [list.txt](<http://")
    assert "eggs\nmilk" in stage.body("what is in it")["messages"][-1]["content"][0]["source"]["data"]


async def test_ask_where_the_bot_may_not_write_is_answered_all_the_same(stage: Stage) -> None:
    ada = await stage.person()
    place = await stage.channel()
    await stage.discord.permissions(place, deny=["SEND_MESSAGES", "SEND_MESSAGES_IN_THREADS", "CREATE_PUBLIC_THREADS"])
    stage.answers("may you speak", "By the way of the command.")
    await stage.call(ada, place, "ask", question="may you speak")
    await stage.reads(ada, place, "threadline: > may you speak", "threadline: By the way of the command.")


async def test_a_mention_where_the_bot_may_not_write_is_not_asked_about(stage: Stage) -> None:
    ada = await stage.person()
    place = await stage.channel()
    await stage.discord.permissions(place, deny=["SEND_MESSAGES", "SEND_MESSAGES_IN_THREADS", "CREATE_PUBLIC_THREADS"])
    before = len(stage.claude.asked())
    await stage.say(ada, place, "@threadline are you mute")
    free = await stage.channel()
    await stage.say(ada, free, "@threadline hello")
    await stage.asked_about("hello")
    await stage.settled()
    assert len(stage.claude.asked()) == before + 1
    await stage.reads(ada, place, f"{ada}: @threadline are you mute")


async def test_ask_twice_at_once_gives_two_answers_in_order(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("asked one", "Answer one.", seconds=0.2)
    stage.answers("asked two", "Answer two.")
    await stage.call(ada, chat, "ask", question="asked one")
    await stage.call(ada, chat, "ask", question="asked two")
    lines = await stage.answered(ada, chat, 4)
    assert [line for line in lines if ">" not in line] == ["threadline: Answer one.", "threadline: Answer two."]


async def test_a_command_is_acknowledged_in_time_while_the_store_is_held_up(stage: Stage) -> None:
    ada, chat = await stage.alone()
    with closing(sqlite3.connect(stage.folder / "state" / "threadline.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        await stage.call(ada, chat, "undo")
        await stage.glimpses(ada, chat, "threadline: thinking (only you)")
        other.execute("ROLLBACK")
    await stage.reads(ada, chat, "threadline: There is nothing here to forget. (only you)")


async def test_a_command_is_acknowledged_in_time_while_claude_is_slow(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.claude.script(Script(text="At last.", wait=3.0), match="slow question")
    await stage.call(ada, chat, "ask", question="slow question")
    await stage.glimpses(ada, chat, "threadline: > slow question")
    await stage.reads(ada, chat, "threadline: > slow question", "threadline: At last.")


async def test_models_are_told_and_offered_while_claude_does_not_list_them(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, chat = await stage.alone()
        stage.claude.faults.set(Rule("hang", path="/v1/models", times=None))
        await stage.say(ada, chat, "what loads the backend")
        await stage.answered(ada, chat, 2)
        offered = await stage.discord.autocomplete(ada, "model", "name", "opus", chat)
        assert offered[0] == {"name": "Claude Opus 5.5", "value": "claude-opus-5-5"}
        assert (await stage.told(ada, chat, "model")).startswith("The model here: `sonnet` (`claude-sonnet-5-5`), as")
