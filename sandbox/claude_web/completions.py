"""Answers: a completion, another answer to the same message, and the stop of one."""

import asyncio
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

from aiohttp import web

from sandbox.calls import Call
from sandbox.claude.player import Player
from sandbox.claude.texts import text_of
from sandbox.faults import cut, strike
from sandbox.values import is_object

from .conversations import PREFIX, create_conversation
from .errors import EDGE_PAGE, Refusal, Refused, failure_page, refuse
from .gate import CALL, FAULT, check_uuid, read_object
from .model import ROOT, Conversation, JsonObject, Message
from .plan import Head, plan
from .script import Script
from .service import Answer, Service, next_index


def routes(service: Service) -> list[web.RouteDef]:
    """List the endpoints, for an application's router."""
    api = Completions(service)
    one = f"{PREFIX}/{{conversation}}"
    return [
        web.post(f"{one}/completion", api.complete),
        web.post(f"{one}/retry_completion", api.retry),
        web.post(f"{one}/stop_response", api.stop),
    ]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A completion that has been looked at and may be answered. `human` is None for a retry."""

    conversation: Conversation | None
    create: JsonObject | None
    parent: str
    prompt: str
    human: str | None
    assistant: str
    model: str | None
    files: list[JsonObject]
    attachments: list[JsonObject]


class Completions:
    """The handlers, over one service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def complete(self, request: web.Request) -> web.StreamResponse:
        """POST completion: stores the human message under its parent, then streams the answer to it.

        With `create_conversation_params` it makes the conversation as well (claude-webapi, captures). Both uuids of
        `turn_message_uuids` are the caller's choice (captures).
        """
        body = await read_object(request, self._service)
        return await self._respond(request, body, self._look(request, body))

    async def retry(self, request: web.Request) -> web.StreamResponse:
        """POST retry_completion: streams one more answer to the human message `parent_message_uuid` (captures)."""
        body = await read_object(request, self._service)
        found = self._service.conversation(request.match_info["organization"], request.match_info["conversation"])
        parent = check_uuid(body.get("parent_message_uuid"), "parent_message_uuid")
        human = found.messages.get(parent)
        if human is None or human.sender != "human":
            raise refuse(400, "parent_message_uuid: not a human message of this conversation")
        assistant = self._turn_uuid(found, body, "assistant_message_uuid")
        model = self._model(body) or found.model
        asked = _Asked(found, None, parent, human.text, None, assistant, model, [], [])
        return await self._respond(request, body, asked)

    async def stop(self, request: web.Request) -> web.Response:
        """POST stop_response: ends the answers being made; what was sent stays, with stop reason `user_canceled`.

        200 also when there is nothing to stop (assumed; claude-webapi only asks whether it was 200).
        """
        found = self._service.conversation(request.match_info["organization"], request.match_info["conversation"])
        for answer in [each for each in self._service.running if each.conversation is found]:
            self._service.settle(answer, "partial")
            if answer.player is not None:
                answer.player.stop()
        self._service.applied(request[CALL])
        return web.json_response({"success": True})

    def _look(self, request: web.Request, body: JsonObject) -> _Asked:
        organization, uuid = request.match_info["organization"], request.match_info["conversation"]
        create: object = body.get("create_conversation_params")
        found: Conversation | None = None
        if not is_object(create):
            create = None
            found = self._service.conversation(organization, uuid)
        elif uuid in self._service.conversations:
            # Assumed: as an explicit creation.
            raise refuse(409, f"Conversation {uuid} could not be created: it exists already")
        prompt = body.get("prompt")
        files, attachments = self._files(body), _objects(body.get("attachments"))
        if not isinstance(prompt, str) or not (prompt or files or attachments):
            raise refuse(400, "prompt: Input should be a non-empty string")
        parent = self._parent(found, body.get("parent_message_uuid"))
        human = self._turn_uuid(found, body, "human_message_uuid")
        assistant = self._turn_uuid(found, body, "assistant_message_uuid")
        if human == assistant:
            raise refuse(400, "turn_message_uuids: must differ")
        model = self._model(body) or (found.model if found else None)
        return _Asked(found, create, parent, prompt, human, assistant, model, files, attachments)

    def _parent(self, found: Conversation | None, given: object) -> str:
        """Where a message hangs: the root for a first one; else as given; else under the shown leaf (assumed)."""
        if given is None:
            return found.leaf if found is not None and found.leaf is not None else ROOT
        parent = check_uuid(given, "parent_message_uuid")
        if parent != ROOT and (found is None or parent not in found.messages):
            # Assumed: the status of a parent that is not there has not been recorded.
            raise refuse(400, f"parent_message_uuid: message {parent} not found")
        return parent

    def _turn_uuid(self, found: Conversation | None, body: JsonObject, name: str) -> str:
        """The uuid that the caller chose for a message, or one of the service's own.

        One that is taken is refused: the name of the error, duplicate_human_message_uuid, is what people report of
        claude.ai; that its status is 409, and that it holds for the answer's uuid too, is assumed.
        """
        given: object = body.get("turn_message_uuids")
        uuid: object = given.get(name) if is_object(given) else None
        if uuid is None:
            return str(uuid4())
        checked = check_uuid(uuid, f"turn_message_uuids.{name}")
        running = any(each.plan.head.uuid == checked for each in self._service.running)
        if running or (found is not None and checked in found.messages):
            raise refuse(409, f"{name} is taken", code=f"duplicate_{name}")
        return checked

    def _model(self, body: JsonObject) -> str | None:
        model: object = body.get("model")
        if model in self._service.config.models_refused:
            raise refuse(403, "This model isn't available right now")  # mirrorange/clove issue 8
        return model if isinstance(model, str) else None

    def _files(self, body: JsonObject) -> list[JsonObject]:
        given: object = body.get("files")
        uuids = cast("list[object]", given) if isinstance(given, list) else []
        if len(uuids) > self._service.config.most_files:
            raise refuse(400, f"files: at most {self._service.config.most_files} files")
        stored = [self._service.files.get(uuid) if isinstance(uuid, str) else None for uuid in uuids]
        # Assumed: a uuid that was never uploaded is refused.
        if None in stored:
            raise refuse(400, f"files: {uuids[stored.index(None)]} not found")
        return [file.as_json() for file in stored if file is not None]

    async def _respond(self, request: web.Request, body: JsonObject, asked: _Asked) -> web.StreamResponse:
        call = request[CALL]
        script, rule = self._service.scripts.choose(asked.prompt)
        call.notes.update(prompt=asked.prompt[:200], rule=rule, style=_style(body))
        call.notes.update(human=asked.human or asked.parent, assistant=asked.assistant, parent=asked.parent)
        if script.status != 200 or script.form != "sse":
            if script.wait:
                await asyncio.sleep(script.wait)
            return self._without_stream(call, script)
        self._service.spend()
        answer = self._accept(call, script, asked, request.match_info["organization"], request.match_info["conversation"])
        try:
            return await self._stream(request, call, answer)
        except asyncio.CancelledError:
            call.notes["outcome"] = "disconnected"
            raise
        finally:
            self._service.settle_later(answer, script.stored)

    def _without_stream(self, call: Call, script: Script) -> web.Response:
        """Answer with a refusal, a page, or a stream without events. The conversation keeps nothing of it."""
        call.notes["outcome"] = "refused" if script.status != 200 else script.form
        if script.form == "html":
            page = EDGE_PAGE if script.status in (200, 403) else failure_page(script.status)
            return web.Response(status=script.status, text=page, content_type="text/html", headers=script.headers)
        if script.form == "empty":
            return web.Response(status=script.status, content_type="text/event-stream", headers=script.headers)
        raise Refused(_refusal(script, script.status))

    def _accept(self, call: Call, script: Script, asked: _Asked, organization: str, uuid: str) -> Answer:
        """Store the human message, in a new conversation if asked for, and lay out the answer."""
        service = self._service
        conversation = asked.conversation
        if conversation is None:
            conversation = create_conversation(service, organization, uuid, asked.create or {})
        human = asked.human or asked.parent
        if asked.human is not None:
            blocks: list[JsonObject] = [{"type": "text", "text": asked.prompt, "citations": []}]
            index = next_index(conversation)
            message = Message(asked.human, asked.parent, "human", index, service.now(), blocks)
            message.files, message.attachments = asked.files, asked.attachments
            conversation.add(message)
        conversation.model = asked.model or conversation.model
        limit = service.limit(script)
        head = Head(call.number, asked.assistant, human, conversation.model, service.now(), limit)
        made = plan(script, text_of(script, asked.prompt), head, error=_refusal(script, 529).body())
        begun = asyncio.get_running_loop().time()
        answer = Answer(conversation, made, human, asked.human is None, asked.conversation is None, begun)
        service.running.append(answer)
        call.notes.update(text=made.text, branch=_above(conversation, human))
        service.applied(call)
        return answer

    async def _stream(self, request: web.Request, call: Call, answer: Answer) -> web.StreamResponse:
        script, transport = answer.plan.script, request.transport
        if script.wait:
            await asyncio.sleep(script.wait)
        if script.cut_before or transport is None:
            cut(request)
            call.notes["outcome"] = "cut"
            return web.Response()
        times: list[float] = []
        call.notes.update(outcome="disconnected", deltas=times)
        response = web.StreamResponse(headers={"cache-control": "no-cache", **script.headers})
        response.content_type, response.charset = "text/event-stream", "utf-8"
        response.enable_chunked_encoding()
        call.status = 200
        await response.prepare(request)

        def note(number: int, at: float) -> None:
            times.append(at)
            answer.sent = number
            self._service.changes.notify()

        answer.begun = asyncio.get_running_loop().time()
        answer.player = Player(answer.plan.steps, transport, note, lambda: self._service.finish(answer))
        await response.write(answer.plan.steps[0].data)  # aiohttp holds the head back until the first write
        whole = not answer.settled and await answer.player.play()
        if whole and script.ending == "silence":
            whole = await answer.player.silence(script.pings, answer.plan.ping)
        call.notes["outcome"] = script.ending if whole else "stopped"
        if not whole:
            await response.write(answer.plan.stopped())
        elif script.ending == "cut":
            transport.abort()
            return response
        await strike(request.get(FAULT), "after", request)
        if not transport.is_closing():
            await response.write_eof()
        return response


def _refusal(script: Script, status: int) -> Refusal:
    return Refusal(status, script.error_type, script.error_message, script.error_code, script.headers)


def _objects(value: object) -> list[JsonObject]:
    return [item for item in cast("list[object]", value) if is_object(item)] if isinstance(value, list) else []


def _style(body: JsonObject) -> str | None:
    """The prompt of the custom style that a completion carries: all there is of a system prompt (claude-webapi)."""
    prompts: list[Any] = [
        each.get("prompt") for each in _objects(body.get("personalized_styles")) if each.get("type") == "custom"
    ]
    return "\n".join(str(prompt) for prompt in prompts) if prompts else None


def _above(conversation: Conversation, uuid: str) -> list[str]:
    """The uuids from the first message down to this one: what the model would be shown."""
    path: list[str] = []
    at: str = uuid
    while at in conversation.messages:
        path.append(at)
        at = conversation.messages[at].parent
    return path[::-1]
