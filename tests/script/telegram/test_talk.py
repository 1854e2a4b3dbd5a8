"""Questions in private chats, groups and topics, and what of a group is left alone."""

from pathlib import Path

import pytest

from tests.script.base import text
from tests.script.telegram.stage import ME, Stage, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

STOPPED = "threadline: One two three.\n\n*Stopped.* [Continue] [Retry]"


async def test_in_a_private_chat_every_message_is_for_the_bot_and_one_conversation_goes_on(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("what is 2 + 2", "**4**.")
    stage.answers("times two", "`8`.")
    await stage.say(ada, chat, "what is 2 + 2?")
    await stage.reads(ada, chat, f"{ada}: what is 2 + 2?", "threadline: **4**.")
    await stage.say(ada, chat, "times two")
    await stage.reads(ada, chat, f"{ada}: what is 2 + 2?", "threadline: **4**.", f"{ada}: times two", "threadline: `8`.")
    assert [text(stage.body("times two"), nth) for nth in range(3)] == ["what is 2 + 2?", "**4**.", "times two"]
    assert stage.answered_to(ada, chat) == [None] * 4


async def test_in_a_group_a_mention_is_answered_with_a_reply_and_other_talk_is_left_alone(stage: Stage) -> None:
    ada, ben, place = await stage.person(), await stage.person(), await stage.group()
    stage.answers("who is it", "Me.")
    await stage.say(ben, place, "just talking")
    await stage.say(ada, place, f"{ME} who is it?")
    lines = [f"{ben}: just talking", f"{ada}: {ME} who is it?", "threadline: Me."]
    await stage.reads(ada, place, *lines)
    assert stage.answered_to(ben, place) == [None, None, f"{ada}: {ME} who is it?"]
    assert text(stage.body("who is it")) == f"{ada}: who is it?"


async def test_what_is_left_alone_stays_so_where_the_bot_hears_everything(stage: Stage) -> None:
    ada, ben = await stage.person(), await stage.person()
    await stage.telegram.set_privacy(False)
    place = await stage.group()
    await stage.telegram.set_privacy(True)
    stage.answers("heard all the time", "Yes.")
    await stage.say(ben, place, "just talking")
    await stage.say(ben, place, "of @threadline_bots and me@threadline_bot.org")
    await stage.say(ada, place, f"were you {ME}, heard all the time?")
    await stage.reads(
        ada, place, f"{ben}: just talking", f"{ben}: of @threadline_bots and me@threadline_bot.org",
        f"{ada}: were you {ME}, heard all the time?", "threadline: Yes.",
    )  # fmt: skip
    assert text(stage.body("heard all the time")) == f"{ada}: were you, heard all the time?"


async def test_a_group_has_one_conversation_and_a_reply_to_the_bot_needs_no_mention(stage: Stage) -> None:
    ada, ben, place = await stage.person(), await stage.person(), await stage.group()
    stage.answers("opens here", "Open.")
    stage.answers("and I reply", "To you, too.")
    await stage.say(ada, place, f"{ME} opens here")
    await stage.reads(ada, place, f"{ada}: {ME} opens here", "threadline: Open.")
    await stage.say(ben, place, "and I reply", reply_to=stage.ids(ben, place)[-1])
    await stage.reads(
        ada, place, f"{ada}: {ME} opens here", "threadline: Open.", f"{ben}: and I reply", "threadline: To you, too."
    )
    assert [text(stage.body("and I reply"), nth) for nth in range(2)] == [f"{ada}: opens here", "Open."]
    assert text(stage.body("and I reply")).endswith("and I reply")


@pytest.mark.parametrize("asked", [f"/ask{ME} {{}}", f"/ASK{ME.upper()} {{}}", "/ask {}", f"{ME} /ask {{}}", f"/ask{ME}\n{{}}"])
async def test_ask_can_be_written_in_each_way_in_a_group(stage: Stage, asked: str) -> None:
    ada, place = await stage.person(), await stage.group()
    stage.answers(f"{ada}: why", "So.")
    await stage.say(ada, place, asked.format("why so?"))
    await stage.reads(ada, place, f"{ada}: {asked.format('why so?')}", "threadline: So.")
    assert text(stage.body(f"{ada}: why")) == f"{ada}: why so?"


async def test_commands_for_another_bot_are_left_alone(stage: Stage) -> None:
    ada, chat = await stage.alone()
    place = await stage.group()
    stage.answers("mine is here", "Here.")
    for where in (chat, place):
        await stage.say(ada, where, "/help@other_bot")
        await stage.say(ada, where, "/ask@other_bot are you there?")
        await stage.say(ada, where, f"/ask{ME} mine is here")
        stage.answers("mine is here", "Here.")
        await stage.reads(
            ada, where, f"{ada}: /help@other_bot", f"{ada}: /ask@other_bot are you there?", f"{ada}: /ask{ME} mine is here",
            "threadline: Here.",
        )  # fmt: skip


async def test_a_bot_that_mentions_us_is_left_alone(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.group()
    stage.answers("only people", "Yes.")
    await stage.say("other_bot", place, f"{ME} let us talk for ever")
    await stage.say(ada, place, f"{ME} only people?")
    await stage.reads(ada, place, f"other_bot: {ME} let us talk for ever", f"{ada}: {ME} only people?", "threadline: Yes.")


async def test_a_mention_without_a_word_is_told_and_what_it_replies_to_is_a_question(stage: Stage) -> None:
    ada, ben, place = await stage.person(), await stage.person(), await stage.group()
    stage.answers("the moon is made of cheese", "It is not.")
    await stage.say(ada, place, ME)
    empty = "threadline: You mentioned me without a question. Write it after the mention."
    await stage.reads(ada, place, f"{ada}: {ME}", empty)
    claim = await stage.say(ben, place, "the moon is made of cheese")
    await stage.say(ada, place, f"{ME}?", reply_to=claim)
    await stage.reads(
        ada, place, f"{ada}: {ME}", empty, f"{ben}: the moon is made of cheese", f"{ada}: {ME}?", "threadline: It is not."
    )
    said = f"{ada}: [in reply to what {ben} wrote:]\n  > the moon is made of cheese\n\n  ?"
    assert text(stage.body("made of cheese")) == said


async def test_each_topic_has_a_conversation_of_its_own_and_general_too(stage: Stage) -> None:
    ada, forum = await stage.person(), await stage.group(forum=True)
    topic = await stage.topic(ada, forum)
    for where, word in ((forum, "general"), (topic, "topical")):
        first, second = f"{word} matter", f"more {word}"
        for asked in (first, second):
            stage.answers(asked, f"On {asked}.")
        await stage.say(ada, where, f"{ME} {first}")
        lines = [f"{ada}: {ME} {first}", f"threadline: On {first}."]
        await stage.reads(ada, where, *lines)
        assert stage.answered_to(ada, where) == [None, lines[0]]
        await stage.say(ada, where, f"{ME} {second}")
        await stage.reads(ada, where, *lines, f"{ada}: {ME} {second}", f"threadline: On {second}.")
        said = [text(stage.body(second), nth) for nth in range(3)]
        assert said == [f"{ada}: {first}", f"On {first}.", f"{ada}: {second}"]


async def test_the_bot_types_in_the_topic_in_which_it_answers(stage: Stage) -> None:
    ada, forum = await stage.person(), await stage.group(forum=True)
    topic = await stage.topic(ada, forum)
    stage.answers("typing there", "Typed.", wait=3.0)
    await stage.say(ada, topic, f"{ME} typing there")
    sign = await stage.until(lambda: next(iter(stage.typing(topic)), None))
    assert sign["action"] == "typing"
    assert not stage.typing(forum)
    await stage.reads(ada, topic, f"{ada}: {ME} typing there", "threadline: Typed.")


async def test_stop_in_one_topic_leaves_the_answer_in_another(stage: Stage) -> None:
    ada, forum = await stage.person(), await stage.group(forum=True)
    first, second = await stage.topic(ada, forum), await stage.topic(ada, forum)
    stage.hangs("to be stopped", "One two three.")
    stage.answers("to go on", "One two three four.", wait=1.0)
    await stage.say(ada, second, f"{ME} to go on")
    await stage.say(ada, first, f"{ME} to be stopped")
    await stage.until(lambda: len(stage.sees(ada, first)) == 2)
    await stage.say(ada, first, f"/stop{ME}")
    await stage.reads(ada, second, f"{ada}: {ME} to go on", "threadline: One two three four.")
    assert stage.sees(ada, first)[1].endswith("*Stopped.* [Continue] [Retry]")


async def test_in_a_topic_only_what_is_meant_for_the_bot_is_answered(stage: Stage) -> None:
    ada, ben = await stage.person(), await stage.person()
    await stage.telegram.set_privacy(False)
    forum = await stage.group(forum=True)
    await stage.telegram.set_privacy(True)
    topic = await stage.topic(ada, forum)
    stage.answers("only asked", "Asked.")
    stage.answers("by a reply", "Replied.")
    await stage.say(ben, topic, "we talk here")
    await stage.say(ada, topic, f"{ME} only asked")
    await stage.reads(ada, topic, f"{ben}: we talk here", f"{ada}: {ME} only asked", "threadline: Asked.")
    await stage.say(ben, topic, "and go on")
    await stage.say(ben, topic, "by a reply", reply_to=stage.ids(ben, topic)[2])
    await stage.reads(
        ada, topic, f"{ben}: we talk here", f"{ada}: {ME} only asked", "threadline: Asked.", f"{ben}: and go on",
        f"{ben}: by a reply", "threadline: Replied.",
    )  # fmt: skip


async def test_a_message_that_comes_while_an_answer_is_written_gets_eyes_and_its_turn(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.hangs("first of two", "One two three.")
    stage.answers("second of two", "Second.")
    await stage.say(ada, chat, "first of two")
    await stage.glimpses(ada, chat, f"{ada}: first of two", "threadline: One two three. [Stop]")
    await stage.say(ada, chat, "second of two")
    eyes = "\N{EYES}"
    begun = [f"{ada}: first of two", "threadline: One two three. [Stop]"]
    await stage.glimpses(ada, chat, *begun, f"{ada}: second of two ({eyes})")
    await stage.press(ada, chat, "Stop")
    await stage.reads(ada, chat, f"{ada}: first of two", STOPPED, f"{ada}: second of two", "threadline: Second.")


async def test_messages_that_wait_are_answered_in_order(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("ordered 1", "Answer 1.", deltas=3, seconds=3.0)
    for nth in (2, 3):
        stage.answers(f"ordered {nth}", f"Answer {nth}.")
    for nth in (1, 2, 3):
        await stage.say(ada, chat, f"ordered {nth}")
    lines = [f"{ada}: ordered 1", f"{ada}: ordered 2", f"{ada}: ordered 3"]
    await stage.reads(ada, chat, *lines, "threadline: Answer 1.", "threadline: Answer 2.", "threadline: Answer 3.")
    said = [text(stage.body("ordered 3"), nth) for nth in range(5)]
    assert said == ["ordered 1", "Answer 1.", "ordered 2", "Answer 2.", "ordered 3"]


async def test_a_burst_is_one_question(tmp_path: Path) -> None:
    async with opened(tmp_path, burst_seconds=3.0) as stage:
        ada, chat = await stage.alone()
        stage.answers("burst 3", "All at once.")
        for nth in (1, 2, 3):
            await stage.say(ada, chat, f"burst {nth}")
        await stage.reads(ada, chat, *(f"{ada}: burst {nth}" for nth in (1, 2, 3)), "threadline: All at once.")
        assert text(stage.body("burst 3")) == "burst 1\nburst 2\nburst 3"


async def test_an_update_that_comes_twice_is_answered_once(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("told twice", "Once.")
    stage.answers("after it", "After.")
    await stage.say(ada, chat, "told twice")
    await stage.reads(ada, chat, f"{ada}: told twice", "threadline: Once.")
    await stage.repeat(stage.ids(ada, chat)[0])
    await stage.say(ada, chat, "after it")
    await stage.reads(ada, chat, f"{ada}: told twice", "threadline: Once.", f"{ada}: after it", "threadline: After.")


async def test_an_answer_that_names_people_notifies_nobody(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.group()
    stage.answers("call everybody", f"Hey @{ada}, @user1 and [Ada](tg://user?id={stage.number(ada)})!")
    await stage.say(ada, place, f"{ME} call everybody")
    await stage.until(lambda: len(stage.sees(ada, place)) == 2)
    await stage.settled()
    kinds = {each["type"] for each in stage.seen(ada, place)[-1]["entities"]}
    assert not kinds & {"mention", "text_mention"}


async def test_the_part_of_our_answer_that_is_quoted_reaches_the_model(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("tell me two things", "One thing. Another thing.")
    stage.answers("what of that", "That.")
    await stage.say(ada, chat, "tell me two things")
    lines = [f"{ada}: tell me two things", "threadline: One thing. Another thing."]
    await stage.reads(ada, chat, *lines)
    await stage.say(ada, chat, "what of that?", reply_to=stage.ids(ada, chat)[1], quote="Another thing.")
    await stage.reads(ada, chat, *lines, f"{ada}: what of that?", "threadline: That.")
    assert text(stage.body("what of that")) == "[in reply to what you wrote:]\n> Another thing.\n\nwhat of that?"


async def test_an_answer_comes_even_if_the_question_is_deleted_meanwhile(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.group()
    stage.answers("deleted meanwhile", "Here it is.", wait=3.0)
    question = await stage.say(ada, place, f"{ME} deleted meanwhile")
    await stage.asked_about("deleted meanwhile")
    await stage.telegram.delete(question)
    await stage.reads(ada, place, "threadline: Here it is.")


async def test_code_links_and_mentions_of_others_reach_the_model_as_they_are_read(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("explain", "It prints.")
    said = "explain print(1) of @user2 at https://example.org/x or here"
    code = {"type": "code", "offset": said.index("print"), "length": len("print(1)")}
    link = {"type": "text_link", "offset": said.index("here"), "length": 4, "url": "https://example.org/y"}
    await stage.say(ada, chat, said, entities=[code, link])
    await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: It prints.")
    await stage.settled()
    assert text(stage.body("explain")) == (
        "explain `print(1)` of @user2 at https://example.org/x or here (https://example.org/y)"
    )
