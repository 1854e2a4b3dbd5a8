"""Edits and deletions of questions, while they run and after they were answered."""

import pytest

from sandbox.anthropic import Script
from tests.script.base import text
from tests.script.stage import Stage

pytestmark = pytest.mark.asyncio(loop_scope="module")

LONG = "\n\n".join(f"{'word ' * 180}{number}." for number in range(5))
"""Three parts on Discord."""


async def test_editing_the_last_question_rewrites_its_answer_in_place_and_deletes_surplus_parts(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("at length", LONG)
    stage.answers("in short", "Short.")
    question = await stage.say(ada, chat, "at length")
    await stage.answered(ada, chat, 4)
    parts = [each["id"] for each in stage.discord.sees(ada, chat)][1:]
    assert len(parts) == 3
    await stage.edit(question, "in short")
    await stage.reads(ada, chat, f"{ada}: in short", "threadline: Short.")
    assert stage.discord.sees(ada, chat)[1]["id"] == parts[0]
    assert [text(stage.body("in short"), nth) for nth in range(len(stage.body("in short")["messages"]))] == ["in short"]


async def test_an_edit_of_an_older_question_is_taken_over_and_nothing_is_asked_again(stage: Stage) -> None:
    ada, chat = await stage.alone()
    for word in ("older", "younger", "youngest"):
        stage.answers(word, f"On {word}.")
    first = await stage.say(ada, chat, "older")
    await stage.reads(ada, chat, f"{ada}: older", "threadline: On older.")
    await stage.say(ada, chat, "younger")
    await stage.reads(ada, chat, f"{ada}: older", "threadline: On older.", f"{ada}: younger", "threadline: On younger.")
    await stage.edit(first, "elder")
    await stage.say(ada, chat, "youngest")
    await stage.reads(
        ada, chat, f"{ada}: elder", "threadline: On older.", f"{ada}: younger", "threadline: On younger.",
        f"{ada}: youngest", "threadline: On youngest.",
    )  # fmt: skip
    said = [text(stage.body("youngest"), nth) for nth in range(5)]
    assert said == ["elder", "On older.", "younger", "On younger.", "youngest"]


async def test_editing_a_question_that_is_being_answered_begins_anew_in_the_same_message(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.hangs("runs still", "This is about the wrong thing.")
    stage.answers("runs right", "Right.")
    question = await stage.say(ada, chat, "runs still")
    await stage.glimpses(ada, chat, f"{ada}: runs still", "threadline: This is about the wrong thing. [Stop]")
    part = stage.discord.sees(ada, chat)[1]["id"]
    await stage.edit(question, "runs right")
    await stage.reads(ada, chat, f"{ada}: runs right", "threadline: Right.")
    assert stage.discord.sees(ada, chat)[1]["id"] == part


async def test_a_preview_of_a_link_is_no_edit(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("https://example.org/unfurl", "A page.")
    question = await stage.say(ada, chat, "https://example.org/unfurl")
    await stage.reads(ada, chat, f"{ada}: https://example.org/unfurl", "threadline: A page.")
    asked = len(stage.claude.asked())
    await stage.discord.unfurl(question)
    await stage.told(ada, chat, "help")
    assert len(stage.claude.asked()) == asked


async def test_deleting_a_question_that_is_being_answered_stops_the_answer(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.hangs("deleted while", "One two three.")
    question = await stage.say(ada, chat, "deleted while")
    await stage.glimpses(ada, chat, f"{ada}: deleted while", "threadline: One two three. [Stop]")
    await stage.delete(question)
    await stage.reads(ada, chat, "threadline: One two three.\n\n*Stopped.*")


async def test_deleting_a_question_before_anything_shows_leaves_nothing(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.claude.script(Script(text="Never.", wait=60.0), match="deleted before")
    question = await stage.say(ada, chat, "deleted before")
    await stage.asked_about("deleted before")
    await stage.delete(question)
    await stage.reads(ada, chat)


async def test_deleting_an_answered_question_removes_the_pair_from_the_context(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("to be gone", "On what is gone.")
    stage.answers("what remains", "This.")
    question = await stage.say(ada, chat, "to be gone")
    await stage.reads(ada, chat, f"{ada}: to be gone", "threadline: On what is gone.")
    await stage.delete(question)
    await stage.say(ada, chat, "what remains")
    await stage.reads(ada, chat, "threadline: On what is gone.", f"{ada}: what remains", "threadline: This.")
    assert len(stage.body("what remains")["messages"]) == 1


async def test_deleting_our_answer_while_it_is_written_stops_it(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("taken away", "One two three four five six.", deltas=6, seconds=4.0, pings=0.1)
    await stage.say(ada, chat, "taken away")
    await stage.until(lambda: len(stage.sees(ada, chat)) == 2)
    await stage.delete(stage.discord.sees(ada, chat)[1]["id"])
    await stage.reads(ada, chat, f"{ada}: taken away")


async def test_a_message_that_is_edited_into_a_question_is_answered(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    stage.answers("addressed now", "Hello.")
    question = await stage.say(ada, place, "not addressed")
    await stage.edit(question, "@threadline addressed now")
    await stage.reads(ada, question, "threadline: Hello.")
