import asyncio

import aiohttp
import pytest
from telegram import Bot
from telegram.error import Conflict, EndPointNotFound, InvalidToken, NetworkError, TimedOut

from sandbox.faults import Rule
from sandbox.telegram import Simulator
from tests.sandbox.telegram.library import GENERAL, Clock, a_bot, a_simulator, updates


async def test_an_update_comes_again_until_a_higher_offset_confirms_it(simulator: Simulator, bot: Bot) -> None:
    await simulator.start("user1")
    await simulator.say("user1", "", "second", direct=True)
    first, second = await bot.get_updates()
    assert second.update_id == first.update_id + 1
    assert [each.update_id for each in await bot.get_updates()] == [first.update_id, second.update_id]
    assert [each.update_id for each in await bot.get_updates(offset=second.update_id)] == [second.update_id]
    assert [each["update_id"] for each in simulator.waiting()] == [second.update_id]
    assert await bot.get_updates(offset=second.update_id + 1) == ()
    assert simulator.stats()["redelivered"] == 3


async def test_a_poll_waits_for_what_comes(simulator: Simulator, bot: Bot) -> None:
    polled = asyncio.create_task(bot.get_updates(timeout=30))
    await simulator.wait_for(lambda: simulator.stats()["polling"])
    await simulator.start("user1")
    [update] = await polled
    assert update.message is not None
    assert update.message.text == "/start"
    assert await bot.get_updates(offset=update.update_id + 1, timeout=1) == ()


async def test_a_limit_and_a_negative_offset_choose_among_what_waits(simulator: Simulator, bot: Bot) -> None:
    for text in "abc":
        await simulator.say("user1", "", text, direct=True)
    assert [each.message and each.message.text for each in await bot.get_updates(limit=2)] == ["a", "b"]
    assert [each.message and each.message.text for each in await bot.get_updates(offset=-1)] == ["c"]
    assert len(simulator.waiting()) == 1


async def test_a_second_poller_ends_the_first_with_a_conflict(simulator: Simulator, bot: Bot) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=30))
    await simulator.wait_for(lambda: simulator.stats()["polling"])
    async with a_bot(simulator) as other:
        second = asyncio.create_task(other.get_updates(timeout=30))
        with pytest.raises(Conflict, match="terminated by other getUpdates request"):
            await first
        await simulator.start("user1")
        assert len(await second) == 1
    assert simulator.stats()["conflicts"] == 1


async def test_kinds_that_are_not_asked_for_never_come(simulator: Simulator, bot: Bot) -> None:
    said = await simulator.say("user1", "", "a", direct=True)
    await simulator.edit(said["id"], "b")
    await simulator.react("user1", said["id"], "\U0001f44d")
    assert [each.edited_message is not None for each in await updates(bot)] == [False, True]
    await updates(bot, allowed_updates=["message", "message_reaction"])
    await simulator.edit(said["id"], "c")
    await simulator.react("user1", said["id"], "\U0001f525")
    [reaction] = await updates(bot)
    assert reaction.message_reaction is not None
    assert len(reaction.message_reaction.old_reaction) == 1
    await simulator.edit(said["id"], "d")
    assert await updates(bot) == []
    await updates(bot, allowed_updates=[])
    await simulator.edit(said["id"], "e")
    assert len(await updates(bot)) == 1


async def test_updates_are_kept_for_a_day() -> None:
    clock = Clock()
    async with a_simulator(clock=clock) as simulator, a_bot(simulator) as bot:
        await simulator.start("user1")
        clock.now += 86_399
        await simulator.say("user1", "", "later", direct=True)
        assert len(await bot.get_updates()) == 2
        clock.now += 2
        assert [each.message and each.message.text for each in await bot.get_updates()] == ["later"]


async def test_a_wrong_token_and_a_malformed_one_are_told_apart(simulator: Simulator) -> None:
    async with a_bot(simulator, "7000000001:other") as bot:
        with pytest.raises(InvalidToken, match="Unauthorized"):
            await bot.get_me()
    async with a_bot(simulator, "nonsense") as bot:
        with pytest.raises(InvalidToken, match="Not Found"):
            await bot.get_me()


async def test_a_changed_token_is_good_at_once(simulator: Simulator, bot: Bot) -> None:
    await simulator.set_token("7000000001:new")
    with pytest.raises(InvalidToken):
        await bot.get_me()
    async with a_bot(simulator, "7000000001:new") as again:
        assert (await again.get_me()).username == "threadline_bot"


async def test_polls_go_wrong_when_told_to(simulator: Simulator, bot: Bot) -> None:
    await simulator.start("user1")
    await simulator.fault(Rule("status", path="/getUpdates", status=502, body="Bad Gateway"))
    with pytest.raises(NetworkError):
        await bot.get_updates()
    await simulator.fault(Rule("reset", path="/getUpdates"))
    with pytest.raises(NetworkError):
        await bot.get_updates()
    await simulator.fault(Rule("hang", path="/getUpdates"))
    with pytest.raises(TimedOut):
        await bot.get_updates(read_timeout=2.5)
    [update] = await bot.get_updates()
    await simulator.fault(Rule("reset", path="/getUpdates", moment="after"))
    with pytest.raises(NetworkError):
        await bot.get_updates(offset=update.update_id + 1)
    assert simulator.waiting() == []
    assert [call["fault"] for call in simulator.log()][-1] == "reset-after"


async def test_a_poll_that_waits_can_be_cut(simulator: Simulator, bot: Bot) -> None:
    polled = asyncio.create_task(bot.get_updates(timeout=30))
    await simulator.wait_for(lambda: simulator.stats()["polling"])
    await simulator.drop()
    with pytest.raises(NetworkError):
        await polled


async def test_an_update_of_an_unknown_kind_can_be_made_up(simulator: Simulator, bot: Bot) -> None:
    assert await simulator.emit("guest_thing", {"x": 1}) is not None
    [update] = await updates(bot)
    assert update.effective_chat is None


async def test_the_log_holds_no_token(simulator: Simulator, bot: Bot) -> None:
    await bot.get_me()
    [call] = simulator.log()
    assert (call["path"], call["status"]) == ("/getMe", 200)
    assert bot.token not in str(simulator.log())


async def test_a_poller_that_died_is_no_conflict_and_gets_nothing(simulator: Simulator, bot: Bot) -> None:
    async with a_bot(simulator) as dying:
        polled = asyncio.create_task(dying.get_updates(timeout=30))
        await simulator.wait_for(lambda: simulator.stats()["polling"])
        polled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await polled
    again = asyncio.create_task(bot.get_updates(timeout=30))
    await simulator.wait_for(lambda: len(simulator.log()) == 2 and simulator.log()[0]["ended"])
    await simulator.start("user1")
    assert len(await again) == 1
    stats = simulator.stats()
    assert (stats["conflicts"], stats["delivered"], stats["redelivered"]) == (0, 1, 0)


async def test_methods_that_are_not_known_are_not_found(bot: Bot) -> None:
    await bot.initialize()  # without it the library takes a 404 for a wrong token
    with pytest.raises(EndPointNotFound):
        await bot.do_api_request("sendRichMessage", {"chat_id": 1})


async def test_calls_may_be_queries_or_json(simulator: Simulator, bot: Bot) -> None:
    async with aiohttp.ClientSession() as session:
        base = simulator.api_url + bot.token
        async with session.get(f"{base}/SENDMESSAGE", params={"chat_id": GENERAL, "text": "one"}) as response:
            assert (await response.json())["result"]["text"] == "one"
        async with session.post(f"{base}/sendMessage", json={"chat_id": GENERAL, "text": "two"}) as response:
            assert (await response.json())["ok"] is True
        async with session.post(f"{base}/sendMessage", data="{", headers={"Content-Type": "application/json"}) as response:
            assert (await response.json())["error_code"] == 400
    assert [each["text"] for each in simulator.sees("user1", "general")] == ["one", "two"]
