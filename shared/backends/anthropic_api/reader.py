"""From the events of a stream to answers. Pure: names and data in, answers out.

Events as in the Anthropic developer docs, "Streaming messages". Unknown events, blocks and deltas are passed over, as
these docs ask of every client.
"""

import json
from collections.abc import Iterator
from typing import Any, cast

from shared.backends import Answer, Blocks, Delta, Finished, Stop, Thinking, Usage

Object = dict[str, Any]

_STOPS: dict[str, Stop] = {
    "end_turn": "end",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "context_full",
    "pause_turn": "pause",
    "refusal": "refusal",
    "stop_sequence": "stop_sequence",
}

# The kinds of delta that lengthen a field of their block, and the field.
_GROWING = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}


class StreamError(Exception):
    """An error event within a stream: `body` is what its data say."""

    def __init__(self, body: Object) -> None:
        super().__init__("error event")
        self.body = body


class Reader:
    """The state of one stream."""

    def __init__(self, model: str) -> None:
        self.begun = False
        self.finished = False
        self._model = model
        self._text: list[str] = []
        self._blocks: dict[int, Object] = {}
        self._pieces: dict[tuple[int, str], list[str]] = {}
        self._usage: Object = {}
        self._stop: str | None = None
        self._explanation: str | None = None

    def read(self, name: str | None, data: str) -> Iterator[Answer]:
        """Take one event, and yield what it means.

        Raises StreamError for an error event, ValueError for data that are not JSON.
        """
        if name is None or not data:
            return
        if name == "ping":
            yield Thinking()
            return
        event = _object(json.loads(data))
        match name:
            case "content_block_delta":
                yield from self._delta(_index(event), _object(event.get("delta")))
            case "message_start":
                self.begun = True
                message = _object(event.get("message"))
                self._model = str(message.get("model") or self._model)
                self._count(message)
                yield Thinking()
            case "content_block_start":
                self._blocks[_index(event)] = _object(event.get("content_block"))
                yield Thinking()
            case "message_delta":
                self._count(event)
                delta = _object(event.get("delta"))
                self._stop = delta.get("stop_reason")
                self._explanation = _object(delta.get("stop_details")).get("explanation")
            case "message_stop":
                if self.begun:
                    self.finished = True
                    yield self._finish()
            case "error":
                raise StreamError(event)
            case _:
                pass

    def _delta(self, index: int, delta: Object) -> Iterator[Answer]:
        kind = str(delta.get("type"))
        field = _GROWING.get(kind)
        if field is None:
            if kind == "citations_delta" and index in self._blocks:
                known: list[object] = self._blocks[index].get("citations") or []
                self._blocks[index]["citations"] = [*known, delta.get("citation")]
            yield Thinking()
            return
        piece = str(delta.get(field, ""))
        self._pieces.setdefault((index, field), []).append(piece)
        if kind != "text_delta":
            yield Thinking()
        elif piece:
            self._text.append(piece)
            yield Delta(piece)

    def _count(self, event: Object) -> None:
        """Take over the figures of an event; later ones are totals, not additions."""
        for name, value in _object(event.get("usage")).items():
            if isinstance(value, int):
                self._usage[name] = value

    def _finish(self) -> Finished:
        stop = _STOPS.get(self._stop or "end_turn", "end")
        return Finished(
            text="".join(self._text),
            stop=stop,
            usage=Usage(
                model=self._model,
                input_tokens=self._usage.get("input_tokens", 0),
                output_tokens=self._usage.get("output_tokens", 0),
                cache_read_tokens=self._usage.get("cache_read_input_tokens", 0),
                cache_write_tokens=self._usage.get("cache_creation_input_tokens", 0),
            ),
            # A refused answer must not be sent back: Anthropic developer docs, "Handling stop reasons", refusal.
            blocks=None if stop == "refusal" else self._native(),
            explanation=self._explanation,
        )

    def _native(self) -> Blocks | None:
        """Put the blocks together; None if they hold nothing that the text does not."""
        for (index, field), pieces in self._pieces.items():
            block = self._blocks.setdefault(index, {"type": "text"})
            block[field] = str(block.get(field) or "") + "".join(pieces)
        blocks = [self._blocks[index] for index in sorted(self._blocks)]
        # The API refuses an empty text block in history, though it sends one at times.
        blocks = [block for block in blocks if block.get("type") != "text" or str(block.get("text", "")).strip()]
        if all(block.get("type") == "text" and not block.get("citations") for block in blocks):
            return None
        return blocks


def _index(event: Object) -> int:
    index = event.get("index")
    return index if isinstance(index, int) else 0


def _object(value: object) -> Object:
    return cast(Object, value) if isinstance(value, dict) else {}
