"""What the backend is told at its start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from shared.lists import McpServer, Price


@dataclass(frozen=True, slots=True, kw_only=True)
class AnthropicConfig:
    """How to reach the API and what to ask of it. Times are seconds, sizes bytes.

    `base_url` is empty for Anthropic's own address; `connect` is the longest time for a connection to come about, and a
    connection that was idle for `connection_idle` is closed. `model` (an id or an alias), `effort` and `max_tokens` hold for
    prompts that do not say otherwise. `silence` is the longest time without a single byte, also before the first one.
    `retries` is how often a request that failed before its first word is made again; `longest_wait` the longest wait that the
    API may impose on such a repetition.

    `thinking` says whether the model's thoughts are asked for; "summarised" and "shown" are the same to the API.
    `web_search`, `web_fetch`, `code_execution` and `mcp_servers` are what the model may use. `prices` replace those of the
    built-in table, by a model's id. Of the files that code makes, `made_files` of up to `made_bytes` each are fetched.
    """

    api_key: str = field(repr=False)
    base_url: str = ""
    model: str = "claude-sonnet-5-5"
    effort: str | None = None
    max_tokens: int = 32_000
    thinking: Literal["off", "summarised", "shown"] = "off"
    web_search: bool = False
    web_fetch: bool = False
    code_execution: bool = False
    mcp_servers: Sequence[McpServer] = ()
    prices: Mapping[str, Price] = field(default_factory=dict[str, Price])
    cache_ttl: Literal["5m", "1h"] = "5m"
    made_files: int = 10
    made_bytes: int = 20_000_000
    silence: float = 120.0
    connect: float = 10.0
    connection_idle: float = 300.0
    retries: int = 3
    longest_wait: float = 20.0
    connections: int = 1_000

    @property
    def secrets(self) -> Sequence[str]:
        """What no log and no failure may hold."""
        return [self.api_key, *(server.token for server in self.mcp_servers if server.token)]
