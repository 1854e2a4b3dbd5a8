"""Socket Mode: the connections, and the envelopes that go through them (docs.slack.dev, Using Socket Mode)."""

import asyncio
import contextlib
import json
import secrets
import uuid
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import WSMsgType, web

from sandbox.faults import cut
from sandbox.slack import defaults
from sandbox.slack.config import SimulatorConfig
from sandbox.slack.model import Json
from sandbox.slack.sending import Answered, Outgoing
from sandbox.slack.world import World


@dataclass(slots=True)
class SocketCounts:
    """What has happened to connections so far."""

    connects: int = 0
    refused: int = 0
    """Tickets that were not good, and connections over the limit."""
    acks: int = 0
    unknown_acks: int = 0
    """Answers to envelopes that the connection never had, or that were answered before."""


class Link:
    """One connection. What is to be written goes through a queue, so that order is kept."""

    def __init__(self, number: int, socket: web.WebSocketResponse, request: web.Request) -> None:
        self.number = number
        self.socket = socket
        self.request = request
        self.waiting: dict[str, asyncio.Future[Answered]] = {}
        """By envelope_id."""
        self.leaving = False
        """Told to go: it gets nothing new."""
        self.deaf = False
        """What is written to it is lost, but pings are answered."""
        self.zombie = False
        """It gets no answers at all."""
        self.queue: asyncio.Queue[Json] = asyncio.Queue()

    async def write(self, every: float) -> None:
        """Write what is queued, and ping now and then, until cancelled."""
        while True:
            try:
                async with asyncio.timeout(every):
                    frame = await self.queue.get()
            except TimeoutError:
                if not self.zombie:
                    await self.socket.ping(b"Ping from the simulator")
                continue
            if not self.deaf and not self.zombie:
                await self.socket.send_str(json.dumps(frame))

    def lost(self) -> None:
        """Fail everything that is still unanswered."""
        for future in self.waiting.values():
            if not future.done():
                future.set_result(Answered(False, "connection_failed"))
        self.waiting.clear()


class Sockets:
    """All connections of the app."""

    def __init__(self, world: World, config: SimulatorConfig) -> None:
        self.counts = SocketCounts()
        self.url = ""
        self.duplicates = 0
        """How many of the next envelopes of events are sent twice."""
        self.lost_acks = 0
        """How many of the next answers are lost on their way."""
        self.accepting = True
        """Whether new connections are let in."""
        self._world = world
        self._config = config
        self._links: list[Link] = []
        self._tickets: set[str] = set()
        self._turn = 0

    # what the control API does to them

    @property
    def open(self) -> int:
        """How many connections there are, those that were told to go left out."""
        return sum(not link.leaving for link in self._links)

    def drop(self) -> None:
        """Cut every connection without a close frame."""
        for link in list(self._links):
            cut(link.request)

    def disconnect(self, reason: str = "refresh_requested", count: int | None = None) -> None:
        """Ask the oldest `count` connections, or all, to come again. They get nothing more; what they have, they may answer.

        Reasons: refresh_requested, warning (which only announces it), link_disabled, too_many_websockets.
        """
        for link in [each for each in self._links if not each.leaving][:count]:
            link.leaving = reason != "warning"
            link.queue.put_nowait(_disconnect(reason))

    def deafen(self, count: int | None = None) -> None:
        """Let the oldest `count` connections, or all, lose every envelope, while pings go on."""
        for link in self._links[:count]:
            link.deaf = True

    def zombify(self, count: int | None = None) -> None:
        """Leave the oldest `count` connections, or all, without any answer, pongs included."""
        for link in self._links[:count]:
            link.zombie = True

    # connecting

    def ticket(self) -> str:
        """A new address, good for one connection (apps.connections.open)."""
        ticket = secrets.token_urlsafe(16)
        self._tickets.add(ticket)
        return f"{self.url}?ticket={ticket}&app_id={defaults.APP}"

    async def connect(self, request: web.Request) -> web.StreamResponse:
        """Serve one connection until it closes."""
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets or not self.accepting:
            self.counts.refused += 1
            self._world.changes.notify()
            return web.Response(status=503 if ticket in self._tickets else 403)
        self._tickets.discard(ticket)
        socket = web.WebSocketResponse(compress=False, autoping=False, timeout=1.0)
        await socket.prepare(request)
        self.counts.connects += 1
        link = Link(self.counts.connects, socket, request)
        if self.open >= self._config.connections:
            self.counts.refused += 1
            await socket.send_str(json.dumps(_disconnect("too_many_websockets")))
            await socket.close()
            return socket
        self._links.append(link)
        link.queue.put_nowait(self._hello())
        writer = asyncio.create_task(link.write(self._config.socket_ping))
        self._world.changes.notify()
        try:
            await self._read(link)
        finally:
            self._links.remove(link)
            link.lost()
            writer.cancel()
            # ConnectionError: the connection went away under the writer.
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await writer
            self._world.changes.notify()
        return socket

    def _hello(self) -> Json:
        return {
            "type": "hello",
            "num_connections": self.open,
            "debug_info": {"host": "simulator", "build_number": 1, "approximate_connection_time": 18060},
            "connection_info": {"app_id": defaults.APP},
        }

    async def _read(self, link: Link) -> None:
        async for message in link.socket:
            if message.type is WSMsgType.PING:
                if not link.zombie:
                    await link.socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                self._came(link, message.data)

    def _came(self, link: Link, text: str) -> None:
        try:
            given: object = json.loads(text)
        except ValueError:
            return
        frame: Json = cast("Json", given) if isinstance(given, dict) else {}
        if self.lost_acks > 0:
            self.lost_acks -= 1
            return
        future = link.waiting.pop(str(frame.get("envelope_id")), None)
        if future is None or future.done():
            self.counts.unknown_acks += 1
            self._world.changes.notify()
            return
        self.counts.acks += 1
        payload: Any = frame.get("payload")
        future.set_result(Answered(True, "", cast("Json", payload) if isinstance(payload, dict) else None))

    # sending

    async def send(self, outgoing: Outgoing) -> Answered:
        """Send an envelope to one connection, each in turn, and wait for its answer."""
        link = self._next()
        if link is None:
            return Answered(False, "connection_failed")
        envelope = str(uuid.uuid4())
        future: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        link.waiting[envelope] = future
        outgoing.link = link.number
        frame: Json = {"envelope_id": envelope, "payload": outgoing.payload, "type": outgoing.kind}
        frame["accepts_response_payload"] = outgoing.kind != "events_api"
        if outgoing.kind == "events_api":
            frame |= {"retry_attempt": outgoing.attempt, "retry_reason": outgoing.reason}
        times = 1
        if self.duplicates > 0 and outgoing.kind == "events_api":
            self.duplicates -= 1
            times = 2
        for _ in range(times):
            link.queue.put_nowait(frame)
        try:
            async with asyncio.timeout(self._config.ack_timeout):
                return await future
        except TimeoutError:
            # A late answer is taken for one to an envelope that nobody knows.
            link.waiting.pop(envelope, None)
            return Answered(False, "timeout")

    def _next(self) -> Link | None:
        able = [link for link in self._links if not link.leaving]
        if not able:
            return None
        self._turn += 1
        return able[self._turn % len(able)]


def _disconnect(reason: str) -> Json:
    return {"type": "disconnect", "reason": reason, "debug_info": {"host": "simulator"}}
