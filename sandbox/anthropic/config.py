"""What one simulated API is: its address, its keys, its models."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .script import Script


@dataclass(frozen=True, slots=True)
class Model:
    """A model's limits in tokens, as GET /v1/models/{id} reports them."""

    context: int = 1_000_000
    output: int = 128_000


# Names: anthropic 2.10.0, types/model.py. Limits: Anthropic developer docs, "Models overview".
MODELS: Mapping[str, Model] = {
    "claude-fable-5-2": Model(),
    "claude-opus-5-5": Model(),
    "claude-sonnet-5-5": Model(),
    "claude-haiku-5-5": Model(),
    "claude-haiku-4-5": Model(context=200_000, output=64_000),
}

# Anthropic developer docs, "API versions". Sampling parameters are refused from the last one on.
VERSIONS = ("2023-01-01", "2023-06-01", "2026-10-21")

# Anthropic developer docs, "Request size limits": 32 MB for the Messages API.
LARGEST_REQUEST = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Config:
    """One simulator. `port` 0 takes a free one; `key` is the only good API key.

    `script` answers every request that no rule matches. `keep_bodies` is how many of the newest request bodies stay in
    the log. `journal` receives one JSON line per ended call, and is read again at start. `seed` is for random faults.
    """

    host: str = "127.0.0.1"
    port: int = 0
    key: str = "demo-key"
    script: Script = field(default_factory=Script)
    models: Mapping[str, Model] = field(default_factory=lambda: MODELS)
    keep_bodies: int = 5_000
    journal: Path | None = None
    seed: int = 0
