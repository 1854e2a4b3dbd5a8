"""Slack and Discord in one server: what befalls one of them does not touch the other, and /healthz names it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from sandbox import anthropic, discord
from sandbox.faults import Rule
from sandbox.slack import Simulator
from tests.bots.slack.rig import ROOMY
from tests.script.base import PATIENCE, free_port
from tests.script.slack.stage import Stage, opened
from tests.script.together import answered_on_discord, beside, health

WRONG = "no-good-token"


@asynccontextmanager
async def both(folder: Path, **settings: object) -> AsyncGenerator[tuple[Stage, discord.Simulator]]:
    """A stage whose server is on Discord, too."""
    async with beside() as (other, given), opened(folder, {**given, **settings}) as stage:
        yield stage, other


async def answered_on_slack(stage: Stage, word: str) -> None:
    """Somebody asks there, and is answered."""
    ada, chat = await stage.alone()
    stage.answers(word, f"Slack: {word}.")
    thread = await stage.say(ada, chat, word)
    await stage.reads(ada, thread, f"{ada}: {word}", f"threadline: Slack: {word}.")


async def test_both_are_served_side_by_side_and_know_nothing_of_each_other(tmp_path: Path) -> None:
    async with both(tmp_path) as (stage, other):
        await answered_on_slack(stage, "first here")
        await answered_on_discord(stage, other, "then there")
        assert len(stage.body("then there")["messages"]) == 1
        status, told = await health(stage)
        assert (status, told["status"], told["failing"]) == (200, "ok", [])
        assert set(told["platforms"]) == {"slack", "discord"}


async def test_a_bad_token_of_slack_gives_up_slack_alone(tmp_path: Path) -> None:
    async with both(tmp_path, slack_bot_token=WRONG) as (stage, other):
        await answered_on_discord(stage, other, "while slack is given up")
        status, told = await health(stage)
        assert (status, told["failing"]) == (503, ["slack"])
        assert "SLACK_BOT_TOKEN" in told["platforms"]["slack"]["last_failure"]["detail"]
        assert WRONG not in str(told)
        assert told["platforms"]["discord"]["connected"]
        tries = len([call for call in stage.slack.calls if "auth.test" in call.path])
        await answered_on_discord(stage, other, "and again")
        assert len([call for call in stage.slack.calls if "auth.test" in call.path]) == tries == 1


async def test_a_bad_app_token_of_slack_gives_up_slack_alone(tmp_path: Path) -> None:
    async with both(tmp_path, slack_app_token=WRONG) as (stage, other):
        await answered_on_discord(stage, other, "while slack has no connection")
        status, told = await health(stage)
        assert (status, told["failing"]) == (503, ["slack"])
        assert "SLACK_APP_TOKEN" in told["platforms"]["slack"]["last_failure"]["detail"]


async def test_a_bad_token_of_discord_gives_up_discord_alone(tmp_path: Path) -> None:
    async with both(tmp_path, discord_token=WRONG) as (stage, _):
        await answered_on_slack(stage, "while discord is given up")
        status, told = await health(stage)
        assert (status, told["failing"]) == (503, ["discord"])
        assert "DISCORD_TOKEN" in told["platforms"]["discord"]["last_failure"]["detail"]


async def test_a_token_that_is_revoked_while_the_server_runs_gives_up_slack_alone_until_it_has_another(tmp_path: Path) -> None:
    async with both(tmp_path) as (stage, other):
        await answered_on_slack(stage, "still good")
        ada, place = await stage.person(), await stage.channel()
        stage.answers("with another token", "Here again.")
        await stage.slack.set_token("xoxb-another")
        thread = await stage.say(ada, place, "@threadline with another token")
        await stage.until(lambda: not stage.slack.stats()["connected"])
        await answered_on_discord(stage, other, "still served")
        status, told = await health(stage)
        assert (status, told["failing"]) == (503, ["slack"])
        assert "SLACK_BOT_TOKEN" in told["platforms"]["slack"]["last_failure"]["detail"]
        await stage.stop()
        await stage.start(slack_bot_token="xoxb-another")
        await stage.reads(ada, thread, f"{ada}: @threadline with another token", "threadline: Here again.")
        assert (await health(stage))[0] == 200


async def test_slack_that_fails_for_a_while_is_told_and_comes_back_by_itself(tmp_path: Path) -> None:
    async with both(tmp_path) as (stage, other):
        await answered_on_slack(stage, "before the outage")
        await stage.slack.fault(Rule("status", path="/", times=None, status=503))
        await stage.slack.accept(accepting=False)
        await stage.slack.drop()
        await stage.until(lambda: any(call.fault for call in stage.slack.calls))
        await answered_on_discord(stage, other, "during the outage")
        status, told = await health(stage)
        assert (status, told["failing"]) == (503, ["slack"])
        ada, chat = await stage.alone()
        stage.answers("said in the outage", "Late, but here.")
        thread = await stage.say(ada, chat, "said in the outage")
        await stage.slack.clear_faults()
        await stage.slack.accept()
        await stage.reads(ada, thread, f"{ada}: said in the outage", "threadline: Late, but here.")
        assert (await health(stage))[0] == 200


async def test_slack_that_is_not_there_when_the_server_starts_holds_nobody_up(tmp_path: Path) -> None:
    port = free_port()
    async with anthropic.Simulator() as claude:
        slack = Simulator(replace(ROOMY, port=port))
        async with slack_later(tmp_path, slack, claude) as (stage, other):
            await answered_on_discord(stage, other, "before slack is there")
            status, told = await health(stage)
            assert (status, told["failing"]) == (503, ["slack"])
            async with slack:
                await stage.until(lambda: slack.stats()["connected"] > 0)
                await answered_on_slack(stage, "there it is")
                assert (await health(stage))[0] == 200
                await stage.stop()


@asynccontextmanager
async def slack_later(
    folder: Path, slack: Simulator, claude: anthropic.Simulator
) -> AsyncGenerator[tuple[Stage, discord.Simulator]]:
    """The same with a Slack that is not there yet."""
    async with beside() as (other, given):
        stage = Stage(folder, slack, claude, {**given, "slack_api_url": f"http://127.0.0.1:{slack.config.port}/api/"})
        await stage.start(ready=False)
        await other.wait_for(lambda: len(other.commands("user1", "general")) > 0, PATIENCE)
        yield stage, other
