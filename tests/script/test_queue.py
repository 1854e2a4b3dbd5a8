"""What comes together or too early: bursts, a message while an answer is written, a full queue."""

from pathlib import Path

import pytest

from tests.script.base import file, text
from tests.script.stage import Stage, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {"queue_limit": 2}
FULL = "Too many questions wait here for their answers. Ask again when some are answered, or write /stop to clear them."


async def test_a_message_that_comes_while_an_answer_is_written_gets_a_sign_and_its_turn(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.hangs("the first of two", "One two three.")
    stage.answers("the second of two", "Second.")
    await stage.say(ada, chat, "the first of two")
    await stage.glimpses(ada, chat, f"{ada}: the first of two", "threadline: One two three. [Stop]")
    await stage.say(ada, chat, "the second of two")
    await stage.glimpses(
        ada, chat, f"{ada}: the first of two", "threadline: One two three. [Stop]", f"{ada}: the second of two (👀)"
    )
    await stage.press(ada, chat, "Stop")
    await stage.reads(
        ada, chat, f"{ada}: the first of two", "threadline: One two three.\n\n*Stopped.* [Continue] [Retry]",
        f"{ada}: the second of two", "threadline: Second.",
    )  # fmt: skip


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


async def test_a_full_queue_is_said_each_time(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.hangs("crowded 1", "One two three.")
    await stage.say(ada, chat, "crowded 1")
    await stage.glimpses(ada, chat, f"{ada}: crowded 1", "threadline: One two three. [Stop]")
    await stage.say(ada, chat, "crowded 2")
    # Until the platform has said that more of them may come, the bot leaves one sign at a time, and no other meanwhile.
    await stage.until(lambda: any(call.ended for call in stage.discord.calls.matching("PUT", "/reactions/")))
    for nth in (3, 4, 5):
        await stage.say(ada, chat, f"crowded {nth}")
    begun = [
        f"{ada}: crowded 1", "threadline: One two three. [Stop]", f"{ada}: crowded 2 (👀)", f"{ada}: crowded 3 (👀)",
        f"{ada}: crowded 4", f"{ada}: crowded 5", f"threadline: {FULL}", f"threadline: {FULL}",
    ]  # fmt: skip
    await stage.glimpses(ada, chat, *begun)
    await stage.say(ada, chat, "/stop")
    await stage.reads(
        ada, chat, f"{ada}: crowded 1", "threadline: One two three.\n\n*Stopped.* [Continue] [Retry]", f"{ada}: crowded 2",
        f"{ada}: crowded 3", f"{ada}: crowded 4", f"{ada}: crowded 5", f"threadline: {FULL}", f"threadline: {FULL}",
        f"{ada}: /stop", "threadline: Stopped. [Retry]", "threadline: Stopped. [Retry]",
    )  # fmt: skip


async def test_bursts_and_albums_are_one_turn(tmp_path: Path) -> None:
    async with opened(tmp_path, burst_seconds=3.0) as stage:
        ada, chat = await stage.alone()
        stage.answers("burst 3", "All at once.")
        await stage.say(ada, chat, "burst 1")
        await stage.say(ada, chat, "burst 2", file("notes.txt", "noted"))
        await stage.say(ada, chat, "burst 3")
        await stage.reads(
            ada, chat, f"{ada}: burst 1", f"{ada}: burst 2 {{notes.txt}}", f"{ada}: burst 3", "threadline: All at once."
        )
        assert [text(each) for each in stage.claude.bodies()] == ["burst 1\nburst 2\n[a file: notes.txt]\nburst 3"]


async def test_two_people_are_two_turns_however_fast_they_write(tmp_path: Path) -> None:
    async with opened(tmp_path, burst_seconds=3.0) as stage:
        ada, ben, place = await stage.person(), await stage.person(), await stage.channel()
        stage.answers("opening", "Open.")
        stage.answers(f"{ada}: me too", "You.")
        stage.answers(f"{ben}: me first", "And you.")
        thread = await stage.say(ada, place, "@threadline opening")
        await stage.reads(ada, thread, "threadline: Open.")
        await stage.say(ben, thread, "me first")
        await stage.say(ada, thread, "me too")
        lines = await stage.answered(ada, thread, 5)
        assert lines == ["threadline: Open.", f"{ben}: me first", f"{ada}: me too", "threadline: And you.", "threadline: You."]


async def test_a_message_interrupts_where_that_is_set(tmp_path: Path) -> None:
    async with opened(tmp_path, when_busy="interrupt") as stage:
        ada, chat = await stage.alone()
        stage.hangs("interrupted", "One two three.")
        stage.answers("interrupting", "Now this.")
        await stage.say(ada, chat, "interrupted")
        await stage.glimpses(ada, chat, f"{ada}: interrupted", "threadline: One two three. [Stop]")
        await stage.say(ada, chat, "interrupting")
        await stage.reads(
            ada, chat, f"{ada}: interrupted", "threadline: One two three.\n\n*Stopped.* [Continue] [Retry]",
            f"{ada}: interrupting", "threadline: Now this.",
        )  # fmt: skip


async def test_a_question_asked_by_command_is_not_joined_to_a_burst(tmp_path: Path) -> None:
    async with opened(tmp_path, burst_seconds=3.0) as stage:
        ada, chat = await stage.alone()
        stage.answers("burst before", "One.")
        stage.answers("command after", "Two.")
        await stage.say(ada, chat, "burst before")
        await stage.call(ada, chat, "ask", question="command after")
        await stage.answered(ada, chat, 4)
        assert stage.sees(ada, chat) == [
            f"{ada}: burst before", "threadline: > command after", "threadline: One.", "threadline: Two.",
        ]  # fmt: skip
