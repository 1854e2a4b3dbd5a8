"""Reading JSON: what blocks, texts and marks a request holds. Pure, and of no opinion about what is right."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, cast

from sandbox.values import is_object

JsonObject = dict[str, Any]


def object_of(value: object) -> JsonObject:
    """Return a JSON object; an empty one in place of anything else."""
    return value if is_object(value) else {}


def objects(value: object) -> list[JsonObject]:
    """Return the objects of a JSON array; nothing if it is none."""
    return [item for item in cast("list[object]", value) if is_object(item)] if isinstance(value, list) else []


def blocks_of(content: object) -> list[JsonObject]:
    """Return content as blocks: a plain string is one text block."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else objects(content)


def texts(content: object) -> list[str]:
    """Return the texts of content: a string, or the text blocks of a list."""
    if isinstance(content, str):
        return [content]
    return [str(block.get("text", "")) for block in objects(content) if block.get("type") == "text"]


def all_texts(body: JsonObject) -> list[str]:
    """Return the texts of a request: system prompt, then messages."""
    found = texts(body.get("system"))
    for message in objects(body.get("messages")):
        found += texts(message.get("content"))
    return found


def turns(body: JsonObject) -> list[tuple[str, list[tuple[str, JsonObject]]]]:
    """Return the messages as the model sees them: neighbours of one role are one. Each block has its place, for errors."""
    merged: list[tuple[str, list[tuple[str, JsonObject]]]] = []
    for number, message in enumerate(objects(body.get("messages"))):
        role = str(message.get("role"))
        placed = [(f"messages.{number}.content.{at}", block) for at, block in enumerate(blocks_of(message.get("content")))]
        if merged and merged[-1][0] == role:
            merged[-1][1].extend(placed)
        else:
            merged.append((role, placed))
    return merged


def last_turn(body: JsonObject) -> tuple[str, list[JsonObject]]:
    """Return role and blocks of the last turn."""
    messages = objects(body.get("messages"))
    role, found = str(messages[-1].get("role")), list[JsonObject]()
    for message in reversed(messages):
        if message.get("role") != role:
            break
        found = blocks_of(message.get("content")) + found
    return role, found


Placed = tuple[str, str, JsonObject]


def everything(body: JsonObject) -> Iterator[Placed]:
    """Yield every block of the messages with its place and its role; those in results of tools too."""
    for role, blocks in turns(body):
        for place, block in blocks:
            yield place, role, block
            for at, inner in enumerate(objects(block.get("content"))):
                yield f"{place}.content.{at}", role, inner


def last_user_text(body: JsonObject) -> str:
    """Return the text of the last user message: its texts and what its tools gave, joined by new lines."""
    for message in reversed(objects(body.get("messages"))):
        if message.get("role") != "user":
            continue
        said = texts(message.get("content"))
        for block in objects(message.get("content")):
            if block.get("type") == "tool_result":
                said += texts(block.get("content"))
        return "\n".join(said)
    return ""


def plain(value: object) -> Any:
    """Return a JSON value without cache marks and without nulls, as a client may add or drop these."""
    if isinstance(value, Mapping):
        items = cast("Mapping[str, object]", value).items()
        return {name: plain(item) for name, item in items if item is not None and name != "cache_control"}
    if isinstance(value, list):
        return [plain(item) for item in cast("list[object]", value)]
    return value


def exact(value: JsonObject) -> bytes:
    """Encode a block byte by byte as it came, but for its own cache mark."""
    kept = {name: item for name, item in value.items() if name != "cache_control"}
    return json.dumps(kept, ensure_ascii=True, separators=(",", ":")).encode()


def marks(block: JsonObject) -> list[JsonObject]:
    """Return the cache marks of a block and of the blocks within it."""
    found = [block["cache_control"]] if is_object(block.get("cache_control")) else []
    for inner in objects(block.get("content")):
        found += marks(inner)
    return found
