"""Who may ask, and how much: allow-lists, closed direct chats, limits by the minute and by month."""

from pathlib import Path

from sandbox.anthropic import Script
from tests.script.base import ADMIN
from tests.script.telegram.stage import ME, Stage, opened

NO = "I may not answer you here. Ask the person who runs this bot to let you in."
TOO_FAST = "You write faster than I may answer. Wait a minute, then go on."


def costing(stage: Stage, word: str, tokens: int) -> None:
    usage = {"input_tokens": tokens, "output_tokens": 0, "cache_read_input_tokens": 0, "cache_creation_input_tokens": 0}
    stage.claude.script(Script(text="Yes.", usage=usage), match=word)


async def test_a_closed_direct_chat_is_told_once_an_hour_and_admins_may_write(tmp_path: Path) -> None:
    async with opened(tmp_path, telegram_direct="closed") as stage:
        ada, chat = await stage.alone()
        await stage.say(ada, chat, "/start")
        await stage.reads(ada, chat, f"{ada}: /start", f"threadline: {NO}")
        await stage.say(ada, chat, "hello?")
        await stage.say(ADMIN, f"@{ADMIN}", "it is me")
        await stage.reads(ADMIN, f"@{ADMIN}", f"{ADMIN}: it is me", "threadline: You said: it is me")
        await stage.reads(ada, chat, f"{ada}: /start", f"threadline: {NO}", f"{ada}: hello?")
        stage.meanwhile(hours=1.1)
        await stage.say(ada, chat, "hello again?")
        await stage.reads(
            ada, chat, f"{ada}: /start", f"threadline: {NO}", f"{ada}: hello?", f"{ada}: hello again?", f"threadline: {NO}"
        )
        assert not any(ada in str(body) or "hello" in str(body) for body in stage.claude.bodies())


async def test_only_the_listed_chats_are_answered_with_all_their_topics(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, place, forum = await stage.person(), await stage.group(), await stage.group(forum=True)
        topic = await stage.topic(ada, forum)
        await stage.stop()
        await stage.start(telegram_allowed_chats=stage.chat(forum))
        for where in (forum, topic):
            await stage.say(ada, where, f"{ME} listed")
            await stage.reads(ada, where, f"{ada}: {ME} listed", f"threadline: You said: {ada}: listed")
        await stage.say(ada, place, f"{ME} not listed")
        await stage.reads(ada, place, f"{ada}: {ME} not listed", f"threadline: {NO}")


async def test_only_the_listed_people_are_answered_and_why_tells_admins(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, ben, place = await stage.person(), await stage.person(), await stage.group()
        await stage.stop()
        await stage.start(telegram_allowed_users=f"{stage.number(ada)}, {stage.number(ADMIN)}")
        await stage.say(ben, place, f"{ME} let me in")
        lines = [f"{ben}: {ME} let me in", f"threadline: {NO}"]
        await stage.reads(ben, place, *lines)
        await stage.say(ada, place, f"{ME} and me")
        await stage.reads(ben, place, *lines, f"{ada}: {ME} and me", f"threadline: You said: {ada}: and me")
        why = "It was not answered: I may not answer this person here. The person who runs this bot can change that."
        assert f"• just now (`{stage.number(ben)}`): {why}\n" in await stage.told(ADMIN, place, "why")


async def test_people_are_warned_at_eighty_percent_and_refused_at_a_hundred_with_the_day(tmp_path: Path) -> None:
    async with opened(tmp_path, budget_user_tokens=1000) as stage:
        ada, chat = await stage.alone()
        costing(stage, "first share", 810)
        costing(stage, "second share", 190)
        first = f"1 {stage.next_month()} (UTC)"
        warned = f"*You have used 81 % of the 1,000 tokens that one person may use in a month. A new month begins on {first}.*"
        refused = f"You have used up the 1,000 tokens that one person may use in a month. I answer you again from {first} on."
        lines: list[str] = []
        for word, answer in (
            ("first share", f"Yes.\n\n{warned}"), ("second share", "Yes."), ("third share", refused),
        ):  # fmt: skip
            await stage.say(ada, chat, word)
            lines += [f"{ada}: {word}", f"threadline: {answer}"]
            await stage.reads(ada, chat, *lines)
        await stage.say(ada, chat, "fourth share")
        used = "; 100 % of the 1,000 tokens that may be used"
        assert f"• by you: 1,000 tokens, less than $0.01{used}" in await stage.told(ada, chat, "usage")


async def test_a_limit_for_a_group_holds_for_all_its_topics_and_people(tmp_path: Path) -> None:
    async with opened(tmp_path, budget_channel_tokens=500) as stage:
        ada, ben, forum = await stage.person(), await stage.person(), await stage.group(forum=True)
        first, second = await stage.topic(ada, forum), await stage.topic(ada, forum)
        costing(stage, "all of it", 500)
        await stage.say(ada, first, f"{ME} all of it")
        await stage.until(lambda: "100 % of the 500 tokens that may be used in this channel" in stage.sees(ada, first)[-1])
        await stage.settled()
        await stage.say(ben, second, f"{ME} one more")
        when = f"1 {stage.next_month()} (UTC)"
        refused = f"The 500 tokens that may be used in this channel in a month are used up. I answer here again from {when} on."
        await stage.reads(ben, second, f"{ben}: {ME} one more", f"threadline: {refused}")


async def test_who_writes_too_fast_is_told_once_in_a_minute(tmp_path: Path) -> None:
    async with opened(tmp_path, user_per_minute=2) as stage:
        ada, chat = await stage.alone()
        lines: list[str] = []
        for nth, answer in enumerate((["You said: fast 1"], ["You said: fast 2"], [TOO_FAST], []), 1):
            await stage.say(ada, chat, f"fast {nth}")
            lines += [f"{ada}: fast {nth}", *(f"threadline: {each}" for each in answer)]
            await stage.reads(ada, chat, *lines)
        await stage.heard()
        stage.meanwhile(seconds=61)
        await stage.say(ada, chat, "slow again")
        await stage.reads(ada, chat, *lines, f"{ada}: slow again", "threadline: You said: slow again")


async def test_a_full_queue_is_told(tmp_path: Path) -> None:
    async with opened(tmp_path, queue_limit=1) as stage:
        ada, chat = await stage.alone()
        stage.hangs("crowded 1", "One two three.")
        await stage.say(ada, chat, "crowded 1")
        await stage.glimpses(ada, chat, f"{ada}: crowded 1", "threadline: One two three. [Stop]")
        for nth in (2, 3):
            await stage.say(ada, chat, f"crowded {nth}")
        full = "Too many questions wait here for their answers. Ask again when some are answered, or write /stop to clear them."
        await stage.until(lambda: stage.sees(ada, chat)[-1] == f"threadline: {full}")
        await stage.say(ada, chat, "/stop")
        await stage.reads(
            ada, chat, f"{ada}: crowded 1", "threadline: One two three.\n\n*Stopped.* [Continue] [Retry]", f"{ada}: crowded 2",
            f"{ada}: crowded 3", f"threadline: {full}", f"{ada}: /stop", "threadline: Stopped. [Retry]",
        )  # fmt: skip
