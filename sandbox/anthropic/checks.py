"""What the API refuses, in the order in which it looks. Pure: a request in, a refusal or None out."""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from sandbox.values import is_object

from .attachments import check_attachments
from .blocks import JsonObject, Placed, all_texts, everything, marks, object_of, objects, texts
from .config import COMPACT_BETA, VERSIONS, Config
from .content import check_messages
from .errors import Refusal, invalid
from .models import EFFORTS, THINKING, Model
from .offered import check_tools

# Gone with API version 2026-10-21: anthropic 2.0.0, CHANGELOG.md.
_SAMPLING = ("temperature", "top_p", "top_k")
_MOST_CACHE_MARKS = 4
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
# Anthropic developer docs, "Extended thinking": the smallest budget.
_SMALLEST_BUDGET = 1_024
_LOUD = ("xhigh", "max")
_COMPACT = "compact_20260112"


def check_headers(headers: Mapping[str, str], config: Config) -> Refusal | None:
    """Look at the key and the API version."""
    if headers.get("authorization") != f"Bearer {config.key}":
        return Refusal(401)
    version = headers.get("anthropic-version")
    if version is None:
        return invalid("anthropic-version: header is required")
    if version not in VERSIONS:
        return invalid(f'anthropic-version: "{version}" is not a valid version')
    return None


def check_message(
    body: JsonObject,
    config: Config,
    version: str,
    *,
    betas: Collection[str] = (),
    has_file: Callable[[str], bool] = lambda _: False,
    counting: bool = False,
) -> Refusal | None:
    """Look at the body of POST /v1/messages, or of count_tokens, which needs no max_tokens. The window is not looked at."""
    name = body.get("model")
    if not isinstance(name, str) or not name:
        return invalid("model: Field required")
    model = config.models.get(name)
    if model is None or model.lifecycle == "retired":
        return Refusal(404, message=f"model: {name}")
    latest = version == VERSIONS[-1]
    blocks = list(everything(body))
    return (
        (None if counting else _check_length(body, name, model))
        or (_check_sampling(body) if latest else None)
        or _check_effort(body, model)
        or _check_thinking(body, model)
        or check_tools(body, blocks, model, betas)
        or _check_compaction(body, config, model, betas)
        or _check_texts(body)
        or _check_marks(body, blocks)
        or check_messages(body, blocks, config, betas, latest=latest)
        or check_attachments(blocks, model, has_file)
    )


def thinking_of(body: JsonObject, model: Model) -> tuple[str, str]:
    """Return how a request makes its model think, as `thinking.type`, and how that is displayed."""
    given = object_of(body.get("thinking"))
    usual = "disabled" if not model.thinks else "adaptive"
    return str(given.get("type") or usual), str(given.get("display") or model.display)


def compaction_of(body: JsonObject) -> JsonObject | None:
    """Return the compaction edit of a request, if it has one."""
    edits = objects(object_of(body.get("context_management")).get("edits"))
    return next((edit for edit in edits if edit.get("type") == _COMPACT), None)


def _check_length(body: JsonObject, name: str, model: Model) -> Refusal | None:
    most = body.get("max_tokens")
    if not isinstance(most, int):
        return invalid("max_tokens: Field required")
    if most < 1:
        return invalid("max_tokens: Input should be greater than or equal to 1")
    if most > model.output:
        limit = f"{model.output}, which is the maximum allowed number of output tokens for {name}"
        return invalid(f"max_tokens: {most} > {limit}")
    return None


def _check_sampling(body: JsonObject) -> Refusal | None:
    for parameter in _SAMPLING:
        if parameter in body:
            return invalid(f"{parameter}: Extra inputs are not permitted")
    return None


def _check_effort(body: JsonObject, model: Model) -> Refusal | None:
    effort = object_of(body.get("output_config")).get("effort")
    if effort is None:
        return None
    if effort not in EFFORTS:
        return invalid(f"output_config.effort: Input should be one of {', '.join(EFFORTS)}")
    if not model.efforts:
        return invalid("This model does not support the effort parameter.")
    if effort not in model.efforts:
        return invalid(f"This model does not support effort level '{effort}'. Supported levels: {', '.join(model.efforts)}.")
    return None


def _check_thinking(body: JsonObject, model: Model) -> Refusal | None:
    given: Any = body.get("thinking")
    if given is None:
        return None
    kind = given.get("type") if is_object(given) else None
    if kind not in THINKING:
        return invalid(f"thinking: Input tag '{kind}' found using 'type' does not match any of the expected tags")
    if kind not in model.thinking:
        return invalid(_wrong_thinking(kind, model))
    display = given.get("display")
    if display is not None and (display not in ("summarized", "omitted") or kind in ("disabled", "between_tools")):
        return invalid(f"thinking.{kind}.display: Extra inputs are not permitted")
    if kind == "enabled":
        return _check_budget(given.get("budget_tokens"), body.get("max_tokens"))
    effort = object_of(body.get("output_config")).get("effort")
    if kind == "disabled" and effort in _LOUD:
        return invalid(f'"thinking.type.disabled" is not supported with effort "{effort}".')
    return None


def _wrong_thinking(kind: str, model: Model) -> str:
    if kind == "adaptive":
        return "adaptive thinking is not supported on this model"
    advice = 'Use "thinking.type.adaptive" and "output_config.effort" to control thinking behavior.'
    return f'"thinking.type.{kind}" is not supported for this model.' + (f" {advice}" if "adaptive" in model.thinking else "")


def _check_budget(budget: Any, most: Any) -> Refusal | None:
    if not isinstance(budget, int):
        return invalid("thinking.enabled.budget_tokens: Field required")
    if budget < _SMALLEST_BUDGET:
        return invalid(f"thinking.enabled.budget_tokens: Input should be greater than or equal to {_SMALLEST_BUDGET}")
    if isinstance(most, int) and budget >= most:
        return invalid("`max_tokens` must be greater than `thinking.budget_tokens`")
    return None


def _check_compaction(body: JsonObject, config: Config, model: Model, betas: Collection[str]) -> Refusal | None:
    edit = compaction_of(body)
    if edit is None:
        return None
    if COMPACT_BETA not in betas:
        return invalid("context_management: Extra inputs are not permitted")
    if not model.compaction:
        return invalid(f"context_management.edits: '{_COMPACT}' is not supported on this model")
    trigger = edit.get("trigger")
    if trigger is None:
        return None
    value = trigger.get("value") if is_object(trigger) and trigger.get("type") == "input_tokens" else None
    if not isinstance(value, int):
        return invalid(f"context_management.edits.{_COMPACT}.trigger: Field required")
    if value < config.compaction_minimum:
        least = f"greater than or equal to {config.compaction_minimum}"
        return invalid(f"context_management.edits.{_COMPACT}.trigger.value: Input should be {least}")
    return None


def _check_texts(body: JsonObject) -> Refusal | None:
    if any(_LONE_SURROGATE.search(text) for text in all_texts(body)):
        return invalid("The request body is not valid JSON: no low surrogate in string")
    if isinstance(body.get("system"), list) and any(not text.strip() for text in texts(body["system"])):
        return invalid("system: text content blocks must be non-empty")
    return None


def _check_marks(body: JsonObject, blocks: Sequence[Placed]) -> Refusal | None:
    found: list[JsonObject] = []
    for block in (*objects(body.get("tools")), *objects(body.get("system"))):
        found += marks(block)
    for message in objects(body.get("messages")):
        for block in objects(message.get("content")):
            found += marks(block)
    if is_object(body.get("cache_control")):
        found.append(body["cache_control"])
    if len(found) > _MOST_CACHE_MARKS:
        return invalid(f"A maximum of {_MOST_CACHE_MARKS} blocks with cache_control may be provided. Found {len(found)}.")
    short = False
    for mark in found:
        if mark.get("type") != "ephemeral" or mark.get("ttl") not in (None, "5m", "1h"):
            return invalid("cache_control: Input should be of type 'ephemeral' with a ttl of '5m' or '1h'")
        if mark.get("ttl") == "1h" and short:
            return invalid("a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block")
        short = short or mark.get("ttl") != "1h"
    for place, _, block in blocks if found else ():
        if block.get("type") in ("thinking", "redacted_thinking") and marks(block):
            return invalid(f"{place}.{block['type']}.cache_control: Extra inputs are not permitted")
    return None
