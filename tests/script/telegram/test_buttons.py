"""Buttons under a reply, also after a restart, and a reply that a restart breaks off."""

from pathlib import Path

import pytest

from sandbox.anthropic import Script
from tests.script.telegram.stage import ME, Stage, opened
from tests.script.test_buttons import BROKE_OFF, CUT, OLD

pytestmark = pytest.mark.asyncio(loop_scope="module")

RUNNING = "threadline: One two three. [Stop]"
STOPPED = "threadline: One two three.\n\n*Stopped.* [Continue] [Retry]"
TORN = f"threadline: Half of it\n\n{BROKE_OFF} [Continue] [Retry]"


async def torn(stage: Stage, word: str) -> tuple[str, str]:
    """Somebody whose answer has broken off, and their chat."""
    ada, chat = await stage.alone()
    stage.answers(word, "Half of it", deltas=3, ending="cut")
    await stage.say(ada, chat, word)
    await stage.reads(ada, chat, f"{ada}: {word}", TORN)
    return ada, chat


async def test_stop_ends_the_answer_and_retry_writes_it_anew_in_place(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.group()
    stage.hangs("pressed", "One two three.")
    stage.answers("pressed", "All of it.")
    await stage.say(ada, place, f"{ME} pressed")
    asked = f"{ada}: {ME} pressed"
    await stage.glimpses(ada, place, asked, RUNNING)
    before = stage.ids(ada, place)
    await stage.press(ada, place, "Stop")
    await stage.reads(ada, place, asked, STOPPED)
    await stage.press(ada, place, "Retry")
    await stage.reads(ada, place, asked, "threadline: All of it.")
    assert stage.ids(ada, place) == before


async def test_every_press_is_answered_so_that_the_button_stops_turning(stage: Stage) -> None:
    ada, chat = await torn(stage, "turning")
    press = await stage.press(ada, chat, "Retry")
    await stage.until(lambda: stage.telegram.query(press)["answer"] is not None)
    await stage.reads(ada, chat, f"{ada}: turning", "threadline: You said: turning")


async def test_stop_comes_under_an_answer_that_grows_no_further(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.hangs("only word", "Word.")
    await stage.say(ada, chat, "only word")
    await stage.glimpses(ada, chat, f"{ada}: only word", "threadline: Word.")
    await stage.glimpses(ada, chat, f"{ada}: only word", "threadline: Word. [Stop]")
    await stage.press(ada, chat, "Stop")
    await stage.reads(ada, chat, f"{ada}: only word", "threadline: Word.\n\n*Stopped.* [Continue] [Retry]")


async def test_a_stop_that_comes_too_late_says_so(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.hangs("late stop", "One two three.")
    await stage.say(ada, chat, "late stop")
    await stage.glimpses(ada, chat, f"{ada}: late stop", RUNNING)
    shown = stage.ids(ada, chat)[-1]
    markup = stage.telegram.message(shown)["markup"]
    await stage.press(ada, chat, "Stop")
    await stage.reads(ada, chat, f"{ada}: late stop", STOPPED)
    await stage.keep_buttons(shown, markup)
    await stage.press(ada, chat, "Stop")
    await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: This answer is not being written any more.")


async def test_retry_stands_under_a_failure(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.claude.script(Script(status=400, error_message="no"), match="retried one")
    await stage.say(ada, chat, "retried one")
    failed = "Claude did not accept this request. Write /new to start a fresh conversation, then ask again."
    await stage.reads(ada, chat, f"{ada}: retried one", f"threadline: {failed} [Retry]")
    await stage.press(ada, chat, "Retry")
    await stage.reads(ada, chat, f"{ada}: retried one", "threadline: You said: retried one")


async def test_continue_after_the_length_limit_goes_on_below(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.group()
    stage.answers("long story", "Once upon a time", stop="max_tokens")
    stage.answers("Continue.", "there was a bot.")
    await stage.say(ada, place, f"{ME} long story")
    lines = [f"{ada}: {ME} long story", f"threadline: Once upon a time\n\n{CUT} [Continue]"]
    await stage.reads(ada, place, *lines)
    await stage.press(ada, place, "Continue")
    await stage.reads(ada, place, *lines, "threadline: there was a bot.")


async def test_continue_pressed_twice_goes_on_once(stage: Stage) -> None:
    ada, chat = await torn(stage, "twice pressed")
    stage.answers("Continue.", "and the other half.")
    await stage.press(ada, chat, "Continue")
    await stage.press(ada, chat, "Continue")
    old = "threadline: Something else was asked after this. Write what I should go on with."
    await stage.until(lambda: len(stage.sees(ada, chat)) == 4)
    await stage.settled()
    assert sorted(stage.sees(ada, chat)) == sorted([f"{ada}: twice pressed", TORN, "threadline: and the other half.", old])


async def test_a_button_under_an_old_answer_says_that_something_else_was_asked(stage: Stage) -> None:
    ada, chat = await torn(stage, "old one")
    await stage.say(ada, chat, "newer one")
    lines = [f"{ada}: old one", TORN, f"{ada}: newer one", "threadline: You said: newer one"]
    await stage.reads(ada, chat, *lines)
    await stage.press(ada, chat, "Retry")
    await stage.reads(ada, chat, *lines, f"threadline: {OLD}")


async def test_a_press_on_a_message_that_is_too_old_to_be_told_of_works(stage: Stage) -> None:
    ada, chat = await torn(stage, "very old")
    await stage.press(ada, chat, "Retry", inaccessible=True)
    await stage.reads(ada, chat, f"{ada}: very old", "threadline: You said: very old")


async def test_a_press_in_a_topic_leads_to_an_answer_in_it(stage: Stage) -> None:
    ada, forum = await stage.person(), await stage.group(forum=True)
    topic = await stage.topic(ada, forum)
    stage.answers("topical", "Once upon a time", stop="max_tokens")
    stage.answers("Continue.", "and so on.")
    await stage.say(ada, topic, f"{ME} topical")
    lines = [f"{ada}: {ME} topical", f"threadline: Once upon a time\n\n{CUT} [Continue]"]
    await stage.reads(ada, topic, *lines)
    await stage.press(ada, topic, "Continue")
    await stage.reads(ada, topic, *lines, "threadline: and so on.")


async def test_a_button_with_unknown_words_says_so(stage: Stage) -> None:
    ada, chat = await torn(stage, "made up")
    for data in ("\N{SNOWMAN}" * 21, "retry/999999999999999999999999999", "stop/-1"):
        lines = len(stage.sees(ada, chat))
        await stage.keep_buttons(stage.ids(ada, chat)[1], {"inline_keyboard": [[{"text": "Odd", "callback_data": data}]]})
        await stage.press(ada, chat, "Odd")
        await stage.until(lambda lines=lines: len(stage.sees(ada, chat)) > lines)
    assert set(stage.sees(ada, chat)[2:]) <= {
        "threadline: I do not know this button any more. Write /help to see what I can do.",
        "threadline: This answer is not being written any more.",
        "threadline: I do not know this answer any more. Write the question again.",
    }


async def test_buttons_work_after_a_restart_and_a_press_made_meanwhile_counts(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, chat = await torn(stage, "before")
        stage.answers("before", "All of it.")
        await stage.stop()
        await stage.press(ada, chat, "Retry")
        await stage.telegram.expire_queries()
        await stage.start()
        await stage.reads(ada, chat, f"{ada}: before", "threadline: All of it.")


async def test_an_answer_that_a_restart_breaks_off_is_written_anew_in_its_message_and_can_be_stopped(tmp_path: Path) -> None:
    async with opened(tmp_path, drain_seconds=0) as stage:
        ada, chat = await stage.alone()
        stage.hangs("through a restart", "First try.")
        stage.hangs("through a restart", "Second try.")
        await stage.say(ada, chat, "through a restart")
        await stage.glimpses(ada, chat, f"{ada}: through a restart", "threadline: First try. [Stop]")
        await stage.stop()
        await stage.start()
        await stage.glimpses(ada, chat, f"{ada}: through a restart", "threadline: Second try. [Stop]")
        await stage.press(ada, chat, "Stop")
        await stage.reads(ada, chat, f"{ada}: through a restart", "threadline: Second try.\n\n*Stopped.* [Continue] [Retry]")


async def test_buttons_are_for_those_who_may(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, ben, place = await stage.person(), await stage.person(), await stage.group()
        await stage.stop()
        await stage.start(telegram_allowed_users=stage.number(ada))
        stage.hangs("guarded", "One two three.")
        await stage.say(ada, place, f"{ME} guarded")
        asked = f"{ada}: {ME} guarded"
        await stage.glimpses(ben, place, asked, RUNNING)
        await stage.press(ben, place, "Stop")
        no = "threadline: I may not answer you here. Ask the person who runs this bot to let you in."
        await stage.glimpses(ben, place, asked, RUNNING, no)
        await stage.press(ada, place, "Stop")
        await stage.reads(ben, place, asked, STOPPED, no)
