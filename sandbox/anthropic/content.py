"""The messages of a request: roles, blocks, and what the API recognises of its own earlier answers."""

from collections.abc import Collection, Sequence
from typing import Any, cast

from sandbox.values import is_object

from .blocks import JsonObject, Placed, blocks_of, objects, turns
from .config import COMPACT_BETA, Config
from .errors import Refusal, invalid
from .seals import is_redacted, sealed, signed

_MOST_MESSAGES = 100_000

# Block types as in anthropic 2.10.0, types/content_block_param.py and types/beta/beta_content_block_param.py.
_USERS = frozenset(
    {"text", "image", "document", "search_result", "tool_result", "container_upload", "tool_reference", "browser_state"}
)
_RESULTS = {
    "web_search_tool_result": "web_search",
    "web_fetch_tool_result": "web_fetch",
    "code_execution_tool_result": "code_execution",
    "bash_code_execution_tool_result": "bash_code_execution",
    "text_editor_code_execution_tool_result": "text_editor_code_execution",
    "tool_search_tool_result": "tool_search",
    "mcp_tool_result": "mcp_tool_use",
}
_ASSISTANTS = frozenset(
    {"text", "thinking", "redacted_thinking", "tool_use", "server_tool_use", "mcp_tool_use", "compaction", "container_upload"}
    | {"fallback", "mcp_tool_listing", "image", "document", "search_result"}
    | set(_RESULTS)
)


def check_messages(
    body: JsonObject, every: Sequence[Placed], config: Config, betas: Collection[str], *, latest: bool
) -> Refusal | None:
    """Look at the messages. `latest` says whether the newest API version was asked for. Their end is not looked at."""
    value = body.get("messages")
    messages = objects(value)
    if not messages or len(messages) != len(cast("list[object]", value)):
        return invalid("messages: at least one message is required")
    if len(messages) > _MOST_MESSAGES:
        return invalid(f"messages: at most {_MOST_MESSAGES} messages are allowed")
    for number, message in enumerate(messages):
        problem = _check_message(f"messages.{number}", message)
        if problem is not None:
            return problem
    first = messages[0]
    compacted = any(block.get("type") == "compaction" for block in objects(first.get("content"))[:1])
    if first.get("role") != "user" and not compacted:
        return invalid('messages: first message must use the "user" role')
    for place, role, block in every:
        problem = _check_block(place, role, block, config, betas, latest=latest)
        if problem is not None:
            return problem
    return _check_pairs(body)


def _check_message(where: str, message: JsonObject) -> Refusal | None:
    if message.get("role") not in ("user", "assistant", "system"):
        return invalid(f'{where}.role: Input should be "user" or "assistant"')
    content = message.get("content")
    if isinstance(content, str):
        return None if content.strip() else invalid(f"{where}: all messages must have non-empty content")
    blocks = objects(content)
    if not blocks or len(blocks) != len(cast("Sequence[object]", content)):
        return invalid(f"{where}: all messages must have non-empty content")
    if any(block.get("type") == "text" and not str(block.get("text", "")).strip() for block in blocks):
        return invalid(f"{where}: text content blocks must contain non-whitespace text")
    return None


def _check_block(
    place: str, role: str, block: JsonObject, config: Config, betas: Collection[str], *, latest: bool
) -> Refusal | None:
    kind = str(block.get("type"))
    inner = place.count(".content.") > 1
    if not inner:
        known = _ASSISTANTS if role == "assistant" else _USERS
        if kind in ("thinking", "redacted_thinking") and role != "assistant":
            return invalid(f"{place}: thinking blocks belong to assistant messages")
        if kind not in known or (kind == "compaction" and COMPACT_BETA not in betas):
            return invalid(f"{place}: Input tag '{kind}' found using 'type' does not match any of the expected tags")
        if kind == "document" and role == "assistant" and latest:
            return invalid(f"{place}: document blocks are not permitted in assistant messages")
        if kind == "text" and role == "user" and latest and block.get("citations"):
            return invalid(f"{place}.text.citations: citations are not permitted in user messages")
    return _check_seal(place, block, config)


def _check_seal(place: str, block: JsonObject, config: Config) -> Refusal | None:
    """Look whether what only the API can write is unchanged."""
    key = config.key
    match block.get("type"):
        case "thinking":
            given = str(block.get("signature", ""))
            if signed(str(block.get("thinking", "")), given, key, tuple(config.models)) is None:
                return invalid(f"{place}: Invalid `signature` in `thinking` block")
        case "redacted_thinking":
            if not is_redacted(key, str(block.get("data", ""))):
                return invalid(f"{place}: Invalid `data` in `redacted_thinking` block")
        case "compaction":
            content = block.get("content")
            if content == "":
                return invalid(f"{place}.compaction.content: must be non-empty")
            if content is not None and block.get("encrypted_content") != sealed("cmp", key, str(content)):
                return invalid(f"{place}: Invalid `encrypted_content` in `compaction` block")
        case "web_search_result":
            if block.get("encrypted_content") != sealed("enc", key, str(block.get("url")), str(block.get("title"))):
                return invalid(f"{place}: Invalid `encrypted_content` in `search_result` block")
        case _:
            pass
    return None


def _check_pairs(body: JsonObject) -> Refusal | None:
    """Look whether each use of a tool has its result where it belongs."""
    seen = turns(body)
    for number, (role, blocks) in enumerate(seen):
        after = [block for _, block in seen[number + 1][1]] if number + 1 < len(seen) else None
        before = [block for _, block in seen[number - 1][1]] if number else []
        problem = _check_uses(blocks, after) if role == "assistant" else _check_results(blocks, before)
        if problem is not None:
            return problem
    return None


def _check_uses(placed: Sequence[tuple[str, JsonObject]], after: Sequence[JsonObject] | None) -> Refusal | None:
    answered = {block.get("tool_use_id") for _, block in placed if block.get("type") in _RESULTS}
    given = {block.get("tool_use_id") for block in after or () if block.get("type") == "tool_result"}
    for place, block in placed:
        kind, use = block.get("type"), block.get("id")
        if kind == "tool_use" and after is not None and use not in given:
            return invalid(
                f"{_message(place)}: `tool_use` ids were found without `tool_result` blocks immediately after: {use}. Each "
                "`tool_use` block must have a corresponding `tool_result` block in the next message."
            )
        if kind in ("server_tool_use", "mcp_tool_use") and after is not None and use not in answered:
            name = block.get("name")
            return invalid(f"{place}: `{name}` tool use with id `{use}` was found without a corresponding result block")
    return None


def _check_results(placed: Sequence[tuple[str, JsonObject]], before: Sequence[JsonObject]) -> Refusal | None:
    asked = {block.get("id") for block in before if block.get("type") == "tool_use"}
    for place, block in placed:
        use = block.get("tool_use_id")
        if block.get("type") == "tool_result" and use not in asked:
            return invalid(
                f"{place}: unexpected `tool_use_id` found in `tool_result` blocks: {use}. Each `tool_result` block must have "
                "a corresponding `tool_use` block in the previous message."
            )
    return None


def pending_use(body: JsonObject) -> JsonObject | None:
    """Return the last use of a server's tool at the end of a request that has no result yet."""
    last: Any = objects(body.get("messages"))[-1]
    if not is_object(last) or last.get("role") != "assistant":
        return None
    blocks = blocks_of(last.get("content"))
    answered = {block.get("tool_use_id") for block in blocks if block.get("type") in _RESULTS}
    uses = [block for block in blocks if block.get("type") in ("server_tool_use", "mcp_tool_use")]
    return next((block for block in reversed(uses) if block.get("id") not in answered), None)


def _message(place: str) -> str:
    return place.split(".content.")[0]
