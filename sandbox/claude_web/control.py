"""The control API: how a test in another process says what the simulator shall do, and reads its log."""

import json
from typing import Any

from aiohttp import web

from sandbox.faults import rule_from_json

from .model import JsonObject
from .script import Rule, Script
from .service import Service, is_object

_OURS = ("127.0.0.1", "localhost", "[::1]")


def routes(service: Service) -> list[web.RouteDef]:
    """List the control endpoints: scripts, default, faults, state, conversations and log under /control."""
    control = Control(service)
    return [
        web.get("/control/scripts", control.scripts),
        web.post("/control/scripts", control.add_script),
        web.delete("/control/scripts", control.clear_scripts),
        web.put("/control/default", control.set_default),
        web.post("/control/faults", control.add_fault),
        web.delete("/control/faults", control.clear_faults),
        web.put("/control/state", control.set_state),
        web.get("/control/conversations", control.conversations),
        web.get("/control/log", control.log),
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
        """Add a rule: {"match": part of the prompt, "times": n or null, "skip": n, "script": {...}}."""
        body = await _body(request)
        script = _script(body.get("script", {}))
        times, skip, match = body.get("times", 1), body.get("skip", 0), body.get("match", "")
        if not (times is None or isinstance(times, int)) or not isinstance(skip, int) or not isinstance(match, str):
            raise web.HTTPBadRequest(text="times is a number or null, skip a number, match a text")
        rule = self._service.scripts.add(script, match=match, times=times, skip=skip)
        return web.json_response(_shown(rule))

    async def clear_scripts(self, request: web.Request) -> web.Response:
        """Forget every rule."""
        _guard(request)
        self._service.scripts.clear()
        return web.json_response({})

    async def set_default(self, request: web.Request) -> web.Response:
        """Set the script for completions that no rule matches: the script itself is the body."""
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

    async def set_state(self, request: web.Request) -> web.Response:
        """Change the state: `edge_blocks`, `session_refusal` (401, 403, null), `session_key`, `remaining`, `resets_at`."""
        body = await _body(request)
        unknown = set(body) - {"edge_blocks", "session_refusal", "session_key", "remaining", "resets_at"}
        if unknown:
            raise web.HTTPBadRequest(text=f"unknown: {', '.join(sorted(unknown))}")
        service = self._service
        if body.get("session_refusal") not in (None, 401, 403):
            raise web.HTTPBadRequest(text="session_refusal is 401, 403 or null")
        service.edge_blocks = bool(body.get("edge_blocks", service.edge_blocks))
        service.session_refusal = body.get("session_refusal", service.session_refusal)
        service.session_key = str(body.get("session_key", service.session_key))
        service.quota.remaining = body.get("remaining", service.quota.remaining)
        service.quota.resets_at = float(body.get("resets_at", service.quota.resets_at))
        return web.json_response({})

    async def conversations(self, request: web.Request) -> web.Response:
        """Show every conversation with all its messages."""
        _guard(request)
        shown = [each.as_json(tree=True, rendered=True) for each in self._service.conversations.values()]
        return web.json_response({"conversations": shown})

    async def log(self, request: web.Request) -> web.Response:
        """List the calls whose number is greater than `after`; `bodies=0` leaves their bodies out."""
        _guard(request)
        try:
            after = int(request.query.get("after", "0"))
        except ValueError as wrong:
            raise web.HTTPBadRequest(text="after is a number") from wrong
        calls = [call.as_json() for call in self._service.calls.after(after)]
        if request.query.get("bodies") == "0":
            for call in calls:
                del call["body"]
        return web.json_response({"calls": calls})


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
    return {"number": rule.number, "match": rule.match, "times": rule.times, "skip": rule.skip}
