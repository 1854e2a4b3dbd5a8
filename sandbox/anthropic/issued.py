"""What the API remembers of its own answers: those that it paused, and how far a turn has come."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any

from .blocks import JsonObject, last_turn, objects, plain
from .errors import Refusal, invalid

_MOST = 10_000


class Issued:
    """The last answers that wait for more: paused ones, and uses of the caller's tools."""

    def __init__(self) -> None:
        self._paused: OrderedDict[bytes, tuple[int, int]] = OrderedDict()
        self._uses: OrderedDict[str, int] = OrderedDict()

    def remember(self, content: Sequence[JsonObject], stop: str, step: int) -> None:
        """Note an answer. `step` counts the answers of one turn from 0."""
        if stop in ("pause_turn", "compaction"):
            self._paused[_digest(content)] = (len(content), step)
        for block in content:
            if block.get("type") in ("tool_use", "server_tool_use", "mcp_tool_use"):
                self._uses[str(block.get("id"))] = step
        for kept in (self._paused, self._uses):
            while len(kept) > _MOST:
                kept.popitem(last=False)

    def step(self, body: JsonObject) -> int:
        """Return how many answers this turn has had: 0 when a person has just spoken."""
        role, blocks = last_turn(body)
        if role == "assistant":
            return (self._paused_step(blocks) or 0) + 1
        uses = [block.get("tool_use_id") for block in blocks if block.get("type") == "tool_result"]
        return 1 + max(self._uses.get(str(use), 0) for use in uses) if uses else 0

    def check_end(self, body: JsonObject) -> Refusal | None:
        """Look at the end of a request: only an answer that was paused may stand there, and unchanged."""
        role, blocks = last_turn(body)
        if role != "assistant" or self._paused_step(blocks) is not None:
            return None
        if any(str(block.get("id")) in self._uses for block in blocks):
            return invalid(
                f"messages.{len(objects(body.get('messages'))) - 1}: content of a paused turn cannot be modified. It must be "
                "sent back as it was in the original response."
            )
        # Anthropic developer docs, "Prefill Claude's response": not supported by current models.
        return invalid("This model does not support assistant message prefill. The conversation must end with a user message.")

    def _paused_step(self, blocks: Sequence[JsonObject]) -> int | None:
        for length in {length for length, _ in self._paused.values()}:
            if length <= len(blocks):
                found = self._paused.get(_digest(blocks[len(blocks) - length :]))
                if found is not None:
                    return found[1]
        return None


def _digest(content: Sequence[JsonObject]) -> bytes:
    value: Any = plain(list(content))
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()
