"""From a prompt to the messages of a request. Pure.

The API wants a user's message first and last, and no empty text (Anthropic developer docs, "Create a Message").
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from shared.backends import Prompt, Said

Message = dict[str, Any]
Block = Mapping[str, Any]

# What is said to the model where the protocol wants a user's text and there is none.
_BEFORE = "(The earlier messages are not shown.)"
_NOTHING = "(This message has no text.)"

# JSON text cannot hold half of a pair, and the SDK fails on it while encoding the request.
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def messages_of(prompt: Prompt) -> list[Message]:
    """Lay out history and question: roles alternate, the first and the last are the user's, no text is empty."""
    merged = _merged(prompt.history)
    if merged and merged[0]["role"] == "assistant":
        merged.insert(0, {"role": "user", "content": [_text(_BEFORE)]})
    asked = [block for said in prompt.ask for block in _blocks(said)] or [_text(_NOTHING)]
    if merged and merged[-1]["role"] == "user":
        merged[-1]["content"] += asked
    else:
        merged.append({"role": "user", "content": asked})
    return merged


def system_of(prompt: Prompt) -> list[Block] | None:
    """Lay out the system prompt, marked for the cache: it begins every request of a conversation."""
    if prompt.system is None or not prompt.system.strip():
        return None
    return [{**_text(prompt.system), "cache_control": {"type": "ephemeral"}}]


def _merged(lines: Iterable[Said]) -> list[Message]:
    merged: list[Message] = []
    for said in lines:
        blocks = _blocks(said)
        if not blocks:
            continue
        if merged and merged[-1]["role"] == said.role:
            merged[-1]["content"] += blocks
        else:
            merged.append({"role": said.role, "content": blocks})
    return merged


def _blocks(said: Said) -> list[Block]:
    if said.role == "assistant" and said.blocks:
        return list(said.blocks)
    return [_text(said.text)] if said.text.strip() else []


def _text(text: str) -> dict[str, Any]:
    return {"type": "text", "text": _LONE_SURROGATE.sub("\ufffd", text)}
