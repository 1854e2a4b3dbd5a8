"""Conversations that are closed because nobody writes, and how they go on."""

from pathlib import Path

import pytest

from tests.script import test_idle as elsewhere
from tests.script.base import text
from tests.script.slack.stage import Stage, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

WAYS = ["off", "on"]


def notice(length: str) -> str:
    return elsewhere.notice(length).replace("/resume", "@threadline /resume")


DAY = notice("24 hours")


async def test_a_quiet_thread_is_closed_with_a_notice_in_it_and_continue_takes_it_up_again(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    stage.answers("to be continued", "Yes.")
    stage.answers("continued now", "Where were we.")
    thread = await stage.say(ada, place, "@threadline to be continued")
    lines = [f"{ada}: @threadline to be continued", "threadline: Yes."]
    await stage.reads(ada, thread, *lines)
    await stage.later(hours=25)
    await stage.reads(ada, thread, *lines, DAY)
    await stage.reads(ada, place, *lines[:1])
    await stage.press(ada, thread, "Continue")
    lines += [DAY, "threadline: The conversation `to be continued` goes on. (only you)"]
    await stage.reads(ada, thread, *lines)
    await stage.say(ada, thread, "continued now")
    await stage.reads(ada, thread, *lines, f"{ada}: continued now", "threadline: Where were we.")
    said = [text(stage.body("continued now"), nth) for nth in range(3)]
    assert said == [f"{ada}: to be continued", "Yes.", f"{ada}: continued now"]


async def test_after_the_notice_the_next_message_begins_anew(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("quiet one", "Yes.")
    stage.answers("after the quiet", "Hello again.")
    thread = await stage.say(ada, chat, "quiet one")
    lines = [f"{ada}: quiet one", "threadline: Yes."]
    await stage.reads(ada, thread, *lines)
    await stage.later(hours=25)
    await stage.reads(ada, thread, *lines, DAY)
    await stage.say(ada, thread, "after the quiet")
    await stage.reads(ada, thread, *lines, DAY, f"{ada}: after the quiet", "threadline: Hello again.")
    assert len(stage.body("after the quiet")["messages"]) == 1


async def test_slack_can_have_a_time_of_its_own_and_the_notice_works_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path, slack_idle_hours=2) as stage:
        ada, chat = await stage.alone()
        stage.answers("short-lived", "Yes.")
        thread = await stage.say(ada, chat, "short-lived")
        lines = [f"{ada}: short-lived", "threadline: Yes."]
        await stage.reads(ada, thread, *lines)
        await stage.later(hours=3)
        lines.append(notice("2 hours"))
        await stage.reads(ada, thread, *lines)
        await stage.stop()
        await stage.start()
        await stage.press(ada, thread, "Continue")
        await stage.reads(ada, thread, *lines, "threadline: The conversation `short-lived` goes on. (only you)")
