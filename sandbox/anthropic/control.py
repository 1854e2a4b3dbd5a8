"""The control API: how a test in another process says what the simulator shall do, and reads its log."""

from typing import Any, cast

from aiohttp import web

from sandbox.claude.control import BaseControl, after_of, body_of, guard
from sandbox.values import is_object

from .blocks import JsonObject
from .script import Script
from .service import Service


def routes(service: Service) -> list[web.RouteDef]:
    """List the control endpoints: scripts, default, faults, log, requests, clock and cache under /control."""
    control = Control(service)
    return [
        *control.routes(),
        web.post("/control/scripts", control.add_script),
        web.delete(r"/control/scripts/{number:\d+}", control.remove_script),
        web.get("/control/requests", control.requests),
        web.post("/control/clock", control.advance),
        web.delete("/control/cache", control.clear_cache),
    ]


class Control(BaseControl[Script]):
    """The handlers."""

    def __init__(self, service: Service) -> None:
        super().__init__(service.scripts, service.faults, service.calls, Script)
        self._service = service

    def told(self, value: JsonObject) -> JsonObject:
        """A call without the API key, and without the tokens of MCP servers."""
        return _redacted(value, self._service.config.key)

    async def add_script(self, request: web.Request) -> web.Response:
        """Add a rule: the fields of `rules.Rule`, the script as an object; or "scripts", one for each step of a turn."""
        body = await body_of(request)
        several = body.pop("scripts", None)
        given: list[object] = list(several) if isinstance(several, list) else [body.get("script", {})]  # pyright: ignore[reportUnknownArgumentType]  # each is checked below
        scripts = [self.script_of(each) for each in given]
        body.pop("script", None)
        try:
            conditions = [{**body, "step": step} if several is not None else body for step in range(len(scripts))]
            rules = [self._service.scripts.add(script, **each) for script, each in zip(scripts, conditions, strict=True)]
        except ValueError as wrong:
            raise web.HTTPBadRequest(text=str(wrong)) from wrong
        shown = [rule.shown() for rule in rules]
        return web.json_response({"rules": shown} if several is not None else shown[0])

    async def remove_script(self, request: web.Request) -> web.Response:
        """Forget one rule."""
        guard(request)
        self._service.scripts.remove(int(request.match_info["number"]))
        return web.json_response({})

    async def requests(self, request: web.Request) -> web.Response:
        """List what POST /v1/messages got after the call `after`: number, path, headers and body of each, without keys."""
        guard(request)
        found = [
            {"number": call.number, "path": call.path, "headers": call.notes.get("sent_headers"), "body": call.body}
            for call in self._service.calls.after(after_of(request))
            if call.method == "POST" and call.path.startswith("/v1/messages")
        ]
        return web.json_response({"requests": [self.told(each) for each in found]})

    async def advance(self, request: web.Request) -> web.Response:
        """Let `seconds` pass for the prompt cache."""
        seconds = (await body_of(request)).get("seconds")
        if not isinstance(seconds, int | float):
            raise web.HTTPBadRequest(text="seconds is a number")
        self._service.cache.advance(seconds)
        return web.json_response({})

    async def clear_cache(self, request: web.Request) -> web.Response:
        """Forget every cached prefix."""
        guard(request)
        self._service.cache.clear()
        return web.json_response({})


def _redacted(value: Any, key: str) -> Any:
    """Return a JSON value without the API key, and without the tokens of MCP servers."""
    if is_object(value):
        return {name: "redacted" if name == "authorization_token" else _redacted(each, key) for name, each in value.items()}
    if isinstance(value, list):
        return [_redacted(each, key) for each in cast("list[object]", value)]
    return value.replace(key, "redacted") if isinstance(value, str) else value
