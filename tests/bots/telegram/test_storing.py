import asyncio
from collections.abc import Sequence
from typing import Any

from bots.telegram.updates import STUCK_SECONDS, Poller
from shared.chat import Event, Message
from shared.errors import Unavailable
from tests.bots.telegram.rig import TelegramRig
from tests.bots.telegram.test_updates import polls
from tests.conformance.adapter_rig import Heard, running


async def test_health_says_that_what_comes_is_not_stored(rig: TelegramRig) -> None:
    full, heard = asyncio.Event(), Heard()
    full.set()

    async def deliver(event: Event) -> None:
        if isinstance(event, Message) and full.is_set():
            raise Unavailable("not stored")
        await heard(event)

    async with running(rig.adapter, deliver):
        await heard.connected()
        await rig.say("hello")
        await rig.simulator.wait_for(lambda: not rig.adapter.health().connected)
        assert "not stored" in rig.adapter.health().detail
        full.clear()
        await heard.message()
        await rig.simulator.wait_for(lambda: rig.adapter.health().connected)


async def test_what_takes_very_long_to_store_counts_as_stuck(rig: TelegramRig) -> None:
    came, now = asyncio.Event(), [1000.0]

    async def up() -> None:
        return

    async def take(updates: Sequence[dict[str, Any]]) -> None:
        came.set()
        await asyncio.Event().wait()

    await rig.say("hello")
    poller = Poller(rig.config, ("message",), up=up, take=take, refused=lambda: None, clock=lambda: now[0])
    polling = asyncio.create_task(poller.run())
    await came.wait()
    assert (poller.age, poller.stuck) == (0.0, False)
    now[0] += STUCK_SECONDS
    assert not poller.stuck
    now[0] += 1
    assert (poller.stuck, poller.trouble) == (True, "what comes is not stored")
    polling.cancel()
    await asyncio.wait([polling])


async def test_what_takes_long_to_store_in_one_chat_holds_up_no_other_and_is_not_confirmed(rig: TelegramRig) -> None:
    heard, released = Heard(), asyncio.Event()

    async def deliver(event: Event) -> None:
        if isinstance(event, Message) and event.text == "slow":
            await released.wait()
        await heard(event)

    async with running(rig.adapter, deliver):
        await heard.connected()
        await rig.say("slow")
        await rig.simulator.wait_for(lambda: rig.simulator.updates.sent)
        await rig.say("after it")
        for nth in (1, 2):
            await rig.simulator.say("user2", "", f"elsewhere {nth}", direct=True)
            await heard.until(lambda nth=nth: heard.texts[-1:] == [f"elsewhere {nth}"])
        polled = len(polls(rig.simulator))
        await rig.simulator.wait_for(lambda: len(polls(rig.simulator)) > polled + 1)
        assert len(rig.simulator.waiting()) == 4
        released.set()
        await heard.until(lambda: heard.texts == ["elsewhere 1", "elsewhere 2", "slow", "after it"])
        await rig.simulator.wait_for(lambda: not rig.simulator.waiting())
        await rig.say("and on")
        await heard.until(lambda: heard.texts[-1:] == ["and on"])
        assert len(heard.texts) == 5


async def test_what_was_not_stored_as_it_ends_comes_again(rig: TelegramRig) -> None:
    heard, again = Heard(), Heard()

    async def deliver(event: Event) -> None:
        if isinstance(event, Message) and event.text == "slow":
            await asyncio.Event().wait()
        await heard(event)

    async with running(rig.adapter, deliver):
        await heard.connected()
        await rig.say("slow")
        await rig.simulator.wait_for(lambda: rig.simulator.updates.sent)
        await rig.simulator.say("user2", "", "elsewhere", direct=True)
        await heard.message()
        # So that whatever is confirmed by what was heard since is confirmed.
        polled = len(polls(rig.simulator))
        await rig.simulator.wait_for(lambda: len(polls(rig.simulator)) > polled + 1)
    async with running(rig.again().adapter, again):
        await again.until(lambda: again.texts == ["slow", "elsewhere"])


async def test_what_cannot_be_stored_comes_before_what_was_said_after_it_in_its_chat(rig: TelegramRig) -> None:
    heard, full = Heard(), asyncio.Event()
    full.set()

    async def deliver(event: Event) -> None:
        if isinstance(event, Message) and event.text == "one" and full.is_set():
            raise Unavailable("not stored")
        await heard(event)

    async with running(rig.adapter, deliver):
        await heard.connected()
        await rig.say("one")
        await rig.simulator.wait_for(lambda: not rig.adapter.health().connected)
        await rig.say("two")
        await rig.simulator.say("user2", "", "elsewhere", direct=True)
        await heard.until(lambda: heard.texts == ["elsewhere"])
        full.clear()
        await heard.until(lambda: heard.texts == ["elsewhere", "one", "two"])
        await rig.simulator.wait_for(lambda: not rig.simulator.waiting())
        await rig.simulator.wait_for(lambda: rig.adapter.health().connected)
