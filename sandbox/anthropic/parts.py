"""From what a script says to the blocks of an answer: how each begins, grows and looks when it is whole."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.claude.texts import pieces

from .blocks import JsonObject
from .files import FileStore
from .seals import redacted, sealed, signature

_INPUT_PIECES = 3


@dataclass(frozen=True, slots=True)
class Part:
    """One block of an answer: the `start` of its stream, its `deltas`, and the `whole`.

    `wait` seconds pass before its start, `lead` up to the first delta, `seconds` from that to the last one. `size` is its length
    in characters, for the count of tokens.
    """

    start: JsonObject
    deltas: Sequence[JsonObject]
    whole: JsonObject
    size: int = 0
    wait: float = 0.0
    lead: float = 0.0
    seconds: float = 0.0

    def timed(self, said: Mapping[str, Any]) -> "Part":
        """Return the part with the times that a script's block gives it."""
        return replace(
            self, wait=float(said.get("wait", 0)), lead=float(said.get("lead", 0)), seconds=float(said.get("seconds", 0))
        )


@dataclass(slots=True)
class Writing:
    """One answer being written: what the request offers, and what has been used and made on the way."""

    body: JsonObject
    key: str
    model: str
    number: int
    display: str
    files: FileStore
    open_use: JsonObject | None = None
    ids: int = 0
    container: str | None = None
    results: list[JsonObject] = field(default_factory=list[JsonObject])
    used: dict[str, int] = field(default_factory=dict[str, int])

    def next_id(self, prefix: str) -> str:
        """Return a new id."""
        self.ids += 1
        return f"{prefix}_{self.number:08d}{self.ids:04d}"


def text(said: Mapping[str, Any], writing: Writing) -> Part:
    """Write a text block, with its citations behind its text."""
    words = str(said["text"])
    deltas: list[JsonObject] = [{"type": "text_delta", "text": piece} for piece in pieces(words, said.get("deltas"))]
    whole: JsonObject = {"type": "text", "text": words}
    start: JsonObject = {"type": "text", "text": ""}
    found = [made for each in said.get("citations") or () if (made := _citation(each, writing)) is not None]
    if found:
        deltas += [{"type": "citations_delta", "citation": citation} for citation in found]
        start, whole = {"citations": [], **start}, {"citations": found, **whole}
    return Part(start, deltas, whole, len(words))


def _citation(given: Mapping[str, Any], writing: Writing) -> JsonObject | None:
    """Write a citation; None if there is no such result, as when no search was offered."""
    if "result" not in given:
        return dict(given)
    if int(given["result"]) >= len(writing.results):
        return None
    result = writing.results[int(given["result"])]
    cited = str(given.get("cited_text", ""))
    return {
        "type": "web_search_result_location",
        "cited_text": cited,
        "encrypted_index": sealed("idx", writing.key, str(result["url"]), cited),
        "title": result["title"],
        "url": result["url"],
    }


def thinking(said: Mapping[str, Any], writing: Writing) -> Part:
    """Write a thinking block; with the display "omitted" only its signature is sent."""
    thought = str(said.get("thinking", ""))
    shown = "" if writing.display == "omitted" else thought
    sign = signature(shown, writing.key, hidden=thought, model=writing.model)
    parts = pieces(shown, int(said.get("deltas") or _INPUT_PIECES))
    deltas: list[JsonObject] = [{"type": "thinking_delta", "thinking": piece} for piece in parts]
    deltas.append({"type": "signature_delta", "signature": sign})
    start: JsonObject = {"type": "thinking", "thinking": "", "signature": ""}
    return Part(start, deltas, {**start, "thinking": shown, "signature": sign}, len(thought))


def redacted_thinking(said: Mapping[str, Any], writing: Writing) -> Part:
    """Write a redacted thinking block, which comes in one piece."""
    hidden = str(said.get("hidden", ""))
    block: JsonObject = {"type": "redacted_thinking", "data": redacted(writing.key, hidden)}
    return Part(block, (), block, len(hidden))


def tool_use(said: Mapping[str, Any], writing: Writing) -> Part:
    """Write the use of a tool of the caller's."""
    return use({"type": "tool_use", "id": said.get("id") or writing.next_id("toolu"), "name": said["name"]}, said)


def use(head: JsonObject, said: Mapping[str, Any], given: Mapping[str, Any] | None = None) -> Part:
    """Write the use of any tool: its input comes as pieces of JSON text."""
    value: object = dict(given if given is not None else said.get("input") or {})
    encoded = json.dumps(value, ensure_ascii=False)
    parts = ("", *pieces(encoded, int(said.get("deltas") or _INPUT_PIECES)))
    deltas: list[JsonObject] = [{"type": "input_json_delta", "partial_json": piece} for piece in parts]
    return Part({**head, "input": {}}, deltas, {**head, "input": value}, len(encoded)).timed(said)


def compaction(said: Mapping[str, Any], writing: Writing) -> Part:
    """Write a compaction block: its summary comes in one delta; None is one that failed."""
    content = said.get("content")
    seal = None if content is None else sealed("cmp", writing.key, str(content))
    delta: JsonObject = {"type": "compaction_delta", "content": content, "encrypted_content": seal}
    start: JsonObject = {"type": "compaction", "content": None, "encrypted_content": None}
    whole: JsonObject = {"type": "compaction", "content": content, "encrypted_content": seal}
    return Part(start, (delta,), whole)


def raw(said: Mapping[str, Any], _: Writing) -> Part:
    """Send a block as the script has it, whether the API knows such a thing or not."""
    start = dict(said["start"])
    return Part(start, list(said.get("inner") or ()), dict(said.get("whole") or start))
