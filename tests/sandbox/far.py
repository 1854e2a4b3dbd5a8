"""A simulator as seen from another process: its control API over HTTP, and a process of its own."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp


class Far:
    """The control API over HTTP."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self.session = session
        self.base = base

    async def get(self, what: str, **query: str) -> Any:
        async with self.session.get(f"{self.base}/{what}", params=query) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def post(self, what: str, **body: Any) -> Any:
        async with self.session.post(f"{self.base}/{what}", json=body) as response:
            assert response.status == 200, await response.text()
            return await response.json()

    async def refused(self, what: str, **body: Any) -> str:
        async with self.session.post(f"{self.base}/{what}", json=body) as response:
            assert response.status == 400
            return str((await response.json())["error"])

    @asynccontextmanager
    async def following(self) -> AsyncGenerator["Followed"]:
        """The stream of events from here on."""
        async with self.session.get(f"{self.base}/events") as response:
            assert await response.content.readline() == b": following\n"
            yield Followed(response)


class Followed:
    """A stream of events."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def next(self, count: int) -> list[Any]:
        """The next `count` events."""
        found: list[Any] = []
        while len(found) < count:
            line = await self._response.content.readline()
            if line.startswith(b"data: "):
                found.append(json.loads(line[6:]))
        return found


@asynccontextmanager
async def apart(module: str, *arguments: str) -> AsyncGenerator[dict[str, Any]]:
    """A simulator in a process of its own: what it says when it is ready. It is told to stop at the end, and does so well."""
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", module, *arguments, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        async with asyncio.timeout(20):
            ready = json.loads(await process.stdout.readline())
        assert ready["pid"] == process.pid
        yield ready
        process.terminate()
        async with asyncio.timeout(10):
            assert await process.wait() == 0
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
