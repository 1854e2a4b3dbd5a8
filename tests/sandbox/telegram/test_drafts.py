from telegram import Bot, MessageEntity

from sandbox.telegram import Simulator
from tests.sandbox.telegram.library import ADA, GENERAL, Clock, a_bot, a_simulator, refused


async def test_a_draft_shows_until_the_message_comes(simulator: Simulator, bot: Bot) -> None:
    await simulator.start("user1")
    await bot.send_message_draft(ADA, 7, "")
    assert [(each["text"], each["state"]) for each in simulator.sees("user1")][-1] == ("", "draft")
    await bot.send_message_draft(ADA, 7, "half", entities=[MessageEntity("bold", 0, 4)])
    assert [(each["text"], each["id"]) for each in simulator.sees("user1")][-1] == ("half", None)
    await bot.send_message(ADA, "whole")
    assert [(each["text"], each["state"]) for each in simulator.sees("user1")][-1] == ("whole", None)
    assert simulator.drafts() == []


async def test_a_draft_vanishes_after_thirty_seconds_and_leaves_nothing() -> None:
    clock = Clock()
    async with a_simulator(clock=clock) as simulator, a_bot(simulator) as bot:
        await simulator.start("user1")
        await bot.send_message_draft(ADA, 1, "half")
        clock.now += 29
        await bot.send_message_draft(ADA, 1, "half of it")
        clock.now += 29
        assert len(simulator.drafts()) == 1
        clock.now += 2
        assert [each["text"] for each in simulator.sees("user1")] == ["/start"]


async def test_whoever_waits_learns_that_a_draft_is_gone() -> None:
    async with a_simulator(draft_lifetime=0.05) as simulator, a_bot(simulator) as bot:
        await simulator.start("user1")
        await bot.send_message_draft(ADA, 1, "half")
        await simulator.wait_for(lambda: not simulator.drafts())


async def test_drafts_fail_in_groups_and_without_a_number(simulator: Simulator, bot: Bot) -> None:
    assert await refused(bot.send_message_draft(GENERAL, 1, "x")) == "Textdraft_peer_invalid"
    await simulator.start("user1")
    assert await refused(bot.send_message_draft(ADA, 0, "x")) == "Draft identifier must be non-zero"
    assert await refused(bot.send_message_draft(ADA, 1, "x" * 4097)) == "Message is too long"
