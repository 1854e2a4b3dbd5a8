"""Conversations that are closed because nobody writes, and how they go on."""

from pathlib import Path

import pytest

from tests.script.base import text
from tests.script.telegram.stage import ME, Stage, opened
from tests.script.test_idle import DAY, notice

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def talked(stage: Stage, word: str) -> tuple[str, str, list[str]]:
    """Somebody who has asked something, their chat, and what they see."""
    ada, chat = await stage.alone()
    await stage.say(ada, chat, word)
    lines = [f"{ada}: {word}", f"threadline: You said: {word}"]
    await stage.reads(ada, chat, *lines)
    return ada, chat, lines


async def test_a_quiet_chat_is_closed_with_a_notice_and_continue_takes_it_up_again(stage: Stage) -> None:
    ada, chat, lines = await talked(stage, "to be continued")
    await stage.later(hours=23.9)
    await stage.reads(ada, chat, *lines)
    await stage.later(hours=0.2)
    await stage.reads(ada, chat, *lines, DAY)
    await stage.press(ada, chat, "Continue")
    lines += [DAY, "threadline: The conversation `to be continued` goes on."]
    await stage.reads(ada, chat, *lines)
    await stage.say(ada, chat, "continued")
    await stage.reads(ada, chat, *lines, f"{ada}: continued", "threadline: You said: continued")
    said = [text(stage.body("continued"), nth) for nth in range(3)]
    assert said == ["to be continued", "You said: to be continued", "continued"]


async def test_after_the_notice_the_next_message_begins_anew_and_resume_goes_back(stage: Stage) -> None:
    ada, chat, lines = await talked(stage, "quiet one")
    await stage.later(hours=25)
    await stage.reads(ada, chat, *lines, DAY)
    await stage.say(ada, chat, "after the quiet")
    lines += [DAY, f"{ada}: after the quiet", "threadline: You said: after the quiet"]
    await stage.reads(ada, chat, *lines)
    assert len(stage.body("after the quiet")["messages"]) == 1
    assert await stage.told(ada, chat, "resume") == "The conversation `quiet one` goes on."


async def test_a_quiet_topic_is_closed_in_the_topic_and_the_notice_names_the_bot(stage: Stage) -> None:
    ada, forum = await stage.person(), await stage.group(forum=True)
    topic = await stage.topic(ada, forum)
    await stage.say(ada, topic, f"{ME} topical")
    lines = [f"{ada}: {ME} topical", f"threadline: You said: {ada}: topical"]
    await stage.reads(ada, topic, *lines)
    await stage.later(hours=25)
    closed = DAY.replace("/resume", f"/resume{ME}")
    await stage.reads(ada, topic, *lines, closed)
    assert stage.sees(ada, forum) == []
    await stage.press(ada, topic, "Continue")
    await stage.reads(ada, topic, *lines, closed, "threadline: The conversation `topical` goes on.")


async def test_a_chat_is_not_closed_while_it_is_answered(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.hangs("slow one", "One two three.")
    await stage.say(ada, chat, "slow one")
    await stage.glimpses(ada, chat, f"{ada}: slow one", "threadline: One two three. [Stop]")
    await stage.later(hours=25)
    await stage.press(ada, chat, "Stop")
    await stage.reads(ada, chat, f"{ada}: slow one", "threadline: One two three.\n\n*Stopped.* [Continue] [Retry]")


async def test_telegram_can_have_a_time_of_its_own_and_the_notice_works_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path, telegram_idle_hours=2) as stage:
        ada, chat, lines = await talked(stage, "short-lived")
        await stage.later(hours=3)
        lines.append(notice("2 hours"))
        await stage.reads(ada, chat, *lines)
        await stage.stop()
        await stage.start()
        await stage.press(ada, chat, "Continue")
        await stage.reads(ada, chat, *lines, "threadline: The conversation `short-lived` goes on.")


async def test_a_chat_can_have_a_time_of_its_own(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, forum = await stage.person(), await stage.group(forum=True)
        quick = await stage.topic(ada, forum)
        await stage.stop()
        await stage.start(idle_channels=f"telegram:{stage.chat(forum)}=1")
        await stage.say(ada, quick, f"{ME} hourly")
        lines = [f"{ada}: {ME} hourly", f"threadline: You said: {ada}: hourly"]
        await stage.reads(ada, quick, *lines)
        await stage.later(hours=1.5)
        await stage.reads(ada, quick, *lines, notice("1 hour").replace("/resume", f"/resume{ME}"))


async def test_what_fell_due_while_the_server_was_down_is_closed_without_a_word(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, chat, lines = await talked(stage, "down meanwhile")
        await stage.stop()
        stage.meanwhile(hours=25)
        await stage.start()
        while "closed, since nobody wrote" not in (listed := await stage.told(ada, chat, "list")):
            lines += [f"{ada}: /list", f"threadline: {listed}"]
            await stage.look()
        lines += [f"{ada}: /list", f"threadline: {listed}"]
        await stage.say(ada, chat, "up again")
        await stage.reads(ada, chat, *lines, f"{ada}: up again", "threadline: You said: up again")
        assert len(stage.body("up again")["messages"]) == 1
