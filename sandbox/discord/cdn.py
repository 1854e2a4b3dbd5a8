"""Serving the files that messages carry."""

from dataclasses import dataclass

from aiohttp import web

from sandbox import downloads
from sandbox.calls import CallLog
from sandbox.discord.model import Json
from sandbox.discord.world import World
from sandbox.downloads import Content, Spoils, give
from sandbox.exchange import exchange
from sandbox.faults import Faults, strike


@dataclass(frozen=True, slots=True)
class Spoil(downloads.Spoil):
    """How the next downloads go wrong."""

    kind: downloads.Kind


class Cdn:
    """Serves attachments to whoever has an address that is signed and has not expired."""

    def __init__(self, world: World, calls: CallLog, faults: Faults) -> None:
        self._world = world
        self._calls = calls
        self._faults = faults
        self.spoils = Spoils(Spoil)

    def add_to(self, app: web.Application) -> None:
        """Register the route."""
        app.router.add_get("/attachments/{channel}/{attachment}/{name}", self._serve)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        with exchange(self._calls, self._faults, "GET", request.path_qs, drawn=request.path) as begun:
            # A download changes nothing, so before and after are the same moment.
            struck = await strike(begun.fault, "before", request) or await strike(begun.fault, "after", request)
            return begun.answered(struck or await self._answer(request, begun.call.notes))

    async def _answer(self, request: web.Request, notes: Json) -> web.StreamResponse:
        attachment = self._attachment(request)
        if attachment is None or not self._world.files.good(request.path, request.query):
            # The text and status of Discord's own (github.com/useapi/discord-cdn-proxy, README).
            return web.Response(status=404, text="This content is no longer available.")
        data = self._world.files.read(int(attachment["id"]))
        content = Content(attachment["content_type"], attachment["size"], data)
        return await give(request, content, self.spoils.draw(attachment["filename"]), notes)

    def _attachment(self, request: web.Request) -> Json | None:
        wanted = request.match_info["attachment"]
        channel = self._world.state.channels.get(_number(request.match_info["channel"]))
        if channel is None:
            return None
        for message in [*channel.messages, *channel.whispers]:
            for each in self._world.state.messages[message].attachments:
                if each["id"] == wanted:
                    return each
        given = [each.data for each in self._world.state.interactions.values() if each.channel == channel.id]
        found = (data.get("resolved", {}).get("attachments", {}).get(wanted) for data in given)
        return next((each for each in found if each is not None), None)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
