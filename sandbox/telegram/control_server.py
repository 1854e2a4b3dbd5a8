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

from sandbox.telegram.control import Control
from sandbox.telegram.errors import ApiError
from sandbox.telegram.model import Json
from sandbox.telegram.views import message_view, query_view
from sandbox.telegram.world import Happening

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
RENAMED = {"as": "by", "in": "where"}
"""JSON fields that are keywords in Python."""
_ACTIONS = (
    "say",
    "edit",
    "delete",
    "react",
    "call",
    "start",
    "press",
    "expire_queries",
    "topic",
    "close_topic",
    "reopen_topic",
    "rename_topic",
    "delete_topic",
    "migrate",
    "block",
    "unblock",
    "deactivate",
    "add_bot",
    "remove_bot",
    "promote",
    "mute",
    "add_user",
    "add_chat",
    "set_round_trip",
    "set_token",
    "set_privacy",
    "clear_faults",
    "seed_faults",
    "drop",
    "emit",
    "expire_updates",
    "expire_links",
)
"""The methods of `Control` that are a POST each."""
QUEUE = 10_000
"""How many events a follower may lag behind before it is cut off."""
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ControlServer:
    """Serves the control API of one simulator."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self._followers: set[asyncio.Queue[str | None]] = set()
        control.world.listeners.append(self._happened)

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        control = self._control
        readings: dict[str, Callable[[Mapping[str, str]], Any]] = {
            "world": lambda query: control.everything(),
            "messages": self._messages,
            "sees": lambda query: control.sees(query["as"], query.get("in", ""), query.get("topic")),
            "drafts": lambda query: control.drafts(),
            "actions": lambda query: control.actions(),
            "commands": lambda query: control.commands(query["as"], query.get("in", ""), query.get("language", "en")),
            "queries": lambda query: control.query(query["query"]) if "query" in query else control.queries(),
            "waiting": lambda query: control.waiting(),
            "log": lambda query: control.log(int(query.get("after", "0"))),
            "deliveries": lambda query: control.deliveries(int(query.get("after", "0"))),
            "stats": lambda query: control.stats(),
            "faults": lambda query: control.faults_in_force(),
        }
        for name, reading in readings.items():
            app.router.add_get(f"/control/{name}", self._guarded(_reading(reading)))
        app.router.add_get("/control/events", self._guarded(self._events))
        whole: dict[str, Callable[[Json], Awaitable[Any]]] = {
            "fault": control.fault_json,
            "spoil": control.spoil_json,
        }
        for name, doing in whole.items():
            app.router.add_post(f"/control/{name}", self._guarded(_whole(doing)))
        for action in _ACTIONS:
            app.router.add_post(f"/control/{action}", self._guarded(self._doing(action)))

    async def stop(self, _: web.Application) -> None:
        """End the streams of events."""
        for queue in self._followers:
            queue.put_nowait(None)

    def _messages(self, query: Mapping[str, str]) -> Any:
        if "message" in query:
            return self._control.message(query["message"])
        return self._control.messages(query["chat"], query.get("topic"))

    def _guarded(self, handler: _Handler) -> _Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            # A page in a browser could otherwise reach this port: under a name of its own (DNS rebinding), or by a form.
            origin = URL(request.headers.get("Origin", "http://localhost")).host
            if _host(request.host) not in LOOPBACK or origin not in LOOPBACK:
                return _problem(403, "only a loopback host may be named, and only a page from there may ask")
            try:
                return await handler(request)
            except ApiError as error:
                return _problem(400, error.description)
            except (ValueError, TypeError, KeyError) as error:
                return _problem(400, str(error))

        return guarded

    def _doing(self, action: str) -> _Handler:
        method: Callable[..., Awaitable[Any]] = getattr(self._control, action)
        signature = inspect.signature(method)

        async def do(request: web.Request) -> web.StreamResponse:
            given = await _body(request)
            arguments: dict[str, Any] = {RENAMED.get(key, key): value for key, value in given.items()}
            if action == "say":
                arguments.setdefault("where", "general")
            signature.bind(**arguments)
            _check(signature, arguments)
            return web.json_response(await method(**arguments))

        return do

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
        world, change = self._control.world, happening.change
        event: Json = {"event": happening.op, "at": world.now()}
        if happening.chat is not None:
            event["chat"] = happening.chat
        if happening.chat is not None and happening.message is not None:
            event["message"] = message_view(world, world.state.messages[happening.chat, happening.message])
        elif happening.op in ("query", "query_set"):
            event["query"] = query_view(world.state.queries[change["id" if happening.op == "query" else "query"]])
        elif happening.op in ("draft", "action"):
            event |= {name: value for name, value in change.items() if name != "op"}
        elif happening.op in ("update", "forget"):
            event["updates"] = [change["id"]] if happening.op == "update" else change["updates"]
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


def _reading(reading: Callable[[Mapping[str, str]], Any]) -> _Handler:
    async def read(request: web.Request) -> web.StreamResponse:
        return web.json_response(reading(request.query))

    return read


def _whole(doing: Callable[[Json], Awaitable[Any]]) -> _Handler:
    async def do(request: web.Request) -> web.StreamResponse:
        return web.json_response(await doing(await _body(request)))

    return do


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
