"""What the API refuses, in the order in which it looks. Pure: a request in, a refusal or None out."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeGuard, cast

from .config import VERSIONS, Config
from .errors import Refusal, invalid
from .texts import signature

JsonObject = dict[str, Any]

# Gone with API version 2026-10-21: anthropic 2.0.0, CHANGELOG.md.
_SAMPLING = ("temperature", "top_p", "top_k")
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_MOST_MESSAGES = 100_000
_MOST_CACHE_MARKS = 4
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def is_object(value: object) -> TypeGuard[JsonObject]:
    """Tell whether a JSON value is an object."""
    return isinstance(value, dict)


def objects(value: object) -> list[JsonObject]:
    """Return the objects of a JSON array; nothing if it is none."""
    return [item for item in cast("list[object]", value) if is_object(item)] if isinstance(value, list) else []


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


def check_message(body: JsonObject, config: Config, version: str, *, counting: bool = False) -> Refusal | None:
    """Look at the body of POST /v1/messages, or of count_tokens, which needs no max_tokens."""
    name = body.get("model")
    if not isinstance(name, str) or not name:
        return invalid("model: Field required")
    if name not in config.models:
        return Refusal(404, message=f"model: {name}")
    model = config.models[name]
    if not counting:
        most = body.get("max_tokens")
        if not isinstance(most, int):
            return invalid("max_tokens: Field required")
        if most < 1:
            return invalid("max_tokens: Input should be greater than or equal to 1")
        if most > model.output:
            limit = f"{model.output}, which is the maximum allowed number of output tokens for {name}"
            return invalid(f"max_tokens: {most} > {limit}")
    for parameter in _SAMPLING:
        if parameter in body and version == VERSIONS[-1]:
            return invalid(f"{parameter}: Extra inputs are not permitted")
    effort = body["output_config"].get("effort") if is_object(body.get("output_config")) else None
    if effort is not None and effort not in _EFFORTS:
        return invalid(f"output_config.effort: Input should be one of {', '.join(_EFFORTS)}")
    problem = _check_texts(body) or _check_messages(body.get("messages"), config.key)
    if problem is not None:
        return problem
    size = tokens(body)
    if size > model.context:
        return invalid(f"prompt is too long: {size} tokens > {model.context} maximum")
    return None


def tokens(body: JsonObject) -> int:
    """Estimate the input tokens of a request: a quarter of its characters of text."""
    return sum(len(text) for text in _all_texts(body)) // 4 + 8


def last_user_text(body: JsonObject) -> str:
    """Return the text of the last user message, its blocks joined by new lines."""
    for message in reversed(objects(body.get("messages"))):
        if message.get("role") == "user":
            return "\n".join(_texts(message.get("content")))
    return ""


def _texts(content: object) -> list[str]:
    if isinstance(content, str):
        return [content]
    return [str(block.get("text", "")) for block in objects(content) if block.get("type") == "text"]


def _all_texts(body: JsonObject) -> list[str]:
    found = _texts(body.get("system"))
    for message in objects(body.get("messages")):
        found += _texts(message.get("content"))
    return found


def _check_texts(body: JsonObject) -> Refusal | None:
    if any(_LONE_SURROGATE.search(text) for text in _all_texts(body)):
        return invalid("The request body is not valid JSON: no low surrogate in string")
    marks = sum("cache_control" in block for block in objects(body.get("system")))
    for message in objects(body.get("messages")):
        marks += sum("cache_control" in block for block in objects(message.get("content")))
    marks += "cache_control" in body
    if marks > _MOST_CACHE_MARKS:
        return invalid(f"A maximum of {_MOST_CACHE_MARKS} blocks with cache_control may be provided. Found {marks}.")
    if any(not text.strip() for text in _texts(body.get("system"))) and isinstance(body.get("system"), list):
        return invalid("system: text content blocks must be non-empty")
    return None


def _check_messages(value: object, key: str) -> Refusal | None:
    messages = objects(value)
    if not messages or len(messages) != len(cast("list[object]", value)):
        return invalid("messages: at least one message is required")
    if len(messages) > _MOST_MESSAGES:
        return invalid(f"messages: at most {_MOST_MESSAGES} messages are allowed")
    for place, message in enumerate(messages):
        if message.get("role") not in ("user", "assistant", "system"):
            return invalid(f'messages.{place}.role: Input should be "user" or "assistant"')
        problem = _check_content(f"messages.{place}", message, key)
        if problem is not None:
            return problem
    if messages[0].get("role") != "user":
        return invalid('messages: first message must use the "user" role')
    if messages[-1].get("role") == "assistant":
        # Anthropic developer docs, "Prefill Claude's response": not supported by current models.
        return invalid("This model does not support assistant message prefill. The conversation must end with a user message.")
    return None


def _check_content(where: str, message: JsonObject, key: str) -> Refusal | None:
    content = message.get("content")
    if isinstance(content, str):
        return None if content.strip() else invalid(f"{where}: all messages must have non-empty content")
    blocks = objects(content)
    if not blocks or len(blocks) != len(cast("Sequence[object]", content)):
        return invalid(f"{where}: all messages must have non-empty content")
    for number, block in enumerate(blocks):
        kind = block.get("type")
        if kind == "text" and not str(block.get("text", "")).strip():
            return invalid(f"{where}: text content blocks must contain non-whitespace text")
        if kind == "thinking":
            if message.get("role") != "assistant":
                return invalid(f"{where}.content.{number}: thinking blocks belong to assistant messages")
            if block.get("signature") != signature(str(block.get("thinking", "")), key):
                return invalid(f"{where}.content.{number}: Invalid `signature` in `thinking` block")
    return None
