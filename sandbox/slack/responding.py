"""Serving response_urls (docs.slack.dev, Handling user interaction: Using the response_url)."""

import json
from typing import cast

from aiohttp import web

from sandbox.calls import Call, CallLog
from sandbox.exchange import exchange
from sandbox.faults import Faults, strike
from sandbox.slack import triggers
from sandbox.slack.errors import ApiError
from sandbox.slack.model import Json
from sandbox.slack.world import World


class Responding:
    """Takes what is posted to a response_url, five times in half an hour."""

    def __init__(self, world: World, calls: CallLog, faults: Faults) -> None:
        self._world = world
        self._calls = calls
        self._faults = faults

    def add_to(self, app: web.Application) -> None:
        """Register the route."""
        app.router.add_post("/responses/{team}/{trigger}/{secret}", self._serve)

    async def _serve(self, request: web.Request) -> web.Response:
        raw = await request.read()
        path = f"/responses/{request.match_info['trigger']}"
        with exchange(self._calls, self._faults, "POST", path, _object(raw), drawn="/responses") as begun:
            answer = await strike(begun.fault, "before", request)
            if answer is None:
                answer = self._answer(request, _object(raw), begun.call)
                answer = await strike(begun.fault, "after", request) or answer
            return begun.answered(answer)

    def _answer(self, request: web.Request, body: Json | None, call: Call) -> web.Response:
        try:
            self._respond(request, body)
        except ApiError as error:
            call.notes["error"] = error.error
            # Slack documents no body for these; the words are those that apps report.
            gone = error.error in ("used_url", "expired_url")
            return web.json_response(error.body(), status=404 if gone else 500)
        call.applied_mono = self._world.config.monotonic()
        return web.Response(text="ok")

    def _respond(self, request: web.Request, body: Json | None) -> None:
        trigger = self._world.state.triggers.get(request.match_info["trigger"])
        if trigger is None or trigger.secret != request.match_info["secret"]:
            raise ApiError("expired_url")
        if body is None:
            raise ApiError("invalid_payload")
        triggers.use(self._world, trigger)
        triggers.respond(self._world, trigger, body)


def _object(raw: bytes) -> Json | None:
    try:
        given: object = json.loads(raw)
    except ValueError:
        return None
    return cast("Json", given) if isinstance(given, dict) else None
