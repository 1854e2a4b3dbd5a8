"""Serving the files, and the ways in which a download can go wrong."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, fields
from typing import Literal, get_args

from aiohttp import web

from sandbox.calls import CallLog
from sandbox.discord.model import Json
from sandbox.discord.world import World
from sandbox.faults import Faults, cut, strike

PIECE = 64 * 1024
Kind = Literal["slow", "cut", "redirect", "length", "huge"]


@dataclass(frozen=True, slots=True)
class Spoil:
    """How the next downloads go wrong."""

    kind: Kind
    """`slow`: pieces of `piece` bytes with `seconds` between them; `cut`: the connection is cut after `after` bytes;
    `redirect`: 302 to `location`; `length`: Content-Length is `declared` and the connection is cut at the body's end;
    `huge`: `size` bytes are sent, whatever the attachment's own size."""
    name: str = ""
    """Which files: those whose name contains this."""
    times: int = 1
    """How many downloads."""
    seconds: float = 0.1
    piece: int = 1024
    after: int = 1
    location: str = ""
    size: int = 0
    declared: int | None = None
    """The Content-Length of `length` and `huge`: None is the truth; for `huge`, 0 leaves it out (chunked)."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(Kind):
            raise ValueError(f"unknown kind: {self.kind}")
        if self.times < 1 or self.piece < 1 or min(self.seconds, self.after, self.size) < 0:
            raise ValueError("times and piece count from 1, and nothing is negative")
        if (self.kind == "redirect") != bool(self.location):
            raise ValueError("a redirect, and nothing else, has a location")


def spoil_from_json(given: Json) -> Spoil:
    """Read a `Spoil` from its fields. Raises `ValueError`."""
    unknown = set(given) - {each.name for each in fields(Spoil)}
    if unknown or "kind" not in given:
        raise ValueError(f"a spoil has a kind, and no {', '.join(sorted(unknown)) or 'less'}")
    return Spoil(**given)


class Cdn:
    """Serves attachments to whoever has an address that is signed and has not expired."""

    def __init__(self, world: World, calls: CallLog, faults: Faults) -> None:
        self._world = world
        self._calls = calls
        self._faults = faults
        self._spoils: list[tuple[Spoil, int]] = []

    def spoil(self, spoil: Spoil) -> None:
        """Let the next downloads that match go wrong."""
        self._spoils.append((spoil, spoil.times))

    def clear(self) -> None:
        """Let downloads go well again."""
        self._spoils.clear()

    def add_to(self, app: web.Application) -> None:
        """Register the route."""
        app.router.add_get("/attachments/{channel}/{attachment}/{name}", self._serve)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        call = self._calls.begin("GET", request.path_qs)
        fault = self._faults.draw("GET", request.path)
        call.fault = fault.label if fault is not None else None
        status: int | None = None
        try:
            # A download changes nothing, so before and after are the same moment.
            struck = await strike(fault, "before", request) or await strike(fault, "after", request)
            answer = struck or await self._answer(request, call.notes)
            if fault is None or fault.action in ("status", "slow"):
                status = answer.status
            return answer
        finally:
            self._calls.end(call, status)

    async def _answer(self, request: web.Request, notes: Json) -> web.StreamResponse:
        attachment = self._attachment(request)
        if attachment is None or not self._world.files.good(request.path, request.query):
            # The text and status of Discord's own (github.com/useapi/discord-cdn-proxy, README).
            return web.Response(status=404, text="This content is no longer available.")
        spoil = self._draw(attachment["filename"])
        if spoil is None:
            return await self._whole(request, attachment)
        notes["spoil"] = spoil.kind
        if spoil.kind == "redirect":
            return web.Response(status=302, headers={"Location": spoil.location})
        return await self._spoilt(request, attachment, spoil)

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

    def _draw(self, name: str) -> Spoil | None:
        for index, (spoil, left) in enumerate(self._spoils):
            if spoil.name in name:
                self._spoils[index : index + 1] = [(spoil, left - 1)] if left > 1 else []
                return spoil
        return None

    async def _whole(self, request: web.Request, attachment: Json) -> web.StreamResponse:
        return await _send(request, attachment, attachment["size"], _zeros_or(self._data(attachment), attachment["size"]))

    async def _spoilt(self, request: web.Request, attachment: Json, spoil: Spoil) -> web.StreamResponse:
        data, size = self._data(attachment), attachment["size"]
        if spoil.kind == "slow":
            return await _send(request, attachment, size, _slowly(_zeros_or(data, size, spoil.piece), spoil.seconds))
        if spoil.kind == "cut":
            return await _send(request, attachment, size, _zeros_or(data, min(size, spoil.after)), short=True)
        if spoil.kind == "length":
            declared = size if spoil.declared is None else spoil.declared
            return await _send(request, attachment, declared, _zeros_or(data, size), short=True)
        declared = spoil.size if spoil.declared is None else spoil.declared
        return await _send(request, attachment, declared or None, _zeros_or(None, spoil.size), short=declared > spoil.size)

    def _data(self, attachment: Json) -> bytes | None:
        return self._world.files.read(int(attachment["id"]))


async def _send(
    request: web.Request, attachment: Json, length: int | None, body: AsyncGenerator[bytes], *, short: bool = False
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": attachment["content_type"]})
    if length is None:
        response.enable_chunked_encoding()
    else:
        response.content_length = length
    await response.prepare(request)
    try:
        async for piece in body:
            await response.write(piece)
        if short and request.transport is not None:
            request.transport.close()  # after what was written has left, unlike a cut
    except ConnectionError:
        cut(request)  # the caller has had enough
    return response


async def _zeros_or(data: bytes | None, size: int, piece: int = PIECE) -> AsyncGenerator[bytes]:
    """The first `size` bytes of what is kept, or as many zeros, never held as a whole."""
    zeros = bytes(min(piece, size))
    for begin in range(0, size, piece):
        end = min(size, begin + piece)
        yield zeros[: end - begin] if data is None else data[begin:end]


async def _slowly(pieces: AsyncGenerator[bytes], seconds: float) -> AsyncGenerator[bytes]:
    async for piece in pieces:
        yield piece
        await asyncio.sleep(seconds)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
