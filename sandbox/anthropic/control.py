"""The control API: how a test in another process says what the simulator shall do, and reads its log."""

import json
from typing import Any, cast

from aiohttp import web

from sandbox.faults import rule_from_json

from .blocks import JsonObject, is_object
from .rules import Rule
from .script import Script
from .service import Service

_OURS = ("127.0.0.1", "localhost", "[::1]")


def routes(service: Service) -> list[web.RouteDef]:
    """List the control endpoints: scripts, default, faults, log, requests, clock and cache under /control."""
    control = Control(service)
    return [
        web.get("/control/scripts", control.scripts),
        web.post("/control/scripts", control.add_script),
        web.delete("/control/scripts", control.clear_scripts),
        web.delete(r"/control/scripts/{number:\d+}", control.remove_script),
        web.put("/control/default", control.set_default),
        web.post("/control/faults", control.add_fault),
        web.delete("/control/faults", control.clear_faults),
        web.get("/control/log", control.log),
        web.get("/control/requests", control.requests),
        web.post("/control/clock", control.advance),
        web.delete("/control/cache", control.clear_cache),
    ]


class Control:
    """The handlers. They answer requests that name this machine as host only, so that no web page can reach them."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def scripts(self, request: web.Request) -> web.Response:
        """List the rules that may still apply."""
        _guard(request)
        return web.json_response({"rules": [_shown(rule) for rule in self._service.scripts.rules]})

    async def add_script(self, request: web.Request) -> web.Response:
        """Add a rule: the fields of `rules.Rule`, the script as an object; or "scripts", one for each step of a turn."""
        body = await _body(request)
        several = body.pop("scripts", None)
        given: list[object] = list(several) if isinstance(several, list) else [body.get("script", {})]  # pyright: ignore[reportUnknownArgumentType]  # each is checked below
        scripts = [_script(each) for each in given]
        body.pop("script", None)
        try:
            conditions = [{**body, "step": step} if several is not None else body for step in range(len(scripts))]
            rules = [self._service.scripts.add(script, **each) for script, each in zip(scripts, conditions, strict=True)]
        except ValueError as wrong:
            raise web.HTTPBadRequest(text=str(wrong)) from wrong
        shown = [_shown(rule) for rule in rules]
        return web.json_response({"rules": shown} if several is not None else shown[0])

    async def remove_script(self, request: web.Request) -> web.Response:
        """Forget one rule."""
        _guard(request)
        self._service.scripts.remove(int(request.match_info["number"]))
        return web.json_response({})

    async def clear_scripts(self, request: web.Request) -> web.Response:
        """Forget every rule."""
        _guard(request)
        self._service.scripts.clear()
        return web.json_response({})

    async def set_default(self, request: web.Request) -> web.Response:
        """Set the script for requests that no rule matches: the script itself is the body."""
        self._service.scripts.default = _script(await _body(request))
        return web.json_response({})

    async def add_fault(self, request: web.Request) -> web.Response:
        """Put a fault in force: the fields of `sandbox.faults.Rule`."""
        try:
            number = self._service.faults.set(rule_from_json(await _body(request)))
        except ValueError as wrong:
            raise web.HTTPBadRequest(text=str(wrong)) from wrong
        return web.json_response({"number": number})

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Take every fault out of force."""
        _guard(request)
        self._service.faults.clear()
        return web.json_response({})

    async def log(self, request: web.Request) -> web.Response:
        """List the calls whose number is greater than `after`; `bodies=0` leaves their bodies out."""
        _guard(request)
        try:
            after = int(request.query.get("after", "0"))
        except ValueError as wrong:
            raise web.HTTPBadRequest(text="after is a number") from wrong
        calls = [_redacted(call.as_json(), self._service.config.key) for call in self._service.calls.after(after)]
        if request.query.get("bodies") == "0":
            for call in calls:
                del call["body"]
        return web.json_response({"calls": calls})

    async def requests(self, request: web.Request) -> web.Response:
        """List what POST /v1/messages got after the call `after`: number, path, headers and body of each, without keys."""
        _guard(request)
        try:
            after = int(request.query.get("after", "0"))
        except ValueError as wrong:
            raise web.HTTPBadRequest(text="after is a number") from wrong
        found = [
            {"number": call.number, "path": call.path, "headers": call.notes.get("sent_headers"), "body": call.body}
            for call in self._service.calls.after(after)
            if call.method == "POST" and call.path.startswith("/v1/messages")
        ]
        return web.json_response({"requests": [_redacted(each, self._service.config.key) for each in found]})

    async def advance(self, request: web.Request) -> web.Response:
        """Let `seconds` pass for the prompt cache."""
        seconds = (await _body(request)).get("seconds")
        if not isinstance(seconds, int | float):
            raise web.HTTPBadRequest(text="seconds is a number")
        self._service.cache.advance(seconds)
        return web.json_response({})

    async def clear_cache(self, request: web.Request) -> web.Response:
        """Forget every cached prefix."""
        _guard(request)
        self._service.cache.clear()
        return web.json_response({})


def _redacted(value: Any, key: str) -> Any:
    """Return a JSON value without the API key, and without the tokens of MCP servers."""
    if is_object(value):
        return {name: "redacted" if name == "authorization_token" else _redacted(each, key) for name, each in value.items()}
    if isinstance(value, list):
        return [_redacted(each, key) for each in cast("list[object]", value)]
    return value.replace(key, "redacted") if isinstance(value, str) else value


def _guard(request: web.Request) -> None:
    host = request.headers.get("host", "").rsplit(":", 1)[0]
    if host not in _OURS:
        raise web.HTTPForbidden(text="the control API answers on loopback only")


async def _body(request: web.Request) -> JsonObject:
    _guard(request)
    try:
        body: object = json.loads(await request.read())
    except ValueError as wrong:
        raise web.HTTPBadRequest(text="the body is not JSON") from wrong
    if not is_object(body):
        raise web.HTTPBadRequest(text="the body is not a JSON object")
    return body


def _script(values: object) -> Script:
    if not is_object(values):
        raise web.HTTPBadRequest(text="a script is a JSON object")
    try:
        return Script.of(values)
    except ValueError as wrong:
        raise web.HTTPBadRequest(text=str(wrong)) from wrong


def _shown(rule: Rule) -> dict[str, Any]:
    return rule.shown()
