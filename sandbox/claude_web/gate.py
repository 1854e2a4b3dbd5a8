"""The way into every endpoint: the log, the faults, the edge, the session, the organisation."""

import asyncio
import json
from uuid import UUID

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler, Middleware

from sandbox.calls import Call
from sandbox.faults import Rule, strike
from sandbox.values import is_object

from .errors import Refusal, Refused, edge_refusal, refuse, session_refusal
from .model import JsonObject
from .service import Service

CALL = web.RequestKey("call", Call)
FAULT = web.RequestKey("fault", Rule)


class Gate:
    """The middleware through which every request for /api passes."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @property
    def middleware(self) -> Middleware:
        """The function to hand to an application."""

        @web.middleware
        async def pass_through(request: web.Request, handler: Handler) -> web.StreamResponse:
            if not request.path.startswith("/api/"):
                return await handler(request)
            return await self._pass(request, handler)

        return pass_through

    async def _pass(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        call = self._service.begin(request)
        request[CALL] = call
        try:
            return await self._answer(request, handler, call)
        except asyncio.CancelledError:
            # aiohttp cancels a handler whose caller has gone.
            call.notes.setdefault("outcome", "disconnected")
            raise
        finally:
            self._service.calls.end(call, call.status)

    async def _answer(self, request: web.Request, handler: Handler, call: Call) -> web.StreamResponse:
        fault = self._service.faults.draw(request.method, request.path)
        if fault is not None:
            call.fault = fault.label
            request[FAULT] = fault
            struck = await strike(fault, "before", request)
            if struck is not None:
                return _struck(struck, fault, call)
        try:
            self._check(request)
            response = await handler(request)
        except Refused as refused:
            response = refusal_response(refused.refusal)
            call.notes["outcome"] = "refused"
        except web.HTTPException as wrong:
            response = refusal_response(Refusal(wrong.status))
            call.notes["outcome"] = "refused"
        if call.status is None:
            call.status = response.status
        outcome = call.notes.setdefault("outcome", "answered")
        if response.prepared:
            return response  # a stream, which strikes for itself
        if outcome == "cut":
            call.status = None
        struck = await strike(fault, "after", request)
        return response if struck is None else _struck(struck, fault, call)

    def _check(self, request: web.Request) -> None:
        """Look as claude.ai does: at the edge, at the session, at the organisation. Raises `Refused`."""
        if self._service.edge_blocks:
            raise Refused(edge_refusal())
        if self._service.session_refusal is not None:
            raise Refused(session_refusal(self._service.session_refusal))
        if request.cookies.get("sessionKey") != self._service.session_key:
            raise Refused(session_refusal(403))
        for name in ("organization", "conversation"):
            if name in request.match_info:
                check_uuid(request.match_info[name], name)
        organization = request.match_info.get("organization")
        if organization is None:
            return
        known = self._service.organizations.get(organization)
        # Assumed: an organisation that is not the account's, or that cannot chat, is refused with 403.
        if known is None:
            raise refuse(403, "Invalid authorization for organization")
        if "chat" not in known.capabilities:
            raise refuse(403, "This organization does not have access to chat")


def _struck(response: web.Response, fault: Rule | None, call: Call) -> web.Response:
    call.notes["outcome"] = "fault"
    call.status = response.status if fault is not None and fault.action == "status" else None
    return response


def refusal_response(refusal: Refusal) -> web.Response:
    """Build the HTTP answer of a refusal."""
    # Set as a header: given as content_type, aiohttp would refuse the charset in it.
    headers = {**refusal.headers, hdrs.CONTENT_TYPE: refusal.content_type}
    return web.Response(status=refusal.status, body=refusal.body(), headers=headers)


def check_uuid(value: object, name: str) -> str:
    """Take a uuid. Raises `Refused` 400 for anything else (captures, for the organisation; else assumed)."""
    try:
        if isinstance(value, str) and str(UUID(value)) == value.lower():
            return value
    except ValueError:
        pass
    raise refuse(400, f"{name}: Input should be a valid UUID")


async def read_object(request: web.Request, service: Service) -> JsonObject:
    """Read the JSON object of a request and keep it in the log. An empty body is an empty object. Raises `Refused`."""
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge as wrong:
        raise refuse(413) from wrong
    if not raw:
        return {}
    try:
        body: object = json.loads(raw)
    except ValueError as wrong:
        raise refuse(400, "The request body is not valid JSON") from wrong
    if not is_object(body):
        raise refuse(400, "The request body is not a JSON object")
    service.keep(request[CALL], body)
    return body
