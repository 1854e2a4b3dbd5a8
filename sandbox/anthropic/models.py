"""The models of a simulated API, and how GET /v1/models shows them (anthropic 2.10.0, types/model_info.py)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Lifecycle = Literal["active", "deprecated", "retired"]
Display = Literal["summarized", "omitted"]

EFFORTS = ("low", "medium", "high", "xhigh", "max")
THINKING = ("adaptive", "between_tools", "disabled", "enabled")

_PAGE = 20
_LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Model:
    """A model's limits and abilities, as GET /v1/models/{id} reports them.

    `context` and `output` are tokens. `thinking` holds the values of `thinking.type` that it accepts, `thinks` says whether it
    thinks when a request does not say, `display` how it shows its thoughts then. `forced_tools` says whether it accepts a
    `tool_choice` of one tool or of any. `cache_minimum` is the shortest prefix in
    tokens that it caches, `media` the number of images and PDF pages that one request may hold.
    """

    context: int = 1_000_000
    output: int = 128_000
    name: str = ""
    line: str | None = None
    created_at: str = "2026-01-01T00:00:00Z"
    lifecycle: Lifecycle = "active"
    deprecated_at: str | None = None
    retires_at: str | None = None
    thinking: Collection[str] = ("adaptive",)
    thinks: bool = True
    display: Display = "omitted"
    efforts: Collection[str] = EFFORTS
    compaction: bool = True
    images: bool = True
    pdfs: bool = True
    tools: bool = True
    forced_tools: bool = False
    cache_minimum: int = 512
    media: int = 100

    def shown(self, name: str) -> dict[str, Any]:
        """Describe the model under its id, as the API does."""
        return {
            "type": "model",
            "id": name,
            "display_name": self.name or name.replace("-", " ").title(),
            "created_at": self.created_at,
            "deprecated_at": self.deprecated_at,
            "lifecycle": self.lifecycle,
            "line": self.line,
            "max_input_tokens": self.context,
            "max_tokens": self.output,
            "retires_at": self.retires_at,
            "capabilities": self._capabilities(),
        }

    def _capabilities(self) -> dict[str, Any]:
        return {
            "batch": _is(True),
            "citations": _is(True),
            "code_execution": _is(self.tools),
            "compaction": {**_is(False), "summarize": _is(False)},
            "context_management": {
                **_is(self.compaction),
                "clear_thinking_20251015": _is(False),
                "clear_tool_uses_20250919": _is(False),
                "compact_20260112": _is(self.compaction),
            },
            "effort": {**_is(bool(self.efforts)), **{level: _is(level in self.efforts) for level in EFFORTS}},
            "image_input": _is(self.images),
            "pdf_input": _is(self.pdfs),
            "server_tools": {**_is(self.tools), "code_execution": _is(self.tools), "web_search": _is(self.tools)},
            "structured_outputs": _is(True),
            "thinking": {
                **_is(bool(set(self.thinking) - {"disabled"})),
                "types": {kind: _is(kind in self.thinking) for kind in THINKING},
            },
        }


def _is(supported: bool) -> dict[str, bool]:
    return {"supported": supported}


_MANUAL = ("disabled", "enabled")

# Names and dates: anthropic 2.10.0, types/model.py and resources/messages/messages.py. Limits: Anthropic developer docs,
# "Models overview" and "What's new" of each; a 5.5 caches from 512 tokens on; how they think: "Troubleshooting thinking".
MODELS: Mapping[str, Model] = {
    "claude-fable-5-2": Model(name="Claude Fable 5.2", line="fable"),
    "claude-opus-5-5": Model(name="Claude Opus 5.5", line="opus"),
    "claude-sonnet-5-5": Model(name="Claude Sonnet 5.5", line="sonnet", thinking=("adaptive", "between_tools")),
    "claude-haiku-5-5": Model(name="Claude Haiku 5.5", line="haiku", thinking=("adaptive", "disabled"), forced_tools=True),
    "claude-haiku-4-5": Model(
        name="Claude Haiku 4.5",
        line="haiku",
        created_at="2025-10-01T00:00:00Z",
        context=200_000,
        output=64_000,
        thinking=_MANUAL,
        thinks=False,
        display="summarized",
        efforts=(),
        forced_tools=True,
        compaction=False,
        cache_minimum=4_096,
    ),
    "claude-sonnet-4-5": Model(
        name="Claude Sonnet 4.5",
        line="sonnet",
        created_at="2025-09-29T00:00:00Z",
        lifecycle="deprecated",
        deprecated_at="2026-09-30T00:00:00Z",
        retires_at="2026-11-30T00:00:00Z",
        context=200_000,
        output=64_000,
        thinking=_MANUAL,
        thinks=False,
        display="summarized",
        efforts=(),
        forced_tools=True,
        compaction=False,
        cache_minimum=1_024,
    ),
    # No model of Anthropic's: a window that a test can fill.
    "claude-small-window": Model(name="Small window", context=2_000, output=1_000, cache_minimum=64),
}


def page(models: Mapping[str, Model], query: Mapping[str, str], stages: Sequence[str]) -> dict[str, Any]:
    """Cut one page out of the list: `limit`, `after_id`, `before_id`, and the lifecycle stages asked for.

    Raises ValueError with what is wrong with the query. Without stages, retired models are left out.
    """
    limit = int(query.get("limit", _PAGE))
    if not 1 <= limit <= _LARGEST_PAGE:
        raise ValueError(f"limit: must be between 1 and {_LARGEST_PAGE}")
    wanted = stages or ("active", "deprecated")
    names = [name for name, model in models.items() if model.lifecycle in wanted]
    after, before = query.get("after_id"), query.get("before_id")
    for cursor in (after, before):
        if cursor is not None and cursor not in names:
            raise ValueError(f"no model {cursor} to page from")
    if before is not None:
        rest = names[: names.index(before)]
        chosen, more = rest[-limit:], len(rest) > limit
    else:
        rest = names[names.index(after) + 1 :] if after is not None else names
        chosen, more = rest[:limit], len(rest) > limit
    return {
        "data": [models[name].shown(name) for name in chosen],
        "has_more": more,
        "first_id": chosen[0] if chosen else None,
        "last_id": chosen[-1] if chosen else None,
    }
