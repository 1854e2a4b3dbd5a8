"""Questions in channels, threads and direct chats, what comes together, and what is changed or taken back."""

from pathlib import Path

import pytest

from sandbox.anthropic import Script
from sandbox.faults import Rule
from tests.script.base import text
from tests.script.slack.stage import Stage, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

STOPPED = "threadline: One two three.\n\n*Stopped.* [Continue] [Retry]"


async def test_a_mention_is_answered_in_its_thread_which_needs_no_further_mention(stage: Stage) -> None:
    ada, ben = await stage.person(), await stage.person()
    place = await stage.channel()
    stage.answers("what is 2 + 2", "4.")
    stage.answers("times two", "8.")
    thread = await stage.say(ada, place, "@threadline what is 2 + 2?")
    await stage.reads(ada, thread, f"{ada}: @threadline what is 2 + 2?", "threadline: 4.")
    await stage.reads(ben, place, f"{ada}: @threadline what is 2 + 2?")
    await stage.say(ben, thread, "times two")
    await stage.reads(ada, thread, f"{ada}: @threadline what is 2 + 2?", "threadline: 4.", f"{ben}: times two", "threadline: 8.")
    assert [text(stage.body("times two"), nth) for nth in range(3)] == [f"{ada}: what is 2 + 2?", "4.", f"{ben}: times two"]


async def test_what_does_not_mention_the_bot_is_left_alone(stage: Stage) -> None:
    ada, ben = await stage.person(), await stage.person()
    place = await stage.channel()
    talk = await stage.say(ada, place, "just talking")
    await stage.say(ben, talk, "so am I")
    stage.answers("left alone, now", "Here.")
    thread = await stage.say(ada, place, "@threadline left alone, now")
    await stage.reads(ada, thread, f"{ada}: @threadline left alone, now", "threadline: Here.")
    await stage.reads(ada, talk, f"{ada}: just talking", f"{ben}: so am I")


async def test_a_mention_in_a_thread_of_others_is_answered_there_with_its_beginning_quoted(stage: Stage) -> None:
    ada, ben = await stage.person(), await stage.person()
    place = await stage.channel()
    stage.answers("sum it up", "Summed up.")
    talk = await stage.say(ada, place, "the rent rises by 5 %")
    await stage.say(ben, talk, "@threadline sum it up")
    await stage.reads(ada, talk, f"{ada}: the rent rises by 5 %", f"{ben}: @threadline sum it up", "threadline: Summed up.")
    assert "the rent rises by 5 %" in text(stage.body("sum it up"))


async def test_in_a_direct_chat_each_message_begins_a_thread_of_its_own(stage: Stage) -> None:
    ada, chat = await stage.alone()
    for word in ("directly", "go on", "another matter"):
        stage.answers(word, f"On {word}.")
    first = await stage.say(ada, chat, "directly")
    await stage.reads(ada, first, f"{ada}: directly", "threadline: On directly.")
    await stage.say(ada, first, "go on")
    await stage.reads(ada, first, f"{ada}: directly", "threadline: On directly.", f"{ada}: go on", "threadline: On go on.")
    second = await stage.say(ada, chat, "another matter")
    await stage.reads(ada, second, f"{ada}: another matter", "threadline: On another matter.")
    await stage.reads(ada, chat, f"{ada}: directly", f"{ada}: another matter")
    assert [text(stage.body("go on"), nth) for nth in range(3)] == ["directly", "On directly.", "go on"]
    assert len(stage.body("another matter")["messages"]) == 1


async def test_an_answer_too_long_for_one_message_goes_on_in_the_same_thread(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    stage.answers("at length", "\n\n".join(f"{'word ' * 400}{number}." for number in range(8)))
    thread = await stage.say(ada, place, "@threadline at length")
    await stage.until(lambda: stage.sees(ada, thread)[-1].endswith("word 7."))
    await stage.settled()
    said = "".join(line.removeprefix("threadline: ") for line in stage.sees(ada, thread)[1:])
    assert said.count("word") == 3200
    assert len(stage.sees(ada, thread)) == 3
    await stage.reads(ada, place, f"{ada}: @threadline at length")


async def test_what_slack_delivers_twice_and_over_broken_connections_is_answered_once(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("told twice", "One two three four five six.", deltas=6, seconds=3.0)
    await stage.slack.duplicate(2)
    await stage.slack.lose_acks(2)
    thread = await stage.say(ada, chat, "told twice")
    await stage.until(lambda: len(stage.sees(ada, thread)) == 2)
    await stage.slack.drop()
    await stage.reads(ada, thread, f"{ada}: told twice", "threadline: One two three four five six.")
    await stage.until(lambda: stage.slack.stats()["connected"] == 2)


async def test_an_answer_that_names_people_and_groups_notifies_nobody(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("call everybody", "Hey <!channel> and @here and <@U0PERSON002>!")
    thread = await stage.say(ada, chat, "call everybody")
    await stage.until(lambda: len(stage.sees(ada, thread)) == 2)
    await stage.settled()
    assert stage.slack.message(stage.ids(ada, thread)[1])["pinged"] == {"users": [], "groups": [], "everyone": False}


async def test_a_message_that_comes_while_an_answer_is_written_gets_eyes_and_its_turn(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.hangs("first of two", "One two three.")
    stage.answers("second of two", "Second.")
    thread = await stage.say(ada, chat, "first of two")
    await stage.glimpses(ada, thread, f"{ada}: first of two", "threadline: One two three. [Stop]")
    await stage.say(ada, thread, "second of two")
    await stage.glimpses(ada, thread, f"{ada}: first of two", "threadline: One two three. [Stop]", f"{ada}: second of two (eyes)")
    await stage.press(ada, thread, "Stop")
    await stage.reads(ada, thread, f"{ada}: first of two", STOPPED, f"{ada}: second of two", "threadline: Second.")


async def test_messages_that_wait_are_answered_in_order(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("ordered 1", "Answer 1.", deltas=3, seconds=3.0)
    for nth in (2, 3):
        stage.answers(f"ordered {nth}", f"Answer {nth}.")
    thread = await stage.say(ada, chat, "ordered 1")
    for nth in (2, 3):
        await stage.say(ada, thread, f"ordered {nth}")
    lines = [f"{ada}: ordered 1", f"{ada}: ordered 2", f"{ada}: ordered 3"]
    await stage.reads(ada, thread, *lines, "threadline: Answer 1.", "threadline: Answer 2.", "threadline: Answer 3.")
    said = [text(stage.body("ordered 3"), nth) for nth in range(5)]
    assert said == ["ordered 1", "Answer 1.", "ordered 2", "Answer 2.", "ordered 3"]


async def test_a_burst_is_one_question(tmp_path: Path) -> None:
    async with opened(tmp_path, burst_seconds=30) as stage:
        ada, place = await stage.person(), await stage.channel()
        stage.answers("opening", "Open.")
        stage.answers("burst 3", "All at once.")
        thread = await stage.say(ada, place, "@threadline opening")
        begun = [f"{ada}: @threadline opening", "threadline: Open."]
        await stage.reads(ada, thread, *begun)
        # Whatever is asked before all of it was heard is asked again, since nothing of the answer shows by then.
        stage.claude.faults.set(Rule("slow", path="/v1/messages", seconds=3.0, times=None))
        for nth in (1, 2, 3):
            await stage.say(ada, thread, f"burst {nth}")
        bursts = [f"{ada}: burst {nth}" for nth in (1, 2, 3)]
        await stage.reads(ada, thread, *begun, *bursts, "threadline: All at once.")
        assert text(stage.body("burst 3")) == "\n".join(bursts)


async def test_editing_the_last_question_rewrites_its_answer_in_place(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    stage.answers("at frist", "What?")
    stage.answers("at first", "First.")
    thread = await stage.say(ada, place, "@threadline at frist")
    await stage.reads(ada, thread, f"{ada}: @threadline at frist", "threadline: What?")
    before = stage.ids(ada, thread)
    await stage.edit(ada, thread, "@threadline at frist", "@threadline at first")
    await stage.reads(ada, thread, f"{ada}: @threadline at first", "threadline: First.")
    assert stage.ids(ada, thread) == before
    assert len(stage.body("at first")["messages"]) == 1


async def test_editing_a_question_that_is_being_answered_begins_anew_in_the_same_message(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.hangs("runs still", "The wrong thing.")
    stage.answers("runs right", "Right.")
    thread = await stage.say(ada, chat, "runs still")
    await stage.glimpses(ada, thread, f"{ada}: runs still", "threadline: The wrong thing. [Stop]")
    before = stage.ids(ada, thread)
    await stage.edit(ada, thread, "runs still", "runs right")
    await stage.reads(ada, thread, f"{ada}: runs right", "threadline: Right.")
    assert stage.ids(ada, thread) == before


async def test_a_message_that_is_edited_into_a_question_is_answered(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    stage.answers("addressed now", "Hello.")
    thread = await stage.say(ada, place, "not addressed")
    await stage.edit(ada, thread, "not addressed", "@threadline addressed now")
    await stage.reads(ada, thread, f"{ada}: @threadline addressed now", "threadline: Hello.")


async def test_deleting_a_question_that_is_being_answered_stops_the_answer(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.hangs("deleted while", "One two three.")
    thread = await stage.say(ada, chat, "deleted while")
    await stage.glimpses(ada, thread, f"{ada}: deleted while", "threadline: One two three. [Stop]")
    await stage.delete(ada, thread, f"{ada}: deleted while")
    await stage.reads(ada, thread, "threadline: One two three.\n\n*Stopped.*")


async def test_deleting_a_question_before_anything_shows_leaves_nothing(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.claude.script(Script(text="Never.", wait=60.0), match="deleted before")
    thread = await stage.say(ada, chat, "deleted before")
    await stage.asked_about("deleted before")
    await stage.delete(ada, thread, f"{ada}: deleted before")
    await stage.reads(ada, thread)


async def test_deleting_an_answered_question_removes_the_pair_from_the_context(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    for word, answer in (("opens", "Open."), ("to be gone", "Gone."), ("what remains", "This.")):
        stage.answers(word, answer)
    thread = await stage.say(ada, place, "@threadline opens")
    lines = [f"{ada}: @threadline opens", "threadline: Open."]
    await stage.reads(ada, thread, *lines)
    await stage.say(ada, thread, "to be gone")
    await stage.reads(ada, thread, *lines, f"{ada}: to be gone", "threadline: Gone.")
    await stage.delete(ada, thread, f"{ada}: to be gone")
    await stage.say(ada, thread, "what remains")
    await stage.reads(ada, thread, *lines, "threadline: Gone.", f"{ada}: what remains", "threadline: This.")
    said = [text(stage.body("what remains"), nth) for nth in range(3)]
    assert said == [f"{ada}: opens", "Open.", f"{ada}: what remains"]
