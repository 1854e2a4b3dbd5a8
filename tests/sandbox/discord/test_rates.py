import asyncio
import logging

import pytest

from sandbox.discord import Simulator, SimulatorConfig
from sandbox.discord.defaults import CHANNELS
from sandbox.faults import Rule
from tests.sandbox.discord.library import Client, Start, connected, rest_of

HERE = f"/channels/{CHANNELS['general']}/messages"
THERE = f"/channels/{CHANNELS['random']}/messages"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_creating_and_editing_share_a_bucket_per_channel(start: Start) -> None:
    clock = Clock()
    async with start(SimulatorConfig(monotonic=clock)) as simulator, rest_of(simulator) as rest:
        made = await rest("POST", HERE, {"content": "x"})
        assert (made.headers["x-ratelimit-limit"], made.headers["x-ratelimit-remaining"]) == ("5", "4")
        last = made
        for _ in range(4):
            clock.now += 1
            last = await rest("PATCH", f"{HERE}/{made.body['id']}", {"content": "y"})
        assert (last.headers["x-ratelimit-remaining"], last.headers["x-ratelimit-reset-after"]) == ("0", "1.000")
        refused = await rest("POST", HERE, {"content": "z"})
        assert (refused.status, refused.body["retry_after"], refused.body["global"]) == (429, 1.0, False)
        assert refused.headers["x-ratelimit-scope"] == "user"
        assert refused.headers["retry-after"] == "1"
        assert refused.headers["via"]
        elsewhere = await rest("POST", THERE, {"content": "z"})
        assert elsewhere.status == 200
        assert elsewhere.headers["x-ratelimit-bucket"] == refused.headers["x-ratelimit-bucket"]
        assert (await rest("DELETE", f"{HERE}/{made.body['id']}")).status == 204
        clock.now += 1
        assert (await rest("POST", HERE, {"content": "z"})).status == 200
        assert simulator.stats()["suffered"] == 1
        assert len(simulator.messages("general")) == 2


async def test_buckets_can_be_apart(start: Start) -> None:
    config = SimulatorConfig(channel_limit=(1, 5.0), share_bucket=False, monotonic=Clock())
    async with start(config) as simulator, rest_of(simulator) as rest:
        made = await rest("POST", HERE, {"content": "x"})
        assert (await rest("PATCH", f"{HERE}/{made.body['id']}", {"content": "y"})).status == 200
        assert (await rest("POST", HERE, {"content": "x"})).status == 429


async def test_the_overall_limit_counts_every_route(start: Start) -> None:
    clock = Clock()
    async with start(SimulatorConfig(global_limit=(3, 1.0), monotonic=clock)) as simulator, rest_of(simulator) as rest:
        for path in ("/users/@me", "/gateway", f"/channels/{CHANNELS['general']}"):
            assert (await rest("GET", path)).status == 200
        clock.now += 0.25
        refused = await rest("GET", "/users/@me")
        assert (refused.status, refused.body["global"], refused.body["retry_after"]) == (429, True, 0.75)
        assert refused.headers["x-ratelimit-global"] == "true"
        clock.now += 0.75
        assert (await rest("GET", "/users/@me")).status == 200


async def test_the_library_keeps_to_the_headers(start: Start) -> None:
    async with start(SimulatorConfig(channel_limit=(2, 0.2))) as simulator, connected() as client:
        await asyncio.gather(*[client.text_channel().send(str(number)) for number in range(6)])
        times = [call.arrived_mono for call in simulator.calls.matching("POST", "/messages")]
        assert simulator.stats()["suffered"] == 0
        assert times[4] - times[0] >= 0.4
        assert len(simulator.messages("general")) == 6


async def test_the_library_waits_out_a_429_and_posts_once(
    simulator: Simulator, client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"message": "You are being rate limited.", "retry_after": 0.05, "global": False}
    await simulator.fault(Rule("status", "POST", "/messages$", status=429, headers={"Via": "1.1 simulator"}, body=body))
    with caplog.at_level(logging.WARNING, "discord.http"):
        await client.text_channel().send("x")
    assert "We are being rate limited" in caplog.text
    assert [call.status for call in simulator.calls.matching("POST", "/messages")] == [429, 200]
    assert len(simulator.messages("general")) == 1
