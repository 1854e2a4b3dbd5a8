"""The agent view in direct chats: what can be asked, the status while Claude thinks, and Slack's own Stop button."""

import logging
from pathlib import Path

import pytest

from sandbox.anthropic import Script
from tests.script.slack.stage import Stage, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {"slack_streams": "on"}
STOPPED = "*Stopped.*"


def statuses(stage: Stage, thread: str) -> list[str]:
    """What the bot is said to do in a thread."""
    root = thread.partition("/")[2]
    return [each["status"] for each in stage.slack.statuses() if each["thread"] == root]


def session(stage: Stage, thread: str) -> str:
    """The status of a thread's session."""
    root = thread.partition("/")[2]
    return next((each["status"] for each in stage.slack.sessions() if each["thread"] == root), "none")


async def works(stage: Stage, thread: str) -> None:
    """Wait until people see that the bot is at work there, with Slack's own button to stop it."""
    await stage.until(lambda: statuses(stage, thread) == ["is thinking…"] and session(stage, thread) == "processing")


async def rests(stage: Stage, thread: str) -> None:
    """Wait until people see that it is not."""
    await stage.until(lambda: statuses(stage, thread) == [] and session(stage, thread) == "active")


async def stop(stage: Stage, who: str, thread: str) -> None:
    """Press Slack's own Stop button."""
    await stage.slack.stop(who, f"@{who}", thread.partition("/")[2])


async def test_whoever_opens_the_chat_sees_what_can_be_asked(stage: Stage) -> None:
    ada, chat = await stage.alone()
    await stage.slack.open_home(ada, "home")
    await stage.slack.open_home(ada)
    shown = await stage.until(lambda: stage.slack.prompts(ada))
    assert 1 <= len(shown["prompts"]) <= 4
    call = next(call for call in reversed(stage.slack.calls.after(0)) if "SuggestedPrompts" in call.path)
    assert "thread_ts" not in str(call)
    asked = shown["prompts"][0]["message"]
    stage.answers(asked, "Anything.")
    thread = await stage.say(ada, chat, asked)
    await stage.reads(ada, thread, f"{ada}: {asked}", "threadline: Anything.")


async def test_a_status_stands_while_claude_thinks_and_goes_with_the_answer(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.claude.script(Script(text="At last.", wait=4.0), match="thinks first")
    thread = await stage.say(ada, chat, "thinks first")
    await works(stage, thread)
    await stage.reads(ada, thread, f"{ada}: thinks first", "threadline: At last.")
    await rests(stage, thread)


async def test_in_a_channel_there_is_a_status_and_no_session(stage: Stage) -> None:
    ada, place = await stage.person(), await stage.channel()
    stage.claude.script(Script(text="At last.", wait=4.0), match="thinks in public")
    thread = await stage.say(ada, place, "@threadline thinks in public")
    await stage.until(lambda: statuses(stage, thread) == ["is thinking…"])
    await stage.reads(ada, thread, f"{ada}: @threadline thinks in public", "threadline: At last.")
    await stage.until(lambda: statuses(stage, thread) == [])
    assert session(stage, thread) == "none"


async def test_slacks_stop_ends_an_answer_that_is_being_written_and_says_nothing_else(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.hangs("stopped natively", "One two three.", wait=4.0)
    thread = await stage.say(ada, chat, "stopped natively")
    await works(stage, thread)
    # What may still change of a text is not streamed yet, so that less than all of it shows.
    await stage.until(lambda: len(stage.sees(ada, thread)) == 2 and session(stage, thread) == "processing")
    await stop(stage, ada, thread)
    await stage.until(lambda: stage.sees(ada, thread)[-1].endswith(f"\n\n{STOPPED} [Continue] [Retry]"))
    await stage.settled()
    await rests(stage, thread)
    asked, answer = stage.sees(ada, thread)
    assert asked == f"{ada}: stopped natively"
    assert answer.startswith("threadline: One")


async def test_slacks_stop_ends_an_answer_of_which_nothing_shows_yet(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.claude.script(Script(text="Never.", wait=60.0), match="stopped while thinking")
    thread = await stage.say(ada, chat, "stopped while thinking")
    await works(stage, thread)
    await stop(stage, ada, thread)
    await stage.reads(ada, thread, f"{ada}: stopped while thinking", "threadline: Stopped. [Retry]")
    await rests(stage, thread)


async def test_a_question_taken_back_before_anything_shows_leaves_no_status_behind(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.claude.script(Script(text="Never.", wait=60.0), match="taken back while thinking")
    thread = await stage.say(ada, chat, "taken back while thinking")
    await works(stage, thread)
    await stage.delete(ada, thread, f"{ada}: taken back while thinking")
    await stage.settled()
    await rests(stage, thread)
    assert stage.sees(ada, thread) == []


async def test_a_stop_of_the_server_leaves_no_status_and_the_next_start_goes_on(tmp_path: Path) -> None:
    async with opened(tmp_path, SETTINGS, drain_seconds=0) as stage:
        ada, chat = await stage.alone()
        stage.claude.script(Script(text="Never.", wait=60.0), match="over a restart")
        thread = await stage.say(ada, chat, "over a restart")
        await works(stage, thread)
        await stage.asked_about("over a restart")
        await stage.stop()
        assert (statuses(stage, thread), session(stage, thread)) == ([], "active")
        stage.answers("over a restart", "Here again.")
        await stage.start()
        await stage.reads(ada, thread, f"{ada}: over a restart", "threadline: Here again.")
        await rests(stage, thread)


async def test_where_there_is_no_agent_view_all_else_works_and_the_log_says_so_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bots.slack.agents")
    async with opened(tmp_path, SETTINGS) as stage:
        await stage.slack.set_features(agent=False, agent_sessions=False)
        ada, chat = await stage.alone()
        await stage.slack.open_home(ada)
        for nth in range(3):
            await stage.slack.open_home(ada)
            stage.claude.script(Script(text=f"Answer {nth}.", wait=1.0), match=f"plainly {nth}")
            thread = await stage.say(ada, chat, f"plainly {nth}")
            await stage.reads(ada, thread, f"{ada}: plainly {nth}", f"threadline: Answer {nth}.")
        assert stage.slack.prompts(ada) is None
        assert stage.slack.sessions() == []
    told = [record for record in caplog.records if record.name == "bots.slack.agents"]
    assert len(told) == len({getattr(record, "method", "") for record in told}) <= 2
