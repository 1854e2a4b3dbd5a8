"""What people change after they have said it."""

import pytest

from sandbox.anthropic import Script
from tests.script.base import file, text
from tests.script.telegram.stage import ME, Stage
from tests.script.things import documents

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_editing_the_last_question_rewrites_its_answer_in_place(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.group()
    stage.answers("at frist", "What?")
    stage.answers("at first", "First.")
    question = await stage.say(ada, place, f"{ME} at frist")
    await stage.reads(ada, place, f"{ada}: {ME} at frist", "threadline: What?")
    before = stage.ids(ada, place)
    await stage.edit(question, f"{ME} at first")
    await stage.reads(ada, place, f"{ada}: {ME} at first", "threadline: First.")
    assert stage.ids(ada, place) == before
    assert len(stage.body("at first")["messages"]) == 1


async def test_editing_a_question_that_is_being_answered_begins_anew_in_the_same_message(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.hangs("runs still", "The wrong thing.")
    stage.answers("runs right", "Right.")
    question = await stage.say(ada, chat, "runs still")
    await stage.glimpses(ada, chat, f"{ada}: runs still", "threadline: The wrong thing. [Stop]")
    before = stage.ids(ada, chat)
    await stage.edit(question, "runs right")
    await stage.reads(ada, chat, f"{ada}: runs right", "threadline: Right.")
    assert stage.ids(ada, chat) == before


async def test_editing_a_question_before_anything_shows_asks_the_new_one_only(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.claude.script(Script(text="Never.", wait=60.0), match="to be changed")
    stage.answers("already changed", "Changed.")
    question = await stage.say(ada, chat, "to be changed")
    await stage.asked_about("to be changed")
    await stage.edit(question, "already changed")
    await stage.reads(ada, chat, f"{ada}: already changed", "threadline: Changed.")


async def test_a_shorter_answer_takes_away_what_is_too_much(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("at length", "\n\n".join(f"{'word ' * 400}{number}." for number in range(3)))
    stage.answers("in short", "Short.")
    question = await stage.say(ada, chat, "at length")
    await stage.until(lambda: stage.sees(ada, chat)[-1].endswith("2."))
    await stage.settled()
    assert len(stage.sees(ada, chat)) == 3
    await stage.edit(question, "in short")
    await stage.reads(ada, chat, f"{ada}: in short", "threadline: Short.")


async def test_a_message_that_is_edited_into_a_question_is_answered(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.group()
    stage.answers("addressed now", "Hello.")
    question = await stage.say(ada, place, "not addressed")
    await stage.edit(question, f"{ME} addressed now")
    await stage.reads(ada, place, f"{ada}: {ME} addressed now", "threadline: Hello.")


async def test_an_older_question_is_changed_in_what_is_known_and_not_answered_again(stage: Stage) -> None:
    ada, chat = await stage.alone()
    question = await stage.say(ada, chat, "the old wording")
    await stage.reads(ada, chat, f"{ada}: the old wording", "threadline: You said: the old wording")
    await stage.say(ada, chat, "in between")
    lines = ["threadline: You said: the old wording", f"{ada}: in between", "threadline: You said: in between"]
    await stage.reads(ada, chat, f"{ada}: the old wording", *lines)
    await stage.edit(question, "the new wording")
    await stage.say(ada, chat, "what did I say")
    await stage.reads(
        ada, chat, f"{ada}: the new wording", *lines, f"{ada}: what did I say", "threadline: You said: what did I say"
    )
    assert text(stage.body("what did I say"), 0) == "the new wording"


async def test_an_edit_that_nobody_made_changes_nothing(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("with a link", "Seen.")
    stage.answers("after the link", "After.")
    question = await stage.say(ada, chat, "with a link https://example.org")
    await stage.reads(ada, chat, f"{ada}: with a link https://example.org", "threadline: Seen.")
    await stage.preview(question)
    await stage.say(ada, chat, "after the link")
    await stage.reads(
        ada, chat, f"{ada}: with a link https://example.org", "threadline: Seen.", f"{ada}: after the link", "threadline: After."
    )


async def test_a_question_that_is_edited_into_a_command_changes_nothing(stage: Stage) -> None:
    ada, chat = await stage.alone()
    question = await stage.say(ada, chat, "edit to command")
    await stage.reads(ada, chat, f"{ada}: edit to command", "threadline: You said: edit to command")
    await stage.edit(question, "/new")
    await stage.say(ada, chat, "and now")
    await stage.reads(
        ada, chat, f"{ada}: /new", "threadline: You said: edit to command", f"{ada}: and now", "threadline: You said: and now"
    )
    assert len(stage.body("and now")["messages"]) == 3


async def test_a_question_given_by_command_is_rewritten_by_editing_the_command(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.group()
    question = await stage.say(ada, place, f"/ask{ME} at frist")
    await stage.reads(ada, place, f"{ada}: /ask{ME} at frist", f"threadline: You said: {ada}: at frist")
    await stage.edit(question, f"/ask{ME} at first")
    await stage.reads(ada, place, f"{ada}: /ask{ME} at first", f"threadline: You said: {ada}: at first")


async def test_an_album_whose_caption_is_edited_is_asked_anew_as_a_whole(stage: Stage) -> None:
    ada, chat = await stage.alone()
    question = await stage.say(ada, chat, "what are thees", file("a.txt", "A"), file("b.txt", "B"))
    await stage.until(lambda: stage.sees(ada, chat)[-1].startswith("threadline: You said: what are thees"))
    await stage.settled()
    stage.answers("what are these", "Letters.")
    await stage.edit(question, "what are these")
    await stage.reads(ada, chat, f"{ada}: what are these {{a.txt}}", f"{ada}: {{b.txt}}", "threadline: Letters.")
    assert [each["text"] for each in documents(stage.body("what are these"))] == ["A", "B"]


async def test_a_caption_that_is_edited_asks_anew_with_the_file(stage: Stage) -> None:
    ada, chat = await stage.alone()
    question = await stage.say(ada, chat, "read thsi", file("a.txt", "letters"))
    await stage.until(lambda: stage.sees(ada, chat)[-1].startswith("threadline: You said: read thsi"))
    await stage.settled()
    stage.answers("read this", "Letters.")
    await stage.edit(question, "read this")
    await stage.reads(ada, chat, f"{ada}: read this {{a.txt}}", "threadline: Letters.")
    assert "letters" in str(stage.body("read this")["messages"][-1])


async def test_a_message_that_is_deleted_is_not_told_of_and_its_answer_stays(stage: Stage) -> None:
    ada, chat = await stage.alone()
    question = await stage.say(ada, chat, "deleted later")
    await stage.reads(ada, chat, f"{ada}: deleted later", "threadline: You said: deleted later")
    await stage.telegram.delete(question)
    await stage.say(ada, chat, "still known")
    await stage.reads(
        ada, chat, "threadline: You said: deleted later", f"{ada}: still known", "threadline: You said: still known"
    )


async def test_an_answer_that_is_deleted_while_it_is_written_ends(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("taken away", "One two three four five six.", deltas=6, seconds=4.0, pings=0.1)
    await stage.say(ada, chat, "taken away")
    await stage.until(lambda: len(stage.sees(ada, chat)) == 2)
    await stage.telegram.delete(stage.ids(ada, chat)[1])
    await stage.settled()
    assert stage.sees(ada, chat) == [f"{ada}: taken away"]
