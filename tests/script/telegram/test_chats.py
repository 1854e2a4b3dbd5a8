"""What becomes of chats: the bot is blocked, put out, or forbidden to write; a group becomes a supergroup; topics come and go."""

from pathlib import Path

import pytest

from sandbox.telegram import lookup
from sandbox.telegram.payloads import chat_json, member_json, user_json
from tests.script.base import text
from tests.script.telegram.stage import ME, Stage, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def begun(stage: Stage, by: str, where: str, word: str) -> None:
    """Ask something that is answered."""
    stage.answers(word, f"On {word}.")
    said = await stage.say(by, where, word if where.startswith("@") else f"{ME} {word}")
    assert await stage.answer(by, where, said) == f"On {word}."
    await stage.settled()


async def test_a_person_who_blocks_the_bot_begins_anew_after_that(stage: Stage) -> None:
    ada, chat = await stage.alone()
    await begun(stage, ada, chat, "before the block")
    await stage.telegram.block(ada)
    await stage.later(hours=25)
    await begun(stage, ada, chat, "after the block")
    assert len(stage.body("after the block")["messages"]) == 1
    assert not [line for line in stage.sees(ada, chat) if "Nobody wrote" in line]
    listed = await stage.told(ada, chat, "list")
    assert "`before the block`: 1 question, 1 day ago, closed" in listed


async def test_a_block_that_is_told_again_after_a_crash_ends_nothing_that_was_begun_since(stage: Stage) -> None:
    ada, chat = await stage.alone()
    world = stage.telegram.world
    await stage.telegram.block(ada)
    await stage.telegram.unblock(ada)
    await begun(stage, ada, chat, "since the block")
    here, user = lookup.chat(world, chat), user_json(lookup.user(world, ada))
    change = {"old_chat_member": member_json(world, world.me, "member")}
    change |= {"new_chat_member": member_json(world, world.me, "kicked"), "date": int(world.now()) - 60}
    await stage.telegram.emit("my_chat_member", {"chat": chat_json(world, here), "from": user} | change, here.id)
    await begun(stage, ada, chat, "told again")
    assert len(stage.body("told again")["messages"]) == 3


async def test_an_answer_to_one_who_blocks_the_bot_meanwhile_ends(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.hangs("blocked meanwhile", "One two three.")
    await stage.say(ada, chat, "blocked meanwhile")
    await stage.glimpses(ada, chat, f"{ada}: blocked meanwhile", "threadline: One two three. [Stop]")
    await stage.telegram.block(ada)
    await stage.settled()
    await begun(stage, ada, chat, "unblocked again")
    assert len(stage.body("unblocked again")["messages"]) == 1


async def test_a_bot_that_is_put_out_of_a_group_begins_anew_in_it_and_its_topics(stage: Stage) -> None:
    ada, forum = await stage.person(), await stage.group(forum=True)
    topic = await stage.topic(ada, forum)
    await begun(stage, ada, topic, "before it left")
    await stage.telegram.remove_bot(forum)
    await stage.telegram.add_bot(forum)
    await begun(stage, ada, topic, "back in the group")
    assert len(stage.body("back in the group")["messages"]) == 1


async def test_a_group_that_becomes_a_supergroup_keeps_its_conversation(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.group("group")
    await begun(stage, ada, place, "as a group")
    await stage.telegram.migrate(place)
    await begun(stage, ada, place, "as a supergroup")
    said = [text(stage.body("as a supergroup"), nth) for nth in range(3)]
    assert said == [f"{ada}: as a group", "On as a group.", f"{ada}: as a supergroup"]


async def test_a_group_that_becomes_a_supergroup_while_the_server_is_down_keeps_its_conversation(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, place = await stage.person(), await stage.group("group")
        await begun(stage, ada, place, "as a group")
        await stage.stop()
        await stage.telegram.migrate(place)
        stage.answers("moved meanwhile", "Here.")
        await stage.say(ada, place, f"{ME} moved meanwhile")
        await stage.start()
        await stage.reads(ada, place, f"{ada}: {ME} moved meanwhile", "threadline: Here.")
        assert len(stage.body("moved meanwhile")["messages"]) == 3


async def test_a_button_from_before_the_move_works_or_says_why_not(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.group("group")
    stage.answers("moved with a button", "Half", deltas=2, ending="cut")
    await stage.say(ada, place, f"{ME} moved with a button")
    await stage.until(lambda: any("[Retry]" in line for line in stage.sees(ada, place)))
    await stage.settled()
    old = stage.seen(ada, place)[-1]["id"]
    await stage.telegram.migrate(place)
    stage.answers("moved with a button", "Whole.")
    await stage.telegram.press(ada, old, "Retry")
    await stage.until(lambda: stage.sees(ada, place)[-1:] == ["threadline: Whole."])
    await stage.settled()


async def test_a_bot_that_is_put_out_of_a_group_while_it_answers_begins_anew_when_it_is_back(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.group()
    stage.hangs("put out meanwhile", "One two three.")
    await stage.say(ada, place, f"{ME} put out meanwhile")
    await stage.glimpses(ada, place, f"{ada}: {ME} put out meanwhile", "threadline: One two three. [Stop]")
    await stage.telegram.remove_bot(place)
    await stage.settled()
    await stage.telegram.add_bot(place)
    await begun(stage, ada, place, "let in again")
    assert len(stage.body("let in again")["messages"]) == 1


async def test_a_group_in_which_nobody_may_write_costs_no_answers(stage: Stage) -> None:
    ada, place = "user1", await stage.group()
    await begun(stage, ada, place, "while one may")
    await stage.telegram.mute(place)
    stage.answers("muted now", "Unheard.")
    await stage.say(ada, place, f"{ME} muted now")
    await stage.asked_about("muted now")
    await stage.settled()
    await stage.telegram.mute(place, muted=False)
    await begun(stage, ada, place, "speaking again")
    assert not [line for line in stage.sees(ada, place) if "Unheard" in line]


async def test_a_topic_that_is_closed_while_it_is_answered_does_not_hold_up_others(stage: Stage) -> None:
    ada, forum = await stage.person(), await stage.group(forum=True)
    closed, other = await stage.topic(ada, forum), await stage.topic(ada, forum)
    stage.answers("closed meanwhile", "One two three.", deltas=3, seconds=4.0)
    await stage.say(ada, closed, f"{ME} closed meanwhile")
    await stage.until(lambda: len(stage.sees(ada, closed)) == 2)
    await stage.telegram.close_topic("user1", forum, closed.partition("/")[2])
    await begun(stage, ada, other, "in the other topic")
    await stage.settled()


async def test_a_topic_that_is_deleted_while_it_is_answered_ends(stage: Stage) -> None:
    ada, forum = await stage.person(), await stage.group(forum=True)
    topic = await stage.topic(ada, forum)
    stage.answers("deleted meanwhile", "One two three four.", deltas=4, seconds=4.0, pings=0.2)
    await stage.say(ada, topic, f"{ME} deleted meanwhile")
    await stage.until(lambda: len(stage.sees(ada, topic)) == 2)
    await stage.telegram.delete_topic(forum, topic.partition("/")[2])
    await stage.settled()
    assert stage.sees(ada, forum) == []
