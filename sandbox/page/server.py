"""The page's own small server: its files, what is seen, what is done. It is for one browser on this machine."""

import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from types import TracebackType
from typing import Any, Literal, Self, cast

from aiohttp import web

from sandbox.page import guard
from sandbox.page.following import MOST, follow
from sandbox.page.seat import MISHAPS, Json, Refusal, Seat

BODY = 40 * 1024 * 1024
"""Bytes of one request: ten files of a few megabytes each, in base64."""
TEXT = 20_000
"""Characters of what is written; platforms take less."""
_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript", "svg": "image/svg+xml"}


State = Literal["up", "starting", "stopping", "down"]


@dataclass(frozen=True, slots=True)
class Switch:
    """What can be done to the server that the platforms are for. Each does nothing where it makes no sense."""

    state: Callable[[], State]
    restart: Callable[[], Awaitable[None]]
    """Stop it in the midst of what it does, and start it again."""
    stop: Callable[[], Awaitable[None]]
    """Stop it in the midst of what it does."""
    start: Callable[[], Awaitable[None]]
    """Start it after a stop."""


class Page:
    """The page. Use it as an async context manager; inside, `url` is where it is."""

    def __init__(self, seats: Sequence[Seat], token: str, *, port: int = 0, switch: Switch | None = None) -> None:
        """`token` is the secret part of the address. `port` 0 takes a free one."""
        self._seats: Mapping[str, Seat] = {seat.name: seat for seat in seats}
        self._token = token
        self._port = port
        self._switch = switch
        self._runner: web.AppRunner | None = None
        self._over = False

    async def __aenter__(self) -> Self:
        """Begin to listen. Raises `OSError` if the port is taken."""
        app = web.Application(client_max_size=BODY, middlewares=[guard.guarding(self._token)])
        home = f"/{self._token}"
        app.router.add_get(home + "/", self._index)
        app.router.add_get(home + "/static/{name}", self._static)
        app.router.add_get(home + "/events", self._events)
        app.router.add_get(home + "/file/{platform}/{message}/{file}", self._file)
        app.router.add_post(home + "/do/{what}", self._do)
        app.on_shutdown.append(self._end)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", self._port).start()
        except OSError:
            await runner.cleanup()
            raise
        self._port = runner.addresses[0][1]
        self._runner = runner
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    @property
    def port(self) -> int:
        """Where it listens."""
        return self._port

    @property
    def url(self) -> str:
        """The address, with its secret."""
        return f"http://127.0.0.1:{self._port}/{self._token}/"

    async def _end(self, _: web.Application) -> None:
        self._over = True
        for seat in self._seats.values():
            seat.changes.notify()  # the streams look whether it is over

    async def _index(self, request: web.Request) -> web.StreamResponse:
        return _asset("index.html")

    async def _static(self, request: web.Request) -> web.StreamResponse:
        return _asset(request.match_info["name"])

    async def _events(self, request: web.Request) -> web.StreamResponse:
        seat = self._seat(request.query.get("platform", ""))
        by, place = request.query.get("as", ""), request.query.get("in", "")
        most = request.query.get("most", "60")
        if not re.fullmatch(r"\d{1,9}", most, re.ASCII):
            raise Refusal("most is a number of messages.")
        state = self._switch.state if self._switch else lambda: "up"
        platforms = [{"name": each.name, "title": each.title} for each in self._seats.values()]
        about = {"platforms": platforms, "restarts": self._switch is not None}
        return await follow(request, seat, by, place, max(1, min(int(most), MOST)), about, state, lambda: self._over)

    async def _file(self, request: web.Request) -> web.StreamResponse:
        named = request.match_info
        blob = self._seat(named["platform"]).file(request.query.get("as", ""), named["message"], named["file"])
        return guard.file_response(blob)

    async def _do(self, request: web.Request) -> web.StreamResponse:
        body = await _body(request)
        what = request.match_info["what"]
        if what == "server":
            await self._server(_text(body, "turn"))
            return web.json_response({})
        seat = self._seat(_text(body, "platform"))
        doing = _DOINGS.get(what)
        if doing is None:
            raise web.HTTPNotFound
        if _text(body, "as") not in [each["name"] for each in seat.people()]:
            raise Refusal("There is nobody of that name here.")
        return web.json_response(await doing(seat, body) or {})

    async def _server(self, turn: str) -> None:
        switch = self._switch
        doing = None if switch is None else {"restart": switch.restart, "stop": switch.stop, "start": switch.start}.get(turn)
        if doing is None:
            raise Refusal("There is no server here with which that can be done.")
        await doing()
        for seat in self._seats.values():
            seat.changes.notify()

    def _seat(self, name: str) -> Seat:
        seat = self._seats.get(name) or (next(iter(self._seats.values())) if not name else None)
        if seat is None:
            raise Refusal("There is no such platform here.")
        return seat


async def _write(seat: Seat, body: Json) -> None:
    files = body.get("files", [])
    if not isinstance(files, list) or not all(isinstance(each, dict) for each in cast("list[object]", files)):
        raise Refusal("files is a list of files.")
    reply_to = _text(body, "reply_to") if body.get("reply_to") else None
    await seat.write(_text(body, "as"), _text(body, "in"), _written(body), cast("list[Json]", files), reply_to)


async def _edit(seat: Seat, body: Json) -> None:
    await seat.edit(_text(body, "as"), _text(body, "message"), _written(body))


async def _complete(seat: Seat, body: Json) -> Json:
    return {"choices": await seat.complete(_text(body, "as"), _text(body, "in"), _written(body))}


async def _delete(seat: Seat, body: Json) -> None:
    await seat.delete(_text(body, "as"), _text(body, "message"))


async def _press(seat: Seat, body: Json) -> None:
    await seat.press(_text(body, "as"), _text(body, "message"), _text(body, "button"))


async def _react(seat: Seat, body: Json) -> None:
    remove = body.get("remove") is True
    await seat.react(_text(body, "as"), _text(body, "message"), _text(body, "emoji"), remove=remove)


async def _mishap(seat: Seat, body: Json) -> None:
    name = _text(body, "mishap")
    if name == "drop":
        await seat.drop()
    elif name == "none":
        seat.faults.clear()
    elif name in MISHAPS:
        seat.faults.set(seat.fault(name))
    else:
        raise Refusal("There is no such mishap.")
    seat.changes.notify()


_DOINGS: Mapping[str, Callable[[Seat, Json], Awaitable[Json | None]]] = {
    "write": _write,
    "complete": _complete,
    "edit": _edit,
    "delete": _delete,
    "press": _press,
    "react": _react,
    "mishap": _mishap,
}


def _written(body: Json) -> str:
    text = _text(body, "text", empty=True)
    if len(text) > TEXT:
        raise Refusal(f"That is too long: {len(text)} characters of at most {TEXT}.")
    return text


def _text(body: Json, name: str, *, empty: bool = False) -> str:
    value = body.get(name, "" if empty else None)
    if not isinstance(value, str) or not (value or empty):
        raise Refusal(f"{name} is missing.")
    return value


async def _body(request: web.Request) -> Json:
    try:
        value: Any = json.loads(await request.read())
    except (ValueError, RecursionError):
        raise Refusal("The body is no JSON.") from None
    if not isinstance(value, dict):
        raise Refusal("The body is no JSON object.")
    return cast("Json", value)


def _asset(name: str) -> web.Response:
    """A file of the page itself. Names are only looked for among the files that there are: no path leads elsewhere."""
    folder = resources.files("sandbox.page") / "static"
    found = next((each for each in folder.iterdir() if each.name == name and each.is_file()), None)
    if found is None:
        raise web.HTTPNotFound
    kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
    return web.Response(body=found.read_bytes(), content_type=kind, charset="utf-8")
