"""Replies that Slack streams: what people read when they have ended is the same as where they grow by edits."""

from pathlib import Path

import pytest

from sandbox.faults import Rule
from tests.script.slack.stage import Stage, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {"slack_streams": "on"}
STREAMING = "threadline: streaming"
STOPPED = "\n\n*Stopped.* [Continue] [Retry]"


def streams(stage: Stage) -> int:
    """How many streams have been begun."""
    return sum(call.path == "/chat.startStream" for call in stage.slack.calls)


async def test_an_answer_is_streamed_in_its_thread(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    stage.answers("stream this", "One two three four five six.", deltas=6, seconds=3.0)
    begun = streams(stage)
    thread = await stage.say(ada, place, "@threadline stream this")
    await stage.glimpses(ada, thread, f"{ada}: @threadline stream this", STREAMING)
    await stage.reads(ada, thread, f"{ada}: @threadline stream this", "threadline: One two three four five six.")
    assert streams(stage) == begun + 1


async def test_a_long_answer_goes_on_in_further_messages_and_nothing_is_lost(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    stage.answers("at length", "\n\n".join(f"{'word ' * 400}{number}." for number in range(8)))
    thread = await stage.say(ada, place, "@threadline at length")
    await stage.until(lambda: stage.sees(ada, thread)[-1].endswith("word 7."))
    await stage.settled()
    said = "".join(line.removeprefix("threadline: ") for line in stage.sees(ada, thread)[1:])
    assert said.count("word") == 3200


async def test_a_stop_as_text_ends_the_stream_with_what_was_written(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    stage.hangs("halting", "One two three.")
    stage.answers("halting", "All of it.")
    thread = await stage.say(ada, place, "@threadline halting")
    asked, told = f"{ada}: @threadline halting", f"{ada}: @threadline /stop"
    await stage.glimpses(ada, thread, asked, STREAMING)
    await stage.say(ada, thread, "@threadline /stop")
    await stage.until(lambda: len(stage.sees(ada, thread)) == 3 and stage.sees(ada, thread)[1].endswith(STOPPED))
    await stage.settled()
    assert stage.sees(ada, thread)[1].startswith("threadline: One")
    await stage.press(ada, thread, "Retry")
    await stage.reads(ada, thread, asked, "threadline: All of it.", told)


async def test_a_question_that_is_edited_meanwhile_is_answered_in_the_same_message(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.hangs("runs still", "The wrong thing.")
    stage.answers("runs right", "Right.")
    thread = await stage.say(ada, chat, "runs still")
    await stage.glimpses(ada, thread, f"{ada}: runs still", STREAMING)
    before = stage.ids(ada, thread)
    await stage.edit(ada, thread, "runs still", "runs right")
    await stage.reads(ada, thread, f"{ada}: runs right", "threadline: Right.")
    assert stage.ids(ada, thread) == before


async def test_an_answer_that_is_cut_short_has_its_button_at_the_end(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    stage.answers("long story", "Once upon a time", stop="max_tokens")
    stage.answers("Continue.", "there was a bot.")
    thread = await stage.say(ada, place, "@threadline long story")
    await stage.until(lambda: stage.sees(ada, thread)[-1].endswith(" [Continue]"))
    await stage.settled()
    await stage.press(ada, thread, "Continue")
    await stage.until(lambda: stage.sees(ada, thread)[-1] == "threadline: there was a bot.")
    await stage.settled()
    assert len(stage.sees(ada, thread)) == 3


async def test_a_stream_that_a_stop_of_the_server_breaks_off_is_written_whole_by_the_next(tmp_path: Path) -> None:
    async with opened(tmp_path, SETTINGS, drain_seconds=0) as stage:
        ada, place = await stage.person(), await stage.channel()
        stage.hangs("through a restart", "First try.")
        stage.answers("through a restart", "Second try.")
        thread = await stage.say(ada, place, "@threadline through a restart")
        await stage.glimpses(ada, thread, f"{ada}: @threadline through a restart", STREAMING)
        before = stage.ids(ada, thread)
        await stage.stop()
        await stage.start()
        await stage.reads(ada, thread, f"{ada}: @threadline through a restart", "threadline: Second try.")
        assert stage.ids(ada, thread) == before


async def test_where_the_workspace_has_no_streams_replies_grow_by_edits(tmp_path: Path) -> None:
    async with opened(tmp_path, SETTINGS) as stage:
        await stage.slack.set_features(streaming=False)
        ada, place = await stage.person(), await stage.channel()
        stage.answers("tried first", "One two three four five six.", deltas=6, seconds=3.0)
        thread = await stage.say(ada, place, "@threadline tried first")
        await stage.reads(ada, thread, f"{ada}: @threadline tried first", "threadline: One two three four five six.")
        stage.hangs("edited then", "One two three.")
        thread = await stage.say(ada, place, "@threadline edited then")
        await stage.glimpses(ada, thread, f"{ada}: @threadline edited then", "threadline: One two three. [Stop]")
        await stage.press(ada, thread, "Stop")
        await stage.reads(ada, thread, f"{ada}: @threadline edited then", f"threadline: One two three.{STOPPED}")
        assert streams(stage) == 1


async def test_where_starts_run_short_the_whole_answer_is_posted_at_once(tmp_path: Path) -> None:
    async with opened(tmp_path, SETTINGS) as stage:
        refused = {"ok": False, "error": "ratelimited"}
        short = Rule("status", path=r"/chat\.startStream$", status=429, headers={"Retry-After": "300"}, body=refused, times=None)
        await stage.slack.fault(short)
        ada, place = await stage.person(), await stage.channel()
        for nth in range(2):
            stage.answers(f"short of {nth}", "One two three four five six.", deltas=6, seconds=3.0)
            thread = await stage.say(ada, place, f"@threadline short of {nth}")
            await stage.reads(ada, thread, f"{ada}: @threadline short of {nth}", "threadline: One two three four five six.")
        assert streams(stage) == 1
        shown = [call for call in stage.slack.calls if call.path in ("/chat.postMessage", "/chat.update")]
        assert [call.path for call in shown] == ["/chat.postMessage"] * 2
