"""What a request asks for beside its messages: the model and its limits, thinking, effort, tools. Pure but for one line of log.

Nothing here may change from one turn of a conversation to the next but by somebody's choice: the API's cache holds the beginning
of a request, and tools, system prompt and the way to think are part of it (Anthropic developer docs, "Prompt caching").
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import structlog

from shared.backends import Prompt

from .config import AnthropicConfig
from .table import EFFORTS, Known

log = structlog.get_logger(__name__)

Object = dict[str, Any]

COMPACT_BETA = "compact-2026-01-12"
MCP_BETA = "mcp-client-2025-11-20"

FULL = 0.8
"""Part of the window from which on the API is to condense a conversation."""

_SMALLEST_TRIGGER = 50_000
"""Tokens (Anthropic developer docs, "Compaction")."""

_SMALLEST_BUDGET, _LARGEST_BUDGET = 1_024, 16_000
"""Tokens of thought, for models that want a number (Anthropic developer docs, "Extended thinking")."""

_LOUD = ("xhigh", "max")
"""Efforts with which thinking cannot be turned off (Anthropic developer docs, "Effort")."""

_DIRECT: Mapping[str, Any] = {"allowed_callers": ["direct"]}
"""Without it the newest searches run code on their results, which is the operator's to allow, and give no citations."""


@dataclass(frozen=True, slots=True)
class Options:
    """The fields of a request that every turn of a conversation has alike. `trigger` is where it condenses, 0 for never."""

    model: str
    fields: Mapping[str, Any]
    trigger: int


def options_of(config: AnthropicConfig, prompt: Prompt, name: str, known: Known | None, told: set[tuple[str, str]]) -> Options:
    """Settle what is asked of a model. Of one that is not known only what every model takes is asked.

    `told` holds the efforts that were logged already.
    """
    model = known.model.id if known is not None and name.strip().lower() == known.line else name.strip()
    most = config.max_tokens if known is None else min(config.max_tokens, known.model.output, known.model.window)
    effort = _effort(prompt.effort or config.effort, model, known, told)
    thinking = None if known is None else _thinking(config.thinking, known, effort, most)
    fields: Object = {"model": model, "max_tokens": most, "cache_control": mark(config)}
    if system := _system(config, prompt):
        fields["system"] = system
    if tools := _tools(config, marked=not system):
        fields["tools"] = tools
    if config.mcp_servers:
        fields["mcp_servers"] = [_server(each.name, each.url, each.token) for each in config.mcp_servers]
    if thinking is not None:
        fields["thinking"] = thinking
    if effort is not None:
        quiet = thinking is not None and thinking["type"] in ("disabled", "between_tools") and effort in _LOUD
        fields["output_config"] = {"effort": "high" if quiet else effort}
    return Options(model, fields, _trigger(known))


def mark(config: AnthropicConfig) -> Object:
    """A mark up to which the API keeps the beginning of a request."""
    return {"type": "ephemeral"} if config.cache_ttl == "5m" else {"type": "ephemeral", "ttl": config.cache_ttl}


def condensing(trigger: int) -> Object:
    """Ask the API to condense a request of so many tokens by itself."""
    edit = {"type": "compact_20260112", "trigger": {"type": "input_tokens", "value": trigger}}
    return {"context_management": {"edits": [edit]}}


def _system(config: AnthropicConfig, prompt: Prompt) -> Sequence[Object]:
    if prompt.system is None or not prompt.system.strip():
        return ()
    return [{"type": "text", "text": prompt.system, "cache_control": mark(config)}]


def _tools(config: AnthropicConfig, *, marked: bool) -> list[Object]:
    """The tools, newest versions of anthropic 2.10.0 (types/tool_union_param.py); the last one is marked if asked to."""
    tools: list[Object] = []
    if config.web_search:
        tools.append({"type": "web_search_20260318", "name": "web_search", **_DIRECT})
    if config.web_fetch:
        tools.append({"type": "web_fetch_20260318", "name": "web_fetch", "citations": {"enabled": True}, **_DIRECT})
    if config.code_execution:
        tools.append({"type": "code_execution_20260521", "name": "code_execution"})
    tools += [{"type": "mcp_toolset", "mcp_server_name": server.name} for server in config.mcp_servers]
    if tools and marked:
        tools[-1]["cache_control"] = mark(config)
    return tools


def _server(name: str, url: str, token: str | None) -> Object:
    server: Object = {"type": "url", "name": name, "url": url}
    return {**server, "authorization_token": token} if token else server


def _effort(wanted: str | None, model: str, known: Known | None, told: set[tuple[str, str]]) -> str | None:
    """The effort to ask for: the nearest that the model knows, the lower of two; None for its own default."""
    if not wanted or known is None or wanted in known.model.efforts:
        return wanted or None
    levels = known.model.efforts
    place = EFFORTS.index(wanted) if wanted in EFFORTS else len(EFFORTS) // 2
    nearest = min(levels, key=lambda level: abs(EFFORTS.index(level) - place)) if levels else None
    if (model, wanted) not in told:
        told.add((model, wanted))
        log.warning("the model does not know this effort", model=model, effort=wanted, instead=nearest or "its default")
    return nearest


def _thinking(wanted: str, known: Known, effort: str | None, most: int) -> Object | None:
    """How to think: not at all, or as little and as hidden as the model allows; or so that it can be read."""
    can = known.thinking
    if wanted == "off":
        if "disabled" in can and not (effort in _LOUD and "adaptive" in can):
            return {"type": "disabled"}
        if "between_tools" in can and effort not in _LOUD:
            return {"type": "between_tools"}
        return {"type": "adaptive", "display": "omitted"} if "adaptive" in can else None
    if "adaptive" in can:
        return {"type": "adaptive", "display": "summarized"}
    budget = min(_LARGEST_BUDGET, most // 2)
    return {"type": "enabled", "budget_tokens": budget} if "enabled" in can and budget >= _SMALLEST_BUDGET else None


def _trigger(known: Known | None) -> int:
    """Tokens at which to condense; 0 if the model does not, or has too small a window for that."""
    if known is None or not known.model.condenses:
        return 0
    trigger = int(known.model.window * FULL)
    return trigger if trigger >= _SMALLEST_TRIGGER else 0
