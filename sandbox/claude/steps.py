"""A stream as bytes with times: everything is encoded before the first byte leaves, so a drip costs one timer.

Events as in the Anthropic developer docs, "Streaming messages".
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Step:
    """Bytes that leave `at` seconds after the stream's head. `delta` counts text deltas from 1; 0 is anything else.

    `closing` marks the last event of an answer that ends well, `open` a piece whose event goes on in the next step.
    """

    at: float
    data: bytes
    delta: int = 0
    closing: bool = False
    open: bool = False


def event(name: str, data: Mapping[str, object]) -> bytes:
    """Encode one server-sent event; its data carry the name as `type`."""
    body = json.dumps({"type": name, **data}, ensure_ascii=False, separators=(",", ":"))
    return f"event: {name}\ndata: {body}\n\n".encode()


PING = event("ping", {})


def halve(steps: Sequence[Step]) -> Iterator[Step]:
    """Cut each delta inside its last multi-byte character (else in the middle); the rest leaves a millisecond later."""
    late = 0.0
    for step in steps:
        if not step.delta:
            yield replace(step, at=step.at + late)
            continue
        inside = [place for place, byte in enumerate(step.data) if byte & 0xC0 == 0x80]
        cut = inside[-1] if inside else len(step.data) // 2
        yield Step(step.at + late, step.data[:cut], open=True)
        late += 0.001
        yield Step(step.at + late, step.data[cut:], step.delta)


def with_pings(steps: Sequence[Step], every: float, ping: bytes = PING) -> Iterator[Step]:
    """Put a ping into the stream each `every` seconds up to its last step."""
    at = every
    for step in steps:
        while at < step.at:
            yield Step(at, ping)
            at += every
        yield step
