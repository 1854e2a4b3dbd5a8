"""Every way in which an answer ends, and what is said of a conversation that became too long."""

from pathlib import Path

import pytest

from sandbox.anthropic import Config, Model, Script
from tests.script.base import file, text
from tests.script.stage import Stage, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {"silence_seconds": 4.0}
MODEL = "claude-sonnet-5-5"
REFUSED = "The model declined to answer this. Ask differently, or write /new to start afresh."
SUMMED_UP = "*This conversation has become long; I have summed up its older part to make room.*"


@pytest.mark.parametrize(
    ("stop", "said", "shown"),
    [
        ("end_turn", "All of it.", "All of it."),
        ("stop_sequence", "Up to here", "Up to here"),
        (
            "max_tokens",
            "Up to here",
            "Up to here\n\n*The answer reached its length limit. Write “continue” for the rest.* [Continue]",
        ),
        (
            "model_context_window_exceeded",
            "Up to here",
            "Up to here\n\n*This conversation has become too long for the model. Write /new to start a fresh one.*",
        ),
        ("refusal", "", REFUSED),
        ("refusal", "As I was saying", REFUSED),
        ("end_turn", "", "The model gave no text. Ask again, perhaps in other words. [Retry]"),
        (
            "tool_use",
            "I need a tool",
            "I need a tool\n\n*The answer above is incomplete. The connection to Claude broke off. Ask again in a moment.* "
            "[Continue] [Retry]",
        ),
    ],
)
async def test_every_reason_to_stop_is_told(stage: Stage, stop: str, said: str, shown: str) -> None:
    ada, chat = await stage.alone()
    stage.answers(f"how does {ada} end", said, stop=stop)
    await stage.say(ada, chat, f"how does {ada} end")
    await stage.reads(ada, chat, f"{ada}: how does {ada} end", f"threadline: {shown}")


async def test_text_that_was_seen_before_a_refusal_is_withdrawn_and_not_sent_back(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.answers("withdrawn", "This I should not have said.", deltas=4, seconds=3.0, stop="refusal")
    stage.answers("harmless", "Gladly.")
    await stage.say(ada, chat, "withdrawn")
    await stage.until(lambda: "This" in stage.sees(ada, chat)[-1])
    await stage.reads(ada, chat, f"{ada}: withdrawn", f"threadline: {REFUSED}")
    await stage.say(ada, chat, "harmless")
    lines = [f"{ada}: withdrawn", f"threadline: {REFUSED}", f"{ada}: harmless", "threadline: Gladly."]
    await stage.reads(ada, chat, *lines)
    assert len(stage.body("harmless")["messages"]) == 1


@pytest.mark.parametrize(
    ("script", "shown"),
    [
        (Script(status=401), "Claude does not accept this bot's key. The person who runs this bot has to renew it."),
        (
            Script(status=404, error_type="not_found_error", error_message=f"model: {MODEL}"),
            "The model that this bot is set to is not available. The person who runs this bot has to choose another.",
        ),
        (
            Script(status=413),
            "That is more than the model takes at once. Shorten your message, or write /new to start a fresh conversation.",
        ),
        (
            Script(status=429, headers={"retry-after": "90"}),
            "Claude takes no more requests from us for now. Ask again in 2 minutes.",
        ),
        (Script(status=529, headers={"x-should-retry": "false"}), "Claude is overloaded. Ask again in a moment."),
        (Script(status=500, headers={"x-should-retry": "false"}), "Claude cannot be reached. Ask again in a moment."),
        (
            Script(status=400, error_message="Your credit balance is too low to access the API."),
            "This bot's budget with Claude is used up. The person who runs this bot has to raise it.",
        ),
        (Script(text="x", ending="silence", after=0), "Claude stopped sending. Ask again in a moment."),
    ],
)
async def test_every_failure_is_told_in_words_with_a_button_to_try_again(stage: Stage, script: Script, shown: str) -> None:
    ada, chat = await stage.alone()
    stage.claude.script(script, match=f"how does {ada} fail")
    await stage.say(ada, chat, f"how does {ada} fail")
    await stage.reads(ada, chat, f"{ada}: how does {ada} fail", f"threadline: {shown} [Retry]")


async def test_a_failure_before_the_first_word_is_tried_again_unseen(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.claude.script(Script(status=529), match="busy at first")
    stage.answers("busy at first", "Now.")
    await stage.say(ada, chat, "busy at first")
    await stage.reads(ada, chat, f"{ada}: busy at first", "threadline: Now.")


async def test_a_failure_after_some_text_keeps_it(stage: Stage) -> None:
    ada, chat = await stage.alone()
    stage.claude.script(Script(text="Half of it.", deltas=2, ending="error"), match="torn by an error")
    await stage.say(ada, chat, "torn by an error")
    note = "*The answer above is incomplete. Claude is overloaded. Ask again in a moment.*"
    await stage.reads(ada, chat, f"{ada}: torn by an error", f"threadline: Half of it.\n\n{note} [Retry]")


async def test_a_conversation_that_the_model_condenses_is_told_in_one_line(tmp_path: Path) -> None:
    window = Model(context=64_000, output=8_000, line="sonnet", thinking=("adaptive", "between_tools"))
    async with opened(tmp_path, claude=Config(models={MODEL: window})) as stage:
        ada, chat = await stage.alone()
        stage.answers("part one", "One.")
        stage.answers("part two", "Two.", compaction="They spoke of files.")
        stage.answers("part three", "Three.")
        await stage.say(ada, chat, "part one", file("one.txt", "x " * 50_000))
        await stage.reads(ada, chat, f"{ada}: part one {{one.txt}}", "threadline: One.")
        await stage.claude.wait_for(lambda: any(c.ended for c in stage.claude.calls.matching("GET", "/v1/models")))
        await stage.say(ada, chat, "part two", file("two.txt", "y " * 50_000), file("more.txt", "z " * 10_000))
        await stage.until(lambda: stage.sees(ada, chat)[-1] == f"threadline: Two.\n\n{SUMMED_UP}")
        await stage.settled()
        await stage.say(ada, chat, "part three")
        await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: Three.")
        assert "They spoke of files." in str(stage.body("part three")["messages"])


async def test_where_the_model_does_not_condense_the_older_half_is_summed_up_once(tmp_path: Path) -> None:
    window = Model(context=40_000, output=4_000, compaction=False, line="sonnet", thinking=("adaptive", "between_tools"))
    async with opened(tmp_path, claude=Config(models={MODEL: window})) as stage:
        ada, chat = await stage.alone()
        stage.answers("Sum up our conversation so far", "They spoke of x.")
        for nth, size in ((1, 30_000), (2, 30_000), (3, 11_000)):
            stage.answers(f"chapter {nth}", f"Read {nth}.")
            await stage.say(ada, chat, f"chapter {nth}", file(f"{nth}.txt", f"{nth} " * size))
            await stage.until(lambda nth=nth: stage.sees(ada, chat)[-1].startswith(f"threadline: Read {nth}."))
            await stage.settled()
        assert stage.sees(ada, chat)[-1] == f"threadline: Read 3.\n\n{SUMMED_UP}"
        begun = "[What was said here before, summed up:]\nThey spoke of x.\nchapter 2\n[a file: 2.txt]"
        assert text(stage.body("chapter 3"), 0) == begun
        stage.answers("chapter 4", "Read 4.")
        await stage.say(ada, chat, "chapter 4")
        await stage.until(lambda: stage.sees(ada, chat)[-1] == "threadline: Read 4.")
        three, four = stage.body("chapter 3")["messages"], stage.body("chapter 4")["messages"]
        assert text(stage.body("chapter 4"), 0) == begun
        assert len(four) == len(three) + 2
