"""Telegram and Discord in one server: what befalls one of them does not touch the other, and /healthz names it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

from sandbox import discord
from sandbox.faults import Rule
from tests.script.telegram.stage import ME, Stage, opened
from tests.script.together import answered_on_discord, beside, health

WRONG = "7000000001:AAnot_the_token_of_the_simulated_bot"


@asynccontextmanager
async def both(folder: Path, **settings: object) -> AsyncGenerator[tuple[Stage, discord.Simulator]]:
    """A stage whose server is on Discord, too."""
    async with beside() as (other, given), opened(folder, {**given, **settings}) as stage:
        yield stage, other


async def on_telegram(stage: Stage, word: str) -> None:
    """Somebody asks there, and is answered."""
    ada, chat = await stage.alone()
    await stage.say(ada, chat, word)
    await stage.reads(ada, chat, f"{ada}: {word}", f"threadline: You said: {word}")


async def test_a_command_that_waits_for_claude_in_one_chat_holds_up_no_other(tmp_path: Path) -> None:
    async with opened(tmp_path) as stage:
        ada, chat = await stage.alone()
        stage.claude.faults.set(Rule("hang", path="/v1/models", times=None))
        await stage.say(ada, chat, "/model some-model")
        await stage.until(lambda: stage.telegram.updates.sent)
        await on_telegram(stage, "meanwhile")
        assert stage.sees(ada, chat) == [f"{ada}: /model some-model"]
        assert [each["message"]["text"] for each in stage.telegram.waiting()][:1] == ["/model some-model"]


async def test_both_are_served_side_by_side_and_health_says_when_telegram_was_heard(tmp_path: Path) -> None:
    async with both(tmp_path) as (stage, other):
        await on_telegram(stage, "first here")
        await answered_on_discord(stage, other, "then there")
        status, told = await health(stage)
        assert (status, told["status"], told["failing"]) == (200, "ok", [])
        assert told["platforms"]["telegram"]["detail"].startswith(f"connected as {ME}, last heard ")
        assert told["platforms"]["telegram"]["detail"].endswith(" s ago; privacy mode is on")


async def test_a_bad_token_of_telegram_gives_up_telegram_alone(tmp_path: Path) -> None:
    async with both(tmp_path, telegram_token=WRONG) as (stage, other):
        await answered_on_discord(stage, other, "while telegram is given up")
        status, told = await health(stage)
        assert (status, told["failing"]) == (503, ["telegram"])
        assert "TELEGRAM_TOKEN" in told["platforms"]["telegram"]["last_failure"]["detail"]
        assert WRONG not in str(told)


async def test_a_token_that_is_revoked_while_the_server_runs_gives_up_telegram_alone_until_it_has_another(tmp_path: Path) -> None:
    async with both(tmp_path) as (stage, other):
        ada, chat = await stage.alone()
        await on_telegram(stage, "still good")
        await stage.telegram.set_token(WRONG)
        await stage.telegram.drop()
        await stage.say(ada, chat, "with another token")
        await stage.until(lambda: any(call.status == 401 for call in stage.calls("getMe")))
        await answered_on_discord(stage, other, "still served")
        status, told = await health(stage)
        assert (status, told["failing"]) == (503, ["telegram"])
        assert "TELEGRAM_TOKEN" in told["platforms"]["telegram"]["last_failure"]["detail"]
        await stage.stop()
        await stage.start(telegram_token=WRONG)
        await stage.reads(ada, chat, f"{ada}: with another token", "threadline: You said: with another token")
        assert (await health(stage))[0] == 200


async def test_telegram_that_fails_for_a_while_is_told_and_comes_back_by_itself(tmp_path: Path) -> None:
    async with both(tmp_path) as (stage, other):
        await on_telegram(stage, "before the outage")
        ada, chat = await stage.alone()
        outage = await stage.telegram.fault(Rule("status", path="/", times=None, status=502, body="<html>Bad Gateway</html>"))
        await stage.telegram.drop()
        await stage.say(ada, chat, "said in the outage")
        await stage.until(lambda: any(call.fault for call in stage.telegram.calls))
        await answered_on_discord(stage, other, "during the outage")
        status, told = await health(stage)
        assert (status, told["failing"]) == (503, ["telegram"])
        assert told["platforms"]["telegram"]["detail"].startswith("no answer from Telegram; last heard ")
        await stage.telegram.clear_faults(outage)
        await stage.reads(ada, chat, f"{ada}: said in the outage", "threadline: You said: said in the outage")
        assert (await health(stage))[0] == 200


async def test_another_program_with_the_same_token_is_told_and_takes_nothing_away(tmp_path: Path) -> None:
    async with both(tmp_path) as (stage, other):
        ada, chat = await stage.alone()
        address = f"{stage.telegram.api_url}{stage.telegram.config.token}/getUpdates"
        await stage.until(lambda: stage.telegram.updates.polling)
        async with aiohttp.ClientSession() as session, session.get(address, params={"timeout": "1"}) as theirs:
            await stage.until(lambda: any(call.status == 409 for call in stage.telegram.calls))
            await answered_on_discord(stage, other, "in the conflict")
            status, told = await health(stage)
            assert (status, told["failing"]) == (503, ["telegram"])
            assert told["platforms"]["telegram"]["detail"].startswith("another program asks for this bot's updates; ")
            await theirs.read()
        await stage.say(ada, chat, "after the conflict")
        await stage.reads(ada, chat, f"{ada}: after the conflict", "threadline: You said: after the conflict")
        assert (await health(stage))[0] == 200
