"""An answer as bytes with times: everything is encoded before the first byte leaves, so a drip costs one timer.

Events as in the Anthropic developer docs, "Streaming messages".
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from .script import Script
from .texts import pieces, signature


@dataclass(frozen=True, slots=True)
class Step:
    """Bytes that leave `at` seconds after the stream's head. `delta` counts text deltas from 1; 0 is anything else."""

    at: float
    data: bytes
    delta: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole stream: its steps in order, and what comes after the last one."""

    steps: Sequence[Step]
    ending: str
    text: str
    pings: float | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """What the first event tells of the message."""

    id: str
    model: str
    usage: Mapping[str, int] = field(default_factory=dict[str, int])


def event(name: str, data: Mapping[str, object]) -> bytes:
    """Encode one server-sent event; its data carry the name as `type`."""
    body = json.dumps({"type": name, **data}, ensure_ascii=False, separators=(",", ":"))
    return f"event: {name}\ndata: {body}\n\n".encode()


PING = event("ping", {})


def plan(script: Script, text: str, head: Head, *, error: bytes, key: str) -> Plan:
    """Lay out the stream that `script` asks for. `error` is the body of its error event, should it end with one."""
    steps = list(_begin(script, head, key))
    parts = pieces(text, script.deltas)
    gap = script.seconds / (len(parts) - 1) if len(parts) > 1 else 0.0
    stop_after = len(parts) if script.after is None else min(script.after, len(parts))
    index = 1 if script.thinking else 0
    at = script.think
    for number, part in enumerate(parts[:stop_after], start=1):
        at = script.think + gap * (number - 1)
        delta = {"index": index, "delta": {"type": "text_delta", "text": part}}
        steps.append(Step(at, event("content_block_delta", delta), number))
    if script.ending == "whole":
        steps += (Step(at, data) for data in _close(script, head, index, len(text)))
    elif script.ending == "error":
        steps.append(Step(at, b"event: error\ndata: " + error + b"\n\n"))
    if script.split_bytes:
        steps = list(_shred(steps))
    if script.pings is not None:
        steps = list(_with_pings(steps, script.pings))
    return Plan(steps, script.ending, text, script.pings)


def _begin(script: Script, head: Head, key: str) -> Iterator[Step]:
    message: dict[str, object] = {
        "id": head.id,
        "type": "message",
        "role": "assistant",
        "model": head.model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {**head.usage, "output_tokens": 1},
    }
    yield Step(0.0, event("message_start", {"message": message}))
    if script.unknown_events:
        yield Step(0.0, event("shimmer", {"note": "an event that no client knows"}))
    index = 0
    if script.thinking:
        yield from _thinking(script, key)
        index = 1
    yield Step(0.0, event("content_block_start", {"index": index, "content_block": {"type": "text", "text": ""}}))
    yield Step(0.0, PING)
    if script.unknown_events:
        yield Step(0.0, event("content_block_delta", {"index": index, "delta": {"type": "shimmer_delta", "glow": 1}}))


def _thinking(script: Script, key: str) -> Iterator[Step]:
    parts = pieces(script.thinking, script.thinking_deltas)
    block = {"type": "thinking", "thinking": "", "signature": ""}
    yield Step(0.0, event("content_block_start", {"index": 0, "content_block": block}))
    for number, part in enumerate(parts):
        at = script.think * number / len(parts)
        yield Step(at, event("content_block_delta", {"index": 0, "delta": {"type": "thinking_delta", "thinking": part}}))
    at = script.think * (len(parts) - 1) / len(parts)
    sign = {"type": "signature_delta", "signature": signature(script.thinking, key)}
    yield Step(at, event("content_block_delta", {"index": 0, "delta": sign}))
    yield Step(at, event("content_block_stop", {"index": 0}))


def _close(script: Script, head: Head, index: int, length: int) -> Iterator[bytes]:
    yield event("content_block_stop", {"index": index})
    delta: dict[str, object] = {"stop_reason": script.stop, "stop_sequence": script.stop_sequence}
    if script.stop == "refusal":
        delta["stop_details"] = {"type": "refusal", "category": script.category, "explanation": script.explanation}
    usage = {**head.usage, "output_tokens": length // 4 + 1, **script.usage}
    yield event("message_delta", {"delta": delta, "usage": usage})
    yield event("message_stop", {})


def _shred(steps: Sequence[Step]) -> Iterator[Step]:
    """Cut each delta inside its last multi-byte character (else in the middle); the rest leaves a millisecond later."""
    late = 0.0
    for step in steps:
        if not step.delta:
            yield Step(step.at + late, step.data)
            continue
        inside = [place for place, byte in enumerate(step.data) if byte & 0xC0 == 0x80]
        cut = inside[-1] if inside else len(step.data) // 2
        yield Step(step.at + late, step.data[:cut])
        late += 0.001
        yield Step(step.at + late, step.data[cut:], step.delta)


def _with_pings(steps: Sequence[Step], every: float) -> Iterator[Step]:
    """Put a ping into the stream each `every` seconds up to its last step."""
    at = every
    for step in steps:
        while at < step.at:
            yield Step(at, PING)
            at += every
        yield step
