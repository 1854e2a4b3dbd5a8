"""Limits on how much people may ask: by the minute, in tokens and in dollars by month; warned, refused, and told until when."""

from pathlib import Path

import pytest

from sandbox.anthropic import Script
from tests.script.base import ADMIN
from tests.script.stage import Stage, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

SETTINGS = {"budget_user_tokens": 1000}
TOO_FAST = "You write faster than I may answer. Wait a minute, then go on."


def costing(stage: Stage, word: str, tokens: int) -> None:
    usage = {"input_tokens": tokens, "output_tokens": 0, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    stage.claude.script(Script(text="Yes.", usage=usage), match=word)


async def test_people_are_warned_at_eighty_percent_once_and_refused_at_a_hundred_with_the_day(stage: Stage) -> None:
    ada, chat = await stage.alone()
    for word, tokens in (("first share", 790), ("second share", 20), ("third share", 195)):
        costing(stage, word, tokens)
    first = f"1 {stage.next_month()} (UTC)"
    warned = f"*You have used 81 % of the 1,000 tokens that one person may use in a month. A new month begins on {first}.*"
    refused = f"You have used up the 1,000 tokens that one person may use in a month. I answer you again from {first} on."
    lines: list[str] = []
    for word, answer in (
        ("first share", "Yes."), ("second share", f"Yes.\n\n{warned}"), ("third share", "Yes."), ("fourth share", refused),
    ):  # fmt: skip
        await stage.say(ada, chat, word)
        lines += [f"{ada}: {word}", f"threadline: {answer}"]
        await stage.reads(ada, chat, *lines)
    await stage.say(ada, chat, "fifth share")
    await stage.reads(ada, chat, *lines, f"{ada}: fifth share")
    used = "; 100 % of the 1,000 tokens that may be used"
    assert f"- by you: 1,005 tokens, less than $0.01{used}" in await stage.told(ada, chat, "usage")
    assert await stage.told(ada, chat, "retry") == f"{refused} (only you)"
    why = "- just now: It was not taken: a limit for this month is used up. /usage shows which."
    assert (await stage.told(ada, chat, "why")).splitlines()[1:3] == [why, why]


async def test_in_a_new_month_people_are_answered_again(tmp_path: Path) -> None:
    async with opened(tmp_path, budget_user_tokens=100, idle_hours=0) as stage:
        ada, chat = await stage.alone()
        costing(stage, "all at once", 100)
        stage.answers("a new month", "Welcome back.")
        await stage.say(ada, chat, "all at once")
        await stage.until(
            lambda: stage.sees(ada, chat)[-1].startswith("threadline: Yes.\n\n*You have used 100 % of the 100 tokens")
        )
        await stage.settled()
        stage.meanwhile(days=31)
        await stage.say(ada, chat, "a new month")
        await stage.until(lambda: stage.sees(ada, chat)[-1].startswith("threadline: Welcome back."))
        await stage.settled()


async def test_a_limit_in_dollars_for_a_channel_holds_for_all_its_people(tmp_path: Path) -> None:
    prices = '{"claude-sonnet-5-5": {"input": 10000, "output": 0}}'
    async with opened(tmp_path, budget_channel_dollars=2.5, prices=prices) as stage:
        ada, ben, place, other = await stage.person(), await stage.person(), await stage.channel(), await stage.channel()
        costing(stage, "dear one", 210)
        costing(stage, "dear two", 40)
        first = f"1 {stage.next_month()} (UTC)"
        thread = await stage.say(ada, place, "@threadline dear one")
        warned = f"*84 % of the $2.50 that may be used in this channel in a month are used. A new month begins on {first}.*"
        await stage.reads(ada, thread, f"threadline: Yes.\n\n{warned}")
        assert "$2.10; 84 % of the $2.50 that may be used (only you)" in await stage.told(ben, place, "usage")
        second = await stage.say(ben, place, "@threadline dear two")
        await stage.reads(ben, second, "threadline: Yes.")
        refused = f"The $2.50 that may be used in this channel in a month are used up. I answer here again from {first} on."
        await stage.call(ben, place, "ask", question="one more")
        await stage.until(lambda: stage.sees(ben, place)[-1] == f"threadline: {refused}")
        third = await stage.say(ben, other, "@threadline elsewhere")
        await stage.reads(ben, third, f"threadline: You said: {ben}: elsewhere")


async def test_a_limit_for_all_is_told_and_admins_see_it(tmp_path: Path) -> None:
    async with opened(tmp_path, budget_total_tokens=500) as stage:
        ada, chat = await stage.alone()
        ben, other = await stage.alone()
        costing(stage, "everything", 500)
        await stage.say(ada, chat, "everything")
        await stage.until(lambda: "100 % of the 500 tokens that may be used by all together" in stage.sees(ada, chat)[-1])
        await stage.settled()
        await stage.say(ben, other, "me")
        first = f"1 {stage.next_month()} (UTC)"
        refused = f"The 500 tokens that may be used by all together in a month are used up. I answer again from {first} on."
        await stage.reads(ben, other, f"{ben}: me", f"threadline: {refused}")
        told = await stage.told(ADMIN, f"@{ADMIN}", "usage")
        assert "- by all: 500 tokens, less than $0.01; 100 % of the 500 tokens that may be used (only you)" in told


async def test_who_writes_too_fast_is_told_once_in_a_minute(tmp_path: Path) -> None:
    async with opened(tmp_path, user_per_minute=2) as stage:
        ada, chat = await stage.alone()
        lines: list[str] = []
        for nth, answer in enumerate((["You said: fast 1"], ["You said: fast 2"], [TOO_FAST], []), 1):
            await stage.say(ada, chat, f"fast {nth}")
            lines += [f"{ada}: fast {nth}", *(f"threadline: {each}" for each in answer)]
            await stage.reads(ada, chat, *lines)
        why = "- just now: It was not taken: too many messages came within a minute. Wait a moment, then ask again."
        told = await stage.told(ada, chat, "why")
        assert told.splitlines()[1:3] == [why, why]
        lines.append(f"threadline: {told}")
        stage.meanwhile(seconds=61)
        await stage.say(ada, chat, "slow again")
        await stage.reads(ada, chat, *lines, f"{ada}: slow again", "threadline: You said: slow again")
        ben, other = await stage.alone()
        for _ in range(2):
            await stage.told(ben, other, "help")
        assert await stage.told(ben, other, "list") == f"{TOO_FAST} (only you)"


async def test_a_question_asked_by_command_is_refused_in_words_every_time(stage: Stage) -> None:
    ada, chat = await stage.alone()
    costing(stage, "the whole of it", 1000)
    await stage.say(ada, chat, "the whole of it")
    await stage.answered(ada, chat, 2)
    lines = stage.sees(ada, chat)
    first = f"1 {stage.next_month()} (UTC)"
    refused = f"You have used up the 1,000 tokens that one person may use in a month. I answer you again from {first} on."
    for nth in (1, 2):
        await stage.call(ada, chat, "ask", question=f"by command {nth}")
        lines += [f"threadline: > by command {nth}", f"threadline: {refused}"]
        await stage.reads(ada, chat, *lines)
