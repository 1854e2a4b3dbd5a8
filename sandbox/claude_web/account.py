"""The account: its organisations, its usage, its settings, its styles."""

from uuid import uuid4

from aiohttp import web

from .errors import refuse
from .gate import CALL, read_object
from .model import STYLES, JsonObject, stamp
from .service import Service

PREFIX = "/api/organizations/{organization}"


def routes(service: Service) -> list[web.RouteDef]:
    """List the endpoints, for an application's router."""
    api = Account(service)
    one = f"{PREFIX}/styles/{{style}}"
    return [
        web.get("/api/organizations", api.organizations),
        web.get(f"{PREFIX}/usage", api.usage),
        web.patch("/api/account/settings", api.settings),
        web.get(f"{PREFIX}/list_styles", api.styles),
        web.post(f"{PREFIX}/styles/create", api.create_style),
        web.put(f"{one}/edit", api.edit_style),
        web.delete(f"{one}/delete", api.delete_style),
    ]


class Account:
    """The handlers, over one service.

    The paths of the styles are those of the endpoint list; the keys of GET list_styles are those that lugia19's
    extensions read. The bodies and answers of the other three are assumed: a style's own fields, both ways.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    async def organizations(self, request: web.Request) -> web.Response:
        """GET organizations: a list of `uuid`, `name`, `capabilities` (captures)."""
        begun = stamp(0.0)
        shown = [
            {
                "id": number,
                "uuid": each.uuid,
                "name": each.name,
                "capabilities": list(each.capabilities),
                "settings": dict[str, object](),
                "rate_limit_tier": "default_claude_ai",
                "created_at": begun,
                "updated_at": begun,
            }
            for number, each in enumerate(self._service.organizations.values(), start=1)
        ]
        return web.json_response(shown)

    async def usage(self, request: web.Request) -> web.Response:
        """GET usage: per cent used and end of each window (captures)."""
        return web.json_response(self._service.usage())

    async def settings(self, request: web.Request) -> web.Response:
        """PATCH account/settings: answers all settings (claude-webapi sends it; the answer is assumed)."""
        self._service.settings.update(await read_object(request, self._service))
        self._service.applied(request[CALL])
        return web.json_response({"settings": self._service.settings})

    async def styles(self, request: web.Request) -> web.Response:
        """GET list_styles: the styles that every account has, and one's own."""
        own = self._service.styles[request.match_info["organization"]]
        return web.json_response({"defaultStyles": list(STYLES), "customStyles": list(own.values())})

    async def create_style(self, request: web.Request) -> web.Response:
        """POST styles/create: `name` and `prompt`."""
        body = await read_object(request, self._service)
        for name in ("name", "prompt"):
            if not isinstance(body.get(name), str) or not body[name]:
                raise refuse(400, f"{name}: Field required")
        uuid = str(uuid4())
        style: JsonObject = {
            "summary": "",
            **body,
            "uuid": uuid,
            "key": uuid,
            "type": "custom",
            "isDefault": False,
        }
        self._service.styles[request.match_info["organization"]][uuid] = style
        self._service.applied(request[CALL])
        return web.json_response(style)

    async def edit_style(self, request: web.Request) -> web.Response:
        """PUT styles/{style}/edit: the fields that change."""
        style = self._style(request)
        body = await read_object(request, self._service)
        style.update({name: body[name] for name in ("name", "prompt", "summary") if isinstance(body.get(name), str)})
        self._service.applied(request[CALL])
        return web.json_response(style)

    async def delete_style(self, request: web.Request) -> web.Response:
        """DELETE styles/{style}/delete: 204."""
        style = self._style(request)
        del self._service.styles[request.match_info["organization"]][style["uuid"]]
        self._service.applied(request[CALL])
        return web.Response(status=204)

    def _style(self, request: web.Request) -> JsonObject:
        found = self._service.styles[request.match_info["organization"]].get(request.match_info["style"])
        if found is None:
            raise refuse(404, "Style not found")
        return found
