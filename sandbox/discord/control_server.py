"""The control API over HTTP: `POST /control/{what}` with a JSON object, `GET` for what is only read.

It has no password and so answers only callers that name a loopback host.
"""

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from aiohttp import web
from yarl import URL

from sandbox.discord.control import Control
from sandbox.discord.errors import ApiError
from sandbox.discord.model import Json
from sandbox.discord.views import message_view
from sandbox.discord.world import Happening

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
RENAMED = {"as": "by", "in": "where"}
"""JSON fields that are keywords in Python."""
_ACTIONS = (
    "say",
    "edit",
    "delete",
    "delete_many",
    "unfurl",
    "call",
    "autocomplete",
    "press",
    "react",
    "type",
    "open_thread",
    "archive",
    "archive_due",
    "add_to_thread",
    "add_user",
    "add_channel",
    "add_guild",
    "delete_channel",
    "permissions",
    "role",
    "kick",
    "invite",
    "refuse_direct",
    "set_round_trip",
    "set_token",
    "set_message_content",
    "clear_faults",
    "seed_faults",
    "drop",
    "close_gateway",
    "reconnect",
    "invalidate",
    "forget_sessions",
    "zombify",
    "duplicate",
)
"""The methods of `Control` that are a POST each."""
QUEUE = 10_000
"""How many events a follower may lag behind before it is cut off."""


class ControlServer:
    """Serves the control API of one simulator."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._followers: set[asyncio.Queue[str | None]] = set()
        control.world.listeners.append(self._happened)

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        get = app.router.add_get
        get("/control/world", self._guarded(self._world))
        get("/control/messages", self._guarded(self._messages))
        get("/control/typing", self._guarded(self._typing))
        get("/control/log", self._guarded(self._log))
        get("/control/dispatches", self._guarded(self._dispatches))
        get("/control/stats", self._guarded(self._stats))
        get("/control/faults", self._guarded(self._faults))
        get("/control/events", self._guarded(self._events))
        get("/control/sees", self._guarded(self._sees))
        get("/control/commands", self._guarded(self._commands))
        get("/control/interactions", self._guarded(self._interactions))
        app.router.add_post("/control/fault", self._guarded(self._fault))
        app.router.add_post("/control/spoil", self._guarded(self._spoil))
        for action in _ACTIONS:
            app.router.add_post(f"/control/{action}", self._guarded(self._doing(action)))

    async def stop(self, _: web.Application) -> None:
        """End the streams of events."""
        for queue in self._followers:
            queue.put_nowait(None)

    def _guarded(
        self, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def guarded(request: web.Request) -> web.StreamResponse:
            # A page in a browser could otherwise reach this port: under a name of its own (DNS rebinding), or by a form.
            origin = URL(request.headers.get("Origin", "http://localhost")).host
            if _host(request.host) not in LOOPBACK or origin not in LOOPBACK:
                return _problem(403, "only a loopback host may be named, and only a page from there may ask")
            try:
                return await handler(request)
            except ApiError as error:
                return _problem(400, error.message)
            except TimeoutError:
                return _problem(400, "Loading options failed")
            except (ValueError, TypeError, KeyError) as error:
                return _problem(400, str(error))

        return guarded

    def _doing(self, action: str) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        method: Callable[..., Awaitable[Any]] = getattr(self._control, action)
        signature = inspect.signature(method)

        async def do(request: web.Request) -> web.StreamResponse:
            given = await _body(request)
            arguments: dict[str, Any] = {RENAMED.get(key, key): value for key, value in given.items()}
            if action == "say":
                arguments.setdefault("by", "webhook")
                arguments.setdefault("where", "general")
            signature.bind(**arguments)
            _check(signature, arguments)
            return web.json_response(await method(**arguments))

        return do

    async def _world(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._control.everything())

    async def _messages(self, request: web.Request) -> web.StreamResponse:
        if "message" in request.query:
            return web.json_response(self._control.message(request.query["message"]))
        return web.json_response(self._control.messages(request.query["channel"], request.query.get("as")))

    async def _sees(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._control.sees(request.query["as"], request.query.get("in", "")))

    async def _commands(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._control.commands(request.query["as"], request.query.get("in", "")))

    async def _interactions(self, request: web.Request) -> web.StreamResponse:
        if "interaction" in request.query:
            return web.json_response(self._control.interaction(request.query["interaction"]))
        return web.json_response(self._control.interactions())

    async def _typing(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._control.typing())

    async def _log(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._control.log(int(request.query.get("after", "0"))))

    async def _dispatches(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._control.dispatches(int(request.query.get("after", "0"))))

    async def _stats(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._control.stats())

    async def _faults(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(self._control.faults_in_force())

    async def _fault(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(await self._control.fault_json(await _body(request)))

    async def _spoil(self, request: web.Request) -> web.StreamResponse:
        return web.json_response(await self._control.spoil_json(await _body(request)))

    def _happened(self, happening: Happening) -> None:
        if not self._followers:
            return
        line = f"data: {json.dumps(self._event(happening))}\n\n"
        for queue in list(self._followers):
            if queue.qsize() >= QUEUE:
                self._followers.discard(queue)
                queue.put_nowait(None)
            else:
                queue.put_nowait(line)

    def _event(self, happening: Happening) -> Json:
        world = self._control.world
        event: Json = {"event": happening.op, "at": world.now()}
        if happening.channel is not None:
            event["channel"] = str(happening.channel)
        if happening.message is not None:
            event["message"] = message_view(world, world.state.messages[happening.message])
        elif "messages" in happening.change:
            event["messages"] = [message_view(world, world.state.messages[each]) for each in happening.change["messages"]]
        elif "user" in happening.change:
            event["user"] = world.state.users[happening.change["user"]].name
        if happening.op in ("interaction", "answered", "unanswered"):
            number = happening.change["id" if happening.op == "interaction" else "interaction"]
            event["interaction"] = self._control.interaction(number)
        return event

    async def _events(self, request: web.Request) -> web.StreamResponse:
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


def _host(named: str) -> str | None:
    try:
        return URL(f"http://{named}").host
    except ValueError:
        return None


def _problem(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)


def _check(signature: inspect.Signature, arguments: Mapping[str, Any]) -> None:
    """Refuse values of a plainly wrong kind, so that a slip in a script is told and not stored."""
    for name, value in arguments.items():
        expected: object = signature.parameters[name].annotation
        kind = {str: str, bool: bool, int: int}.get(expected) if isinstance(expected, type) else None
        if kind is not None and not isinstance(value, kind):
            raise ValueError(f"{name} must be {kind.__name__}")


async def _body(request: web.Request) -> Json:
    value: object = json.loads(await request.read() or b"{}")
    if not isinstance(value, dict):
        raise ValueError("the body must be a JSON object")
    return cast("Json", value)
