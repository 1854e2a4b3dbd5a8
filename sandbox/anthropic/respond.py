"""Answers in one piece: JSON, and refusals. Each notes in the log what it was."""

from aiohttp import web

from sandbox.calls import Call
from sandbox.faults import Rule, strike

from .errors import Refusal


def refuse(call: Call, refusal: Refusal) -> web.Response:
    """Answer a call with a refusal."""
    request_id = str(call.notes["request_id"])
    call.status = refusal.status
    call.notes["outcome"] = "refused"
    headers = {"request-id": request_id, "content-type": "application/json", **refusal.headers}
    return web.Response(status=refusal.status, body=refusal.body(request_id), headers=headers)


def answer_json(call: Call, data: object) -> web.Response:
    """Answer a call with JSON."""
    call.status = 200
    call.notes["outcome"] = "json"
    return web.json_response(data, headers={"request-id": str(call.notes["request_id"])})


async def struck(call: Call, request: web.Request, fault: Rule | None) -> web.Response | None:
    """Let a fault strike before the call takes effect; the answer to give in place of the real one, if it does."""
    answer = await strike(fault, "before", request)
    if answer is not None:
        call.notes["outcome"] = "fault"
        call.status = answer.status if fault is not None and fault.action == "status" else None
    return answer
