"""Serving and taking files."""

from dataclasses import dataclass
from typing import ClassVar, Literal

from aiohttp import web

from sandbox import downloads
from sandbox.calls import CallLog
from sandbox.downloads import Content, Spoils, give
from sandbox.exchange import exchange
from sandbox.faults import Faults, strike
from sandbox.slack.api.asked import Granted
from sandbox.slack.model import Json
from sandbox.slack.world import World

LOGIN = "<!DOCTYPE html><html><head><title>Slack</title></head><body>Sign in to your workspace</body></html>"
"""What is answered to whoever may not have a file: a page with status 200, not an error (observed: vercel/eve pull request
1531; Slack documents only that the token is needed: File object, url_private)."""
Kind = downloads.Kind | Literal["login"]


@dataclass(frozen=True, slots=True)
class Spoil(downloads.Spoil):
    """How the next downloads go wrong. `login`: the login page is given, token or not."""

    KINDS: ClassVar[tuple[str, ...]] = (*downloads.Spoil.KINDS, "login")
    kind: Kind


class Downloads:
    """Private files behind the bearer token (docs.slack.dev, File object: url_private), and the addresses of uploads."""

    def __init__(self, world: World, granted: Granted, calls: CallLog, faults: Faults) -> None:
        self._world = world
        self._granted = granted
        self._calls = calls
        self._faults = faults
        self.spoils = Spoils(Spoil)

    def add_to(self, app: web.Application) -> None:
        """Register the routes."""
        app.router.add_get("/files-pri/{place}/{name}", self._serve)
        app.router.add_get("/files-pri/{place}/download/{name}", self._serve)
        app.router.add_post("/upload/v1/{ticket}", self._serve)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        with exchange(self._calls, self._faults, request.method, request.path) as begun:
            struck = await strike(begun.fault, "before", request)
            if struck is None and request.method == "POST":
                taken = await self._take(request)
                return begun.answered(await strike(begun.fault, "after", request) or taken)
            # A download changes nothing, so before and after are the same moment.
            struck = struck or await strike(begun.fault, "after", request)
            return begun.answered(struck or await self._give(request, begun.call.notes))

    async def _take(self, request: web.Request) -> web.Response:
        """Take the bytes of an upload, raw or as the file of a form (docs.slack.dev, Working with files)."""
        ticket = request.match_info["ticket"]
        file = next((each for each in self._world.state.files.values() if each.ticket == ticket), None)
        if file is None or file.ready:
            return web.Response(status=404, text="Not found")
        data = await _uploaded(request)
        if len(data) != file.size:
            return web.Response(status=400, text=f"expected {file.size} bytes, got {len(data)}")
        self._world.files.keep(file.id, data)
        return web.Response(text=f"OK - {len(data)}")

    async def _give(self, request: web.Request, notes: Json) -> web.StreamResponse:
        file = self._world.state.files.get(request.match_info["place"].rpartition("-")[2])
        spoil = self.spoils.draw(request.match_info["name"])
        bearer = request.headers.get("Authorization", "")
        allowed = bearer == f"Bearer {self._granted.token}" and "files:read" in self._granted.scopes
        if not allowed or (spoil is not None and spoil.kind == "login"):
            notes["login"] = True
            return web.Response(text=LOGIN, content_type="text/html")
        if file is None or file.deleted or file.mode in ("external", "hidden_by_limit", "tombstone"):
            return web.Response(status=404, text="<!DOCTYPE html><html><body>Not found</body></html>", content_type="text/html")
        return await give(request, Content(file.media, file.size, self._world.files.read(file.id)), spoil, notes)


async def _uploaded(request: web.Request) -> bytes:
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    for value in (await request.post()).values():
        if isinstance(value, web.FileField):
            return value.file.read()
    return b""
