"""One way to answer a request, as a test or another process says it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, cast, get_args

from sandbox.claude.script import BaseScript, Ending

Form = Literal["sse", "json", "empty", "html"]

# Anthropic developer docs, "Handling stop reasons".
STOPS = (
    "end_turn",
    "max_tokens",
    "stop_sequence",
    "tool_use",
    "pause_turn",
    "refusal",
    "compaction",
    "model_context_window_exceeded",
)

_TIMES = frozenset({"wait", "lead", "seconds"})
_TOOL = frozenset({"id", "deltas", "part"})

# What a block of a script may say, by its `type`. `wait`, `lead` and `seconds` may stand in each.
BLOCKS: Mapping[str, frozenset[str]] = {
    "text": frozenset({"text", "words", "characters", "deltas", "citations"}),
    "thinking": frozenset({"thinking", "deltas"}),
    "redacted_thinking": frozenset({"hidden"}),
    "tool_use": frozenset({"name", "input"}) | _TOOL,
    "web_search": frozenset({"query", "results", "error"}) | _TOOL,
    "web_fetch": frozenset({"url", "title", "text", "error"}) | _TOOL,
    "code": frozenset({"command", "stdout", "stderr", "return_code", "files", "error"}) | _TOOL,
    "mcp": frozenset({"server", "name", "input", "content", "is_error"}) | _TOOL,
    "compaction": frozenset({"content"}),
    "raw": frozenset({"start", "inner", "whole"}),
}

_NEEDED: Mapping[str, tuple[str, ...]] = {"tool_use": ("name",), "mcp": ("server", "name"), "raw": ("start",)}


@dataclass(frozen=True, slots=True)
class Script(BaseScript):
    """One way to answer a request, besides what every script says. The default echoes the last user message.

    Stop: `stop` is the stop_reason; by default "tool_use" after a tool of the caller's, else "end_turn". A "refusal" has
    `category` and `explanation`.

    Ending: `after_events` ends after so many events of the stream, whatever they are, if the ending is another than "whole".

    Blocks: `blocks` replaces `text` and `thinking` by a list of blocks, which are sent in order. Each is an object with a
    `type`; all of them may have `wait` (seconds of silence before the block), `lead` (from its start to its first delta) and
    `seconds` (from its first delta to its last):

    - `text`: `text`, `words` or `characters`; `deltas`; `citations`, each a citation of the API, or {"result": n, "cited_text"}
      for the n-th result of the last web search, counted from 0.
    - `thinking`: `thinking`, `deltas`. `redacted_thinking`: `hidden`, which nobody sees.
    - `tool_use`: `name`, `input`, a tool of the caller's. `web_search`: `query`, `results` ({"url", "title", "page_age"}).
      `web_fetch`: `url`, `title`, `text`. `code`: `command`, `stdout`, `stderr`, `return_code`, `files` ({"name",
      "media_type", "text" or "base64"}). `mcp`: `server`, `name`, `input`, `content`, `is_error`. `error` makes the result an
      error of this code. `part` sends only the "use", or only the "result" that an earlier answer left open. `deltas` is the
      number of pieces of the input, `id` replaces the id.
    - `compaction`: `content`, None for one that failed. `raw`: `start` (the content_block), `inner` (deltas) and `whole`.

    What the request did not offer (tools, thinking) is left out, and noted in the log. `strict` refuses such a request (400).

    `compaction` is the summary if the request makes the API compact; `compaction_fails` leaves it empty.
    """

    after_events: int | None = None
    blocks: Sequence[Mapping[str, Any]] | None = None
    strict: bool = False
    compaction: str | None = None
    compaction_fails: bool = False
    stop: str | None = None
    stop_sequence: str | None = None
    category: str | None = None
    explanation: str | None = None
    form: Form = "sse"
    usage: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        """Refuse what could only be a slip in a test. Raises ValueError."""
        if self.stop is not None and self.stop not in STOPS:
            raise ValueError(f"stop must be one of {STOPS}, not {self.stop!r}")
        if self.ending not in get_args(Ending) or self.form not in get_args(Form):
            raise ValueError(f"unknown ending {self.ending!r} or form {self.form!r}")
        if min(self.wait, self.think, self.seconds) < 0 or (self.deltas is not None and self.deltas < 1):
            raise ValueError("times are 0 or more, deltas 1 or more")
        for block in self.blocks or ():
            _check_block(block)


def _check_block(given: object) -> None:
    if not isinstance(given, Mapping):
        raise ValueError("a block must be an object")
    block = cast("Mapping[str, Any]", given)
    kind = str(block.get("type"))
    if kind not in BLOCKS:
        raise ValueError(f"a block's type must be one of {', '.join(BLOCKS)}, not {kind!r}")
    unknown = set(block) - BLOCKS[kind] - _TIMES - {"type"}
    if unknown:
        raise ValueError(f"a {kind} block has no {', '.join(sorted(unknown))}")
    missing = [name for name in _NEEDED.get(kind, ()) if name not in block]
    if missing or any("name" not in file for file in block.get("files") or ()):
        raise ValueError(f"a {kind} block must be given {', '.join(missing) or 'names for its files'}")
    if any("url" not in result for result in block.get("results") or ()):
        raise ValueError("a result must be given a url")
    if block.get("part") not in (None, "use", "result"):
        raise ValueError(f"part must be use or result, not {block['part']!r}")
    if min(float(block.get(name, 0)) for name in _TIMES) < 0 or int(block.get("deltas") or 1) < 1:
        raise ValueError("times are 0 or more, deltas 1 or more")
