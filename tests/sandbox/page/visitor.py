"""A browser without a screen: it asks the page's server as the page does, and keeps what it is told."""

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiohttp

from sandbox.page import Page

Json = dict[str, Any]
T = TypeVar("T")
TOKEN = "a-token-for-tests"


class Seen:
    """What one view shows, kept up to date."""

    def __init__(self) -> None:
        self.view: Json = {}
        self.events = 0
        self._changed = asyncio.Event()

    def take(self, name: str, data: Json) -> None:
        self.events += 1
        if name == "all":
            self.view = data
        else:
            for field, value in data.items():
                self.view[field] = merged(self.view[field], value) if field in ("messages", "calls") else value
        self._changed.set()

    async def until(self, predicate: Callable[[Json], T | None]) -> T:
        try:
            async with asyncio.timeout(10):
                while True:
                    if self.view and (found := predicate(self.view)):
                        return found
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"not seen in {json.dumps(self.view, indent=1)[:6000]}") from None

    async def message(self, text: str) -> Json:
        """Wait for a message that shows a text."""
        return await self.until(lambda view: next((each for each in view["messages"] if text in words(each["body"])), None))


def merged(before: list[Json], change: Json) -> list[Json]:
    """As live.js does it."""
    now = [each for each in before if each["id"] not in change["gone"]]
    for given in change["set"]:
        each = {name: value for name, value in given.items() if name != "after"}
        ids = [other["id"] for other in now]
        if each["id"] in ids:
            now[ids.index(each["id"])] = each
        else:
            now.insert(0 if given["after"] is None else ids.index(given["after"]) + 1, each)
    return now


def words(nodes: list[Any]) -> str:
    """The text of a tree."""
    return "".join(each if isinstance(each, str) else words(each.get("c", [])) for each in nodes)


class Visitor:
    def __init__(self, page: Page, session: aiohttp.ClientSession) -> None:
        self.page = page
        self.session = session
        self.origin = f"http://127.0.0.1:{page.port}"

    async def post(self, what: str, body: object, *, origin: str | None = "own", **headers: str) -> tuple[int, Json]:
        sent = headers | ({"Origin": self.origin if origin == "own" else origin} if origin else {})
        async with self.session.post(f"{self.page.url}do/{what}", json=body, headers=sent) as response:
            return response.status, await response.json()

    async def do(self, what: str, platform: str, by: str, **body: Any) -> None:
        status, answer = await self.post(what, {"platform": platform, "as": by, **body})
        assert (status, answer) == (200, {}), answer

    async def refused(self, what: str, platform: str, by: str, **body: Any) -> str:
        """The sentence with which something is refused."""
        status, answer = await self.post(what, {"platform": platform, "as": by, **body})
        assert status == 400, answer
        return answer["error"]

    async def get(self, path: str, **headers: str) -> tuple[int, Any, bytes]:
        async with self.session.get(self.page.url + path, headers=headers) as response:
            return response.status, response.headers, await response.read()

    @asynccontextmanager
    async def sees(self, platform: str, by: str, place: str, most: int = 60) -> AsyncGenerator[Seen]:
        """Follow a view, from its first event on."""
        seen = Seen()
        query = {"platform": platform, "as": by, "in": place, "most": str(most)}
        async with self.session.get(f"{self.page.url}events", params=query) as response:
            assert response.status == 200, await response.text()
            assert response.content_type == "text/event-stream"
            following = asyncio.create_task(_follow(response, seen))
            try:
                await seen.until(lambda view: True)
                yield seen
            finally:
                following.cancel()
                await asyncio.gather(following, return_exceptions=True)


async def _follow(response: aiohttp.ClientResponse, seen: Seen) -> None:
    waiting = b""
    async for chunk in response.content.iter_any():
        *events, waiting = (waiting + chunk).split(b"\n\n")
        for event in events:
            fields = dict(line.split(": ", 1) for line in event.decode().split("\n") if ": " in line)
            if "data" in fields:
                seen.take(fields["event"], json.loads(fields["data"]))
