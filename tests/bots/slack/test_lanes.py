import asyncio
from collections.abc import Awaitable, Callable, Sequence

import pytest

from bots.slack.lanes import Lanes
from shared.chat import ChannelId, Deleted, Event, MessageId
from shared.errors import Unavailable


def gone(name: str) -> Deleted:
    return Deleted(channel=ChannelId("slack:C1"), message=MessageId(name))


def making(*given: str) -> Callable[[], Awaitable[Sequence[Event]]]:
    async def make() -> Sequence[Event]:
        return [gone(name) for name in given]

    return make


class Kept:
    def __init__(self) -> None:
        self.names: list[str] = []

    async def __call__(self, event: Event) -> None:
        assert isinstance(event, Deleted)
        self.names.append(event.message)


async def test_nothing_is_delivered_before_the_session_is_announced() -> None:
    kept = Kept()
    async with asyncio.TaskGroup() as tasks:
        lanes = Lanes(tasks, kept, 0.0)
        taken = lanes.put("C1", "a", 1, making("a"))
        await asyncio.sleep(0)
        assert kept.names == []
        lanes.resume()
        assert await taken
    assert kept.names == ["a"]


async def test_an_earlier_one_that_comes_later_goes_first() -> None:
    kept = Kept()
    async with asyncio.TaskGroup() as tasks:
        lanes = Lanes(tasks, kept, 0.02)
        lanes.resume()
        lanes.put("C1", "b", 2, making("b"))
        lanes.put("C1", "c", 3, making("c"))
        lanes.put("C1", "a", 1, making("a"))
    assert kept.names == ["a", "b", "c"]


async def test_what_is_known_is_not_delivered_again_and_the_whole_version_wins() -> None:
    kept = Kept()
    async with asyncio.TaskGroup() as tasks:
        lanes = Lanes(tasks, kept, 0.0)
        first = lanes.put("C1", "a", 1, making("lesser"), whole=False)
        assert lanes.put("C1", "a", 1, making("whole")) is first
        assert lanes.put("C1", "a", 1, making("lesser again"), whole=False) is first
        lanes.resume()
        assert await first
        assert await lanes.put("C1", "a", 1, making("once more"))
    assert kept.names == ["whole"]


async def test_what_cannot_be_made_just_now_may_come_again() -> None:
    kept = Kept()

    async def failing() -> Sequence[Event]:
        raise Unavailable("not now")

    async with asyncio.TaskGroup() as tasks:
        lanes = Lanes(tasks, kept, 0.0)
        lanes.resume()
        assert not await lanes.put("C1", "a", 1, failing)
        assert await lanes.put("C1", "a", 1, making("a"))
    assert kept.names == ["a"]


async def test_what_cannot_be_read_holds_up_nothing() -> None:
    kept = Kept()

    async def strange() -> Sequence[Event]:
        raise KeyError("ts")

    async with asyncio.TaskGroup() as tasks:
        lanes = Lanes(tasks, kept, 0.0)
        lanes.resume()
        assert await lanes.put("C1", "a", 1, strange)
        assert await lanes.put("C1", "b", 2, making("b"))
    assert kept.names == ["b"]


async def test_a_failure_to_store_ends_the_group() -> None:
    async def full(event: Event) -> None:
        raise OSError("the disk is full")

    async def putting() -> None:
        async with asyncio.TaskGroup() as tasks:
            lanes = Lanes(tasks, full, 0.0)
            lanes.resume()
            await lanes.put("C1", "a", 1, making("a"))

    with pytest.raises(ExceptionGroup) as caught:
        await putting()
    assert isinstance(caught.value.exceptions[0], OSError)


async def test_channels_go_side_by_side() -> None:
    went, other = asyncio.Event(), asyncio.Event()

    async def waiting(event: Event) -> None:
        assert isinstance(event, Deleted)
        if event.message == "a":
            await other.wait()
            went.set()
        else:
            other.set()

    async with asyncio.timeout(30), asyncio.TaskGroup() as tasks:
        lanes = Lanes(tasks, waiting, 0.0)
        lanes.resume()
        lanes.put("C1", "a", 1, making("a"))
        lanes.put("C2", "b", 2, making("b"))
        await went.wait()
