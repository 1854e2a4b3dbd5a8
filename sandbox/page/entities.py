"""Telegram's texts as trees: their markup is entities beside the text, not signs within it."""

import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sandbox.page.markup import DEPTH, KEPT, Node, link


def tree(text: str, given: Sequence[Mapping[str, Any]]) -> list[Node]:
    """The tree of a text with entities, which count in UTF-16 code units (core.telegram.org/bots/api, MessageEntity)."""
    return _tree(text, json.dumps(given))


@lru_cache(KEPT)
def _tree(text: str, entities: str) -> list[Node]:
    given: list[dict[str, Any]] = json.loads(entities)
    raw = text.encode("utf-16-le", "surrogatepass")

    def cut(begin: int, end: int) -> str:
        return raw[2 * begin : 2 * end].decode("utf-16-le", "replace")

    def within(begin: int, end: int, inner: Sequence[Mapping[str, Any]], depth: int) -> list[Node]:
        nodes: list[Node] = []
        at = begin
        while inner:
            first, *others = inner
            low, high = int(first["offset"]), min(end, int(first["offset"]) + int(first["length"]))
            inside = [each for each in others if int(each["offset"]) < high]
            inner = [each for each in others if int(each["offset"]) >= high]
            if low < at or high <= low:
                continue
            block = first["type"] in BLOCKS
            if low > at and (before := cut(at, low).removesuffix("\n" if block else "")):
                nodes.append(before)
            content = within(low, high, inside, depth + 1) if depth < DEPTH else [cut(low, high)]
            nodes.append(_entity(first, content, cut(low, high)))
            # A block ends its line by itself.
            at = high + (block and cut(high, high + 1) == "\n")
        return [*nodes, cut(at, end)] if at < end else nodes

    ordered = sorted(given, key=lambda each: (int(each["offset"]), -int(each["length"])))
    return within(0, len(raw) // 2, ordered, 0)


BLOCKS = ("pre", "blockquote", "expandable_blockquote")
_STYLES = {
    "bold": "strong",
    "italic": "em",
    "underline": "u",
    "strikethrough": "s",
    "spoiler": "spoiler",
    "blockquote": "quote",
    "expandable_blockquote": "quote",
    "code": "code",
    "mention": "mention",
    "text_mention": "mention",
    "bot_command": "mention",
    "hashtag": "mention",
}


def _entity(entity: Mapping[str, Any], content: list[Node], covered: str) -> Node:
    kind = str(entity["type"])
    if kind == "pre":
        node: Node = {"t": "pre", "c": [covered]}
        return node | {"lang": str(entity["language"])} if entity.get("language") else node
    if kind in ("text_link", "url"):
        return link(str(entity.get("url", covered)), content)
    return {"t": _STYLES.get(kind, "span"), "c": content}
