"""From a prompt to the messages of a request. Pure.

The API wants a user's message first and last, and no empty text (Anthropic developer docs, "Create a Message"). What was sent
once is sent again byte for byte with every later turn, so that the API's cache of it holds.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from shared.backends import Prompt, Said

from . import attached

Message = dict[str, Any]
Block = Mapping[str, Any]

# What is said to the model where the protocol wants a user's text and there is none.
_BEFORE = "(The earlier messages are not shown.)"
_NOTHING = "(This message has no text.)"

# JSON text cannot hold half of a pair, and what carries it fails while encoding the request.
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")

OLDER_MARKS = 2
"""Marks within the messages. The API takes four (Anthropic developer docs, "Prompt caching"): one stands on what comes before the
messages, and the one of the request as a whole falls on its end."""


def lines_of(prompt: Prompt) -> list[Said]:
    """The lines that a request holds. What was condensed into a summary is left out."""
    lines = [*prompt.history, *prompt.ask]
    for number in range(len(lines) - 1, -1, -1):
        blocks = lines[number].blocks or ()
        for at in range(len(blocks) - 1, -1, -1):
            if _condensed(blocks[at]):
                said = lines[number]
                return [Said(said.role, said.text, blocks[at:], said.files), *lines[number + 1 :]]
    return lines


def messages_of(prompt: Prompt, *, data: Mapping[str, str] | None = None, mark: Mapping[str, Any] | None = None) -> list[Message]:
    """Lay out history and question: roles alternate, the first and the last are the user's, no text is empty.

    `data` is the base64 text of kept files by their hash. The ends of the last requests are marked with `mark`, if given: there
    the API finds what it has kept, however long the answers since then are.
    """
    lines = lines_of(prompt)
    asked = len(lines) - len(prompt.ask)
    held = attached.held(lines) if any(said.files for said in lines) else frozenset[attached.Place]()
    laid = [_blocks(said, number, held, data or {}) for number, said in enumerate(lines)]
    merged = _merged(zip((said.role for said in lines[:asked]), laid[:asked], strict=True))
    if merged and merged[0]["role"] == "assistant":
        merged.insert(0, {"role": "user", "content": [_text(_BEFORE)]})
    ask = [block for blocks in laid[asked:] for block in blocks] or [_text(_NOTHING)]
    if mark is not None:
        _set_marks(merged, mark)
    if merged and merged[-1]["role"] == "user":
        merged[-1]["content"] += ask
    else:
        merged.append({"role": "user", "content": ask})
    return merged


def kept_files(prompt: Prompt) -> list[str]:
    """The hashes of the kept files that the messages of a prompt hold, each once."""
    lines = lines_of(prompt)
    held = sorted(attached.held(lines))
    return list(dict.fromkeys(digest for line, at in held if (digest := lines[line].files[at].digest)))


def _condensed(block: Block) -> bool:
    return block.get("type") == "compaction" and bool(block.get("content"))


def _set_marks(merged: Sequence[Message], mark: Mapping[str, Any]) -> None:
    """Mark the ends of the newest of the user's messages before the question."""
    ends = [message["content"] for message in merged if message["role"] == "user"][-OLDER_MARKS:]
    for content in ends:
        content[-1] = {**content[-1], "cache_control": mark}


def _merged(lines: Iterable[tuple[str, Sequence[Block]]]) -> list[Message]:
    merged: list[Message] = []
    for role, blocks in lines:
        if not blocks:
            continue
        if merged and merged[-1]["role"] == role:
            merged[-1]["content"] += blocks
        else:
            merged.append({"role": role, "content": list(blocks)})
    return merged


def _blocks(said: Said, number: int, held: Collection[attached.Place], data: Mapping[str, str]) -> list[Block]:
    if said.role == "assistant" and said.blocks:
        return list(said.blocks)
    files: list[Block] = [
        attached.block(file, data) if (number, at) in held else _text(attached.LEFT_OUT) for at, file in enumerate(said.files)
    ]
    return [*files, _text(said.text)] if said.text.strip() else files


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": _LONE_SURROGATE.sub("\ufffd", text)}
