"""Conversations that are closed because nobody writes, and how they go on."""

from pathlib import Path

import pytest

from tests.script.base import text
from tests.script.stage import Stage, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")


def notice(length: str) -> str:
    return (
        f"threadline: Nobody wrote here for {length}, so I have closed this conversation. The next message starts a new one; "
        "/resume goes on with this one. [Continue]"
    )


DAY = notice("24 hours")


async def talked(stage: Stage, word: str) -> tuple[str, str, list[str]]:
    """Somebody who has asked something, their chat, and what they see."""
    ada, chat = await stage.alone()
    stage.answers(word, "Yes.")
    await stage.say(ada, chat, word)
    lines = [f"{ada}: {word}", "threadline: Yes."]
    await stage.reads(ada, chat, *lines)
    return ada, chat, lines


async def test_a_quiet_conversation_is_closed_with_a_notice_and_the_next_message_opens_another(stage: Stage) -> None:
    ada, chat, lines = await talked(stage, "quiet one")
    await stage.later(hours=23.9)
    await stage.reads(ada, chat, *lines)
    await stage.later(hours=0.2)
    await stage.reads(ada, chat, *lines, DAY)
    stage.answers("after the quiet", "Hello again.")
    await stage.say(ada, chat, "after the quiet")
    await stage.reads(ada, chat, *lines, DAY, f"{ada}: after the quiet", "threadline: Hello again.")
    assert len(stage.body("after the quiet")["messages"]) == 1


async def test_continue_under_the_notice_takes_the_conversation_up_again(stage: Stage) -> None:
    ada, chat, lines = await talked(stage, "to be continued")
    await stage.later(hours=25)
    await stage.reads(ada, chat, *lines, DAY)
    await stage.press(ada, chat, "Continue")
    await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: The conversation `to be continued` goes on. (only you)")
    stage.answers("continued", "Where were we.")
    await stage.say(ada, chat, "continued")
    await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: Where were we.")
    assert [text(stage.body("continued"), nth) for nth in range(3)] == ["to be continued", "Yes.", "continued"]
    await stage.settled()


async def test_resume_goes_on_with_what_was_closed(stage: Stage) -> None:
    ada, chat, lines = await talked(stage, "to be resumed")
    await stage.later(hours=25)
    await stage.reads(ada, chat, *lines, DAY)
    assert ": 1 question, 1 day ago, closed, since nobody wrote (only you)" in await stage.told(ada, chat, "list")
    assert await stage.told(ada, chat, "resume") == "The conversation `to be resumed` goes on."
    stage.answers("resumed", "Gladly.")
    await stage.say(ada, chat, "resumed")
    await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: Gladly.")
    assert len(stage.body("resumed")["messages"]) == 3
    await stage.settled()


async def test_only_what_people_write_keeps_a_conversation_open(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    stage.answers("kept by people", "Yes.")
    thread = await stage.say(ada, place, "@threadline kept by people")
    await stage.reads(ada, thread, "threadline: Yes.")
    await stage.later(hours=20)
    await stage.say("otherbot", thread, "beep")
    await stage.later(hours=5)
    await stage.reads(ada, thread, "threadline: Yes.", "otherbot: beep", DAY)


async def test_a_conversation_in_which_somebody_writes_stays_open(stage: Stage) -> None:
    ada, chat, lines = await talked(stage, "lively")
    for nth in (1, 2):
        await stage.later(hours=20)
        stage.answers(f"still here {nth}", "Good.")
        await stage.say(ada, chat, f"still here {nth}")
        lines += [f"{ada}: still here {nth}", "threadline: Good."]
        await stage.reads(ada, chat, *lines)
    await stage.later(hours=1)
    assert len(stage.body("still here 2")["messages"]) == 5
    await stage.reads(ada, chat, *lines)


async def test_a_conversation_is_not_closed_while_it_is_answered(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.hangs("slow one", "One two three.")
    await stage.say(ada, chat, "slow one")
    await stage.glimpses(ada, chat, f"{ada}: slow one", "threadline: One two three. [Stop]")
    await stage.later(hours=25)
    await stage.press(ada, chat, "Stop")
    await stage.reads(ada, chat, f"{ada}: slow one", "threadline: One two three.\n\n*Stopped.* [Continue] [Retry]")


async def test_what_fell_due_while_the_server_was_down_is_closed_without_a_word(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, chat, lines = await talked(stage, "down meanwhile")
        await stage.stop()
        stage.meanwhile(hours=25)
        await stage.start()
        while "closed, since nobody wrote" not in (listed := await stage.told(ada, chat, "list")):
            lines.append(f"threadline: {listed}")
            await stage.look()
        lines.append(f"threadline: {listed}")
        await stage.reads(ada, chat, *lines)
        stage.answers("up again", "Hello.")
        await stage.say(ada, chat, "up again")
        await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: Hello.")
        assert len(stage.body("up again")["messages"]) == 1


async def test_a_button_of_a_notice_works_after_a_restart_and_after_another_conversation(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, chat, lines = await talked(stage, "long ago")
        await stage.later(hours=25)
        await stage.reads(ada, chat, *lines, DAY)
        stage.answers("in between", "Yes.")
        await stage.say(ada, chat, "in between")
        await stage.reads(ada, chat, *lines, DAY, f"{ada}: in between", "threadline: Yes.")
        await stage.stop()
        await stage.start()
        await stage.press(ada, chat, "Continue")
        await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: The conversation `long ago` goes on. (only you)")
        listed = await stage.told(ada, chat, "list")
        assert "`long ago`: 1 question, just now, open\n" in listed
        assert "`in between`: 1 question, just now, closed for another one" in listed


async def test_each_channel_can_have_its_own_time_and_settings_says_so(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, quick, slow, never = await stage.person(), await stage.channel(), await stage.channel(), await stage.channel()
        number = {name: stage.place(name) for name in (quick, slow, never)}
        await stage.stop()
        times = f"discord:{number[quick]}=2, discord:{number[never]}=0"
        await stage.start(idle_channels=times, discord_idle_hours=12)
        threads = [await stage.say(ada, place, "@threadline timed") for place in (quick, slow, never)]
        for thread in threads:
            await stage.reads(ada, thread, f"threadline: You said: {ada}: timed")
        answer = f"threadline: You said: {ada}: timed"
        await stage.later(hours=3)
        await stage.reads(ada, threads[0], answer, notice("2 hours"))
        await stage.reads(ada, threads[1], answer)
        await stage.later(hours=10)
        await stage.reads(ada, threads[1], answer, notice("12 hours"))
        await stage.later(hours=1000)
        await stage.reads(ada, threads[2], answer)
        line = "- a conversation is closed: "
        assert f"{line}after 2 hours without a message, set for this channel\n" in await stage.told(ada, quick, "settings")
        assert f"{line}after 12 hours without a message, set for this platform\n" in await stage.told(ada, slow, "settings")
        assert f"{line}never, set for this channel\n" in await stage.told(ada, never, "settings")


async def test_the_notice_can_be_left_out(tmp_path: Path) -> None:
    async with opened(tmp_path, idle_notice="off", idle_hours=1) as stage:
        ada, chat, lines = await talked(stage, "silently")
        await stage.later(hours=2)
        await stage.reads(ada, chat, *lines)
        assert "closed, since nobody wrote" in await stage.told(ada, chat, "list")
