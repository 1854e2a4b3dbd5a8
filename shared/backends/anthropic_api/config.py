"""What the backend is told at its start."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class AnthropicConfig:
    """How to reach the API and what to ask of it. Times are seconds.

    `base_url` is empty for Anthropic's own address; `connect` is the longest time for a connection to come about.
    `model`, `effort` and `max_tokens` hold for prompts that do not say otherwise. `silence` is the longest time without
    a single byte, also before the first one. `retries` is how often a request that failed before its first word is made
    again; `longest_wait` the longest wait that the API may impose on such a repetition.
    """

    api_key: str = field(repr=False)
    base_url: str = ""
    model: str = "claude-sonnet-5-5"
    effort: str | None = None
    max_tokens: int = 32_000
    silence: float = 120.0
    connect: float = 10.0
    retries: int = 3
    longest_wait: float = 20.0
    connections: int = 1_000
