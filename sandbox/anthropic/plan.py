"""An answer as the steps of its stream. Events as in the Anthropic developer docs, "Streaming messages"."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.claude.steps import PING, Step, event, halve, with_pings

from .answer import Answer
from .parts import Part
from .script import Script


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole stream: its steps in order, and what comes after the last one."""

    steps: Sequence[Step]
    ending: str
    pings: float | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """Which message it is, and whose."""

    id: str
    model: str


def plan(script: Script, answer: Answer, head: Head, *, error: bytes) -> Plan:
    """Lay out the stream that `script` asks for. `error` is the body of its error event, should it end with one."""
    sheet = _Sheet(script)
    sheet.begin(answer, head)
    sheet.blocks(answer.parts)
    if script.ending == "whole":
        sheet.end(answer)
    steps = sheet.steps
    if script.ending != "whole" and script.after_events is not None:
        steps = steps[: max(1, script.after_events)]
    if script.ending == "error":
        steps.append(Step(steps[-1].at, b"event: error\ndata: " + error + b"\n\n"))
    if script.split_bytes:
        steps = list(halve(steps))
    if script.pings is not None:
        steps = list(with_pings(steps, script.pings))
    return Plan(steps, script.ending, script.pings)


def message(answer: Answer, head: Head) -> dict[str, object]:
    """Return the answer as one message, for a request without a stream."""
    found: dict[str, object] = {
        "id": head.id,
        "type": "message",
        "role": "assistant",
        "model": head.model,
        "content": answer.content,
        "stop_reason": answer.stop,
        "stop_sequence": answer.stop_sequence,
        "stop_details": answer.details,
        "container": answer.container,
        "usage": {**answer.begun, **answer.usage},
    }
    return {**found, "context_management": {"applied_edits": []}} if answer.managed else found


class _Sheet:
    """The steps of a stream, as far as they are written."""

    def __init__(self, script: Script) -> None:
        self.steps: list[Step] = []
        self._script = script
        self._at = 0.0
        self._spoken = 0

    def begin(self, answer: Answer, head: Head) -> None:
        nothing: list[object] = []
        empty = message(answer, head)
        empty.update(content=nothing, stop_reason=None, stop_sequence=None, stop_details=None, container=None, usage=answer.begun)
        empty.pop("context_management", None)
        self._put("message_start", {"message": empty})
        if self._script.unknown_events:
            self._put("shimmer", {"note": "an event that no client knows"})

    def blocks(self, parts: Sequence[Part]) -> None:
        whole = self._script.ending == "whole"
        for index, part in enumerate(parts):
            self._at += part.wait
            self._put("content_block_start", {"index": index, "content_block": part.start})
            if index == 0:
                self.steps.append(Step(self._at, PING))
                if self._script.unknown_events:
                    self._put("content_block_delta", {"index": 0, "delta": {"type": "shimmer_delta", "glow": 1}})
            done = self._deltas(index, part)
            if whole or (index < len(parts) - 1 and not done):
                self._put("content_block_stop", {"index": index})
            if done:
                return

    def _deltas(self, index: int, part: Part) -> bool:
        """Write the deltas of a block; True when the stream has had its last."""
        after = self._script.after
        begun = self._at + part.lead
        if [delta.get("type") for delta in part.deltas] == ["signature_delta"]:
            begun += part.seconds  # a thought that is not shown takes its time all the same
        gap = part.seconds / (len(part.deltas) - 1) if len(part.deltas) > 1 else 0.0
        for number, delta in enumerate(part.deltas):
            spoken = delta.get("type") == "text_delta"
            if spoken and after is not None and self._spoken >= after:
                return True
            self._at = begun + gap * number
            self._spoken += spoken
            self._put("content_block_delta", {"index": index, "delta": delta}, self._spoken if spoken else 0)
            if spoken and self._spoken == after:
                return True
        self._at = max(self._at, begun)
        return False

    def end(self, answer: Answer) -> None:
        delta: dict[str, object] = {"stop_reason": answer.stop, "stop_sequence": answer.stop_sequence}
        if answer.details is not None:
            delta["stop_details"] = answer.details
        if answer.container is not None:
            delta["container"] = answer.container
        data: dict[str, object] = {"delta": delta, "usage": answer.usage}
        if answer.managed:
            data["context_management"] = {"applied_edits": []}
        self._put("message_delta", data)
        self._put("message_stop", {})

    def _put(self, name: str, data: Mapping[str, object], delta: int = 0) -> None:
        self.steps.append(Step(self._at, event(name, data), delta))
