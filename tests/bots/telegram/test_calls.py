from typing import Any

import pytest

from bots.telegram.failures import hide, said
from bots.telegram.names import GENERAL, Moves, Place, channel_id, message_id, message_of, place_of
from sandbox.faults import Rule
from shared.chat import ChannelId
from shared.errors import Failure, Forbidden, Gone, RateLimited, Refused, TooLarge, Unavailable
from tests.bots.telegram.rig import TelegramRig, told_to_wait
from tests.conformance.adapter_rig import asked, listening


@pytest.mark.parametrize(
    ("status", "problem", "failure"),
    [
        (400, "Bad Request: chat not found", Gone),
        (400, "Bad Request: CHAT NOT FOUND", Gone),
        (400, "Bad Request: message thread not found", Gone),
        (400, "Bad Request: TOPIC_DELETED", Gone),
        (400, "Bad Request: group chat was deactivated", Gone),
        (400, "Bad Request: USER_IS_BLOCKED", Gone),
        (403, "Forbidden: bot was blocked by the user", Gone),
        (403, "Forbidden: bot was kicked from the supergroup chat", Gone),
        (403, "Forbidden: bot is not a member of the supergroup chat", Gone),
        (403, "Forbidden: user is deactivated", Gone),
        (403, "Forbidden: the group chat was deleted", Gone),
        (403, "Forbidden: bot can't send messages to bots", Forbidden),
        (400, "Bad Request: not enough rights to send text messages to the chat", Forbidden),
        (400, "Bad Request: CHAT_WRITE_FORBIDDEN", Forbidden),
        (400, "Bad Request: TOPIC_CLOSED", Forbidden),
        (400, "Bad Request: message is too long", TooLarge),
        (400, "Bad Request: MESSAGE_TOO_LONG", TooLarge),
        (413, "Request Entity Too Large", TooLarge),
        (400, "Bad Request: can't parse entities", Refused),
        (400, "Bad Request: message text is empty", Refused),
        (400, "Bad Request: bad webhook: Failed to resolve host: Temporary failure in name resolution", Unavailable),
        (429, "Too Many Requests", RateLimited),
        (500, "Internal Server Error", Unavailable),
        (502, "Bad Gateway", Unavailable),
        (504, "Gateway Timeout", Unavailable),
        (409, "Conflict: strange", Unavailable),
    ],
)
async def test_what_telegram_refuses_becomes_a_failure_of_ours(
    rig: TelegramRig, status: int, problem: str, failure: type[Failure]
) -> None:
    body = {"ok": False, "error_code": status, "description": problem}
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        await rig.simulator.fault(Rule("status", path="/sendMessage$", status=status, body=body))
        with pytest.raises(Failure) as caught:
            await rig.adapter.post(target, "hello", key="k1")
        assert type(caught.value) is failure
        assert "sendMessage" in caught.value.detail
        assert said(caught.value)
        if failure is not RateLimited:
            await rig.adapter.post(target, "hello", key="k1")


async def test_a_wait_that_was_asked_for_blocks_its_chat_and_no_other(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        group = (await asked(rig, heard)).target
        await rig.simulator.start("user1")
        private = (await heard.message(2)).target
        body = {"ok": False, "error_code": 429, "description": "Too Many Requests", "parameters": {"retry_after": 77}}
        await rig.simulator.fault(Rule("status", path="/sendMessage$", status=429, body=body))
        with pytest.raises(RateLimited) as caught:
            await rig.adapter.post(group, "hello", key="k1")
        assert caught.value.retry_after == 77
        assert 70 < max(limit.blocked for limit in rig.adapter.limits(group, "edit")) <= 77
        assert max(limit.blocked for limit in rig.adapter.limits(private, "edit")) == 0
        await rig.adapter.post(private, "hello", key="k2")


async def test_until_a_wait_is_over_nothing_goes_to_its_chat_whoever_asks(rig: TelegramRig) -> None:
    """Also what a permit was given to before: each call makes the wait longer."""
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        shown = await rig.adapter.post(target, "one", key="k1")
        await rig.simulator.fault(told_to_wait(60, path="/editMessageText$"))
        for _ in range(2):
            with pytest.raises(RateLimited) as caught:
                await rig.adapter.edit(target, shown, "two")
            assert 59 < caught.value.retry_after <= 60
        calls = len(rig.simulator.calls)
        for act in (
            rig.adapter.post(target, "two", key="k2"),
            rig.adapter.delete(target, shown),
            rig.adapter.busy(target, "thinking"),
            rig.adapter.react(target, shown, seen=True),
        ):
            with pytest.raises(RateLimited):
                await act
        assert {call.path for call in list(rig.simulator.calls)[calls:]} <= {"/getupdates"}


async def test_a_call_that_is_to_be_repeated_is_not_once_the_chat_wants_silence(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        shown = await rig.adapter.post(target, "one", key="k1")
        await rig.simulator.fault(Rule("status", path="/editMessageText$", status=502, body="<html>"))
        await rig.simulator.fault(told_to_wait(60, path="/editMessageText$"))
        with pytest.raises(RateLimited):
            await rig.adapter.edit(target, shown, "two")
        assert sum(call.path == "/editMessageText" for call in rig.simulator.calls) == 2


async def test_an_answer_that_cannot_be_read_is_no_crash(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
        answers: list[Any] = [{"ok": True}, {"ok": True, "result": {}}, {"ok": True, "result": 3}, "no JSON", [1]]
        for body in answers:
            await rig.simulator.fault(Rule("status", path="/sendMessage$", status=200, body=body))
            with pytest.raises(Unavailable):
                await rig.adapter.post(target, "hello", key="k1")


async def test_without_a_connection_nothing_is_shown(rig: TelegramRig) -> None:
    async with listening(rig.adapter) as heard:
        target = (await asked(rig, heard)).target
    with pytest.raises(Unavailable):
        await rig.adapter.post(target, "hello", key="k1")


def test_ids_name_their_platform_and_are_read_back() -> None:
    assert place_of(channel_id(-100)) == Place(-100)
    assert place_of(channel_id(-100, 7)) == Place(-100, 7)
    assert channel_id(-100, GENERAL) == channel_id(-100) == "telegram:-100"
    assert channel_id(5, 1) == "telegram:5/1"
    assert message_of(message_id(-100, 42)) == (-100, 42)
    assert (Place(5).private, Place(-100).private) == (True, False)
    with pytest.raises(ValueError, match="not an id of telegram"):
        place_of(ChannelId("slack:C1"))


def test_moves_are_followed_and_never_for_ever() -> None:
    moves = Moves()
    assert moves.learn(1, 2)
    assert not moves.learn(1, 2)
    assert not moves.learn(3, 3)
    assert moves.learn(2, 3)
    assert [moves.now(each) for each in (1, 2, 3, 4)] == [3, 3, 3, 4]
    assert moves.learn(3, 1)
    assert moves.now(1) in (1, 2, 3)


def test_a_token_is_taken_out_of_any_text() -> None:
    token = "7000000001:AAdemo_token_of_the_simulated_bot00"
    assert hide(f"POST https://api.telegram.org/bot{token}/getMe") == "POST https://api.telegram.org/bot(hidden)/getMe"
