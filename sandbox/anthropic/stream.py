"""Sending an answer as a stream."""

from aiohttp import web

from sandbox.claude.player import Note, Player

from .plan import Plan


async def send(request: web.Request, response: web.StreamResponse, plan: Plan, note: Note) -> None:
    """Send a plan as the body of a response whose head is on its way, and end as the plan says.

    `note` is told each delta and the time (loop clock, `time.monotonic`) at which it was handed to the connection.
    """
    transport = request.transport
    if transport is None:
        return
    await response.write(plan.steps[0].data)  # aiohttp holds the head back until the first write
    player = Player(plan.steps, transport, note)
    await player.play()
    if plan.ending == "cut":
        transport.abort()
    elif plan.ending == "silence":
        await player.silence(plan.pings)
    else:
        await response.write_eof()
