"""What the simulated model says to one request: from a script to blocks, a reason to stop, and what it all cost."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.claude.texts import text_of

from . import parts, servers
from .blocks import JsonObject, last_user_text, object_of, objects
from .cache import Reading
from .checks import compaction_of, thinking_of
from .config import Config
from .content import pending_use
from .counting import Element, tokens_of
from .files import FileStore
from .models import Model
from .parts import Part, Writing
from .script import Script

# Anthropic developer docs, "Compaction".
_TRIGGER = 150_000

_ALONE: Mapping[str, Callable[[Mapping[str, Any], Writing], Part]] = {
    "text": parts.text,
    "thinking": parts.thinking,
    "redacted_thinking": parts.redacted_thinking,
    "tool_use": parts.tool_use,
    "compaction": parts.compaction,
    "raw": parts.raw,
}
_SERVED: Mapping[str, Callable[[Mapping[str, Any], Writing], list[Part]]] = {
    "web_search": servers.web_search,
    "web_fetch": servers.web_fetch,
    "code": servers.code,
    "mcp": servers.mcp,
}
_THOUGHTS = ("thinking", "redacted_thinking")
# How much of the time to think passes while a thought is shown; the rest before the first word.
_SHOWN = 0.75


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer. `usage` is that of its end, `begun` that of its start; `left_out` names what was not offered."""

    parts: Sequence[Part]
    stop: str
    begun: Mapping[str, Any]
    usage: Mapping[str, Any]
    stop_sequence: str | None = None
    details: Mapping[str, Any] | None = None
    container: Mapping[str, Any] | None = None
    managed: bool = False
    left_out: Sequence[str] = ()

    @property
    def content(self) -> list[JsonObject]:
        """The blocks as a whole message has them."""
        return [part.whole for part in self.parts]

    @property
    def text(self) -> str:
        """All of its text."""
        return "".join(str(block.get("text", "")) for block in self.content if block.get("type") == "text")


@dataclass(slots=True)
class _Draft:
    said: list[Mapping[str, Any]]
    stop: str
    room: int
    full: str
    stop_sequence: str | None = None
    compacted: str | None = None
    failed: bool = False
    parts: list[Part] = field(default_factory=list[Part])
    thought: int = 0
    left_out: list[str] = field(default_factory=list[str])


def compacts(body: JsonObject, total: int) -> bool:
    """Tell whether a request of so many tokens makes the API compact."""
    edit = compaction_of(body)
    trigger = object_of((edit or {}).get("trigger"))
    return edit is not None and total >= int(trigger.get("value", _TRIGGER))


def write(
    script: Script, body: JsonObject, config: Config, number: int, reading: Reading, found: Sequence[Element], files: FileStore
) -> Answer:
    """Write the answer that a script gives to the `number`-th call, whose input tokens are accounted for in `reading`."""
    model = config.models[str(body["model"])]
    mode, display = thinking_of(body, model)
    draft = _draft(script, body, model, mode, reading, config)
    writing = Writing(
        body,
        config.key,
        str(body["model"]),
        number,
        "summarized" if mode == "between_tools" else display,
        files,
        pending_use(body),
    )
    for said in draft.said:
        if not _write(draft, said, writing):
            break
    usage = _Usage(reading, found, draft, writing, managed=compaction_of(body) is not None)
    container = None
    if writing.container is not None:
        container = {"id": writing.container, "expires_at": "2030-01-01T00:00:00Z"}
    details = None
    if draft.stop == "refusal":
        details = {"type": "refusal", "category": script.category, "explanation": script.explanation}
    ended = {**usage.ended(), **script.usage}
    return Answer(
        draft.parts,
        draft.stop,
        usage.begun(),
        ended,
        draft.stop_sequence,
        details,
        container,
        "context_management" in body,
        draft.left_out,
    )


def _draft(script: Script, body: JsonObject, model: Model, mode: str, reading: Reading, config: Config) -> _Draft:
    said = list(_said(script, last_user_text(body), thinks=mode not in ("disabled", "between_tools")))
    room, full = max(0, model.context - reading.total), "model_context_window_exceeded"
    most = body.get("max_tokens")
    if config.cut_at_max_tokens and isinstance(most, int) and most <= room:
        room, full = most, "max_tokens"
    draft = _Draft([], "", room, full)
    draft.said = _possible(said, body, mode, draft)
    draft.stop = script.stop or _usual_stop(draft.said)
    _stop_early(draft, body)
    if compacts(body, reading.total):
        _compact(script, body, draft)
    return draft


def _said(script: Script, last: str, *, thinks: bool) -> Sequence[Mapping[str, Any]]:
    """Return the blocks of a script, those of a plain one included, with all their words."""
    if script.blocks is not None:
        return [_worded(block, last) for block in script.blocks]
    words = {"type": "text", "text": text_of(script, last), "deltas": script.deltas, "seconds": script.seconds}
    if not (script.thinking and thinks):
        return [{**words, "lead": script.think}]
    shown = script.think * _SHOWN
    thought = {"type": "thinking", "thinking": script.thinking, "deltas": script.thinking_deltas, "seconds": shown}
    return [thought, {**words, "lead": script.think - shown}]


def _worded(block: Mapping[str, Any], last: str) -> Mapping[str, Any]:
    if block["type"] != "text" or "text" in block:
        return block
    made = Script(words=block.get("words"), characters=block.get("characters"))
    return {**block, "text": text_of(made, last)}


def _possible(said: Sequence[Mapping[str, Any]], body: JsonObject, mode: str, draft: _Draft) -> list[Mapping[str, Any]]:
    """Leave out what the request does not offer. Between tools, thoughts come only after the use of one."""
    kept: list[Mapping[str, Any]] = []
    last = objects(body["messages"])[-1]
    worked = any(block.get("type") == "tool_result" for block in objects(last.get("content")))
    for block in said:
        kind = str(block["type"])
        unthought = kind in _THOUGHTS and (mode == "disabled" or (mode == "between_tools" and not worked))
        if unthought or not servers.is_offered(block, body):
            draft.left_out.append(kind)
        else:
            kept.append(block)
            worked = worked or kind in _SERVED
    return kept


def _usual_stop(said: Sequence[Mapping[str, Any]]) -> str:
    if any(block["type"] == "tool_use" for block in said):
        return "tool_use"
    return "pause_turn" if said and said[-1].get("part") == "use" else "end_turn"


def _stop_early(draft: _Draft, body: JsonObject) -> None:
    """End before the first stop sequence of the request that is in a text."""
    wanted = [str(each) for each in body.get("stop_sequences") or ()]
    for number, block in enumerate(draft.said):
        if block["type"] != "text":
            continue
        words = str(block["text"])
        hits = sorted((words.index(sequence), sequence) for sequence in wanted if sequence in words)
        if hits:
            at, sequence = hits[0]
            draft.said = [*draft.said[:number], {**block, "text": words[:at]}]
            draft.stop, draft.stop_sequence = "stop_sequence", sequence
            return


def _compact(script: Script, body: JsonObject, draft: _Draft) -> None:
    count = len(objects(body["messages"]))
    draft.failed = script.compaction_fails
    draft.compacted = script.compaction or f"Summary of {count} messages. The last one: {last_user_text(body)[:200]}"
    block = {"type": "compaction", "content": None if draft.failed else draft.compacted}
    if (compaction_of(body) or {}).get("pause_after_compaction"):
        draft.said, draft.stop, draft.stop_sequence = [block], "compaction", None
    else:
        draft.said = [block, *draft.said]


def _write(draft: _Draft, said: Mapping[str, Any], writing: Writing) -> bool:
    """Write one block of a script; False when there is no room for the next."""
    kind = str(said["type"])
    made = _SERVED[kind](said, writing) if kind in _SERVED else [_ALONE[kind](said, writing).timed(said)]
    size = sum(part.size for part in draft.parts)
    most = 4 * draft.room - 1  # tokens of an answer: a quarter of its characters, and one
    if size + sum(part.size for part in made) > most:
        draft.stop, draft.stop_sequence = draft.full, None
        if kind == "text" and most - size > 0:
            cut = {**said, "text": str(said["text"])[: most - size], "citations": None}
            draft.parts.append(parts.text(cut, writing).timed(said))
        return False
    if kind in _THOUGHTS:
        draft.thought += made[0].size
    draft.parts += made
    return True


class _Usage:
    """What an answer cost, at its start and at its end."""

    def __init__(self, reading: Reading, found: Sequence[Element], draft: _Draft, writing: Writing, *, managed: bool) -> None:
        self._compaction = reading if draft.compacted is not None else None
        self._summary = tokens_of(draft.compacted or "")
        self._reading = reading
        paused = draft.stop == "compaction"
        if self._compaction is not None:
            kept = sum(element.tokens for element in found if element.level != "messages")
            self._reading = Reading(0 if paused else kept + self._summary)
            if draft.failed:
                self._reading = replace(reading)
        self._draft, self._writing, self._managed, self._paused = draft, writing, managed, paused

    def begun(self) -> dict[str, Any]:
        """Return the usage of message_start."""
        return {**self._reading.usage(), "output_tokens": 1, "service_tier": "standard"}

    def ended(self) -> dict[str, Any]:
        """Return the usage of message_delta."""
        found = self._reading.usage()
        output = 0 if self._paused else sum(part.size for part in self._draft.parts) // 4 + 1
        found["output_tokens"] = output
        if self._draft.thought:
            found["output_tokens_details"] = {"thinking_tokens": min(output, self._draft.thought // 4 + 1)}
        if self._writing.used:
            used = self._writing.used
            found["server_tool_use"] = {f"{kind}_requests": used.get(kind, 0) for kind in ("web_search", "web_fetch")}
        if self._managed:
            found["iterations"] = self._iterations(output)
        return found

    def _iterations(self, output: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        if self._compaction is not None:
            found.append({"type": "compaction", **self._compaction.usage(), "output_tokens": self._summary})
        if not self._paused:
            found.append({"type": "message", **self._reading.usage(), "output_tokens": output})
        return found
