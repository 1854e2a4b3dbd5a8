"""A stream of server-sent events for whoever follows what happens in a simulator."""

import asyncio
import json
from collections.abc import Callable

from aiohttp import web

from sandbox.values import Json

QUEUE = 10_000
"""How many events a follower may lag behind before it is cut off."""


class Events:
    """The followers, and what they are told."""

    def __init__(self) -> None:
        self._followers: set[asyncio.Queue[str | None]] = set()

    def tell(self, event: Callable[[], Json]) -> None:
        """Tell the followers of an event, which is made only when there are any."""
        if not self._followers:
            return
        line = f"data: {json.dumps(event())}\n\n"
        for queue in list(self._followers):
            if queue.qsize() >= QUEUE:
                self._followers.discard(queue)
                queue.put_nowait(None)
            else:
                queue.put_nowait(line)

    def stop(self) -> None:
        """End the streams."""
        for queue in self._followers:
            queue.put_nowait(None)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer with a stream of the events from now on."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        await response.prepare(request)
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._followers.add(queue)
        try:
            await response.write(b": following\n\n")
            while (line := await queue.get()) is not None:
                await response.write(line.encode())
        except ConnectionError:
            pass  # the follower went away
        finally:
            self._followers.discard(queue)
        return response
