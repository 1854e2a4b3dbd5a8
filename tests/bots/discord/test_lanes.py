import asyncio

import pytest

from bots.discord.lanes import Lanes
from shared.chat import Connected, Event, Left


async def test_a_slow_lane_holds_up_no_other() -> None:
    released, other = asyncio.Event(), asyncio.Event()
    log: list[Event] = []

    async def deliver(event: Event) -> None:
        if event == Left(space="slow"):
            await released.wait()
        log.append(event)
        if event == Left(space="other"):
            other.set()

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        lanes = Lanes(tasks, deliver)
        lanes.put(1, Left(space="slow"))
        lanes.put(1, Left(space="after"))
        lanes.put(2, Left(space="other"))
        await other.wait()
        released.set()
    assert log == [Left(space="other"), Left(space="slow"), Left(space="after")]


async def test_after_a_failure_nothing_more_is_delivered() -> None:
    delivered: list[Event] = []

    async def deliver(event: Event) -> None:
        delivered.append(event)
        raise OSError("the disk is full")

    async def fill() -> None:
        async with asyncio.TaskGroup() as tasks:
            lanes = Lanes(tasks, deliver)
            lanes.put(1, Connected())
            lanes.put(1, Left(space="behind it"))
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert lanes.ended
            lanes.put(2, Left(space="too late"))

    with pytest.raises(ExceptionGroup, match="unhandled errors"):
        await fill()
    assert delivered == [Connected()]
