"""Serving the Web API: the order in which a call is authorised, counted, broken on purpose and answered."""

import asyncio
import json
from typing import Any, cast

from aiohttp import web

from sandbox.calls import Call, CallLog
from sandbox.exchange import exchange
from sandbox.faults import Faults, strike
from sandbox.slack.api.asked import Api, Asked, Method, merged
from sandbox.slack.api.table import METHODS
from sandbox.slack.errors import ApiError
from sandbox.slack.limits import Limits
from sandbox.slack.model import Json

PREFIX = "/api"
_STREAMING = ("chat.startStream", "chat.appendStream", "chat.stopStream")


class ApiServer:
    """Answers every method under `/api/`."""

    def __init__(self, api: Api, calls: CallLog, faults: Faults, limits: Limits) -> None:
        self.round_trip = api.config.round_trip
        self._api = api
        self._calls = calls
        self._faults = faults
        self._limits = limits

    def add_to(self, app: web.Application) -> None:
        """Register the route."""
        app.router.add_route("*", PREFIX + "/{method}", self._serve)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        arguments, problem = await _arguments(request)
        logged = {key: value for key, value in arguments.items() if key != "token"}
        with exchange(self._calls, self._faults, request.method, f"/{name}", logged) as begun:
            await self._half()
            answer = await strike(begun.fault, "before", request)
            if answer is None:
                answer = self._answer(name, request, arguments, problem, begun.call)
                answer = await strike(begun.fault, "after", request) or answer
                await self._half()
            return begun.answered(answer)

    async def _half(self) -> None:
        if self.round_trip > 0:
            await asyncio.sleep(self.round_trip / 2)

    def _answer(self, name: str, request: web.Request, arguments: Json, problem: str, call: Call) -> web.Response:
        method = METHODS.get(name)
        try:
            token = _token(request, arguments)
            if problem:
                raise ApiError(problem)
            if method is None or (name in _STREAMING and not self._api.granted.streaming):
                raise ApiError("unknown_method", req_method=name)
            asked = Asked(self._api, arguments)
            self._authorise(method, token, asked)
            now = self._api.config.monotonic()
            wait = self._limits.take(name, self._windows(name, method, asked), now)
            if wait is not None:
                call.notes["error"] = "ratelimited"
                # Status, header and code: docs.slack.dev, Rate limits: Responding to rate limiting conditions.
                return _json({"ok": False, "error": "ratelimited"}, 429, {"Retry-After": str(wait)})
            body = {"ok": True, **method.handler(asked)}
        except ApiError as error:
            call.notes["error"] = error.error
            return _json(error.body(), headers=self._scopes(method))
        call.applied_mono = now
        return _json(body, headers=self._scopes(method))

    def _authorise(self, method: Method, token: str, asked: Asked) -> None:
        granted = self._api.granted
        if token not in (granted.token, granted.app_token):
            raise ApiError("invalid_auth")
        if method.app != (token == granted.app_token):
            raise ApiError("not_allowed_token_type")
        if method.scopes and not method.app:
            asked.scope(*method.scopes)

    def _windows(self, name: str, method: Method, asked: Asked) -> list[tuple[tuple[str, ...], tuple[int, float]]]:
        config, team = self._api.config, self._api.world.team
        if method.limit == "post":
            named = str(asked.arguments.get("channel", ""))
            channel = self._api.world.state.directs.get(named, named)
            return [((team, name, channel), config.post_limit), ((team, name), config.team_post_limit)]
        tiers = {
            "tier1": config.tier1,
            "tier2": config.tier2,
            "tier3": config.tier3,
            "tier4": config.tier4,
            "special": config.special_limit,
        }
        return [((team, name), tiers[method.limit])]

    def _scopes(self, method: Method | None) -> dict[str, str]:
        headers = {"X-OAuth-Scopes": ",".join(sorted(self._api.granted.scopes))}
        return headers | ({"X-Accepted-OAuth-Scopes": ",".join(method.scopes)} if method is not None else {})


def _token(request: web.Request, arguments: Json) -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    token = token if kind == "Bearer" else str(arguments.get("token") or "")
    if not token:
        raise ApiError("not_authed")
    return token


async def _arguments(request: web.Request) -> tuple[Json, str]:
    """The arguments, and the error when they cannot be read (docs.slack.dev, Web API: invalid_json, json_not_object)."""
    query = dict(request.query)
    if request.content_type == "application/json":
        raw = await request.read()
        try:
            given: object = json.loads(raw or b"{}")
        except ValueError:
            return query, "invalid_json"
        if not isinstance(given, dict):
            return query, "json_not_object"
        return merged(query, {}, cast("Json", given)), ""
    form: dict[str, Any] = {name: value for name, value in (await request.post()).items() if isinstance(value, str)}
    return merged(query, form, {}), ""


def _json(body: Json, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.json_response(body, status=status, headers=headers)
