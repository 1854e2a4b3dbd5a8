"""Handing out a file, and the ways in which a download can go wrong."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, fields
from typing import ClassVar, Literal, Self, get_args

from aiohttp import web

from sandbox.faults import cut
from sandbox.values import Json

PIECE = 64 * 1024
Kind = Literal["slow", "cut", "redirect", "length", "huge"]
"""How any download can go wrong; a service may have ways of its own."""


@dataclass(frozen=True, slots=True)
class Spoil:
    """How the next downloads go wrong."""

    KINDS: ClassVar[tuple[str, ...]] = get_args(Kind)
    kind: str
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
        """Refuse what could only be a slip in a test. Raises `ValueError`."""
        if self.kind not in self.KINDS:
            raise ValueError(f"unknown kind: {self.kind}")
        if self.times < 1 or self.piece < 1 or min(self.seconds, self.after, self.size) < 0:
            raise ValueError("times and piece count from 1, and nothing is negative")
        if (self.kind == "redirect") != bool(self.location):
            raise ValueError("a redirect, and nothing else, has a location")

    @classmethod
    def of(cls, given: Json) -> Self:
        """Read a spoil from its fields. Raises `ValueError`."""
        unknown = set(given) - {each.name for each in fields(cls)}
        if unknown or "kind" not in given:
            raise ValueError(f"a spoil has a kind, and no {', '.join(sorted(unknown)) or 'less'}")
        return cls(**given)


class Spoils:
    """The spoils in force, in the order in which they were put there."""

    def __init__(self, spoil: type[Spoil]) -> None:
        """`spoil` is the service's own class of them."""
        self._spoil = spoil
        self._left: list[tuple[Spoil, int]] = []

    def read(self, given: Json) -> Spoil:
        """Read a spoil from its fields. Raises `ValueError`."""
        return self._spoil.of(given)

    def add(self, spoil: Spoil) -> None:
        """Let the next downloads that match go wrong."""
        self._left.append((spoil, spoil.times))

    def clear(self) -> None:
        """Let downloads go well again."""
        self._left.clear()

    def draw(self, name: str) -> Spoil | None:
        """The spoil that strikes the download of a file of this name, if any. It counts as used."""
        for index, (spoil, left) in enumerate(self._left):
            if spoil.name in name:
                self._left[index : index + 1] = [(spoil, left - 1)] if left > 1 else []
                return spoil
        return None


@dataclass(frozen=True, slots=True)
class Content:
    """What a download carries: `size` bytes, of which `data` is None when only their number is known."""

    media: str
    size: int
    data: bytes | None


async def give(request: web.Request, content: Content, spoil: Spoil | None, notes: Json) -> web.StreamResponse:
    """Answer with a file, well or as `spoil` says, which is noted in the log of calls."""
    size, data = content.size, content.data
    if spoil is None:
        return await _send(request, content, size, _pieces(data, size))
    notes["spoil"] = spoil.kind
    if spoil.kind == "redirect":
        return web.Response(status=302, headers={"Location": spoil.location})
    if spoil.kind == "slow":
        return await _send(request, content, size, _slowly(_pieces(data, size, spoil.piece), spoil.seconds))
    if spoil.kind == "cut":
        return await _send(request, content, size, _pieces(data, min(size, spoil.after)), short=True)
    if spoil.kind == "length":
        declared = size if spoil.declared is None else spoil.declared
        return await _send(request, content, declared, _pieces(data, size), short=True)
    declared = spoil.size if spoil.declared is None else spoil.declared
    return await _send(request, content, declared or None, _pieces(None, spoil.size), short=declared > spoil.size)


async def _send(
    request: web.Request, content: Content, length: int | None, body: AsyncGenerator[bytes], *, short: bool = False
) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": content.media})
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
