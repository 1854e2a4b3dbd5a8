"""Buttons under a reply, also after a restart, and a reply that a restart breaks off."""

from pathlib import Path

import pytest

from sandbox.anthropic import Script
from tests.script.slack.stage import Stage, opened
from tests.script.test_buttons import BROKE_OFF, CUT, OLD

pytestmark = pytest.mark.asyncio(loop_scope="module")

STOPPED = "threadline: One two three.\n\n*Stopped.* [Continue] [Retry]"
TORN = f"threadline: Half of it\n\n{BROKE_OFF} [Continue] [Retry]"


async def test_stop_ends_the_answer_and_retry_writes_it_anew_in_place(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    stage.hangs("pressed", "One two three.")
    stage.answers("pressed", "All of it.")
    thread = await stage.say(ada, place, "@threadline pressed")
    asked = f"{ada}: @threadline pressed"
    await stage.glimpses(ada, thread, asked, "threadline: One two three. [Stop]")
    await stage.press(ada, thread, "Stop")
    await stage.reads(ada, thread, asked, STOPPED)
    before = stage.ids(ada, thread)
    await stage.press(ada, thread, "Retry")
    await stage.reads(ada, thread, asked, "threadline: All of it.")
    assert stage.ids(ada, thread) == before


async def test_retry_stands_under_a_failure(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.claude.script(Script(status=400, error_message="no"), match="retried one")
    stage.answers("retried one", "Now it works.")
    thread = await stage.say(ada, chat, "retried one")
    failed = "Claude did not accept this request. Write @threadline /new to start a fresh conversation, then ask again."
    await stage.reads(ada, thread, f"{ada}: retried one", f"threadline: {failed} [Retry]")
    await stage.press(ada, thread, "Retry")
    await stage.reads(ada, thread, f"{ada}: retried one", "threadline: Now it works.")


async def test_continue_after_the_length_limit_goes_on_below(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("long story", "Once upon a time", stop="max_tokens")
    stage.answers("Continue.", "there was a bot.")
    thread = await stage.say(ada, chat, "long story")
    lines = [f"{ada}: long story", f"threadline: Once upon a time\n\n{CUT} [Continue]"]
    await stage.reads(ada, thread, *lines)
    await stage.press(ada, thread, "Continue")
    await stage.reads(ada, thread, *lines, "threadline: there was a bot.")
    assert len(stage.body("Continue.")["messages"]) == 3


async def test_a_button_under_an_old_answer_says_so_to_the_one_who_pressed(stage: Stage) -> None:
    ada, ben, place = await stage.person(), await stage.person(), await stage.channel()
    stage.answers("old one", "Half of it", deltas=3, ending="cut")
    stage.answers("newer one", "Newer.")
    thread = await stage.say(ada, place, "@threadline old one")
    await stage.reads(ada, thread, f"{ada}: @threadline old one", TORN)
    await stage.say(ada, thread, "newer one")
    lines = [f"{ada}: @threadline old one", TORN, f"{ada}: newer one", "threadline: Newer."]
    await stage.reads(ada, thread, *lines)
    await stage.press(ben, thread, "Retry")
    await stage.reads(ben, thread, *lines, f"threadline: {OLD} (only you)")
    await stage.reads(ada, thread, *lines)


async def test_slack_s_own_stop_ends_an_answer_of_which_nothing_shows_yet(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.claude.script(Script(text="Never.", wait=60.0), match="thinking long")
    thread = await stage.say(ada, chat, "thinking long")
    root = thread.partition("/")[2]

    def working() -> bool:
        return any(each["thread"] == root and each["status"] == "processing" for each in stage.slack.sessions())

    await stage.until(working)
    await stage.asked_about("thinking long")
    await stage.slack.stop(ada, chat, root)
    await stage.until(lambda: "threadline: Stopped. [Retry]" in stage.sees(ada, thread) and not working())
    await stage.settled()
    assert stage.slack.statuses() == []


async def test_buttons_work_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, place = await stage.person(), await stage.channel()
        stage.answers("before", "Half of it", deltas=3, ending="cut")
        stage.answers("before", "All of it.")
        thread = await stage.say(ada, place, "@threadline before")
        await stage.reads(ada, thread, f"{ada}: @threadline before", TORN)
        await stage.stop()
        await stage.start()
        await stage.press(ada, thread, "Retry")
        await stage.reads(ada, thread, f"{ada}: @threadline before", "threadline: All of it.")


async def test_an_answer_that_a_restart_breaks_off_goes_on_in_its_message_and_can_be_stopped(tmp_path: Path) -> None:
    async with opened(tmp_path, drain_seconds=0) as stage:
        ada, place = await stage.person(), await stage.channel()
        stage.hangs("through a restart", "First try.")
        stage.hangs("through a restart", "Second try.")
        thread = await stage.say(ada, place, "@threadline through a restart")
        asked = f"{ada}: @threadline through a restart"
        await stage.glimpses(ada, thread, asked, "threadline: First try. [Stop]")
        before = stage.ids(ada, thread)
        await stage.stop()
        assert stage.sees(ada, thread) == [asked, "threadline: First try. [Stop]"]
        await stage.start()
        await stage.glimpses(ada, thread, asked, "threadline: Second try. [Stop]")
        await stage.press(ada, thread, "Stop")
        await stage.reads(ada, thread, asked, "threadline: Second try.\n\n*Stopped.* [Continue] [Retry]")
        assert stage.ids(ada, thread) == before


async def test_what_is_said_while_the_server_is_down_is_answered_when_it_is_back(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, place = await stage.person(), await stage.channel()
        stage.answers("before the night", "Good night.")
        stage.answers("in the night", "Good morning.")
        thread = await stage.say(ada, place, "@threadline before the night")
        lines = [f"{ada}: @threadline before the night", "threadline: Good night."]
        await stage.reads(ada, thread, *lines)
        await stage.stop()
        await stage.say(ada, thread, "in the night")
        await stage.start()
        await stage.reads(ada, thread, *lines, f"{ada}: in the night", "threadline: Good morning.")
