"""Conversations: create, list, read, change, delete, and the choice of the branch that is shown."""

from typing import Any

from aiohttp import web

from sandbox.values import is_object

from .errors import refuse
from .gate import CALL, check_uuid, read_object
from .model import Conversation, JsonObject
from .service import Service

PREFIX = "/api/organizations/{organization}/chat_conversations"


def routes(service: Service) -> list[web.RouteDef]:
    """List the endpoints, for an application's router."""
    api = Conversations(service)
    one = f"{PREFIX}/{{conversation}}"
    return [
        web.get(PREFIX, api.index),
        web.post(PREFIX, api.create),
        web.get(one, api.read),
        web.put(one, api.change),
        web.delete(one, api.delete),
        web.put(f"{one}/current_leaf_message_uuid", api.show_branch),
    ]


def create_conversation(service: Service, organization: str, uuid: str, values: JsonObject) -> Conversation:
    """Make a conversation from the parameters of an explicit creation or of a first completion. Raises `Refused`.

    One that exists already is refused with 409 and words that hold "could not be created" (claude-webapi takes that
    status, or 400 with those words, for it).
    """
    if uuid in service.conversations:
        raise refuse(409, f"Conversation {uuid} could not be created: it exists already")
    model = values.get("model")
    made = Conversation(
        uuid=uuid,
        organization=organization,
        name=str(values.get("name") or ""),
        model=model if isinstance(model, str) else None,
        created=service.now(),
        updated=service.now(),
        temporary=values.get("is_temporary") is True,
    )
    service.conversations[uuid] = made
    return made


class Conversations:
    """The handlers, over one service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def index(self, request: web.Request) -> web.Response:
        """GET chat_conversations: newest change first, with `limit` and `offset`; temporary ones are left out (assumed)."""
        mine = [
            each
            for each in self._service.conversations.values()
            if each.organization == request.match_info["organization"] and not each.temporary
        ]
        mine.sort(key=lambda each: each.updated, reverse=True)
        offset = _number(request, "offset", 0)
        limit = _number(request, "limit", len(mine))
        return web.json_response([each.summary() for each in mine[offset : offset + limit]])

    async def create(self, request: web.Request) -> web.Response:
        """POST chat_conversations: 201 with the conversation (claude-webapi takes 200 or 201)."""
        body = await read_object(request, self._service)
        uuid = check_uuid(body.get("uuid"), "uuid")
        made = create_conversation(self._service, request.match_info["organization"], uuid, body)
        self._service.applied(request[CALL])
        return web.json_response(made.summary(), status=201)

    async def read(self, request: web.Request) -> web.Response:
        """GET one: `tree=True` gives the messages of all branches, else the shown branch alone (captures)."""
        found = self._find(request)
        tree = request.query.get("tree", "").lower() == "true"
        rendered = request.query.get("rendering_mode") == "messages"
        return web.json_response(found.as_json(tree=tree, rendered=rendered))

    async def change(self, request: web.Request) -> web.Response:
        """PUT one: `name`, `is_starred`, `settings`; other keys are passed over (assumed). Answers the conversation."""
        found = self._find(request)
        body = await read_object(request, self._service)
        name, starred, settings = body.get("name"), body.get("is_starred"), body.get("settings")
        if name is not None and not isinstance(name, str):
            raise refuse(400, "name: Input should be a valid string")
        if isinstance(name, str):
            found.name = name
        if isinstance(starred, bool):
            found.starred = starred
        if is_object(settings):
            found.settings = {**found.settings, **settings}
        found.updated = self._service.now()
        self._service.applied(request[CALL])
        return web.json_response(found.summary())

    async def delete(self, request: web.Request) -> web.Response:
        """DELETE one: 204 (claude-webapi takes 200 or 204). Answers that are being made go on to nowhere."""
        found = self._find(request)
        del self._service.conversations[found.uuid]
        for key in [key for key in self._service.sandboxes if key[0] == found.uuid]:
            del self._service.sandboxes[key]
        self._service.applied(request[CALL])
        return web.Response(status=204)

    async def show_branch(self, request: web.Request) -> web.Response:
        """PUT current_leaf_message_uuid: show the branch of a message; answers the body (captures).

        Does not change updated_at (Claude-QoL). A message that is not there: 404 (assumed).
        """
        found = self._find(request)
        body: dict[str, Any] = await read_object(request, self._service)
        leaf = check_uuid(body.get("current_leaf_message_uuid"), "current_leaf_message_uuid")
        if leaf not in found.messages:
            raise refuse(404, f"Message {leaf} not found")
        found.leaf = leaf
        self._service.applied(request[CALL])
        return web.json_response(body)

    def _find(self, request: web.Request) -> Conversation:
        return self._service.conversation(request.match_info["organization"], request.match_info["conversation"])


def _number(request: web.Request, name: str, default: int) -> int:
    given = request.query.get(name)
    if given is None:
        return default
    if not given.isdecimal():
        raise refuse(400, f"{name}: Input should be a valid integer")
    return int(given)
