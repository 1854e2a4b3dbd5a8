"""The demo as a process, tried through its page as a browser would."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests.bots.command import PATIENCE, run, started, terminated

Json = dict[str, Any]
PLACES = {"discord": "general", "slack": "general", "telegram": "kitchen"}
MENTIONS = {"discord": "@threadline", "slack": "@threadline", "telegram": "@threadline_bot"}


class Browser:
    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self.url = URL(url)

    async def post(self, what: str, **body: Any) -> None:
        headers = {"Origin": str(self.url.origin())}
        async with self._session.post(self.url / "do" / what, json=body, headers=headers) as response:
            assert response.status == 200, await response.text()

    async def view(self, platform: str, place: str = "") -> Json:
        """What is seen now."""
        async with self._session.get(self.url / "events", params={"platform": platform, "as": "user1", "in": place}) as response:
            async for event in self._events(response):
                return event
        raise AssertionError("there was no event")

    async def until(self, platform: str, place: str, sign: str) -> None:
        """Wait until something of the view says so. The text is looked for in the events as they come."""
        async with asyncio.timeout(PATIENCE):
            query = {"platform": platform, "as": "user1", "in": place}
            async with self._session.get(self.url / "events", params=query) as response:
                async for event in self._events(response):
                    if sign in json.dumps(event):
                        return
        raise AssertionError(f"never saw {sign}")

    async def _events(self, response: aiohttp.ClientResponse) -> AsyncGenerator[Json, None]:
        assert response.status == 200, await response.text()
        waiting = b""
        async for chunk in response.content.iter_any():
            *lines, waiting = (waiting + chunk).split(b"\n")
            for line in lines:
                if line.startswith(b"data: "):
                    yield json.loads(line[6:])

    async def thread(self, platform: str, place: str) -> str:
        """The thread that opens in a place."""
        async with asyncio.timeout(PATIENCE):
            while True:
                view = await self.view(platform, place)
                for each in view["places"]:
                    if each.get("under") == place:
                        return each["id"]
                await self.until(platform, place, '"thread"')


@asynccontextmanager
async def browsing(folder: Path, *options: str) -> AsyncGenerator[tuple[Browser, asyncio.subprocess.Process]]:
    """A running demo, and a browser on its page."""
    async with started(folder, "demo", *options) as demo, aiohttp.ClientSession() as session:
        assert demo.stdout is not None
        said = b""
        async with asyncio.timeout(PATIENCE):
            while b"Ctrl-C" not in said:
                line = await demo.stdout.readline()
                assert line, said
                said += line
        [address] = [line for line in said.decode().splitlines() if line.startswith("Try it in a browser: ")]
        yield Browser(session, address.removeprefix("Try it in a browser: ")), demo


async def test_one_can_talk_on_every_platform_through_the_page(tmp_path: Path) -> None:
    async with browsing(tmp_path) as (browser, demo):
        assert json.loads((tmp_path / "state" / "demo" / "address.json").read_text())["page"] == str(browser.url)
        assert browser.url.host == "127.0.0.1"
        for platform, name in PLACES.items():
            view = await browser.view(platform)
            assert [each["name"] for each in view["platforms"]] == list(PLACES)
            place = next(each["id"] for each in view["places"] if each["name"] == name)
            who: Json = {"platform": platform, "as": "user1"}
            await browser.post("write", **who, **{"in": place}, text=f"{MENTIONS[platform]} what is 20 + 3?")
            where = place if platform == "telegram" else await browser.thread(platform, place)
            await browser.until(platform, where, "20 + 3 = 23")
            direct = "private" if platform == "telegram" else "direct"
            await browser.post("write", **who, **{"in": direct}, text="what is 30 + 4?")
            where = await browser.thread(platform, direct) if platform == "slack" else direct
            await browser.until(platform, where, "30 + 4 = 34")
        result = await terminated(demo)
        assert (result.status, "Traceback" in result.err) == (0, False)
    log = (tmp_path / "state" / "demo" / "page.json").stat()
    assert log.st_mode & 0o777 == 0o600


async def test_lists_of_who_may_talk_on_the_real_platforms_keep_nobody_out_of_the_demo(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DISCORD_ALLOWED_SERVERS=1\nSLACK_ALLOWED_USERS=U1\nTELEGRAM_ALLOWED_USERS=1\n")
    async with browsing(tmp_path) as (browser, _):
        for platform, direct in (("discord", "direct"), ("telegram", "private"), ("slack", "direct")):
            await browser.post("write", platform=platform, **{"as": "user1", "in": direct}, text="what is 30 + 4?")
            where = await browser.thread(platform, direct) if platform == "slack" else direct
            await browser.until(platform, where, "30 + 4 = 34")
        general = next(each["id"] for each in (await browser.view("discord"))["places"] if each["name"] == "general")
        await browser.post("write", platform="discord", **{"as": "user1", "in": general}, text="@threadline what is 20 + 3?")
        await browser.until("discord", await browser.thread("discord", general), "20 + 3 = 23")


async def test_what_is_written_while_the_server_is_stopped_is_answered_when_it_is_back(tmp_path: Path) -> None:
    async with browsing(tmp_path) as (browser, _):
        who: Json = {"platform": "discord", "as": "user1"}
        await browser.post("write", **who, **{"in": "direct"}, text="slow list")
        await browser.until("discord", "direct", "stand-in")
        await browser.post("server", turn="stop")
        await browser.until("discord", "direct", '"server": "down"')
        [begun] = _answers(await browser.view("discord", "direct"))
        general = next(each["id"] for each in (await browser.view("discord"))["places"] if each["name"] == "general")
        await browser.post("write", **who, **{"in": general}, text="@threadline what is 20 + 3?")
        await browser.post("server", turn="start")
        await browser.until("discord", await browser.thread("discord", general), "20 + 3 = 23")
        await browser.post("server", turn="restart")
        await browser.until("discord", "direct", '"server": "up"')
        # The reply that was cut off goes on in the message that it was begun in.
        await browser.until("discord", "direct", "this computer")
        assert _answers(await browser.view("discord", "direct")) == [begun]


def _answers(view: Json) -> list[str]:
    return [each["id"] for each in view["messages"] if each["bot"]]


async def test_the_demo_ends_while_its_server_is_stopped(tmp_path: Path) -> None:
    async with browsing(tmp_path) as (browser, demo):
        await browser.post("server", turn="stop")
        await browser.until("discord", "direct", '"server": "down"')
        result = await terminated(demo)
        assert (result.status, "Traceback" in result.err) == (0, False)


async def test_the_page_is_found_where_it_was_before(tmp_path: Path) -> None:
    async with browsing(tmp_path) as (browser, demo):
        await browser.post("write", platform="discord", **{"as": "user1", "in": "general"}, text="before")
        first = browser.url
        await terminated(demo)
    async with browsing(tmp_path) as (browser, _):
        assert browser.url == first
        await browser.until("discord", "general", "before")


@pytest.mark.parametrize("kept", ['{"port": "x"', '{"port": 99999999, "token": "0123456789abcdef"}'])
async def test_a_note_of_the_last_page_that_makes_no_sense_does_no_harm(tmp_path: Path, kept: str) -> None:
    (tmp_path / "state" / "demo").mkdir(parents=True)
    (tmp_path / "state" / "demo" / "page.json").write_text(kept)
    async with browsing(tmp_path) as (browser, _):
        assert len(browser.url.parts[1]) >= 16
        assert (await browser.view("discord"))["server"] == "up"


async def test_a_port_that_is_taken_is_told_if_it_was_named_and_else_another_is_taken(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert f"port {port}" in (await run(tmp_path, "demo", "--port", str(port))).sentence()
        (tmp_path / "state" / "demo" / "page.json").write_text(json.dumps({"port": port, "token": "0123456789abcdef"}))
        async with browsing(tmp_path) as (browser, _):
            assert browser.url.port != port
