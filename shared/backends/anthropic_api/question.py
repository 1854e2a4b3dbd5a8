"""One question to the API: everything that its requests hold, and their bytes."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .options import COMPACT_BETA, MCP_BETA, Options, condensing
from .payload import Message

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)

# Fields that a request for a count has too (anthropic 2.10.0, types/message_count_tokens_params.py).
_COUNTED = ("model", "system", "tools", "mcp_servers", "thinking", "output_config", "cache_control")


@dataclass(frozen=True, slots=True)
class Question:
    """A prompt as the API wants it. `native`: it holds blocks of earlier answers. `large`: its bytes take long to make."""

    options: Options
    messages: Sequence[Message]
    betas: Sequence[str]
    native: bool = False
    large: bool = False
    condense: bool = False

    def encode(self, so_far: Sequence[Mapping[str, Any]] = (), container: str | None = None) -> bytes:
        """The bytes of a request; with `so_far`, of the one that goes on with this answer, in the `container` of its code."""
        fields: dict[str, Any] = {**self.options.fields, "stream": True}
        if self.condense:
            fields.update(condensing(self.options.trigger))
        if container is not None:
            fields["container"] = container
        messages = [*self.messages, {"role": "assistant", "content": so_far}] if so_far else self.messages
        return _bytes({**fields, "messages": messages})

    def encode_for_count(self) -> bytes:
        """The bytes of a request for the number of its tokens."""
        fields = {name: self.options.fields[name] for name in _COUNTED if name in self.options.fields}
        return _bytes({**fields, "messages": self.messages})


def betas_of(options: Options, messages: Sequence[Message], *, condense: bool) -> Sequence[str]:
    """The betas that a request needs: for what it asks, and for the blocks of earlier answers that it holds."""
    kinds = {str(block.get("type")) for message in messages if message["role"] == "assistant" for block in message["content"]}
    betas: list[str] = []
    if condense or "compaction" in kinds:
        betas.append(COMPACT_BETA)
    if "mcp_servers" in options.fields or any(kind.startswith("mcp_") for kind in kinds):
        betas.append(MCP_BETA)
    return betas


def _bytes(body: Mapping[str, Any]) -> bytes:
    # Half of a pair of surrogates cannot be encoded; people's texts hold none by now, names may.
    return _ENCODER.encode(body).encode("utf-8", "replace")
