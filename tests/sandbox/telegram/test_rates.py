from telegram import Bot

from sandbox.telegram import Simulator
from sandbox.telegram.config import SimulatorConfig
from sandbox.telegram.limits import Limits
from tests.sandbox.telegram.library import ADA, BEN, GENERAL, Clock, a_bot, a_simulator, delayed

USUAL = {"private_limit": (10, 10.0), "group_limit": (20, 60.0), "overall_limit": (30, 1.0)}


async def test_a_group_takes_twenty_acts_a_minute_edits_among_them() -> None:
    clock = Clock()
    async with a_simulator(**USUAL, monotonic=clock) as simulator, a_bot(simulator) as bot:
        sent = await bot.send_message(GENERAL, "0")
        for n in range(1, 20):
            clock.now += 1
            await bot.edit_message_text(str(n), GENERAL, sent.message_id)
        assert await delayed(bot.edit_message_text("20", GENERAL, sent.message_id)) == 41
        assert await delayed(bot.send_message(GENERAL, "x")) == 82
        assert simulator.sees("user1", "general")[-1]["text"] == "19"
        clock.now += 83
        await bot.edit_message_text("21", GENERAL, sent.message_id)
        assert simulator.stats()["suffered_by_chat"] == {str(GENERAL): 2}


async def test_asking_on_makes_the_wait_longer_and_other_chats_are_free() -> None:
    clock = Clock()
    async with a_simulator(**USUAL, monotonic=clock) as simulator, a_bot(simulator) as bot:
        await talk(simulator, bot)
        waits = [await delayed(bot.send_message(ADA, "x")) for _ in range(4)]
        assert waits == [10, 20, 40, 80]
        await bot.send_message(BEN, "free")
        clock.now += 79
        assert await delayed(bot.send_message(ADA, "x")) == 160
        clock.now += 161
        await bot.send_message(ADA, "again")


async def talk(simulator: Simulator, bot: Bot) -> None:
    await simulator.start("user1")
    await simulator.start("user2")
    for n in range(10):
        await bot.send_message(ADA, str(n))


async def test_chat_actions_and_drafts_count_but_looking_does_not() -> None:
    clock = Clock()
    async with a_simulator(**USUAL, monotonic=clock) as simulator, a_bot(simulator) as bot:
        await simulator.start("user1")
        for n in range(5):
            await bot.send_chat_action(ADA, "typing")
            await bot.send_message_draft(ADA, 1, str(n))
            await bot.get_chat(ADA)
        assert await delayed(bot.send_message_draft(ADA, 1, "x")) == 10


def test_thirty_a_second_get_through_overall() -> None:
    limits = Limits(SimulatorConfig())
    taken = [limits.take("m", chat, private=True, count=1, now=0.0) for chat in range(31)]
    assert taken == [None] * 30 + [1]
    assert limits.take("m", 31, private=True, count=1, now=1.0) is None


def test_the_wait_has_an_end() -> None:
    limits = Limits(SimulatorConfig(private_limit=(1, 1.0)))
    waits = [limits.take("m", 1, private=True, count=1, now=0.0) for _ in range(20)]
    assert waits[:4] == [None, 10, 20, 40]
    assert waits[-1] == 14_000
