"""`/healthz` over real HTTP: who is named when something fails, and that nothing secret is told."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bots.healthz import HOST, Checkup, Load, bind, serving
from shared.chat import Health
from shared.errors import Misconfigured, StoreUnusable
from shared.store import Store
from tests.odd.platform import OddAdapter
from tests.odd.service import Service

SECRET = "xoxb-very-secret"


@dataclass
class House:
    """What the server has to tell, and the hour by its clock."""

    platforms: dict[str, Health] = field(default_factory=lambda: {"one": Health(True, "as bot1"), "two": Health(True, "as bot2")})
    load: Load = field(default_factory=lambda: Load(0, 0))
    now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def later(self, seconds: float) -> str:
        """Let time pass; how it is told then."""
        self.now += timedelta(seconds=seconds)
        return self.now.isoformat()

    def checkup(self, store: Callable[[], Awaitable[object]] | None = None, **more: Any) -> Checkup:
        def health(name: str) -> Callable[[], Health]:
            return lambda: self.platforms[name]

        async def fine() -> None:
            return None

        return Checkup(
            {name: health(name) for name in self.platforms},
            store or fine,
            lambda: self.load,
            version="1.2.3",
            secrets=["", SECRET],
            clock=lambda: self.now,
            **more,
        )


@asynccontextmanager
async def asking(checkup: Checkup) -> AsyncGenerator[Callable[[], Awaitable[tuple[int, dict[str, Any]]]]]:
    """Gives a function that asks `/healthz`: the status, and what was told."""
    bound = bind(0)
    port = bound.getsockname()[1]
    async with serving(checkup, bound), aiohttp.ClientSession(f"http://{HOST}:{port}") as session:

        async def ask() -> tuple[int, dict[str, Any]]:
            async with session.get("/healthz") as answer:
                assert answer.content_type == "application/json"
                assert answer.headers["Cache-Control"] == "no-store"
                return answer.status, await answer.json()

        yield ask


async def test_all_is_well_when_every_platform_hears_and_the_store_answers(tmp_path: Path) -> None:
    house = House(load=Load(running=2, queued=5))
    store = await Store.open(tmp_path / "threadline.db")
    try:
        async with asking(house.checkup(store.blocks)) as ask:
            status, told = await ask()
    finally:
        await store.aclose()
    assert status == 200
    began = house.now.isoformat()
    assert told == {
        "status": "ok",
        "failing": [],
        "version": "1.2.3",
        "platforms": {
            "one": {"connected": True, "detail": "as bot1", "since": began, "last_failure": None},
            "two": {"connected": True, "detail": "as bot2", "since": began, "last_failure": None},
        },
        "store": {"ok": True, "detail": ""},
        "turns": {"running": 2, "queued": 5},
    }


async def test_a_platform_that_went_deaf_is_named_and_the_others_are_well() -> None:
    house = House()
    async with asking(house.checkup()) as ask:
        assert (await ask())[0] == 200
        lost = house.later(60)
        house.platforms["two"] = Health(False, "hears nothing")
        await ask()
        house.later(60)
        status, told = await ask()
    assert status == 503
    assert told["status"] == "failing"
    assert told["failing"] == ["two"]
    assert told["platforms"]["one"]["connected"] is True
    assert told["platforms"]["one"]["last_failure"] is None
    assert told["platforms"]["two"] == {
        "connected": False,
        "detail": "hears nothing",
        "since": lost,
        "last_failure": {"at": lost, "detail": "hears nothing"},
    }


async def test_a_platform_that_is_well_again_keeps_its_last_failure() -> None:
    house = House()
    checkup = house.checkup()
    async with asking(checkup) as ask:
        house.platforms["two"] = Health(False)
        failed = house.later(5)
        checkup.failed("two", "no way to the platform")
        house.platforms["two"] = Health(True)
        back = house.later(5)
        status, told = await ask()
    assert status == 200
    assert told["platforms"]["two"]["since"] == back
    assert told["platforms"]["two"]["last_failure"] == {"at": failed, "detail": "no way to the platform"}


async def test_a_platform_that_was_never_heard_is_failing_since_the_start() -> None:
    house = House(platforms={"one": Health(False, "not connected")})
    began = house.now.isoformat()
    async with asking(house.checkup()) as ask:
        house.later(30)
        status, told = await ask()
    assert (status, told["failing"]) == (503, ["one"])
    assert told["platforms"]["one"] == {"connected": False, "detail": "not connected", "since": began, "last_failure": None}


async def test_an_adapter_that_runs_and_then_ends_is_told_so() -> None:
    adapter = OddAdapter(Service())
    running = asyncio.create_task(adapter.run(_nothing))
    await asyncio.sleep(0)
    checkup = Checkup({adapter.name: adapter.health}, _nothing_at_all, lambda: Load(0, 0), version="1")
    async with asking(checkup) as ask:
        assert (await ask())[0] == 200
        running.cancel()
        await asyncio.wait([running])
        assert (await ask())[0] == 503


async def test_a_store_that_cannot_be_read_is_named_and_the_platforms_are_told_all_the_same() -> None:
    async def broken() -> None:
        raise StoreUnusable(f"The database is broken ({SECRET}).")

    async with asking(House().checkup(broken)) as ask:
        status, told = await ask()
    assert (status, told["failing"]) == (503, ["store"])
    assert told["store"] == {"ok": False, "detail": "The database is broken ([hidden])."}
    assert told["platforms"]["one"]["connected"] is True


async def test_a_store_that_does_not_answer_is_given_up_and_named() -> None:
    async def hangs() -> None:
        await asyncio.Event().wait()

    async with asking(House().checkup(hangs, store_seconds=0.01)) as ask:
        status, told = await ask()
    assert (status, told["store"]) == (503, {"ok": False, "detail": "no answer in 0.01 s"})


async def test_no_secret_is_told_in_any_detail() -> None:
    house = House(platforms={"one": Health(False, f"refused {SECRET}")})
    checkup = house.checkup()
    checkup.failed("one", f"401 for {SECRET} at the platform")
    async with asking(checkup) as ask:
        _, told = await ask()
    assert SECRET not in str(told)
    assert told["platforms"]["one"]["last_failure"]["detail"] == "401 for [hidden] at the platform"


async def test_it_listens_on_this_machine_alone_and_says_nothing_else() -> None:
    bound = bind(0)
    host, port = bound.getsockname()
    assert (bound.family, host) == (socket.AF_INET, "127.0.0.1")
    async with serving(House().checkup(), bound), aiohttp.ClientSession(f"http://{HOST}:{port}") as session:
        async with session.get("/") as answer:
            assert answer.status == 404
        async with session.post("/healthz") as answer:
            assert answer.status == 405
        # Every address of 127.0.0.0/8 is this machine; a socket on all addresses would answer here.
        with pytest.raises(aiohttp.ClientConnectorError):
            await session.get(f"http://127.0.0.2:{port}/healthz")
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(HOST, port)


def test_a_port_that_is_taken_is_one_sentence_that_names_the_setting() -> None:
    with socket.socket() as other:
        other.bind((HOST, 0))
        other.listen()
        with pytest.raises(Misconfigured, match=r"HEALTH_PORT\.$"):
            bind(other.getsockname()[1])


async def test_the_line_for_people_follows_what_the_platforms_say() -> None:
    house = House()
    told: asyncio.Queue[str] = asyncio.Queue()
    following = asyncio.create_task(house.checkup().follow(told.put, seconds=0.001))
    try:
        assert await told.get() == "one connected, two connected"
        house.platforms["one"] = Health(False)
        async with asyncio.timeout(30):
            while await told.get() != "one not connected, two connected":
                pass
    finally:
        following.cancel()
        await asyncio.wait([following])


async def _nothing(_event: object) -> None:
    return None


async def _nothing_at_all() -> None:
    return None
