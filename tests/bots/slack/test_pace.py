from typing import Any, cast

import aiohttp
import pytest

from bots.slack.calls import Web
from bots.slack.limits import Limits
from bots.slack.pace import PAST, READS, Reads
from shared.errors import RateLimited
from tests.bots.slack.rig import SlackRig, told_to_wait


class Time:
    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


async def test_reads_keep_to_their_minute_and_the_past_leaves_some_to_the_present(rig: SlackRig) -> None:
    time = Time()
    async with aiohttp.ClientSession() as session:
        read = Reads(Web(rig.config, session, Limits()), clock=time, sleep=time.sleep)
        for _ in range(PAST):
            await read.past("conversations.list")
        assert time.slept == []
        for _ in range(READS - PAST):
            await read("conversations.list")
        assert time.slept == []
        await read.past("conversations.list")
        assert time.slept == [60.0]
        await read("users.info", user="U0PERSON001")
        assert cast("Any", time.slept) == [60.0]


async def test_a_read_waits_when_it_is_told_to_but_not_for_ever(rig: SlackRig) -> None:
    time = Time()
    async with aiohttp.ClientSession() as session:
        read = Reads(Web(rig.config, session, Limits()), clock=time, sleep=time.sleep)
        await rig.simulator.fault(told_to_wait(7, path="/conversations.list"))
        await read("conversations.list")
        assert time.slept == [7.0]
        await rig.simulator.fault(told_to_wait(600, path="/conversations.list"))
        with pytest.raises(RateLimited):
            await read("conversations.list")
        assert time.slept == [7.0]
