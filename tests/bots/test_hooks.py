"""What platforms post, over real HTTP: what gets through to an adapter, what does not, and how it ends."""

import asyncio
import io
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web

from bots.hooks import LONGEST, Hooked, bind, taking
from shared.errors import Misconfigured


class Taker:
    """An adapter that is posted to."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.came = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.fails: Exception | None = None

    async def hook(self, request: web.Request) -> web.Response:
        self.came.set()
        await self.go_on.wait()
        if self.fails is not None:
            raise self.fails
        self.bodies.append(await request.read())
        return web.Response(text="taken")


@asynccontextmanager
async def posting(hooked: Mapping[str, Hooked]) -> AsyncGenerator[aiohttp.ClientSession]:
    """Somebody who posts to the server."""
    bound = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    async with taking(hooked, bound), aiohttp.ClientSession(url) as session:
        yield session


async def test_each_path_has_its_adapter() -> None:
    one, two = Taker(), Taker()
    async with posting({"/one/events": one, "/two/events": two}) as session:
        async with session.post("/one/events?x=1", data=b"first") as answer:
            assert (answer.status, await answer.text()) == (200, "taken")
        async with session.post("/two/events", data=b"second") as answer:
            assert answer.status == 200
    assert (one.bodies, two.bodies) == ([b"first"], [b"second"])


async def test_other_paths_and_methods_are_refused_and_no_answer_says_what_serves() -> None:
    taker = Taker()
    async with posting({"/one/events": taker}) as session:
        for method, path, status in (
            ("POST", "/one/events", 200),
            ("POST", "/", 404),
            ("POST", "/one/events/more", 404),
            ("GET", "/healthz", 404),
            ("GET", "/one/events", 405),
            ("PUT", "/one/events", 405),
        ):
            async with session.request(method, path, data=b"{}") as answer:
                assert answer.status == status, (method, path)
                assert "Server" not in answer.headers
    assert taker.bodies == [b"{}"]


async def test_a_body_that_is_too_large_is_refused() -> None:
    taker = Taker()
    async with posting({"/one": taker}) as session:
        async with session.post("/one", data=io.BytesIO(b"x" * LONGEST)) as answer:
            assert answer.status == 200
        async with session.post("/one", data=io.BytesIO(b"x" * (LONGEST + 1))) as answer:
            assert answer.status == 413
    assert [len(body) for body in taker.bodies] == [LONGEST]


async def test_a_body_that_does_not_come_is_cut_off() -> None:
    taker, bound = Taker(), bind("127.0.0.1", 0)
    port = bound.getsockname()[1]
    async with taking({"/one": taker}, bound, body_seconds=0.05), asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /one HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        status = await reader.readline()
        assert b" 408 " in status
        await reader.read()  # until the other side has closed
        writer.close()
        assert taker.bodies == []
        assert not taker.came.is_set()


async def test_what_is_no_http_and_who_goes_away_disturbs_nobody() -> None:
    taker, bound = Taker(), bind("127.0.0.1", 0)
    port = bound.getsockname()[1]
    async with taking({"/one": taker}, bound), asyncio.timeout(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"\x16\x03\x01 this is no HTTP\r\n\r\n")
        assert b" 400 " in await reader.readline()
        writer.close()
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /one HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf")
        await writer.drain()
        writer.transport.abort()
        async with aiohttp.ClientSession() as session, session.post(f"http://127.0.0.1:{port}/one", data=b"whole") as answer:
            assert answer.status == 200
        assert taker.bodies == [b"whole"]


async def test_a_fault_of_ours_asks_for_another_try_and_tells_nothing() -> None:
    taker = Taker()
    taker.fails = RuntimeError("secret")
    async with posting({"/one": taker}) as session, session.post("/one", data=b"{}") as answer:
        assert answer.status == 503
        assert await answer.text() == ""


async def test_what_is_being_taken_when_it_ends_is_taken_to_the_end_and_nothing_more_is() -> None:
    taker, bound = Taker(), bind("127.0.0.1", 0)
    taker.go_on.clear()
    url = f"http://127.0.0.1:{bound.getsockname()[1]}/one"
    async with aiohttp.ClientSession() as session, asyncio.timeout(60):
        async with taking({"/one": taker}, bound):
            under_way = asyncio.create_task(session.post(url, data=b"under way"))
            await taker.came.wait()
            asyncio.get_running_loop().call_later(0.05, taker.go_on.set)
        assert (await under_way).status == 200
        with pytest.raises(aiohttp.ClientError):
            await session.post(url, data=b"too late")
    assert taker.bodies == [b"under way"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_a_port_that_is_taken_is_one_sentence_that_names_the_settings(host: str) -> None:
    try:
        other = bind(host, 0)
    except Misconfigured:
        pytest.skip("there is no such address here")
    with other, pytest.raises(Misconfigured, match=r"cannot be had: .*Set another HTTP_PORT or HTTP_HOST\.$"):
        bind(host, other.getsockname()[1])


def test_an_address_that_is_not_of_this_machine_is_told() -> None:
    with pytest.raises(Misconfigured, match="HTTP_HOST"):
        bind("no-such-host.invalid", 8000)
