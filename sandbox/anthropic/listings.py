"""The endpoints beside the messages: models and files."""

from collections.abc import Awaitable, Callable

from aiohttp import BodyPartReader, web

from sandbox.calls import Call

from .checks import check_headers
from .errors import Refusal, invalid
from .files import File
from .models import page
from .respond import answer_json, refuse, struck
from .service import Service

Handler = Callable[[web.Request, Call], Awaitable[web.Response]]


def routes(service: Service) -> list[web.RouteDef]:
    """List the endpoints, for an application's router."""
    lists = Listings(service)
    return [
        web.get("/v1/models", lists.served(lists.models)),
        web.get("/v1/models/{model}", lists.served(lists.model)),
        web.get("/v1/files", lists.served(lists.files)),
        web.post("/v1/files", lists.served(lists.upload)),
        web.get("/v1/files/{file}", lists.served(lists.file)),
        web.get("/v1/files/{file}/content", lists.served(lists.content)),
        web.delete("/v1/files/{file}", lists.served(lists.delete)),
    ]


class Listings:
    """The handlers, over one service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def served(self, handler: Handler) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Wrap a handler: its call is logged, its headers are checked, faults strike it."""

        async def handle(request: web.Request) -> web.Response:
            call = self._service.begin(request)
            try:
                instead = await struck(call, request, self._service.fault(call, request))
                if instead is not None:
                    return instead
                problem = check_headers(request.headers, self._service.config)
                return refuse(call, problem) if problem is not None else await handler(request, call)
            finally:
                self._service.end(call)

        return handle

    async def models(self, request: web.Request, call: Call) -> web.Response:
        """GET /v1/models."""
        stages = [*request.query.getall("lifecycle", []), *request.query.getall("lifecycle[]", [])]
        try:
            return answer_json(call, page(self._service.config.models, request.query, stages))
        except ValueError as wrong:
            return refuse(call, invalid(str(wrong)))

    async def model(self, request: web.Request, call: Call) -> web.Response:
        """GET /v1/models/{id}."""
        name = request.match_info["model"]
        model = self._service.config.models.get(name)
        return answer_json(call, model.shown(name)) if model else refuse(call, Refusal(404, message=f"model: {name}"))

    async def files(self, _: web.Request, call: Call) -> web.Response:
        """GET /v1/files: all of them on one page."""
        data = [file.shown() for file in self._service.files.all()]
        return answer_json(call, {"data": data, "has_more": False, "next_page": None})

    async def upload(self, request: web.Request, call: Call) -> web.Response:
        """POST /v1/files."""
        sent: tuple[str, str | None, bytes] | None = None
        seconds: int | None = None
        async for part in await request.multipart():
            if not isinstance(part, BodyPartReader):
                continue
            if part.name == "file":
                sent = part.filename or "file", part.headers.get("content-type"), bytes(await part.read())
            elif part.name == "expires_in_seconds":
                seconds = int(await part.text())
        if sent is None:
            return refuse(call, invalid("file: Field required"))
        name, kind, data = sent
        return answer_json(call, self._service.files.add(name, data, kind, made=False, seconds=seconds).shown())

    async def file(self, request: web.Request, call: Call) -> web.Response:
        """GET /v1/files/{id}."""
        file = self._found(request)
        return answer_json(call, file.shown()) if file else _missing(request, call)

    async def content(self, request: web.Request, call: Call) -> web.Response:
        """GET /v1/files/{id}/content: only of what a tool has made."""
        file = self._found(request)
        if file is None:
            return _missing(request, call)
        if not file.downloadable:
            return refuse(call, invalid(f"File {file.id} is not downloadable"))
        call.status = 200
        headers = {"request-id": str(call.notes["request_id"]), "content-type": file.media_type}
        return web.Response(body=file.data, headers=headers)

    async def delete(self, request: web.Request, call: Call) -> web.Response:
        """DELETE /v1/files/{id}."""
        name = request.match_info["file"]
        return (
            answer_json(call, {"id": name, "type": "file_deleted"})
            if self._service.files.remove(name)
            else _missing(request, call)
        )

    def _found(self, request: web.Request) -> File | None:
        return self._service.files.get(request.match_info["file"])


def _missing(request: web.Request, call: Call) -> web.Response:
    return refuse(call, Refusal(404, message=f"File not found: {request.match_info['file']}"))
