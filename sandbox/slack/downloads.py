"""Serving and taking files, and the ways in which a download can go wrong."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, fields
from typing import Literal, get_args

from aiohttp import web

from sandbox.calls import CallLog
from sandbox.faults import Faults, cut, strike
from sandbox.slack.api.asked import Granted
from sandbox.slack.model import File, Json
from sandbox.slack.world import World

PIECE = 64 * 1024
LOGIN = "<!DOCTYPE html><html><head><title>Slack</title></head><body>Sign in to your workspace</body></html>"
"""What is answered to whoever may not have a file: a page with status 200, not an error (observed: vercel/eve pull request
1531; Slack documents only that the token is needed: File object, url_private)."""
Kind = Literal["slow", "cut", "redirect", "length", "huge", "login"]


@dataclass(frozen=True, slots=True)
class Spoil:
    """How the next downloads go wrong."""

    kind: Kind
    """`slow`: pieces of `piece` bytes with `seconds` between them; `cut`: the connection is cut after `after` bytes;
    `redirect`: 302 to `location`; `length`: Content-Length is `declared` and the connection is cut at the body's end;
    `huge`: `size` bytes are sent, whatever the file's own size; `login`: the login page, token or not."""
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
    """Private files behind the bearer token (docs.slack.dev, File object: url_private), and the addresses of uploads."""

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
        """Register the routes."""
        app.router.add_get("/files-pri/{place}/{name}", self._serve)
        app.router.add_get("/files-pri/{place}/download/{name}", self._serve)
        app.router.add_post("/upload/v1/{ticket}", self._serve)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        call = self._calls.begin(request.method, request.path)
        fault = self._faults.draw(request.method, request.path)
        call.fault = fault.label if fault is not None else None
        status: int | None = None
        try:
            answer: web.StreamResponse | None = await strike(fault, "before", request)
            if answer is None:
                upload = request.method == "POST"
                answer = await self._take(request) if upload else await self._give(request, call.notes)
                if upload or (fault is not None and not answer.prepared):
                    answer = await strike(fault, "after", request) or answer
            if fault is None or fault.action in ("status", "slow"):
                status = answer.status
            return answer
        finally:
            self._calls.end(call, status)

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
        spoil = self._draw(request.match_info["name"])
        bearer = request.headers.get("Authorization", "")
        allowed = bearer == f"Bearer {self._granted.token}" and "files:read" in self._granted.scopes
        if not allowed or (spoil is not None and spoil.kind == "login"):
            notes["login"] = True
            return web.Response(text=LOGIN, content_type="text/html")
        if file is None or file.deleted or file.mode in ("external", "hidden_by_limit", "tombstone"):
            return web.Response(status=404, text="<!DOCTYPE html><html><body>Not found</body></html>", content_type="text/html")
        data = self._world.files.read(file.id)
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


async def _uploaded(request: web.Request) -> bytes:
    if not request.content_type.startswith("multipart/"):
        return await request.read()
    for value in (await request.post()).values():
        if isinstance(value, web.FileField):
            return value.file.read()
    return b""


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
    response = web.StreamResponse(headers={"Content-Type": file.media})
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
