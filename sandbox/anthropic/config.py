"""What one simulated API is: its address, its keys, its models."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .models import MODELS, Model
from .script import Script

__all__ = ["COMPACT_BETA", "LARGEST_REQUEST", "MCP_BETAS", "MODELS", "VERSIONS", "Config", "Model"]

# Anthropic developer docs, "API versions". Sampling parameters are refused from the last one on.
VERSIONS = ("2023-01-01", "2023-06-01", "2026-10-21")

# Anthropic developer docs, "Request size limits": 32 MB for the Messages API.
LARGEST_REQUEST = 32 * 1024 * 1024

# anthropic 2.10.0, types/anthropic_beta_param.py.
COMPACT_BETA = "compact-2026-01-12"
MCP_BETAS = ("mcp-client-2025-11-20", "mcp-client-2026-09-15")


@dataclass(frozen=True, slots=True)
class Config:
    """One simulator. `port` 0 takes a free one; `key` is the only good API key.

    `script` answers every request that no rule matches. `keep_bodies` is how many of the newest request bodies stay in
    the log. `journal` receives one JSON line per ended call, and is read again at start. `seed` is for random faults.
    `cache_minimum` replaces that of every model, in tokens; `compaction_minimum` is the smallest trigger of a compaction, in
    tokens. `cut_at_max_tokens` ends an answer at the request's max_tokens, as the API does; off, scripts may say more.
    `clock` is what the ages of cached prefixes are measured with, in seconds.
    """

    host: str = "127.0.0.1"
    port: int = 0
    key: str = "demo-key"
    script: Script = field(default_factory=Script)
    models: Mapping[str, Model] = field(default_factory=lambda: MODELS)
    keep_bodies: int = 5_000
    journal: Path | None = None
    seed: int = 0
    cache_minimum: int | None = None
    # Anthropic developer docs, "Compaction": the trigger is at least 50,000 tokens.
    compaction_minimum: int = 50_000
    cut_at_max_tokens: bool = False
    clock: Callable[[], float] = time.monotonic
