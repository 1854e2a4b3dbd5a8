import asyncio
import logging
from typing import Any

import aiohttp
import pytest

from bots.telegram.bot import hush
from sandbox.faults import Rule
from sandbox.telegram import Simulator
from sandbox.telegram.config import DEFAULT_TOKEN
from sandbox.telegram.model import Webhook
from shared.chat import Connected, Event, Message
from shared.errors import Misconfigured, StoreUnusable, Unavailable
from tests.bots.telegram.rig import TelegramRig, refused_with, telegram_rig
from tests.conformance.adapter_rig import Heard, asked, listening, running

POLL = "/getupdates$"


def polls(simulator: Simulator) -> list[dict[str, Any]]:
    """What the polls so far have asked for."""
    return [each.body for each in simulator.calls if each.path == "/getupdates"]


async def test_an_update_is_confirmed_only_once_it_is_stored(rig: TelegramRig) -> None:
    stored, came = asyncio.Event(), asyncio.Event()

    async def deliver(event: Event) -> None:
        if isinstance(event, Message):
            came.set()
            await stored.wait()

    async with running(rig.adapter, deliver), asyncio.timeout(10):
        await rig.say("hello")
        await came.wait()
        [waiting] = rig.simulator.waiting()
        stored.set()
        await rig.simulator.wait_for(lambda: not rig.simulator.waiting())
        assert polls(rig.simulator)[-1]["offset"] == str(waiting["update_id"] + 1)


async def test_what_was_not_stored_comes_again_after_a_restart(rig: TelegramRig) -> None:
    async def full(event: Event) -> None:
        if isinstance(event, Message):
            raise StoreUnusable("the disk is full")

    await rig.say("hello")
    with pytest.raises(StoreUnusable):
        async with asyncio.timeout(10):
            await rig.adapter.run(full)
    async with listening(rig.adapter) as heard:
        assert (await heard.message()).text == "hello"


async def test_what_could_not_be_stored_comes_again_and_holds_up_no_other_chat(rig: TelegramRig) -> None:
    taken: list[str] = []
    refusals = 4

    async def deliver(event: Event) -> None:
        nonlocal refusals
        if isinstance(event, Message):
            if event.text == "in a group" and refusals:
                refusals -= 1
                raise Unavailable("not stored")
            taken.append(event.text)

    await rig.say("in a group")
    await rig.simulator.say("user2", "", "in private", direct=True)
    async with running(rig.adapter, deliver), asyncio.timeout(10):
        await rig.simulator.wait_for(lambda: not rig.simulator.waiting())
    assert taken[0] == "in private"
    assert taken.count("in a group") == 1


async def test_nothing_that_waits_is_dropped_at_the_start(rig: TelegramRig) -> None:
    await rig.simulator.start("user1")
    await rig.say("while you were away")
    async with listening(rig.adapter) as heard:
        await heard.until(lambda: len(heard.messages) == 2)
    assert heard.texts == ["/help", "while you were away"]
    assert isinstance(heard.events[0], Connected)


async def test_an_update_that_cannot_be_read_holds_up_no_other(rig: TelegramRig, caplog: pytest.LogCaptureFixture) -> None:
    async with listening(rig.adapter) as heard:
        number = await rig.simulator.emit("message", {"message_id": "x", "date": "never", "chat": {"id": 5}})
        await rig.simulator.emit("message", {"chat": None, "text": 3})
        await rig.simulator.emit("callback_query", {"id": 1})
        await rig.simulator.emit("callback_query", {"id": "odd", "from": None})
        await asked(rig, heard, "still here?")
        assert heard.texts == ["still here?"]
        await rig.simulator.wait_for(lambda: any(each.path == "/answerCallbackQuery" for each in rig.simulator.calls))
    told = [record for record in caplog.records if record.message == "an update could not be read"]
    assert number in [getattr(record, "update_id", None) for record in told]


async def test_an_update_that_fails_by_a_fault_of_ours_holds_up_the_others_only_a_few_times(rig: TelegramRig) -> None:
    heard, failed = Heard(), list[Event]()

    async def deliver(event: Event) -> None:
        if isinstance(event, Message) and event.text == "poison":
            failed.append(event)
            raise ZeroDivisionError
        await heard(event)

    await rig.say("poison")
    await rig.say("hello")
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            async with asyncio.timeout(10):
                await rig.adapter.run(deliver)
    async with running(rig.adapter, deliver):
        assert (await heard.message()).text == "hello"
        await rig.simulator.wait_for(lambda: not rig.simulator.waiting())
    assert len(failed) == 3


async def test_only_what_is_wanted_is_asked_for_each_time(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        await asked(rig, heard)
    wanted = ["message", "edited_message", "callback_query", "my_chat_member"]
    assert all(each["allowed_updates"] == wanted for each in polls(rig.simulator))


async def test_an_offset_is_told_once(rig: TelegramRig) -> None:
    """After a week of silence ids begin anew, and might be lower: an offset that is kept would drop those updates."""
    async with listening(rig.adapter) as heard:
        await asked(rig, heard)
        await rig.simulator.wait_for(lambda: rig.simulator.updates.polling)
        await rig.simulator.drop()
        await heard.connected(2)
        await rig.simulator.wait_for(lambda: "offset" not in polls(rig.simulator)[-1])
        rig.simulator.world.state.last_update = 1000
        await asked(rig, heard, "after a week")
        await rig.simulator.wait_for(lambda: not rig.simulator.waiting())
        assert heard.texts == ["hello", "after a week"]


async def test_updates_of_an_answer_are_taken_in_the_order_of_their_numbers(rig: TelegramRig) -> None:
    def said(number: int) -> dict[str, Any]:
        chat, by = {"id": 5, "type": "private"}, {"id": 5, "is_bot": False, "first_name": "Eve"}
        return {
            "update_id": number,
            "message": {"message_id": number, "date": 1, "chat": chat, "from": by, "text": str(number)},
        }

    body = {"ok": True, "result": [said(3), said(1), said(2)]}
    await rig.simulator.fault(Rule("status", path=POLL, status=200, body=body))
    async with listening(rig.adapter) as heard:
        await heard.until(lambda: len(heard.messages) == 3)
        assert heard.texts == ["1", "2", "3"]
        await rig.simulator.wait_for(lambda: any(asked.get("offset") == "4" for asked in polls(rig.simulator)))


async def test_chats_do_not_wait_for_each_other(rig: TelegramRig) -> None:
    released, both = asyncio.Event(), asyncio.Event()
    busy: set[str] = set()

    async def deliver(event: Event) -> None:
        if isinstance(event, Message):
            busy.add(event.text)
            if len(busy) == 2:
                both.set()
            await released.wait()

    await rig.say("in a group")
    await rig.simulator.say("user2", "", "in private", direct=True)
    async with running(rig.adapter, deliver), asyncio.timeout(10):
        await both.wait()
        released.set()


@pytest.mark.parametrize(
    "rule",
    [
        Rule("status", path=POLL, status=502, body="<html>Bad Gateway</html>", times=4),
        Rule("status", path=POLL, status=404, body="<html>a proxy's page</html>", times=4),
        Rule("status", path=POLL, status=200, body="no JSON", times=4),
        Rule("status", path=POLL, status=200, body={"ok": True, "result": {"no": "list"}}, times=4),
        Rule("status", path=POLL, status=200, body={"ok": True, "result": [{"no": "id"}]}, times=4),
        Rule("reset", path=POLL, times=4),
        Rule("reset", path=POLL, times=4, moment="after"),
    ],
)
async def test_flapping_is_survived(rig: TelegramRig, rule: Rule) -> None:
    async with listening(rig.adapter) as heard:
        await asked(rig, heard, "before")
        await rig.simulator.wait_for(lambda: rig.simulator.updates.polling)
        await rig.simulator.fault(rule)
        await rig.simulator.drop()
        await heard.connected(2)
        await asked(rig, heard, "after")
        assert heard.texts[0] == "before"
        assert heard.texts[-1] == "after"
        assert rig.adapter.health().connected


async def test_a_poll_that_hangs_is_given_up() -> None:
    async with telegram_rig(poll_seconds=0, poll_margin=0.2) as rig, listening(rig.adapter) as heard:
        await rig.simulator.fault(Rule("hang", path=POLL, times=4))
        await rig.struck("hang", POLL)
        await rig.simulator.wait_for(lambda: not rig.adapter.health().connected)
        await rig.say("after all")
        assert (await heard.message()).text == "after all"
        await heard.connected(2)


async def test_a_second_poller_is_told_once_and_outlasted(rig: TelegramRig, caplog: pytest.LogCaptureFixture) -> None:
    body = {"ok": False, "error_code": 409, "description": "Conflict: terminated by other getUpdates request"}
    async with listening(rig.adapter) as heard:
        await rig.simulator.wait_for(lambda: rig.simulator.updates.polling)
        await rig.simulator.fault(Rule("status", path=POLL, status=409, body=body, times=None))
        await rig.simulator.drop()
        await rig.simulator.wait_for(lambda: sum(call.fault is not None for call in rig.simulator.calls) > 3)
        health = rig.adapter.health()
        assert not health.connected
        assert "another program asks for this bot's updates" in health.detail
        await rig.simulator.clear_faults()
        await heard.connected(2)
        await rig.say("alone again")
        assert (await heard.message()).text == "alone again"
        assert rig.adapter.health().connected
    told = [record for record in caplog.records if "another program" in record.message]
    assert [record.levelname for record in told] == ["WARNING"]


async def test_two_programs_that_end_each_others_polls_are_told_once_and_all_the_time(
    rig: TelegramRig, caplog: pytest.LogCaptureFixture
) -> None:
    simulator = rig.simulator
    address = f"{simulator.api_url}{simulator.config.token}/getUpdates?timeout=10"
    async with listening(rig.adapter) as heard, aiohttp.ClientSession() as session:
        await simulator.wait_for(lambda: simulator.updates.polling)
        for nth in range(1, 5):
            async with session.get(address) as ended:
                assert ended.status == 409
            assert "another program asks for this bot's updates" in rig.adapter.health().detail
            await heard.connected(nth + 1)
            assert not rig.adapter.health().connected
    told = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(told) == 2


async def test_a_rate_limit_of_polls_is_waited_out(rig: TelegramRig) -> None:
    body = {"ok": False, "error_code": 429, "description": "Too Many Requests: retry after 1", "parameters": {"retry_after": 1}}
    await rig.simulator.fault(Rule("status", path=POLL, status=429, body=body))
    async with listening(rig.adapter) as heard:
        await asked(rig, heard)
    refused, next_one = [call for call in rig.simulator.calls if call.path == "/getupdates"][:2]
    assert refused.ended_mono is not None
    assert next_one.arrived_mono - refused.ended_mono >= 0.99


async def test_a_webhook_that_was_set_is_taken_away_without_losing_anything(rig: TelegramRig) -> None:
    rig.simulator.webhooks.set(Webhook("http://127.0.0.1:9/nobody"))
    await rig.say("still there?")
    await rig.simulator.wait_for(lambda: rig.simulator.webhooks.failed)
    async with listening(rig.adapter) as heard:
        assert (await heard.message()).text == "still there?"


async def test_a_webhook_that_another_program_sets_meanwhile_is_taken_away_again(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        await rig.simulator.wait_for(lambda: rig.simulator.updates.polling)
        rig.simulator.webhooks.set(Webhook("http://127.0.0.1:9/nobody"))
        await rig.say("still there?")
        assert (await heard.message()).text == "still there?"
        await rig.simulator.wait_for(lambda: rig.adapter.health().connected)


@pytest.mark.parametrize(("status", "problem"), [(401, "Unauthorized"), (404, "Not Found")])
async def test_a_token_that_is_not_good_is_said_in_one_sentence(status: int, problem: str) -> None:
    async def deliver(event: Event) -> None:
        return

    async with telegram_rig() as rig, asyncio.timeout(10):
        body = {"ok": False, "error_code": status, "description": problem}
        await rig.simulator.fault(Rule("status", path="/getMe$", status=status, body=body))
        with pytest.raises(Misconfigured, match="TELEGRAM_TOKEN") as caught:
            await rig.adapter.run(deliver)
        assert rig.config.token not in str(caught.value)


async def test_a_token_that_is_taken_back_ends_it(rig: TelegramRig) -> None:
    heard = Heard()
    task = asyncio.create_task(rig.adapter.run(heard))
    await heard.connected()
    await rig.simulator.wait_for(lambda: rig.simulator.updates.polling)
    await rig.simulator.set_token("7000000001:another_token_of_the_simulated_bot00")
    await rig.simulator.drop()
    with pytest.raises(Misconfigured, match="TELEGRAM_TOKEN"):
        async with asyncio.timeout(10):
            await task


async def test_a_method_that_an_old_server_lacks_does_not_end_it(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        message = await asked(rig, heard)
        await rig.simulator.fault(refused_with("method not found", path="/setMessageReaction$", status=404, times=None))
        with pytest.raises(Unavailable):
            await rig.adapter.react(message.target, message.id, seen=True)
        await asked(rig, heard, "still here")
        await asked(rig, heard, "and here")
        refused = sum(call.path == "/setMessageReaction" for call in rig.simulator.calls)
        assert sum(call.path == "/getMe" for call in rig.simulator.calls) <= 1 + refused


async def test_until_the_platform_is_there_it_is_tried_again(rig: TelegramRig) -> None:
    await rig.simulator.fault(Rule("reset", path="/getMe$", times=3))
    async with listening(rig.adapter) as heard:
        await asked(rig, heard)


@pytest.mark.parametrize("status", [401, 404])
async def test_a_page_of_a_proxys_says_nothing_of_the_token(rig: TelegramRig, status: int) -> None:
    for path in ("/getMe$", POLL):
        await rig.simulator.fault(Rule("status", path=path, status=status, body="<html>Who are you?</html>"))
    async with listening(rig.adapter) as heard:
        await asked(rig, heard)


def test_a_traceback_of_a_librarys_names_no_token(caplog: pytest.LogCaptureFixture) -> None:
    hush()
    try:
        raise ValueError(f"https://api.telegram.org/bot{DEFAULT_TOKEN}/getMe")
    except ValueError:
        logging.getLogger("httpx").exception("no answer from %s", DEFAULT_TOKEN)
    assert "no answer" in caplog.text
    assert DEFAULT_TOKEN not in caplog.text


async def test_the_token_is_never_logged_or_told(rig: TelegramRig, caplog: pytest.LogCaptureFixture) -> None:
    """Also by the libraries: httpx writes down every address, and the token is in each."""
    token, levels = rig.config.token, dict[str, int]()
    for name in ("", "httpx", "httpcore", "telegram", "bots", "asyncio"):
        levels[name] = logging.getLogger(name).level
        logging.getLogger(name).setLevel(logging.DEBUG)
    told: list[str] = []
    try:
        async with listening(rig.adapter) as heard:
            target = (await asked(rig, heard)).target
            for rule in (
                Rule("status", path="/sendMessage$", status=500, body="<html>"),
                Rule("reset", path="/sendMessage$"),
                refused_with(f"no {token}", path="/sendMessage$"),
                refused_with("Unauthorized", path="/sendMessage$", status=401),
            ):
                await rig.simulator.fault(rule)
                with pytest.raises(Exception) as caught:  # noqa: PT011 - whatever it is
                    await rig.adapter.post(target, "hello", key="k1")
                error: BaseException | None = caught.value
                while error is not None:
                    told.append(f"{error!r} {error}")
                    error = error.__cause__ or error.__context__
            await rig.simulator.drop()
            await heard.connected(2)
    finally:
        for name, level in levels.items():
            logging.getLogger(name).setLevel(level)
    assert any(record.name == "httpx" for record in caplog.records)
    lines = [record.getMessage() for record in caplog.records] + [str(record.__dict__) for record in caplog.records]
    assert [line for line in [*lines, caplog.text, *told] if token in line] == []
    assert token not in repr(rig.config)
    assert token not in repr(rig.adapter.health())
