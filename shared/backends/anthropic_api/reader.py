"""From the events of a stream to answers. Pure: names and data in, answers out.

Events as in the Anthropic developer docs, "Streaming messages". Unknown events, blocks and deltas are passed over, as
these docs ask of every client.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, cast

import structlog

from shared.backends import Answer, Delta, Doing, Finished, Made, Spent, Stop, Thinking

from .blocks import Assembler, condensed, made_files
from .doing import RESULT, USES, doing
from .sources import Sources
from .tally import Tally

log = structlog.get_logger(__name__)

Object = dict[str, Any]

_STOPS: dict[str, Stop] = {
    "compaction": "pause",
    "end_turn": "end",
    "max_tokens": "max_tokens",
    "model_context_window_exceeded": "context_full",
    "pause_turn": "pause",
    "refusal": "refusal",
    "stop_sequence": "stop_sequence",
}

# The kinds of delta that lengthen a field of their block, and the field.
_GROWING = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "signature_delta": "signature",
    "input_json_delta": "partial_json",
}


class StreamError(Exception):
    """An error event within a stream: `body` is what its data say."""

    def __init__(self, body: Object) -> None:
        super().__init__("error event")
        self.body = body


class Reader:
    """The state of one answer, which may come in the streams of several requests."""

    def __init__(self, tally: Tally) -> None:
        self.begun = False
        self.finished = False
        """The running request has come to its end."""
        self.spoken = False
        """There was text in the running request."""
        self.ever_spoken = False
        """There was text in an earlier request of this answer."""
        self.container: str | None = None
        """Where code has run."""
        self.tally = tally
        self.blocks = Assembler()
        self._text: list[str] = []
        self._sources = Sources()
        self._cited: dict[int, list[Object]] = {}
        self._held = ""
        self._tool = False
        self._apart = False
        """A tool has run since the last text."""
        self._stop: str | None = None
        self._explanation: str | None = None

    @property
    def paused(self) -> bool:
        """Whether the API wants the answer sent back in order to go on with it."""
        return self._stop in ("pause_turn", "compaction")

    @property
    def called(self) -> bool:
        """Whether the model waits for a tool that is the caller's, of which it was given none."""
        return self._stop == "tool_use"

    @property
    def made(self) -> Sequence[str]:
        """The ids of the files that code has made."""
        return made_files(self.blocks.whole())

    def again(self, *, failed: bool = False) -> None:
        """Another request follows: it goes on with the answer, or takes the place of one that failed before its first word."""
        if failed:
            self.blocks.drop()
        else:
            self.blocks.again()
        self.tally.again()
        self.ever_spoken = self.ever_spoken or self.spoken
        self.begun = self.finished = self.spoken = False
        self._cited, self._stop = {}, None

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
                self.tally.model = str(message.get("model") or self.tally.model)
                self.tally.take(message.get("usage"))
                yield Thinking()
                yield Spent(self.tally.usage())
            case "content_block_start":
                yield from self._start(_index(event), _object(event.get("content_block")))
            case "content_block_stop":
                yield from self._close(_index(event))
            case "message_delta":
                self.tally.take(event.get("usage"))
                delta = _object(event.get("delta"))
                self._stop = delta.get("stop_reason")
                self._explanation = _object(delta.get("stop_details")).get("explanation")
                if container := _object(delta.get("container")).get("id"):
                    self.container = str(container)
                yield Spent(self.tally.usage())
            case "message_stop":
                self.finished = self.begun
            case "error":
                raise StreamError(event)
            case _:
                pass

    def say(self, text: str) -> Iterator[Answer]:
        """Put text of our own into the answer."""
        yield from self._ended_tool()
        self._text.append(text)
        yield Delta(text)

    def finish(self, files: Sequence[Made] = ()) -> Iterator[Answer]:
        """The end of the whole answer."""
        yield from self._ended_tool()
        if self._held:
            yield from self._speak(self._release())
        stop = _STOPS.get(self._stop or "end_turn")
        if stop is None:
            log.warning("the API gave a reason to stop that is not known; taken as a plain end", stop=str(self._stop)[:60])
        # A refused answer must not be sent back: Anthropic developer docs, "Handling stop reasons", refusal.
        blocks = None if stop == "refusal" else self.blocks.kept()
        yield Finished(
            text="".join(self._text),
            stop=stop or "end",
            usage=self.tally.usage(),
            blocks=blocks,
            explanation=self._explanation,
            files=files,
            condensed=condensed(blocks),
        )

    def _start(self, index: int, block: Object) -> Iterator[Answer]:
        self.blocks.start(index, block)
        kind = str(block.get("type"))
        if kind == "text":
            if block.get("citations") is not None:
                self._cited[index] = []
            if block.get("text"):
                yield from self._speak(str(block["text"]))
        elif kind in USES:
            self._tool = self._apart = True
            yield doing(block)
            return
        elif kind.endswith(RESULT):
            self._note_page(block)
            yield from self._ended_tool()
        yield Thinking()

    def _delta(self, index: int, delta: Object) -> Iterator[Answer]:
        kind = str(delta.get("type"))
        field = _GROWING.get(kind)
        if field is None:
            self._set(kind, index, delta)
            yield Thinking()
            return
        piece = str(delta.get(field, ""))
        self.blocks.grow(index, field, piece)
        if kind == "text_delta":
            if index in self._cited:
                piece = self._hold(piece)
            if piece:
                yield from self._speak(piece)
        else:
            yield Thinking(piece if kind == "thinking_delta" else "")

    def _set(self, kind: str, index: int, delta: Object) -> None:
        """Deltas that do not lengthen anything."""
        match kind:
            case "citations_delta":
                self.blocks.cite(index, delta.get("citation"))
                self._cited.setdefault(index, []).append(_object(delta.get("citation")))
            case "compaction_delta":
                self.blocks.set(index, {name: value for name, value in delta.items() if name != "type"})
            case _:
                self.blocks.odd(index)

    def _close(self, index: int) -> Iterator[Answer]:
        block = self.blocks.stop(index)
        if index in self._cited:
            links = self._sources.links(self._cited.pop(index))
            after = self._release()
            if links or after:
                yield from self._speak(links + after)
        elif block.get("type") in USES and block.get("input"):
            yield doing(block)

    def _speak(self, text: str) -> Iterator[Answer]:
        if self._tool:
            yield from self._ended_tool()
        if self._apart and self._text and not (self._text[-1][-1:].isspace() or text[:1].isspace()):
            # What is said before a tool and after it are two paragraphs, which the model does not part itself.
            text = f"\n\n{text}"
        self.spoken, self._apart = True, False
        self._text.append(text)
        yield Delta(text)

    def _hold(self, piece: str) -> str:
        """Keep back white space at the end of a text that may be cited: the links come before it."""
        text = self._held + piece
        said = text.rstrip()
        self._held = text[len(said) :]
        return said

    def _release(self) -> str:
        held, self._held = self._held, ""
        return held

    def _ended_tool(self) -> Iterator[Answer]:
        if self._tool:
            self._tool = False
            yield Doing(None)

    def _note_page(self, block: Object) -> None:
        """Remember the address of a page that was fetched, for its citations."""
        content = _object(block.get("content"))
        title = _object(content.get("content")).get("title")
        if content.get("type") == "web_fetch_result" and title:
            self._sources.fetched(str(title), str(content.get("url") or ""))


def _index(event: Object) -> int:
    index = event.get("index")
    return index if isinstance(index, int) else 0


def _object(value: object) -> Object:
    return cast(Object, value) if isinstance(value, dict) else {}
