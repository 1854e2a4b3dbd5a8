"""Serving files, and the ways in which a download can go wrong."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, fields
from typing import Literal, get_args

from aiohttp import web

from sandbox.calls import CallLog
from sandbox.faults import Faults, cut, strike
from sandbox.telegram.api.server import Granted
from sandbox.telegram.model import File, Json
from sandbox.telegram.world import World

PIECE = 64 * 1024
Kind = Literal["slow", "cut", "redirect", "length", "huge"]


@dataclass(frozen=True, slots=True)
class Spoil:
    """How the next downloads go wrong."""

    kind: Kind
    """`slow`: pieces of `piece` bytes with `seconds` between them; `cut`: the connection is cut after `after` bytes;
    `redirect`: 302 to `location`; `length`: Content-Length is `declared` and the connection is cut at the body's end;
    `huge`: `size` bytes are sent, whatever the file's own size."""
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


class Downloads:
    """Files at `/file/bot<token>/<file_path>` (core.telegram.org/bots/api, getFile), logged as `/file/<file_path>`."""

    def __init__(self, world: World, granted: Granted, calls: CallLog, faults: Faults) -> None:
        self._world = world
        self._granted = granted
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
        app.router.add_get("/file/bot{token:[^/]+}/{path:.+}", self._serve)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        call = self._calls.begin(request.method, f"/file/{path}")
        fault = self._faults.draw(request.method, f"/file/{path}")
        call.fault = fault.label if fault is not None else None
        status: int | None = None
        try:
            answer: web.StreamResponse | None = await strike(fault, "before", request)
            if answer is None:
                answer = await self._give(request, path, call.notes)
                if fault is not None and not answer.prepared:
                    answer = await strike(fault, "after", request) or answer
            if fault is None or fault.action in ("status", "slow"):
                status = answer.status
            return answer
        finally:
            self._calls.end(call, status)

    async def _give(self, request: web.Request, path: str, notes: Json) -> web.StreamResponse:
        if request.match_info["token"] != self._granted.token:
            return _refused(401, "Unauthorized")
        linked, until = self._world.state.links.get(path, ("", 0.0))
        file = self._world.state.files.get(linked)
        if file is None or until <= self._world.now():
            return _refused(404, "Not Found")
        spoil, data = self._draw(file.name), self._world.files.read(file.id)
        if spoil is None:
            return await _send(request, file, file.size, _pieces(data, file.size))
        notes["spoil"] = spoil.kind
        if spoil.kind == "redirect":
            return web.Response(status=302, headers={"Location": spoil.location})
        return await _spoilt(request, file, data, spoil)

    def _draw(self, name: str) -> Spoil | None:
        for index, (spoil, left) in enumerate(self._spoils):
            if spoil.name in name:
                self._spoils[index : index + 1] = [(spoil, left - 1)] if left > 1 else []
                return spoil
        return None


def _refused(status: int, description: str) -> web.Response:
    return web.json_response({"ok": False, "error_code": status, "description": description}, status=status)


async def _spoilt(request: web.Request, file: File, data: bytes | None, spoil: Spoil) -> web.StreamResponse:
    if spoil.kind == "slow":
        return await _send(request, file, file.size, _slowly(_pieces(data, file.size, spoil.piece), spoil.seconds))
    if spoil.kind == "cut":
        return await _send(request, file, file.size, _pieces(data, min(file.size, spoil.after)), short=True)
    declared = spoil.declared
    if spoil.kind == "length":
        return await _send(request, file, file.size if declared is None else declared, _pieces(data, file.size), short=True)
    length = spoil.size if declared is None else declared
    return await _send(request, file, length or None, _pieces(None, spoil.size), short=length > spoil.size)


async def _send(
    request: web.Request, file: File, length: int | None, body: AsyncGenerator[bytes], *, short: bool = False
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "application/octet-stream"})
    if length is None:
        response.enable_chunked_encoding()
    else:
        response.content_length = length
    await response.prepare(request)
    # ConnectionError: the caller has had enough.
    with contextlib.suppress(ConnectionError):
        async for piece in body:
            await response.write(piece)
        if short and request.transport is not None:
            request.transport.close()  # after what was written has left, unlike a cut
        return response
    cut(request)
    return response


async def _pieces(data: bytes | None, size: int, piece: int = PIECE) -> AsyncGenerator[bytes]:
    """The first `size` bytes of what is kept, or as many zeros, never held as a whole."""
    zeros = bytes(min(piece, size))
    for begin in range(0, size, piece):
        end = min(size, begin + piece)
        yield zeros[: end - begin] if data is None else data[begin:end]


async def _slowly(pieces: AsyncGenerator[bytes], seconds: float) -> AsyncGenerator[bytes]:
    async for piece in pieces:
        yield piece
        await asyncio.sleep(seconds)
