"""What a request holds and how many tokens that is. The same figures for count_tokens, usage, window and cache."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sandbox.values import is_object

from .blocks import JsonObject, blocks_of, exact, marks, object_of, objects, turns
from .media import pages_of

# Not the real tokenizer: about four characters per token, which Anthropic's glossary gives as a rule of thumb for English.
_CHARACTERS = 4
_REQUEST = 8
_IMAGE = 1_500
_PAGE = 2_000

Level = str
TTLS = {"5m": 300.0, "1h": 3600.0}


@dataclass(frozen=True, slots=True)
class Element:
    """One piece of a prompt in the order in which the cache sees it: tools, system, messages. `mark` is its TTL, if marked."""

    level: Level
    role: str
    block: JsonObject
    tokens: int
    mark: str | None = None

    @property
    def data(self) -> bytes:
        """The piece as the cache compares it: byte by byte, with the role that says it."""
        return self.role.encode() + exact(self.block)


def elements(body: JsonObject) -> list[Element]:
    """Take a request apart. What stands before the last compaction is not part of it."""
    found = [_element("tools", tool, "") for tool in objects(body.get("tools"))]
    found += [_element("system", block, "") for block in blocks_of(body.get("system"))]
    for role, blocks in effective(body):
        found += [_element("messages", block, role) for _, block in blocks]
    if is_object(body.get("cache_control")) and found:
        last = found[-1]
        found[-1] = replace(last, mark=last.mark or ttl_of(body["cache_control"]))
    return found


def effective(body: JsonObject) -> list[tuple[str, list[tuple[str, JsonObject]]]]:
    """Return the turns that count: from the last compaction on that has a summary."""
    seen = turns(body)
    for number in range(len(seen) - 1, -1, -1):
        role, blocks = seen[number]
        for at in range(len(blocks) - 1, -1, -1):
            block = blocks[at][1]
            if block.get("type") == "compaction" and block.get("content"):
                return [(role, blocks[at:]), *seen[number + 1 :]]
    return seen


def shared_prefix(earlier: JsonObject, later: JsonObject) -> tuple[int, int]:
    """Count the blocks at the start of two requests that are the same byte for byte, and those of the earlier one.

    Both are equal when the later request only adds, which is what a prompt cache needs. Marks are not compared.
    """
    first, second = elements(earlier), elements(later)
    same = 0
    for one, other in zip(first, second, strict=False):
        if (one.level, one.data) != (other.level, other.data):
            break
        same += 1
    return same, len(first)


def tokens(body: JsonObject, found: Sequence[Element] | None = None) -> int:
    """Count the input tokens of a request."""
    return _REQUEST + sum(element.tokens for element in (elements(body) if found is None else found))


def tokens_of(text: str) -> int:
    """Count the tokens of a text: one per four characters, rounded up."""
    return -(-len(text) // _CHARACTERS)


def ttl_of(mark: Any) -> str:
    """Return how long a cache mark asks to keep its prefix: 5m or 1h."""
    return str(mark.get("ttl") or "5m")


def _element(level: Level, block: JsonObject, role: str) -> Element:
    found = marks(block)
    return Element(level, role, block, _block_tokens(block), ttl_of(found[-1]) if found else None)


def _block_tokens(block: JsonObject) -> int:
    kind = block.get("type")
    if kind == "text":
        return tokens_of(str(block.get("text", "")))
    if kind == "image":
        return _IMAGE
    if kind == "document":
        return _document_tokens(block)
    if kind == "compaction":
        return tokens_of(str(block.get("content") or ""))
    if kind == "tool_result":
        return 4 + sum(_block_tokens(inner) for inner in blocks_of(block.get("content")))
    return tokens_of(exact(block).decode())


def _document_tokens(block: JsonObject) -> int:
    source = object_of(block.get("source"))
    around = tokens_of(str(block.get("title") or "") + str(block.get("context") or ""))
    match source.get("type"):
        case "text":
            return around + tokens_of(str(source.get("data", "")))
        case "content":
            return around + sum(_block_tokens(inner) for inner in blocks_of(source.get("content")))
        case "base64":
            try:
                return around + _PAGE * max(1, pages_of(base64.b64decode(str(source.get("data", "")))))
            except (binascii.Error, ValueError):
                return around + _PAGE
        case _:
            return around + _PAGE
