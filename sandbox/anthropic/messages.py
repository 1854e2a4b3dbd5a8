"""The API's own endpoints: messages, token counts, models."""

import asyncio
import json
from typing import Any

from aiohttp import hdrs, web

from sandbox.calls import Call
from sandbox.faults import Rule, cut, strike

from .checks import JsonObject, check_headers, check_message, is_object, last_user_text, tokens
from .config import LARGEST_REQUEST
from .errors import Refusal, invalid
from .plan import Head, Plan, plan
from .script import Script
from .service import Service
from .stream import send
from .texts import signature, text_of


def routes(service: Service) -> list[web.RouteDef]:
    """List the endpoints, for an application's router."""
    api = Endpoints(service)
    return [
        web.post("/v1/messages", api.create),
        web.post("/v1/messages/count_tokens", api.count),
        web.get("/v1/models", api.models),
        web.get("/v1/models/{model}", api.model),
    ]


class Endpoints:
    """The handlers, over one service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def create(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/messages."""
        call = self._service.begin(request)
        try:
            return await self._create(request, call)
        except asyncio.CancelledError:
            # aiohttp cancels a handler whose caller has gone.
            call.notes.setdefault("outcome", "disconnected")
            raise
        finally:
            self._service.end(call)

    async def _create(self, request: web.Request, call: Call) -> web.StreamResponse:
        body = await _read(request)
        if isinstance(body, Refusal):
            return self._refuse(call, body)
        self._service.keep(call, body)
        fault = self._service.fault(call, request)
        struck = await strike(fault, "before", request)
        if struck is not None:
            call.notes["outcome"] = "fault"
            call.status = struck.status if fault is not None and fault.action == "status" else None
            return struck
        problem = self._check(request, body)
        if problem is not None:
            return self._refuse(call, problem)
        last = last_user_text(body)
        script, rule = self._service.scripts.choose(last)
        call.notes.update(last=last[:200], rule=rule)
        if script.wait:
            await asyncio.sleep(script.wait)
        if script.cut_before:
            cut(request)
            call.notes["outcome"] = "cut"
            return web.Response()
        if script.status != 200:
            return self._refuse(call, _refusal(script))
        return await self._answer(request, call, script, body, fault)

    async def _answer(
        self, request: web.Request, call: Call, script: Script, body: JsonObject, fault: Rule | None
    ) -> web.StreamResponse:
        request_id = str(call.notes["request_id"])
        error = Refusal(529, script.error_type, script.error_message, script.error_code).body(request_id)
        head = Head(f"msg_{call.number:08d}", str(body["model"]), _usage(body))
        made = plan(script, text_of(script, last_user_text(body)), head, error=error, key=self._service.config.key)
        call.status = 200
        call.applied_mono = self._service.monotonic()
        call.notes["text"] = made.text
        if script.form != "sse" or not body.get("stream"):
            call.notes["outcome"] = script.form if script.form != "sse" else "json"
            return _whole(script, made, head, call, self._service.config.key)
        response = web.StreamResponse(headers={"request-id": request_id, "cache-control": "no-cache", **script.headers})
        response.content_type = "text/event-stream"
        response.charset = "utf-8"
        response.enable_chunked_encoding()
        await response.prepare(request)
        times: list[float] = []
        call.notes.update(outcome="disconnected", deltas=times)

        def note(_: int, at: float) -> None:
            times.append(at)
            self._service.changes.notify()

        await send(request, response, made, note)
        call.notes["outcome"] = made.ending
        await strike(fault, "after", request)
        return response

    async def count(self, request: web.Request) -> web.StreamResponse:
        """POST /v1/messages/count_tokens."""
        call = self._service.begin(request)
        try:
            body = await _read(request)
            if isinstance(body, Refusal):
                return self._refuse(call, body)
            self._service.keep(call, body)
            problem = self._check(request, body, counting=True)
            return self._refuse(call, problem) if problem else self._json(call, {"input_tokens": tokens(body)})
        finally:
            self._service.end(call)

    async def models(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/models."""
        call = self._service.begin(request)
        try:
            problem = check_headers(request.headers, self._service.config)
            if problem is not None:
                return self._refuse(call, problem)
            data = [self._model(name) for name in self._service.config.models]
            page = {"data": data, "has_more": False, "first_id": data[0]["id"], "last_id": data[-1]["id"]}
            return self._json(call, page)
        finally:
            self._service.end(call)

    async def model(self, request: web.Request) -> web.StreamResponse:
        """GET /v1/models/{id}."""
        call = self._service.begin(request)
        try:
            name = request.match_info["model"]
            problem = check_headers(request.headers, self._service.config)
            if problem is None and name not in self._service.config.models:
                problem = Refusal(404, message=f"model: {name}")
            return self._refuse(call, problem) if problem else self._json(call, self._model(name))
        finally:
            self._service.end(call)

    def _check(self, request: web.Request, body: JsonObject, *, counting: bool = False) -> Refusal | None:
        config = self._service.config
        version = request.headers.get("anthropic-version", "")
        return check_headers(request.headers, config) or check_message(body, config, version, counting=counting)

    def _model(self, name: str) -> dict[str, Any]:
        model = self._service.config.models[name]
        return {
            "type": "model",
            "id": name,
            "display_name": name.replace("-", " ").title(),
            "created_at": "2026-01-01T00:00:00Z",
            "max_input_tokens": model.context,
            "max_tokens": model.output,
        }

    def _refuse(self, call: Call, refusal: Refusal) -> web.Response:
        request_id = str(call.notes["request_id"])
        call.status = refusal.status
        call.notes["outcome"] = "refused"
        headers = {"request-id": request_id, "content-type": "application/json", **refusal.headers}
        return web.Response(status=refusal.status, body=refusal.body(request_id), headers=headers)

    def _json(self, call: Call, data: object) -> web.Response:
        call.status = 200
        call.notes["outcome"] = "json"
        return web.json_response(data, headers={"request-id": str(call.notes["request_id"])})


async def _read(request: web.Request) -> JsonObject | Refusal:
    try:
        raw = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return Refusal(413, message=f"Request exceeds the maximum size of {LARGEST_REQUEST} bytes")
    try:
        body: object = json.loads(raw)
    except ValueError:
        return invalid("The request body is not valid JSON")
    return body if is_object(body) else invalid("The request body is not a JSON object")


def _refusal(script: Script) -> Refusal:
    return Refusal(script.status, script.error_type, script.error_message, script.error_code, script.headers)


def _usage(body: JsonObject) -> dict[str, int]:
    return {"input_tokens": tokens(body), "cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}


def _whole(script: Script, made: Plan, head: Head, call: Call, key: str) -> web.Response:
    """Answer without a stream: as asked, or as a gateway does that ignores `stream`."""
    headers = {"request-id": str(call.notes["request_id"])}
    if script.form == "empty":
        return web.Response(body=b"", headers={**headers, hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8"})
    if script.form == "html":
        return web.Response(text="<html><body>Welcome</body></html>", content_type="text/html", headers=headers)
    content: list[dict[str, object]] = [{"type": "text", "text": made.text}]
    if script.thinking:
        sign = signature(script.thinking, key)
        content.insert(0, {"type": "thinking", "thinking": script.thinking, "signature": sign})
    usage = {**head.usage, "output_tokens": len(made.text) // 4 + 1, **script.usage}
    message = {
        "id": head.id,
        "type": "message",
        "role": "assistant",
        "model": head.model,
        "content": content,
        "stop_reason": script.stop,
        "stop_sequence": script.stop_sequence,
        "usage": usage,
    }
    return web.json_response(message, headers=headers)
