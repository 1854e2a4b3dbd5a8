"""The control API: how a test in another process says what the simulator shall do, and reads its log."""

from aiohttp import web

from sandbox.claude.control import BaseControl, body_of, guard

from .script import Script
from .service import Service


def routes(service: Service) -> list[web.RouteDef]:
    """List the control endpoints: scripts, default, faults, state, conversations and log under /control."""
    control = Control(service)
    return [
        *control.routes(),
        web.post("/control/scripts", control.add_script),
        web.put("/control/state", control.set_state),
        web.get("/control/conversations", control.conversations),
    ]


class Control(BaseControl[Script]):
    """The handlers."""

    def __init__(self, service: Service) -> None:
        super().__init__(service.scripts, service.faults, service.calls, Script)
        self._service = service

    async def add_script(self, request: web.Request) -> web.Response:
        """Add a rule: {"match": part of the prompt, "times": n or null, "skip": n, "script": {...}}."""
        body = await body_of(request)
        script = self.script_of(body.get("script", {}))
        times, skip, match = body.get("times", 1), body.get("skip", 0), body.get("match", "")
        if not (times is None or isinstance(times, int)) or not isinstance(skip, int) or not isinstance(match, str):
            raise web.HTTPBadRequest(text="times is a number or null, skip a number, match a text")
        rule = self._service.scripts.add(script, match=match, times=times, skip=skip)
        return web.json_response(rule.shown())

    async def set_state(self, request: web.Request) -> web.Response:
        """Change the state: `edge_blocks`, `session_refusal` (401, 403, null), `session_key`, `remaining`, `resets_at`."""
        body = await body_of(request)
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
        guard(request)
        shown = [each.as_json(tree=True, rendered=True) for each in self._service.conversations.values()]
        return web.json_response({"conversations": shown})
