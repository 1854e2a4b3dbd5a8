"""The control API over HTTP: `POST /control/{what}` with a JSON object, `GET` for what is only read.

It has no password and so answers only callers that name a loopback host.
"""

import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, cast

from aiohttp import web

from sandbox.control.events import Events
from sandbox.loopback import is_from_here
from sandbox.values import Json

RENAMED = {"as": "by", "in": "where"}
"""JSON fields that are keywords in Python."""
Query = Mapping[str, str]
Reading = Callable[[Query], Any]
Action = Callable[..., Awaitable[Any]]
Whole = Callable[[Json], Awaitable[Any]]
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class ControlServer:
    """Serves the control API of one simulator, with its events at `/control/events`."""

    def __init__(
        self,
        *,
        readings: Mapping[str, Reading],
        actions: Mapping[str, Action],
        whole: Mapping[str, Whole],
        defaults: Mapping[str, Json],
        refusals: Mapping[type[Exception], Callable[[Any], str]],
    ) -> None:
        """`readings` are a GET each and are given the query; `actions` are a POST each and are given the body's fields,
        with those of `defaults` for what is left out; `whole` are a POST each and are given the body. `refusals` says what is
        answered, with 400, for an exception besides ValueError, TypeError and KeyError."""
        self.events = Events()
        self._readings = readings
        self._actions = actions
        self._whole = whole
        self._defaults = defaults
        self._refusals = refusals

    def add_to(self, app: web.Application) -> None:
        """Register the routes, and the end of the streams of events when the application stops."""
        for name, reading in self._readings.items():
            app.router.add_get(f"/control/{name}", self._guarded(_reading(reading)))
        app.router.add_get("/control/events", self._guarded(self.events.serve))
        for name, whole in self._whole.items():
            app.router.add_post(f"/control/{name}", self._guarded(_whole(whole)))
        for name, action in self._actions.items():
            app.router.add_post(f"/control/{name}", self._guarded(_action(action, self._defaults.get(name, {}))))
        app.on_shutdown.append(self._stop)

    async def _stop(self, _: web.Application) -> None:
        self.events.stop()

    def _guarded(self, handler: _Handler) -> _Handler:
        async def guarded(request: web.Request) -> web.StreamResponse:
            # A page in a browser could otherwise reach this port: under a name of its own (DNS rebinding), or by a form.
            if not is_from_here(request.headers):
                return _problem(403, "only a loopback host may be named, and only a page from there may ask")
            try:
                return await handler(request)
            except tuple(self._refusals) as error:
                told = next(tell for kind, tell in self._refusals.items() if isinstance(error, kind))
                return _problem(400, told(error))
            except (ValueError, TypeError, KeyError) as error:
                return _problem(400, str(error))

        return guarded


def _reading(reading: Reading) -> _Handler:
    async def read(request: web.Request) -> web.StreamResponse:
        return web.json_response(reading(request.query))

    return read


def _whole(doing: Whole) -> _Handler:
    async def do(request: web.Request) -> web.StreamResponse:
        return web.json_response(await doing(await _body(request)))

    return do


def _action(method: Action, defaults: Json) -> _Handler:
    signature = inspect.signature(method)

    async def do(request: web.Request) -> web.StreamResponse:
        given = await _body(request)
        arguments: Json = defaults | {RENAMED.get(key, key): value for key, value in given.items()}
        signature.bind(**arguments)
        _check(signature, arguments)
        return web.json_response(await method(**arguments))

    return do


def _problem(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)


def _check(signature: inspect.Signature, arguments: Json) -> None:
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
