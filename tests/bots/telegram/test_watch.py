import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from itertools import pairwise

import pytest

from bots.telegram.bot import calling
from bots.telegram.calls import Calls
from bots.telegram.gateway import WANTED
from bots.telegram.limits import Limits
from bots.telegram.names import Moves
from bots.telegram.watch import LONGEST_SECONDS, Watch, told
from sandbox.faults import Rule
from sandbox.telegram.model import Webhook
from shared.chat import Event, Message
from shared.errors import Unavailable
from tests.bots.telegram.rig import TelegramRig, telegram_rig
from tests.bots.telegram.test_hook import hooked
from tests.conformance.adapter_rig import Heard, asked, listening, running

OTHERS = "http://somebody.example:9/bot7000000001:a-secret-that-is-no-word-of-ours"
OURS = "http://ours.example/telegram/word"


@asynccontextmanager
async def watching(rig: TelegramRig, now: list[float]) -> AsyncGenerator[Watch]:
    """One that has begun and looked once, whose clock shows `now`."""
    line = calling(rig.config)
    calls = Calls(rig.config, line.bot, moves=Moves(), limits=Limits())
    watch = Watch(rig.config, calls, WANTED, clock=lambda: now[0])
    await watch.begin()
    await watch.look()
    yield watch
    await line.aclose()


def times_set(rig: TelegramRig) -> int:
    return sum(call.path == "/setWebhook" for call in rig.simulator.calls)


async def test_health_says_that_what_is_posted_does_not_get_through(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, logger="bots")
    full, heard = asyncio.Event(), Heard()
    full.set()

    async def deliver(event: Event) -> None:
        if isinstance(event, Message) and full.is_set():
            raise Unavailable("not stored")
        await heard(event)

    async with hooked(look_seconds=0.02) as rig, running(rig.adapter, deliver):
        await heard.connected()
        await rig.simulator.wait_for(lambda: "updates by webhook, last heard 0 s ago" in rig.adapter.health().detail)
        await rig.say("hello")
        await rig.simulator.wait_for(lambda: not rig.adapter.health().connected)
        assert "does not get through (Wrong response from the webhook: 503" in rig.adapter.health().detail
        assert "1 update waits" in rig.adapter.health().detail
        full.clear()
        await heard.message()
        await rig.simulator.wait_for(lambda: rig.adapter.health().connected)
    levels = [record.levelname for record in caplog.records if "get" in record.message and "through" in record.message]
    assert levels == ["WARNING", "INFO"]


@pytest.mark.parametrize("url", [OTHERS, ""])
async def test_a_webhook_that_another_program_changes_is_set_again(url: str, caplog: pytest.LogCaptureFixture) -> None:
    async with hooked(look_seconds=0.02) as rig, listening(rig.adapter) as heard:
        await asked(rig, heard, "before")
        await rig.simulator.wait_for(lambda: not rig.simulator.waiting())
        rig.simulator.webhooks.set(Webhook(url))
        await rig.say("meanwhile")
        await heard.until(lambda: heard.texts == ["before", "meanwhile"])
        await rig.simulator.wait_for(lambda: rig.adapter.health().connected)
        assert rig.simulator.world.state.webhook.url == rig.config.webhook_url
    warned = [record for record in caplog.records if "another program" in record.message]
    assert [(record.levelname, getattr(record, "host", None)) for record in warned] == [
        ("WARNING", "somebody.example" if url else "none")
    ]
    assert not [record for record in caplog.records if "secret" in str(record.__dict__)]


async def test_two_programs_that_take_the_webhook_from_each_other_do_so_more_and_more_rarely() -> None:
    now = [0.0]
    async with hooked(look_seconds=60.0) as rig, watching(rig, now) as watch:
        taken_back = list[float]()
        while now[0] < 4 * LONGEST_SECONDS:
            rig.simulator.webhooks.set(Webhook(OTHERS))
            now[0] += 60.0
            before = times_set(rig)
            await watch.look()
            assert watch.trouble == "another program changes this bot's webhook"
            taken_back += [now[0]] * (times_set(rig) - before)
        gaps = [later - sooner for sooner, later in pairwise(taken_back)]
        assert gaps[:6] == [120.0, 240.0, 480.0, 960.0, 1920.0, LONGEST_SECONDS]
        assert set(gaps[6:]) <= {LONGEST_SECONDS}
        now[0] += LONGEST_SECONDS
        for _ in range(2):
            await watch.look()
        assert watch.trouble == ""
        for passed in (LONGEST_SECONDS, 120.0):
            now[0] += passed
            before = times_set(rig)
            rig.simulator.webhooks.set(Webhook(OTHERS))
            await watch.look()
            assert times_set(rig) == before + 1, "it was ours for a while"


async def test_one_chat_that_is_slow_is_no_trouble_as_long_as_others_are_stored() -> None:
    heard, released = Heard(), asyncio.Event()

    async def deliver(event: Event) -> None:
        if isinstance(event, Message) and event.text == "slow":
            await released.wait()
        await heard(event)

    async with hooked(look_seconds=0.02) as rig, running(rig.adapter, deliver):
        await heard.connected()
        await rig.say("slow")
        await rig.simulator.wait_for(lambda: rig.simulator.webhooks.attempts)
        rig.simulator.webhooks.last_error = (1, "Connection refused")
        await rig.simulator.wait_for(lambda: not rig.adapter.health().connected)
        await rig.simulator.say("user2", "", "elsewhere", direct=True)
        assert (await heard.message()).text == "elsewhere"
        await rig.simulator.wait_for(lambda: rig.adapter.health().connected)
        await rig.simulator.wait_for(lambda: "updates by webhook, 1 update waits, last heard" in rig.adapter.health().detail)
        released.set()
        await heard.message(2)


async def test_a_failure_of_before_and_one_that_is_over_are_no_trouble() -> None:
    # Nothing is posted by itself, and so nothing goes wrong that is not said here.
    async with telegram_rig(events="webhook", webhook_url=OURS) as rig, watching(rig, [0.0]) as watch:
        webhooks = rig.simulator.webhooks
        rig.simulator.world.state.webhook.url = ""
        await rig.say("hello")
        rig.simulator.world.state.webhook.url = OURS
        webhooks.last_error = (1, "Connection refused")
        watch.came()
        await watch.look()
        assert watch.trouble == "", "another chat's comes through"
        await watch.look()
        assert watch.trouble == "", "nothing has gone wrong since"
        webhooks.last_error = (2, "Connection refused")
        await watch.look()
        assert watch.trouble == "what Telegram posts does not get through (Connection refused), 1 update waits"
        await watch.look()
        assert watch.trouble != "", "it waits still"
        await rig.simulator.expire_updates()
        await watch.look()
        assert watch.trouble == ""


async def test_health_says_that_telegram_does_not_answer(caplog: pytest.LogCaptureFixture) -> None:
    async with hooked(look_seconds=0.02) as rig, listening(rig.adapter):
        await rig.simulator.fault(
            Rule("status", path="/getWebhookInfo$", status=502, body="<html>Bad Gateway</html>", times=None)
        )
        await rig.simulator.wait_for(lambda: not rig.adapter.health().connected)
        assert rig.adapter.health().detail.startswith("no answer from Telegram; last heard ")
        await rig.simulator.clear_faults()
        await rig.simulator.wait_for(lambda: rig.adapter.health().connected)
    assert len([record for record in caplog.records if "how the webhook is" in record.message]) == 1


def test_what_telegram_says_is_told_without_what_is_secret() -> None:
    assert told("Connection refused", OURS) == "Connection refused"
    said = told(f"no {OURS}, no /telegram/word, no 7000000001:AAdemo_token_of_the_simulated_bot00", OURS)
    assert said == "no (hidden), no (hidden), no (hidden)"
    assert len(told("x" * 1000, OURS)) == 200
