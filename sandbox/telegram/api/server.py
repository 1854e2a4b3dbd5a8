"""Serving the Bot API: the order in which a call is authorised, counted, broken on purpose and answered."""

import asyncio
import inspect
import json
import re
from dataclasses import dataclass
from typing import Any, cast

from aiohttp import web

from sandbox.calls import Call, CallLog
from sandbox.faults import Faults, cut, strike
from sandbox.telegram.api.asked import Api, Asked, Method, Upload
from sandbox.telegram.api.table import METHODS
from sandbox.telegram.errors import ApiError, bad, too_many
from sandbox.telegram.files import media_type
from sandbox.telegram.limits import Limits
from sandbox.telegram.model import Json
from sandbox.telegram.updates import Cut


@dataclass(slots=True)
class Granted:
    """What is good; the control API changes it."""

    token: str


class ApiServer:
    """Answers `/bot<token>/<method>`. In the log of calls and for faults the path is `/<method>`: tokens are not kept."""

    def __init__(self, api: Api, granted: Granted, calls: CallLog, faults: Faults, limits: Limits) -> None:
        self.round_trip = api.config.round_trip
        self._api = api
        self._granted = granted
        self._calls = calls
        self._faults = faults
        self._limits = limits

    def add_to(self, app: web.Application) -> None:
        """Register the route."""
        app.router.add_route("*", "/bot{token:[^/]+}/{method}", self._serve)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        asked, problem = await self._asked(request)
        call = self._calls.begin(request.method, f"/{name}", _logged(asked))
        fault = self._faults.draw(request.method, f"/{name}")
        call.fault = fault.label if fault is not None else None
        status: int | None = None
        try:
            await self._half()
            answer = await strike(fault, "before", request)
            if answer is None:
                answer = await self._answer(name, request, asked, problem, call)
                answer = await strike(fault, "after", request) or answer
                await self._half()
            if fault is None or fault.action in ("status", "slow"):
                status = answer.status
            return answer
        except Cut:
            cut(request)
            return web.Response(status=500)
        finally:
            self._calls.end(call, status)

    async def _half(self) -> None:
        if self.round_trip > 0:
            await asyncio.sleep(self.round_trip / 2)

    async def _answer(self, name: str, request: web.Request, asked: Asked, problem: ApiError | None, call: Call) -> web.Response:
        try:
            method = self._authorised(request.match_info["token"], name)
            if problem is not None:
                raise problem
            self._counted(name.lower(), method, asked)
            result = method.handler(asked)
            if inspect.isawaitable(result):
                result = await result
        except ApiError as error:
            call.notes["error"] = error.description
            headers = {"Retry-After": str(error.parameters["retry_after"])} if error.code == 429 and error.parameters else None
            return web.json_response(error.body(), status=error.code, headers=headers)
        call.applied_mono = self._api.config.monotonic()
        if isinstance(result, dict) and "message_id" in result:
            call.notes["message"] = result["message_id"]
        return web.json_response({"ok": True, "result": result})

    def _authorised(self, token: str, name: str) -> Method:
        """404 for what is no token and for what is no method, 401 for a token that is not good (python-telegram-bot,
        BaseRequest._request_wrapper; tdlib/telegram-bot-api, Client.cpp)."""
        if not re.fullmatch(r"[1-9]\d*:[A-Za-z0-9_-]+", token):
            raise ApiError(404, "Not Found")
        if token != self._granted.token:
            raise ApiError(401, "Unauthorized")
        method = METHODS.get(name.lower())
        if method is None:
            raise ApiError(404, "Not Found: method not found")
        return method

    def _counted(self, name: str, method: Method, asked: Asked) -> None:
        chat = asked.named()
        if chat is None or name not in self._api.config.counted:
            return
        count, now = method.messages(asked), self._api.config.monotonic()
        wait = self._limits.take(name, chat.id, private=chat.kind == "private", count=count, now=now)
        if wait is not None:
            raise too_many(wait)

    async def _asked(self, request: web.Request) -> tuple[Asked, ApiError | None]:
        """The call, and why its body cannot be read."""
        arguments: Json = dict(request.query)
        uploads: dict[str, Upload] = {}
        problem: ApiError | None = None
        try:
            if request.content_type == "application/json":
                given: object = json.loads(await request.read() or b"{}")
                if isinstance(given, dict):
                    arguments |= cast("Json", given)
            else:
                for name, value in (await request.post()).items():
                    if isinstance(value, web.FileField):
                        media = value.content_type
                        media = media if media != "application/octet-stream" else media_type(value.filename)
                        uploads[name] = Upload(value.filename, media, value.file.read())
                    elif isinstance(value, str):
                        arguments[name] = value
        except web.HTTPRequestEntityTooLarge:
            problem = ApiError(413, "Request Entity Too Large")
        except UnicodeDecodeError:
            problem = bad("strings must be encoded in UTF-8")
        except ValueError:
            problem = bad("can't parse request body")
        return Asked(self._api, arguments, uploads, lambda: _gone(request)), problem


def _gone(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _logged(asked: Asked) -> Json:
    """The arguments as JSON, with name and size of files."""
    told: Json = {name: _read(value) for name, value in asked.arguments.items() if name not in ("secret_token", "token")}
    return told | {name: {"file": each.name, "size": len(each.data)} for name, each in asked.uploads.items()}


def _read(value: Any) -> Any:
    """What a form holds as text, as the JSON that it stands for where it is an object or a list."""
    if isinstance(value, str) and value[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
