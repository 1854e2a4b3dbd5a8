"""The endpoints that ask the model: messages and token counts."""

import asyncio
import json
from collections.abc import Sequence

from aiohttp import hdrs, web

from sandbox.calls import Call
from sandbox.faults import Rule as Fault
from sandbox.faults import cut, strike
from sandbox.values import is_object

from .answer import compacts, write
from .blocks import JsonObject, all_texts, last_user_text, objects, texts
from .checks import check_headers, check_message, compaction_of
from .config import LARGEST_REQUEST
from .counting import Element, elements, tokens
from .errors import Refusal, invalid
from .offered import names
from .plan import Head, message, plan
from .respond import answer_json, refuse, struck
from .rules import Asked
from .script import Script
from .service import Service
from .stream import send


def routes(service: Service) -> list[web.RouteDef]:
    """List the endpoints, for an application's router."""
    api = Endpoints(service)
    return [web.post("/v1/messages", api.create), web.post("/v1/messages/count_tokens", api.count)]


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
            return refuse(call, body)
        self._service.keep(call, body)
        fault = self._service.fault(call, request)
        instead = await struck(call, request, fault)
        if instead is not None:
            return instead
        found = self._checked(request, body)
        if isinstance(found, Refusal):
            return refuse(call, found)
        asked = self._asked(body)
        script, rule = self._service.scripts.choose(asked)
        call.notes.update(last=asked.last[:200], rule=rule, step=asked.step, tokens=tokens(body, found))
        if script.wait:
            await asyncio.sleep(script.wait)
        if script.cut_before:
            cut(request)
            call.notes["outcome"] = "cut"
            return web.Response()
        if script.status != 200:
            refusal = Refusal(script.status, script.error_type, script.error_message, script.error_code, script.headers)
            return refuse(call, refusal)
        return await self._answer(request, call, script, body, found, asked.step, fault)

    async def _answer(
        self,
        request: web.Request,
        call: Call,
        script: Script,
        body: JsonObject,
        found: Sequence[Element],
        step: int,
        fault: Fault | None,
    ) -> web.StreamResponse:
        config, name = self._service.config, str(body["model"])
        minimum = config.models[name].cache_minimum if config.cache_minimum is None else config.cache_minimum
        reading = self._service.cache.take(body, found, minimum)
        answer = write(script, body, config, call.number, reading, found, self._service.files)
        call.notes.update(text=answer.text, left_out=list(answer.left_out), stop=answer.stop, usage=dict(answer.usage))
        if answer.left_out and script.strict:
            return refuse(call, invalid(f"The request does not offer {', '.join(answer.left_out)}"))
        if script.ending == "whole":
            self._service.issued.remember(answer.content, answer.stop, step)
        head = Head(f"msg_{call.number:08d}", name)
        call.status = 200
        call.applied_mono = self._service.monotonic()
        if script.form != "sse" or not body.get("stream"):
            call.notes["outcome"] = script.form if script.form != "sse" else "json"
            return _whole(script, message(answer, head), call)
        request_id = str(call.notes["request_id"])
        error = Refusal(529, script.error_type, script.error_message, script.error_code).body(request_id)
        made = plan(script, answer, head, error=error)
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
                return refuse(call, body)
            self._service.keep(call, body)
            instead = await struck(call, request, self._service.fault(call, request))
            if instead is not None:
                return instead
            found = self._checked(request, body, counting=True)
            if isinstance(found, Refusal):
                return refuse(call, found)
            total = tokens(body, found)
            counted: dict[str, object] = {"input_tokens": total}
            if compaction_of(body) is not None:
                kept = sum(element.tokens for element in found if element.level != "messages")
                counted["input_tokens"] = kept if compacts(body, total) else total
                counted["context_management"] = {"original_input_tokens": total}
            return answer_json(call, counted)
        finally:
            self._service.end(call)

    def _checked(self, request: web.Request, body: JsonObject, *, counting: bool = False) -> Refusal | list[Element]:
        """Look at a request as a whole, and take it apart."""
        config = self._service.config
        version = request.headers.get("anthropic-version", "")
        betas = [name.strip() for line in request.headers.getall("anthropic-beta", []) for name in line.split(",")]
        problem = check_headers(request.headers, config) or check_message(
            body, config, version, betas=betas, has_file=self._service.files.has, counting=counting
        )
        if problem is None and not counting:
            problem = self._service.issued.check_end(body)
        if problem is not None:
            return problem
        found = elements(body)
        total, most = tokens(body, found), config.models[str(body["model"])].context
        return invalid(f"prompt is too long: {total} tokens > {most} maximum") if total > most else found

    def _asked(self, body: JsonObject) -> Asked:
        self._service.asked += 1
        users = [message for message in objects(body["messages"]) if message.get("role") == "user"]
        spoken = ("\n".join(texts(each.get("content"))) for each in reversed(users))
        return Asked(
            last=last_user_text(body),
            number=self._service.asked,
            step=self._service.issued.step(body),
            question=next((text for text in spoken if text), ""),
            model=str(body["model"]),
            tools=names(body),
            texts=all_texts(body),
        )


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


def _whole(script: Script, whole: dict[str, object], call: Call) -> web.Response:
    """Answer without a stream: as asked, or as a gateway does that ignores `stream`."""
    headers = {"request-id": str(call.notes["request_id"])}
    if script.form == "empty":
        return web.Response(body=b"", headers={**headers, hdrs.CONTENT_TYPE: "text/event-stream; charset=utf-8"})
    if script.form == "html":
        return web.Response(text="<html><body>Welcome</body></html>", content_type="text/html", headers=headers)
    return web.json_response(whole, headers=headers)
