"""Serving files."""

from dataclasses import dataclass

from aiohttp import web

from sandbox import downloads
from sandbox.calls import CallLog
from sandbox.downloads import Content, Spoils, give
from sandbox.exchange import exchange
from sandbox.faults import Faults, strike
from sandbox.telegram.api.server import Granted
from sandbox.telegram.model import Json
from sandbox.telegram.world import World


@dataclass(frozen=True, slots=True)
class Spoil(downloads.Spoil):
    """How the next downloads go wrong."""

    kind: downloads.Kind


class Downloads:
    """Files at `/file/bot<token>/<file_path>` (core.telegram.org/bots/api, getFile), logged as `/file/<file_path>`."""

    def __init__(self, world: World, granted: Granted, calls: CallLog, faults: Faults) -> None:
        self._world = world
        self._granted = granted
        self._calls = calls
        self._faults = faults
        self.spoils = Spoils(Spoil)

    def add_to(self, app: web.Application) -> None:
        """Register the route."""
        app.router.add_get("/file/bot{token:[^/]+}/{path:.+}", self._serve)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        with exchange(self._calls, self._faults, request.method, f"/file/{path}") as begun:
            # A download changes nothing, so before and after are the same moment.
            struck = await strike(begun.fault, "before", request) or await strike(begun.fault, "after", request)
            return begun.answered(struck or await self._give(request, path, begun.call.notes))

    async def _give(self, request: web.Request, path: str, notes: Json) -> web.StreamResponse:
        if request.match_info["token"] != self._granted.token:
            return _refused(401, "Unauthorized")
        linked, until = self._world.state.links.get(path, ("", 0.0))
        file = self._world.state.files.get(linked)
        if file is None or until <= self._world.now():
            return _refused(404, "Not Found")
        content = Content("application/octet-stream", file.size, self._world.files.read(file.id))
        return await give(request, content, self.spoils.draw(file.name), notes)


def _refused(status: int, description: str) -> web.Response:
    return web.json_response({"ok": False, "error_code": status, "description": description}, status=status)
