"""The gateway, version 10 (Discord developer docs, Gateway; Opcodes and Status Codes)."""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import WSMsgType, web

from sandbox.discord.config import SimulatorConfig
from sandbox.discord.events import MEMBERS, MESSAGE_CONTENT, PRESENCES, Event, events_of, without_content
from sandbox.discord.model import Json
from sandbox.discord.payloads import guild_json, user_json
from sandbox.discord.session import GOING_AWAY, Link, Session, control_frame, dumped
from sandbox.discord.world import Happening, World
from sandbox.windows import Window

DISPATCH, HEARTBEAT, IDENTIFY, RESUME, RECONNECT, INVALID_SESSION, HELLO, ACK = 0, 1, 2, 6, 7, 9, 10, 11
UNKNOWN_OPCODE, DECODE_ERROR, NOT_AUTHENTICATED, BAD_TOKEN = 4001, 4002, 4003, 4004
ALREADY_AUTHENTICATED, RATE_LIMITED, BAD_INTENTS, DISALLOWED_INTENTS = 4005, 4008, 4013, 4014
ENDS_SESSION = frozenset({1000, 1001, 4004, 4007, 4009, 4010, 4011, 4012, 4013, 4014})
"""Close codes after which a session cannot be resumed (1000 and 1001 when the client sends them)."""
SENDS = (120, 60.0)
"""What a client may send (Discord developer docs, Gateway: Rate Limiting)."""
WRITTEN = 100_000
"""How many written dispatches are remembered with their times."""
SESSIONS = 4
"""How many sessions are remembered; each IDENTIFY begins one."""


@dataclass(slots=True)
class GatewayCounts:
    """What has happened at the gateway so far."""

    connects: int = 0
    identifies: int = 0
    resumes: int = 0
    refused_resumes: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """A dispatch as it left for a socket. `id` is that of what it tells of, where that has one."""

    number: int
    """Counts from 1, in the order in which they left."""
    event: str
    id: str | None
    mono: float
    """Seconds of `time.monotonic`, after the way through the simulated network."""


class Gateway:
    """Serves the sockets and turns every change of the world into dispatches."""

    def __init__(self, world: World, config: SimulatorConfig) -> None:
        self.counts = GatewayCounts()
        self.round_trip = config.round_trip
        self.url = ""
        self.token = config.token
        self.message_content = config.message_content
        self.duplicates = 0
        """How many of the next dispatches are sent twice. Discord promises no exactly-once (Reference: Consistency)."""
        self.written = deque[Written](maxlen=WRITTEN)
        self._world = world
        self._config = config
        self._sessions: dict[str, Session] = {}
        self._links: set[Link] = set()
        world.listeners.append(self._happened)

    # what the control API does to it

    @property
    def connected(self) -> bool:
        """Whether a session has a socket now."""
        return any(session.link is not None for session in self._sessions.values())

    def drop(self) -> None:
        """Cut every socket without a close frame. Sessions can be resumed."""
        for link in list(self._links):
            link.cut()

    def close(self, code: int) -> None:
        """Close every socket with a code."""
        for link in list(self._links):
            if link.session is not None and code in ENDS_SESSION:
                self._sessions.pop(link.session.id, None)
            link.close(code)

    def reconnect(self) -> None:
        """Ask every client to come again (opcode 7)."""
        for link in list(self._links):
            link.send(control_frame(RECONNECT))

    def invalidate(self, *, resumable: bool = False) -> None:
        """Tell every client that its session is invalid (opcode 9)."""
        for link in list(self._links):
            link.send(control_frame(INVALID_SESSION, resumable))
            if link.session is not None and not resumable:
                self._sessions.pop(link.session.id, None)

    def forget(self) -> None:
        """End every session without telling: the next RESUME is refused."""
        self._sessions.clear()

    def zombify(self) -> None:
        """Keep the sockets that are open, and send nothing through them any more."""
        for link in self._links:
            link.zombie = True

    # dispatches

    def _happened(self, happening: Happening) -> None:
        if self._sessions:
            for event in events_of(self._world, happening):
                self._dispatch(event)

    def _dispatch(self, event: Event) -> None:
        times = 1
        if self.duplicates > 0 and any(self._wants(session, event) for session in self._sessions.values()):
            self.duplicates -= 1
            times = 2
        full = bare = None
        for session in self._sessions.values():
            if not self._wants(session, event):
                continue
            if event.hidden and not session.intents & MESSAGE_CONTENT:
                data = bare = bare or dumped(without_content(event.data))
            else:
                data = full = full or dumped(event.data)
            for _ in range(times):
                session.dispatch(event.name, data, self._noting(event.name, event.data))

    def _noting(self, name: str, data: Json) -> Callable[[], None]:
        about: str | None = data.get("id")

        def note() -> None:
            number = self.written[-1].number + 1 if self.written else 1
            self.written.append(Written(number, name, about, self._config.monotonic()))

        return note

    @staticmethod
    def _wants(session: Session, event: Event) -> bool:
        return event.intent == 0 or bool(session.intents & event.intent)

    # sockets

    async def connect(self, request: web.Request) -> web.WebSocketResponse:
        """Serve one socket until it closes."""
        socket = web.WebSocketResponse(compress=False, autoping=True, timeout=1.0)
        await socket.prepare(request)
        self.counts.connects += 1
        packed = request.query.get("compress") == "zlib-stream"
        link = Link(socket, request, packed=packed, delay=lambda: self.round_trip / 2)
        self._links.add(link)
        writer = asyncio.create_task(link.write())
        link.send(control_frame(HELLO, {"heartbeat_interval": self._config.heartbeat * 1000}))
        try:
            await self._read(link)
        finally:
            self._lost(link)
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
        return socket

    async def _read(self, link: Link) -> None:
        sends = Window(*SENDS)
        async for message in link.socket:
            if message.type is not WSMsgType.TEXT:
                link.close(DECODE_ERROR)
            elif not sends.take(self._config.monotonic()):
                link.close(RATE_LIMITED)
            elif not link.closed_here:
                self._frame(link, message.data)

    def _lost(self, link: Link) -> None:
        self._links.discard(link)
        session = link.session
        if session is not None and session.link is link:
            session.link = None
            if not link.closed_here and link.socket.close_code in (1000, GOING_AWAY):
                self._sessions.pop(session.id, None)
        self._world.changes.notify()

    def _frame(self, link: Link, text: str) -> None:
        try:
            frame = json.loads(text)
            op, data = int(frame["op"]), frame.get("d")
        except (ValueError, TypeError, KeyError):
            link.close(DECODE_ERROR)
            return
        if op == HEARTBEAT:
            link.send(control_frame(ACK))
        elif op in (IDENTIFY, RESUME) and not isinstance(data, dict):
            link.close(DECODE_ERROR)
        elif op == IDENTIFY:
            self._identify(link, cast("dict[str, Any]", data))
        elif op == RESUME:
            self._resume(link, cast("dict[str, Any]", data))
        elif op not in (3, 4, 8, 31):  # presence, voice state, members, soundboard: nothing comes of them here
            link.close(UNKNOWN_OPCODE)
        elif link.session is None:
            link.close(NOT_AUTHENTICATED)

    def _identify(self, link: Link, data: Json) -> None:
        self.counts.identifies += 1
        intents = data.get("intents")
        if link.session is not None:
            link.close(ALREADY_AUTHENTICATED)
        elif data.get("token") != self.token:
            link.close(BAD_TOKEN)
        elif not isinstance(intents, int) or intents < 0:
            link.close(BAD_INTENTS)
        elif intents & ~self._granted():
            link.close(DISALLOWED_INTENTS)
        else:
            self._begin(link, intents)
        self._world.changes.notify()

    def _granted(self) -> int:
        refused = PRESENCES
        refused |= 0 if self.message_content else MESSAGE_CONTENT
        refused |= 0 if self._config.members else MEMBERS
        return ~refused

    def _begin(self, link: Link, intents: int) -> None:
        session = Session(intents, self._config.replay)
        idle = [each for each in self._sessions.values() if each.link is None]
        for old in idle[: max(0, len(self._sessions) + 1 - SESSIONS)]:
            del self._sessions[old.id]
        self._sessions[session.id] = session
        session.link, link.session = link, session
        world = self._world
        guilds = [guild for guild in world.state.guilds.values() if world.me in guild.members]
        ready: Json = {
            "v": 10,
            "user": user_json(world.state.users[world.me]) | {"verified": True, "mfa_enabled": False, "flags": 0},
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "private_channels": [],
            "session_id": session.id,
            "resume_gateway_url": self.url,
            "session_type": "normal",
            "application": {"id": str(world.me), "flags": application_flags(self.message_content)},
        }
        session.dispatch("READY", dumped(ready), self._noting("READY", {}))
        for guild in guilds:
            full = guild_json(world, guild, full=True)
            session.dispatch("GUILD_CREATE", dumped(full), self._noting("GUILD_CREATE", full))

    def _resume(self, link: Link, data: Json) -> None:
        self.counts.resumes += 1
        if data.get("token") != self.token:
            link.close(BAD_TOKEN)
            return
        session = self._sessions.get(str(data.get("session_id")))
        sequence = data.get("seq")
        missed = session.missed(sequence) if session is not None and isinstance(sequence, int) else None
        if session is None or missed is None:
            self.counts.refused_resumes += 1
            link.send(control_frame(INVALID_SESSION, False))
            self._world.changes.notify()
            return
        if session.link is not None:
            session.link.session = None
            session.link.cut()
        session.link, link.session = link, session
        for frame in missed:
            link.send(frame)
        session.dispatch("RESUMED", "{}")
        self._world.changes.notify()


def application_flags(message_content: bool) -> int:
    """The flags of an application in few guilds: GATEWAY_MESSAGE_CONTENT_LIMITED when the intent is switched on."""
    return 1 << 19 if message_content else 0
