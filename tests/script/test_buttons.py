"""Buttons under a reply: Stop while it runs, Retry and Continue after it, by whom, how late, and after a restart."""

from pathlib import Path

import pytest

from sandbox.anthropic import Script
from tests.script.base import ADMIN, text
from tests.script.stage import Stage, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

CUT = "*The answer reached its length limit. Write “continue” for the rest.*"
BROKE_OFF = "*The answer above is incomplete. The connection to Claude broke off. Ask again in a moment.*"
OLD = "Something else was asked after this. Write the question again to have it answered anew."


async def test_stop_stands_under_an_answer_while_it_is_written_and_ends_it(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.hangs("pressed stop", "One two three.")
    await stage.say(ada, chat, "pressed stop")
    await stage.glimpses(ada, chat, f"{ada}: pressed stop", "threadline: One two three. [Stop]")
    await stage.press(ada, chat, "Stop")
    stopped = "threadline: One two three.\n\n*Stopped.* [Continue] [Retry]"
    await stage.reads(ada, chat, f"{ada}: pressed stop", stopped)


async def test_stop_comes_under_an_answer_that_grows_no_further(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.hangs("only word", "Word.")
    await stage.say(ada, chat, "only word")
    await stage.glimpses(ada, chat, f"{ada}: only word", "threadline: Word.")
    await stage.glimpses(ada, chat, f"{ada}: only word", "threadline: Word. [Stop]")
    await stage.press(ada, chat, "Stop")
    await stage.reads(ada, chat, f"{ada}: only word", "threadline: Word.\n\n*Stopped.* [Continue] [Retry]")


async def test_stop_disappears_when_the_answer_is_whole(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("whole one", "One two three.", deltas=3, seconds=3.0)
    await stage.say(ada, chat, "whole one")
    await stage.until(lambda: stage.sees(ada, chat)[-1].endswith(" [Stop]"))
    await stage.reads(ada, chat, f"{ada}: whole one", "threadline: One two three.")


async def test_a_stop_that_comes_too_late_says_so_to_the_one_who_pressed(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("late stop", "One two three.", deltas=3, seconds=3.0)
    await stage.say(ada, chat, "late stop")
    await stage.until(lambda: stage.sees(ada, chat)[-1].endswith(" [Stop]"))
    held = stage.discord.sees(ada, chat)[-1]["id"]
    pressed = stage.discord.message(held)["components"]
    await stage.reads(ada, chat, f"{ada}: late stop", "threadline: One two three.")
    stage.discord.world.edit(stage.discord.world.state.messages[int(held)], components=pressed)
    await stage.press(ada, chat, "Stop")
    await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: This answer is not being written any more. (only you)")


async def test_retry_stands_under_a_failure_and_answers_in_place(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.claude.script(Script(status=400, error_message="no"), match="retried one")
    stage.answers("retried one", "Now it works.")
    await stage.say(ada, chat, "retried one")
    failed = "Claude did not accept this request. Write /new to start a fresh conversation, then ask again."
    await stage.reads(ada, chat, f"{ada}: retried one", f"threadline: {failed} [Retry]")
    await stage.press(ada, chat, "Retry")
    await stage.reads(ada, chat, f"{ada}: retried one", "threadline: Now it works.")


async def test_continue_after_the_length_limit_goes_on_below(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("long story", "Once upon a time", stop="max_tokens")
    stage.answers("Continue.", "there was a bot.")
    await stage.say(ada, chat, "long story")
    await stage.reads(ada, chat, f"{ada}: long story", f"threadline: Once upon a time\n\n{CUT} [Continue]")
    await stage.press(ada, chat, "Continue")
    await stage.reads(
        ada, chat, f"{ada}: long story", f"threadline: Once upon a time\n\n{CUT} [Continue]", "threadline: there was a bot."
    )
    assert [text(stage.body("Continue."), nth) for nth in range(3)] == ["long story", "Once upon a time", "Continue."]


async def test_continue_after_an_interruption_goes_on_below(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("torn off", "Half of it", deltas=3, ending="cut")
    stage.answers("Continue.", "and the other half.")
    await stage.say(ada, chat, "torn off")
    torn = f"threadline: Half of it\n\n{BROKE_OFF} [Continue] [Retry]"
    await stage.reads(ada, chat, f"{ada}: torn off", torn)
    await stage.press(ada, chat, "Continue")
    await stage.reads(ada, chat, f"{ada}: torn off", torn, "threadline: and the other half.")


async def test_a_button_under_an_old_answer_says_that_something_else_was_asked(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("old one", "Half of it", deltas=3, ending="cut")
    stage.answers("newer one", "Newer.")
    await stage.say(ada, chat, "old one")
    torn = f"threadline: Half of it\n\n{BROKE_OFF} [Continue] [Retry]"
    await stage.reads(ada, chat, f"{ada}: old one", torn)
    await stage.say(ada, chat, "newer one")
    lines = [f"{ada}: old one", torn, f"{ada}: newer one", "threadline: Newer."]
    await stage.reads(ada, chat, *lines)
    await stage.press(ada, chat, "Retry")
    await stage.reads(ada, chat, *lines, f"threadline: {OLD} (only you)")
    await stage.press(ada, chat, "Continue")
    more = "Something else was asked after this. Write what I should go on with. (only you)"
    await stage.reads(ada, chat, *lines, f"threadline: {OLD} (only you)", f"threadline: {more}")


async def test_a_button_after_new_does_nothing_but_say_so(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("closed one", "Half of it", deltas=3, ending="cut")
    await stage.say(ada, chat, "closed one")
    await stage.reads(ada, chat, f"{ada}: closed one", f"threadline: Half of it\n\n{BROKE_OFF} [Continue] [Retry]")
    await stage.told(ada, chat, "new")
    await stage.press(ada, chat, "Retry")
    await stage.until(lambda: stage.sees(ada, chat)[-1] == f"threadline: {OLD} (only you)")


async def test_buttons_work_after_a_restart(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, chat = await stage.alone()
        stage.answers("before", "Half of it", deltas=3, ending="cut")
        stage.answers("before", "All of it.")
        await stage.say(ada, chat, "before")
        await stage.reads(ada, chat, f"{ada}: before", f"threadline: Half of it\n\n{BROKE_OFF} [Continue] [Retry]")
        await stage.stop()
        await stage.start()
        await stage.press(ada, chat, "Retry")
        await stage.reads(ada, chat, f"{ada}: before", "threadline: All of it.")


async def test_an_answer_that_a_restart_breaks_off_is_written_anew_in_its_message_and_can_be_stopped(tmp_path: Path) -> None:
    async with opened(tmp_path, drain_seconds=0) as stage:
        ada, chat = await stage.alone()
        stage.hangs("through a restart", "First try.")
        stage.hangs("through a restart", "Second try.")
        await stage.say(ada, chat, "through a restart")
        await stage.glimpses(ada, chat, f"{ada}: through a restart", "threadline: First try. [Stop]")
        await stage.stop()
        await stage.glimpses(ada, chat, f"{ada}: through a restart", "threadline: First try. [Stop]")
        await stage.start()
        await stage.glimpses(ada, chat, f"{ada}: through a restart", "threadline: Second try. [Stop]")
        await stage.press(ada, chat, "Stop")
        await stage.reads(ada, chat, f"{ada}: through a restart", "threadline: Second try.\n\n*Stopped.* [Continue] [Retry]")


async def test_buttons_are_for_those_who_may(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, ben, place = await stage.person(), await stage.person(), await stage.channel()
        await stage.stop()
        await stage.start(discord_allowed_users=f"{stage.number(ada)}, {stage.number(ADMIN)}")
        stage.hangs("guarded", "One two three.")
        thread = await stage.say(ada, place, "@threadline guarded")
        await stage.glimpses(ben, thread, "threadline: One two three. [Stop]")
        await stage.press(ben, thread, "Stop")
        no = "threadline: I may not answer you here. Ask the person who runs this bot to let you in. (only you)"
        await stage.glimpses(ben, thread, "threadline: One two three. [Stop]", no)
        await stage.press(ada, thread, "Stop")
        await stage.reads(ben, thread, "threadline: One two three.\n\n*Stopped.* [Continue] [Retry]", no)
        assert await stage.told(ben, place, "help") == no.removeprefix("threadline: ")
        await stage.say(ben, place, "@threadline let me in")
        refused = no.removesuffix(" (only you)")
        await stage.reads(ada, place, f"{ada}: @threadline guarded", f"{ben}: @threadline let me in", refused)
        why = "It was not answered: I may not answer this person here. The person who runs this bot can change that."
        assert f"- just now (`{stage.number(ben)}`): {why}\n" in await stage.told(ADMIN, place, "why")
