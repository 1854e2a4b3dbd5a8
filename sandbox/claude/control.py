"""The control API: how a test in another process says what the simulator shall do, and reads its log."""

import json
from typing import Any, Generic

from aiohttp import web

from sandbox.calls import CallLog
from sandbox.claude.rules import Rules, S
from sandbox.faults import Faults, rule_from_json
from sandbox.loopback import is_from_here
from sandbox.values import Json, is_object


class BaseControl(Generic[S]):
    """The handlers. They answer requests that name this machine as host only, so that no web page can reach them."""

    def __init__(self, rules: Rules[S, Any], faults: Faults, calls: CallLog, script: type[S]) -> None:
        """`script` is the service's own class of them."""
        self._rules = rules
        self._faults = faults
        self._calls = calls
        self._script = script

    def routes(self) -> list[web.RouteDef]:
        """List the endpoints that every service has: scripts, default, faults and log under /control."""
        return [
            web.get("/control/scripts", self.scripts),
            web.delete("/control/scripts", self.clear_scripts),
            web.put("/control/default", self.set_default),
            web.post("/control/faults", self.add_fault),
            web.delete("/control/faults", self.clear_faults),
            web.get("/control/log", self.log),
        ]

    async def scripts(self, request: web.Request) -> web.Response:
        """List the rules that may still apply."""
        guard(request)
        return web.json_response({"rules": [rule.shown() for rule in self._rules.rules]})

    async def clear_scripts(self, request: web.Request) -> web.Response:
        """Forget every rule."""
        guard(request)
        self._rules.clear()
        return web.json_response({})

    async def set_default(self, request: web.Request) -> web.Response:
        """Set the script for requests that no rule matches: the script itself is the body."""
        self._rules.default = self.script_of(await body_of(request))
        return web.json_response({})

    async def add_fault(self, request: web.Request) -> web.Response:
        """Put a fault in force: the fields of `sandbox.faults.Rule`."""
        try:
            number = self._faults.set(rule_from_json(await body_of(request)))
        except ValueError as wrong:
            raise web.HTTPBadRequest(text=str(wrong)) from wrong
        return web.json_response({"number": number})

    async def clear_faults(self, request: web.Request) -> web.Response:
        """Take every fault out of force."""
        guard(request)
        self._faults.clear()
        return web.json_response({})

    async def log(self, request: web.Request) -> web.Response:
        """List the calls whose number is greater than `after`; `bodies=0` leaves their bodies out."""
        guard(request)
        calls = [self.told(call.as_json()) for call in self._calls.after(after_of(request))]
        if request.query.get("bodies") == "0":
            for call in calls:
                del call["body"]
        return web.json_response({"calls": calls})

    def told(self, value: Json) -> Json:
        """What of a call is told; a service that logs secrets takes them out."""
        return value

    def script_of(self, values: object) -> S:
        """Read a script. Raises HTTPBadRequest."""
        if not is_object(values):
            raise web.HTTPBadRequest(text="a script is a JSON object")
        try:
            return self._script.of(values)
        except ValueError as wrong:
            raise web.HTTPBadRequest(text=str(wrong)) from wrong


def guard(request: web.Request) -> None:
    """Refuse a request that names another host than this machine, or that a page from elsewhere makes. Raises HTTPForbidden."""
    if not is_from_here(request.headers):
        raise web.HTTPForbidden(text="the control API answers on loopback only")


async def body_of(request: web.Request) -> Json:
    """Read the body of a request that names this machine. Raises HTTPForbidden and HTTPBadRequest."""
    guard(request)
    try:
        body: object = json.loads(await request.read())
    except ValueError as wrong:
        raise web.HTTPBadRequest(text="the body is not JSON") from wrong
    if not is_object(body):
        raise web.HTTPBadRequest(text="the body is not a JSON object")
    return body


def after_of(request: web.Request) -> int:
    """Read the number after which calls are asked for. Raises HTTPBadRequest."""
    try:
        return int(request.query.get("after", "0"))
    except ValueError as wrong:
        raise web.HTTPBadRequest(text="after is a number") from wrong
