import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from sandbox.faults import Faults, Rule, rule_from_json, strike


class Served:
    """A server with one route that counts what took effect."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.applied = 0
        self.url = ""

    async def handle(self, request: web.Request) -> web.Response:
        fault = self.faults.draw(request.method, request.path)
        answer = await strike(fault, "before", request)
        if answer is not None:
            return answer
        self.applied += 1
        return await strike(fault, "after", request) or web.json_response({"fine": True})


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    served = Served()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", served.handle)
    runner = web.AppRunner(app, shutdown_timeout=0.2)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}/a/b"
    yield served
    await runner.cleanup()


async def test_a_status_is_answered_instead_with_its_headers_and_body(served: Served) -> None:
    served.faults.set(Rule("status", status=529, headers={"X-Why": "test"}, body={"type": "error"}))
    async with aiohttp.ClientSession() as session:
        async with session.get(served.url) as response:
            assert (response.status, response.headers["X-Why"]) == (529, "test")
            assert response.headers["Content-Type"] == "application/json"
            assert await response.json() == {"type": "error"}
        async with session.get(served.url) as response:
            assert response.status == 200
    assert served.applied == 1


@pytest.mark.parametrize(("moment", "applied"), [("before", 0), ("after", 1)])
async def test_a_cut_connection_is_an_error_before_or_after_the_effect(served: Served, moment: str, applied: int) -> None:
    served.faults.set(rule_from_json({"action": "reset", "moment": moment}))
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.post(served.url)
    assert served.applied == applied


@pytest.mark.parametrize(("moment", "applied"), [("before", 0), ("after", 1)])
async def test_a_process_is_killed_before_or_after_the_effect(served: Served, moment: str, applied: int) -> None:
    victim = await asyncio.create_subprocess_exec("sleep", "60")
    served.faults.set(rule_from_json({"action": "kill", "moment": moment, "pid": victim.pid}))
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.post(served.url)
    assert await victim.wait() == -9
    assert served.applied == applied


async def test_a_call_that_hangs_gets_no_answer_until_its_caller_leaves(served: Served) -> None:
    served.faults.set(Rule("hang"))
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=0.1)) as session:
        with pytest.raises(TimeoutError):
            await session.get(served.url)
    assert served.applied == 0


async def test_a_slow_call_still_takes_effect(served: Served) -> None:
    served.faults.set(Rule("slow", seconds=0.1))
    loop = asyncio.get_running_loop()
    before = loop.time()
    async with aiohttp.ClientSession() as session, session.get(served.url) as response:
        assert response.status == 200
    assert loop.time() - before >= 0.1
    assert served.applied == 1


@given(nth=st.integers(1, 5), times=st.none() | st.integers(1, 3), calls=st.integers(0, 12))
def test_a_rule_strikes_from_its_nth_match_for_its_times(nth: int, times: int | None, calls: int) -> None:
    faults = Faults()
    faults.set(Rule("status", nth=nth, times=times))
    struck = [number for number in range(1, calls + 1) if faults.draw("GET", "/") is not None]
    last = calls if times is None else min(calls, nth + times - 1)
    assert struck == list(range(nth, last + 1))


def test_only_calls_of_the_method_and_path_are_struck() -> None:
    faults = Faults()
    faults.set(Rule("status", method="POST", path=r"/messages$", times=None))
    assert faults.draw("GET", "/messages") is None
    assert faults.draw("POST", "/messages/1") is None
    assert faults.draw("POST", "/x/messages") is not None
    faults.clear()
    assert faults.draw("POST", "/x/messages") is None


def test_chances_are_the_same_for_the_same_seed_and_about_as_often_as_asked() -> None:
    def struck() -> list[bool]:
        faults = Faults(seed=7)
        faults.set(Rule("status", chance=0.25, times=None))
        return [faults.draw("GET", "/") is not None for _ in range(2000)]

    first = struck()
    assert first == struck()
    assert 400 < sum(first) < 600


@pytest.mark.parametrize(
    "given",
    [
        {"action": "explode"},
        {"action": "status", "nth": 0},
        {"action": "status", "chance": 2},
        {"action": "status", "path": "("},
        {"action": "status", "colour": "red"},
        {"action": "kill"},
        {"action": "kill", "pid": 1},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        rule_from_json(given)
