"""The way of one REST call: log, fault, token, rate limits, handler, answer."""

import asyncio
import json
import math
from typing import Any

from aiohttp import web

from sandbox.calls import Call, CallLog
from sandbox.discord.errors import ApiError
from sandbox.discord.limits import Limits, Taken
from sandbox.discord.rest.asked import Api, Asked, Came, Route
from sandbox.discord.rest.table import routes
from sandbox.discord.rest.uploads import read
from sandbox.exchange import exchange
from sandbox.faults import Faults, strike

PREFIX = "/api/v10"


class RestServer:
    """Serves the REST API of one simulator."""

    def __init__(self, api: Api, calls: CallLog, faults: Faults, limits: Limits) -> None:
        self.round_trip = api.config.round_trip
        self.token = api.config.token
        self._api = api
        self._calls = calls
        self._faults = faults
        self._limits = limits

    def add_to(self, app: web.Application) -> None:
        """Register every route."""
        for route in routes(self._api.config):
            app.router.add_route(route.method, PREFIX + route.path, self._server_of(route))
        app.router.add_route("*", PREFIX + "/{rest:.*}", self._server_of(None))

    def _server_of(self, route: Route | None) -> Any:
        async def serve(request: web.Request) -> web.StreamResponse:
            return await self._serve(route, request)

        return serve

    async def _serve(self, route: Route | None, request: web.Request) -> web.StreamResponse:
        try:
            came = await read(request, self._api.config.file_limit, self._api.config.request_limit)
            listed = route is not None and route.listed
            problem = ApiError(50109) if listed != (came.items is not None) else None
        except ApiError as error:
            came, problem = Came({}, []), error
        path = request.path[len(PREFIX) :]
        asked = path + ("?" + request.query_string if request.query_string else "")
        body = came.body if came.items is None else came.items
        with exchange(self._calls, self._faults, request.method, asked, body, drawn=path) as begun:
            await self._half()
            answer = await strike(begun.fault, "before", request)
            if answer is None:
                answer = self._answer(route, request, came, problem, begun.call)
                answer = await strike(begun.fault, "after", request) or answer
                await self._half()
            return begun.answered(answer)

    async def _half(self) -> None:
        if self.round_trip > 0:
            await asyncio.sleep(self.round_trip / 2)

    def _answer(
        self,
        route: Route | None,
        request: web.Request,
        came: Came,
        problem: ApiError | None,
        call: Call,
    ) -> web.Response:
        free = route is not None and route.free
        if not free and request.headers.get("Authorization") != f"Bot {self.token}":
            return _json(401, ApiError(0).body(), {})
        if route is None:
            return _json(404, {"message": "404: Not Found", "code": 0}, {})
        now = self._api.config.monotonic()
        resource = request.match_info.get(route.resource or "", "0")
        taken = self._limits.take(route.group, resource, route.limit, now, overall=not free)
        headers = self._headers(taken)
        if taken.scope is not None:
            return _limited(taken, headers)
        try:
            if problem is not None:
                raise problem
            result = route.handler(Asked(self._api, request.match_info, request.query, came.body, came.files, came.items or []))
        except ApiError as error:
            return _json(error.status, error.body(), headers)
        call.applied_mono = now
        if route.status == 204 or result is None:
            return web.Response(status=204, headers=headers)
        return _json(route.status, result, headers)

    def _headers(self, taken: Taken) -> dict[str, str]:
        """The headers of Discord developer docs, Rate Limits: Header Format, rounded up to the millisecond."""
        after = math.ceil(taken.reset_after * 1000) / 1000
        return {
            "X-RateLimit-Limit": str(taken.limit),
            "X-RateLimit-Remaining": str(taken.remaining),
            "X-RateLimit-Reset": f"{self._api.config.clock() + after:.3f}",
            "X-RateLimit-Reset-After": f"{after:.3f}",
            "X-RateLimit-Bucket": taken.bucket,
            "Via": "1.1 simulator",  # without it discord.py takes a 429 for a ban by Cloudflare (discord/http.py, request)
        }


def _limited(taken: Taken, headers: dict[str, str]) -> web.Response:
    after = math.ceil(taken.reset_after * 1000) / 1000
    whole = taken.scope == "global"
    headers |= {"X-RateLimit-Scope": taken.scope or "user", "Retry-After": str(math.ceil(after))}
    if whole:
        headers["X-RateLimit-Global"] = "true"
    return _json(429, {"message": "You are being rate limited.", "retry_after": after, "global": whole}, headers)


def _json(status: int, body: Any, headers: dict[str, str]) -> web.Response:
    # Exactly application/json: with a charset discord.py would not read it as JSON (discord/http.py, json_or_text).
    data = json.dumps(body, separators=(",", ":")).encode()
    return web.Response(status=status, body=data, content_type="application/json", headers=headers)
