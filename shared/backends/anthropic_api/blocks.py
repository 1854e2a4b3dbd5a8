"""The native blocks of an answer: put together from the events of its requests, and what of them may be sent back. Pure.

Blocks go back as they came, field by field: the API has signed some of them (Anthropic developer docs, "Extended thinking").
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from shared.backends import Blocks

from .doing import RESULT, USES

Object = dict[str, Any]

_JSON = "partial_json"


class Assembler:
    """The blocks of one answer. Numbers are those of the running request, from 0."""

    def __init__(self) -> None:
        self._before: list[Object] = []
        self._now: dict[int, Object] = {}
        self._pieces: dict[int, dict[str, list[str]]] = {}
        self._closed: set[int] = set()
        self._odd: set[int] = set()

    def start(self, index: int, block: Object) -> None:
        """A block begins."""
        self._now[index] = block

    def grow(self, index: int, field: str, piece: str) -> None:
        """A text field of a block becomes longer. `partial_json` is what becomes the input of a tool."""
        self._pieces.setdefault(index, {}).setdefault(field, []).append(piece)

    def set(self, index: int, values: Mapping[str, Any]) -> None:
        """Fields of a block are given as a whole."""
        self._now.setdefault(index, {}).update(values)

    def cite(self, index: int, citation: object) -> None:
        """A citation of a text block."""
        block = self._now.setdefault(index, {"type": "text", "text": ""})
        known: list[object] = block.get("citations") or []
        block["citations"] = [*known, citation]

    def odd(self, index: int) -> None:
        """A block got what we do not understand: it would go back incomplete."""
        self._odd.add(index)

    def stop(self, index: int) -> Object:
        """A block is whole."""
        self._closed.add(index)
        return self._join(index)

    def again(self) -> None:
        """The request is over, and another one goes on with the answer."""
        self._before = self.whole()
        self.drop()

    def drop(self) -> None:
        """The request has failed: what it brought is forgotten."""
        self._now, self._pieces, self._closed, self._odd = {}, {}, set(), set()

    def whole(self) -> list[Object]:
        """Everything as it came, to go on with a paused answer."""
        for index in list({**self._now, **self._pieces}):
            self._join(index)
        new = [self._now[index] for index in sorted(self._now) if self._complete(index)]
        return [*self._before, *(block for block in new if not _empty(block))]

    def kept(self) -> Blocks | None:
        """What may be sent back as history; None if it holds nothing that the text does not."""
        blocks = _finished(self.whole())
        if all(block.get("type") == "text" and not block.get("citations") for block in blocks):
            return None
        return blocks

    def _complete(self, index: int) -> bool:
        """Half a text is a text; half of anything else is of no use."""
        return index not in self._odd and (index in self._closed or self._now[index].get("type") == "text")

    def _join(self, index: int) -> Object:
        block = self._now.setdefault(index, {"type": "text"})
        for field, pieces in self._pieces.pop(index, {}).items():
            joined = "".join(pieces)
            if field != _JSON:
                block[field] = str(block.get(field) or "") + joined
            elif joined.strip():
                try:
                    block["input"] = json.loads(joined)
                except ValueError:
                    self._odd.add(index)
        return block


def condensed(blocks: Sequence[Mapping[str, Any]] | None) -> bool:
    """Whether blocks hold a summary of all that came before."""
    return any(block.get("type") == "compaction" and block.get("content") for block in blocks or ())


def made_files(blocks: Sequence[Mapping[str, Any]]) -> list[str]:
    """The ids of the files that code has made, each once (types/bash_code_execution_result_block.py and its siblings)."""
    found: dict[str, None] = {}
    for block in blocks:
        if str(block.get("type")).endswith(f"code_execution{RESULT}"):
            found.update(dict.fromkeys(_ids(block.get("content"))))
    return list(found)


def _ids(content: object) -> Iterator[str]:
    if isinstance(content, dict):
        outputs: object = cast(Object, content).get("content")
        for each in cast("list[object]", outputs) if isinstance(outputs, list) else ():
            file = cast(Object, each).get("file_id") if isinstance(each, dict) else None
            if isinstance(file, str) and file:
                yield file


def _finished(blocks: Sequence[Object]) -> list[Object]:
    """Leave out what the API refuses in history: thoughts without a signature, uses of tools that have no result."""
    done = {block.get("tool_use_id") for block in blocks if str(block.get("type")).endswith(RESULT)}
    return [block for block in blocks if _good(block, done)]


def _good(block: Object, done: set[Any]) -> bool:
    match block.get("type"):
        case "tool_use":
            return False
        case "thinking":
            return bool(block.get("signature"))
        case kind if kind in USES:
            return block.get("id") in done
        case _:
            return True


def _empty(block: Object) -> bool:
    # The API refuses an empty text block in history, though it sends one at times.
    return block.get("type") == "text" and not str(block.get("text") or "").strip()
