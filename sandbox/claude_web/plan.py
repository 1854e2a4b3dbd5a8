"""An answer as the steps of its stream.

Events and their order as in captures and claude-webapi; ping and the lesser ones as in OmniRoute.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sandbox.claude.steps import PING, Step, event, halve, with_pings
from sandbox.claude.texts import pieces

from .model import JsonObject, stamp
from .script import Script

_TOOL_INPUT = ('{"command":', ' "run"}')


@dataclass(frozen=True, slots=True)
class Head:
    """What the events tell of the message: its number in this run, its uuids, its model, when it began (Unix seconds)."""

    number: int
    uuid: str
    parent: str
    model: str | None
    at: float
    limit: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole stream: its steps in order, and what the conversation keeps of it."""

    head: Head
    script: Script
    steps: Sequence[Step]
    parts: Sequence[str]

    @property
    def text(self) -> str:
        """The whole text of the answer, whether the stream carries it to the end or not."""
        return "".join(self.parts)

    @property
    def duration(self) -> float:
        """Seconds from the stream's head to the regular end of the whole answer."""
        return self.script.think + self.script.seconds

    def blocks(self, deltas: int | None = None) -> list[JsonObject]:
        """The content that is stored when so many deltas (None: all) have been made."""
        script = self.script
        begun = {"start_timestamp": stamp(self.head.at), "stop_timestamp": stamp(self.head.at), "flags": None}
        blocks: list[JsonObject] = []
        if script.thinking:
            blocks.append({**begun, "type": "thinking", "thinking": script.thinking, "summaries": []})
        if script.tool is not None:
            blocks.append({**begun, **_tool_use(self.head, script.tool), "input": json.loads("".join(_TOOL_INPUT))})
            blocks.append({**begun, **_tool_result(self.head, script.tool)})
        blocks.append({**begun, "type": "text", "text": "".join(self.parts[:deltas]), "citations": []})
        return blocks

    def stopped(self) -> bytes:
        """The events that end an answer which its caller stopped (assumed; the stop reason is in captures)."""
        index = len(self.blocks()) - 1
        events = (
            event("content_block_stop", {"index": index, "stop_timestamp": stamp(self.head.at)}),
            event("message_delta", {"delta": {"stop_reason": "user_canceled", "stop_sequence": None}}),
            event("message_stop", {}),
        )
        return _with_newlines(b"".join(events), self.script.newline)

    @property
    def ping(self) -> bytes:
        """A ping in the line ends of this stream."""
        return _with_newlines(PING, self.script.newline)


# A comment, an event of two data lines, and an event without a name: all are allowed by the HTML standard,
# "Server-sent events", and none is known to a client.
_STRANGE = b': comment\n\nevent: shimmer\ndata: {"type":"shimmer",\ndata: "note":"unknown"}\n\nid: 7\nretry: 100\n\n'


def plan(script: Script, text: str, head: Head, *, error: bytes) -> Plan:
    """Lay out the stream that `script` asks for. `error` is the body of its error event, should it end with one."""
    parts = pieces(text, script.deltas)
    steps = list(_begin(script, head))
    index = len(Plan(head, script, (), ()).blocks()) - 1
    begun = {"start_timestamp": stamp(head.at), "stop_timestamp": None, "flags": None}
    block = {**begun, "type": "text", "text": "", "citations": list[object]()}
    steps.append(Step(script.think, event("content_block_start", {"index": index, "content_block": block})))
    gap = script.seconds / (len(parts) - 1) if len(parts) > 1 else 0.0
    last = len(parts) if script.after is None else min(script.after, len(parts))
    at = script.think
    for number, part in enumerate(parts[:last], start=1):
        at = script.think + gap * (number - 1)
        delta = {"index": index, "delta": {"type": "text_delta", "text": part}}
        steps.append(Step(at, event("content_block_delta", delta), number))
    if script.ending == "whole":
        steps += (Step(at, data) for data in _close(script, head, index))
        steps[-1] = replace(steps[-1], closing=True)
    elif script.ending == "error":
        steps.append(Step(at, b"event: error\ndata: " + error + b"\n\n"))
    steps = [replace(step, data=_with_newlines(step.data, script.newline)) for step in steps]
    return Plan(head, script, _cut(script, steps), parts)


def _cut(script: Script, steps: list[Step]) -> list[Step]:
    if script.pings is not None:
        ping = _with_newlines(PING, script.newline)
        steps = list(with_pings(steps, script.pings, ping))
    if script.bytes_each is not None:
        return list(_shred(steps, script.bytes_each))
    return list(halve(steps)) if script.split_bytes else steps


def _begin(script: Script, head: Head) -> Iterator[Step]:
    message: dict[str, object] = {
        "id": f"chatcompl_{head.number:08d}",
        "type": "message",
        "role": "assistant",
        "model": head.model,
        "parent_uuid": head.parent,
        "uuid": head.uuid,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "trace_id": f"{head.number:032x}",
        "request_id": f"req_{head.number:08d}",
    }
    if script.unknown_events:
        yield Step(0.0, event("conversation_ready", {"status": "ready"}))
    yield Step(0.0, event("message_start", {"message": message}))
    if script.unknown_events:
        yield Step(0.0, _STRANGE)
    index = 0
    if script.thinking:
        yield from _thinking(script, head)
        index = 1
    if script.tool is not None:
        yield from _tool(script.tool, head, index, script.think)
    if script.unknown_events:
        yield Step(script.think, PING)
        yield Step(script.think, event("content_block_delta", {"index": 0, "delta": {"type": "shimmer_delta", "glow": 1}}))


def _thinking(script: Script, head: Head) -> Iterator[Step]:
    parts = pieces(script.thinking, script.thinking_deltas)
    block = {"start_timestamp": stamp(head.at), "stop_timestamp": None, "flags": None, "type": "thinking", "thinking": ""}
    yield Step(0.0, event("content_block_start", {"index": 0, "content_block": {**block, "summaries": []}}))
    at = 0.0
    for number, part in enumerate(parts):
        at = script.think * number / len(parts)
        yield Step(at, event("content_block_delta", {"index": 0, "delta": {"type": "thinking_delta", "thinking": part}}))
    summary = {"type": "thinking_summary_delta", "summary": {"summary": "Thinking about it"}}
    yield Step(at, event("content_block_delta", {"index": 0, "delta": summary}))
    yield Step(at, event("content_block_stop", {"index": 0, "stop_timestamp": stamp(head.at)}))


def _tool_use(head: Head, name: str) -> JsonObject:
    return {"type": "tool_use", "id": f"toolu_{head.number:08d}", "name": name}


def _tool_result(head: Head, name: str) -> JsonObject:
    content = [{"type": "text", "text": "done"}]
    named = {"tool_use_id": f"toolu_{head.number:08d}", "name": name}
    return {"type": "tool_result", **named, "content": content, "is_error": False}


def _tool(name: str, head: Head, index: int, at: float) -> Iterator[Step]:
    stop = {"stop_timestamp": stamp(head.at)}
    use = {**_tool_use(head, name), "input": dict[str, object]()}
    yield Step(at, event("content_block_start", {"index": index, "content_block": use}))
    for part in _TOOL_INPUT:
        delta = {"type": "input_json_delta", "partial_json": part}
        yield Step(at, event("content_block_delta", {"index": index, "delta": delta}))
    yield Step(at, event("content_block_stop", {"index": index, **stop}))
    # Assumed: the result is whole in the start of its block.
    yield Step(at, event("content_block_start", {"index": index + 1, "content_block": _tool_result(head, name)}))
    yield Step(at, event("content_block_stop", {"index": index + 1, **stop}))


def _close(script: Script, head: Head, index: int) -> Iterator[bytes]:
    yield event("content_block_stop", {"index": index, "stop_timestamp": stamp(head.at)})
    yield event("message_delta", {"delta": {"stop_reason": script.stop, "stop_sequence": None}})
    if script.limit_event:
        yield event("message_limit", {"message_limit": head.limit})
    yield event("message_stop", {})


def _with_newlines(data: bytes, newline: str) -> bytes:
    """Change the line ends. JSON has none of its own, so that every LF of the data ends a line."""
    return data if newline == "\n" else data.replace(b"\n", newline.encode())


def _shred(steps: Sequence[Step], size: int) -> Iterator[Step]:
    """Cut every step into pieces of `size` bytes, each a millisecond after the one before."""
    late = 0.0
    for step in steps:
        for begin in range(0, len(step.data), size):
            piece = step.data[begin : begin + size]
            whole = begin + size >= len(step.data)
            yield Step(step.at + late, piece, step.delta if whole else 0, step.closing and whole, not whole)
            late += 0.001
