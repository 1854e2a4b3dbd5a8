"""What a person sees of a platform, told as server-sent events: first everything, then what has become different.

What is seen is worked out anew after each change, and compared with what was told last. So a state that comes from time alone
is told as well, a slow browser skips states, and after a lost connection the first event brings everything back.
"""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from sandbox.page import guard
from sandbox.page.seat import Json, Refusal, Seat

TOGETHER = 0.04
"""Seconds in which changes are gathered: a browser draws no faster anyway."""
TICK = 1.0
"""Seconds after which it is looked again, for what comes from time alone."""
BEAT = 10
"""Ticks after which an empty line is sent, so that a lost connection is noticed."""
MOST = 1_000
"""How many messages are told at most, the latest ones."""
CALLS = 60
"""How many calls are told, the latest ones."""


def view(seat: Seat, by: str, place: str, most: int, state: str) -> Json:
    """Everything that a person sees. A person or place that is not there stands for the first one."""
    people = seat.people()
    by = by if by in [each["name"] for each in people] else people[0]["name"]
    places = seat.places(by)
    gone = None
    try:
        part = seat.read(by, place, most) if place else None
    except Refusal as refusal:
        part, gone = None, str(refusal) if place else None
    if part is None:
        place = places[0]["id"]
        part = seat.read(by, place, most)
    return {
        "platform": seat.name,
        "as": by,
        "in": place,
        "gone": gone,
        "server": state,
        "replies": seat.replies,
        "people": people,
        "places": places,
        "messages": part.messages,
        "earlier": part.earlier and most < MOST,
        "busy": seat.busy(by, place),
        "menu": seat.menu(by, place),
        "prompts": seat.prompts(by, place),
        "toasts": seat.toasts(by),
        "calls": calls(seat),
        "faults": [rule.status if rule.action == "status" else rule.action for rule in seat.faults.in_force().values()],
    }


def calls(seat: Seat) -> list[Json]:
    """The latest calls, oldest first: `status` is None and `ms` too while one is open."""
    told: list[Json] = []
    for call in list(seat.calls)[-CALLS:]:
        took = None if call.ended_mono is None else round(1000 * (call.ended_mono - call.arrived_mono))
        ended = call.ended is not None
        told.append(
            {
                "id": str(call.number),
                "at": call.arrived,
                "method": call.method,
                "what": seat.called(call),
                "status": call.status,
                "open": not ended,
                "ms": took,
                "fault": call.fault,
            }
        )
    return told


def difference(before: Json, now: Json) -> Json:
    """What is to be told of `now` to somebody who was told `before`: of lists with ids only what has changed."""
    told: Json = {}
    for name, value in now.items():
        if value == before.get(name):
            continue
        if name in ("messages", "calls"):
            told[name] = _changed(before[name], value)
        else:
            told[name] = value
    return told


def _changed(before: list[Json], now: list[Json]) -> Json:
    """`set`: those that are new or different, each with the id of the one before it; `gone`: the ids of the others."""
    known = {each["id"]: each for each in before}
    ids = [each["id"] for each in now]
    changed = [each | {"after": ids[at - 1] if at else None} for at, each in enumerate(now) if known.get(each["id"]) != each]
    left = set(ids)
    return {"set": changed, "gone": [each["id"] for each in before if each["id"] not in left]}


async def follow(
    request: web.Request,
    seat: Seat,
    by: str,
    place: str,
    most: int,
    about: Json,
    state: Callable[[], str],
    over: Callable[[], bool],
) -> web.StreamResponse:
    """Tell one browser what a person sees, until it goes away or the page is over."""
    now = view(seat, by, place, most, state())
    by, place = now["as"], now["in"]
    await seat.opened(by, place)
    headers = guard.headers() | {"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"}
    response = web.StreamResponse(headers=headers)
    await response.prepare(request)
    changed = asyncio.Event()
    woken = asyncio.create_task(_wake(seat, changed, over))
    try:
        await response.write(b"retry: 1000\n" + _event("all", now | about))
        quiet = 0
        while not over():
            try:
                async with asyncio.timeout(TICK):
                    await changed.wait()
            except TimeoutError:
                quiet += 1
            await asyncio.sleep(TOGETHER)
            changed.clear()
            seen = view(seat, by, place, most, state())
            if told := difference(now, seen):
                await response.write(_event("some", told))
                quiet = 0
            elif quiet >= BEAT:
                await response.write(b": still here\n\n")
                quiet = 0
            now = seen
            by, place = now["as"], now["in"]
    except ConnectionError:
        pass  # the browser went away
    finally:
        woken.cancel()
    return response


async def _wake(seat: Seat, changed: asyncio.Event, over: Callable[[], bool]) -> None:
    def noted() -> bool:
        changed.set()
        return over()

    while not over():
        try:
            await seat.changes.wait_for(noted, timeout=3600.0)
        except TimeoutError:
            continue


def _event(name: str, data: Any) -> bytes:
    told = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    # Half of a pair of surrogates, which JSON can carry and UTF-8 cannot, would end the stream each time that it is told.
    return f"event: {name}\ndata: {told}\n\n".encode(errors="replace")
