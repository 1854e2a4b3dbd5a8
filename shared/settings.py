"""Every setting. Nothing else in Threadline reads the environment.

Values come from the environment, from `.env` in the folder that the server is started in, and from files that a service manager
hands over; the first of these wins. `.env.example` lists them all with their meaning; a test compares it with this file.
"""

import difflib
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from shared import lists
from shared.errors import Misconfigured
from shared.lists import McpServer, Price

Names = Annotated[frozenset[str], NoDecode]
Hours = Annotated[dict[str, float], NoDecode]
Prices = Annotated[dict[str, Price], NoDecode]
Switch = Literal["off", "on"]
ENV_FILE = Path(".env")
SYSTEM_PROMPT = (
    "You are a helpful assistant in a chat. Answer in the language you are written to in. Be brief unless asked for more. "
    "Use Markdown sparingly, as fits a chat."
)

# Prefixes that only our settings have: a misspelt one in the environment is told as one in `.env` is.
_OURS = ("DISCORD_", "SLACK_", "TELEGRAM_", "THREADLINE_")

_NUMBERS = (
    "discord_allowed_servers", "discord_allowed_channels", "discord_allowed_roles", "discord_allowed_users", "discord_admins",
)  # fmt: skip
_CODES = ("slack_allowed_teams", "slack_allowed_channels", "slack_allowed_users", "slack_admins")
_SIGNED = ("telegram_allowed_chats", "telegram_allowed_users", "telegram_admins")
_LISTS = (*_NUMBERS, *_CODES, *_SIGNED)

_TOLD = (
    "thinking", "web_search", "web_fetch", "code_execution", "history_turns", "files_per_message", "file_megabytes",
    "files_days", "code_file_characters", "burst_seconds", "when_busy", "queue_limit", "user_per_minute", "turn_seconds",
    "idle_notice", "recall_hours",
)  # fmt: skip


class Settings(BaseSettings):
    """What the operator has chosen. Names in the environment are these names in capitals."""

    model_config = SettingsConfigDict(extra="forbid", hide_input_in_errors=True, env_ignore_empty=True)

    # Where things are kept and told
    state_dir: Path = Path("state")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "console", "json"] = "auto"
    health_port: int = Field(default=0, ge=0, le=65_535)
    http_host: str = "127.0.0.1"
    http_port: int = Field(default=8000, ge=1, le=65_535)

    # Discord
    discord_token: SecretStr | None = None
    discord_api_url: str = ""
    discord_gateway_url: str = ""
    discord_message_content: Literal["on", "auto", "off"] = "on"
    discord_answer_in: Literal["thread", "channel"] = "thread"
    discord_allowed_servers: Names = frozenset()
    discord_allowed_channels: Names = frozenset()
    discord_allowed_roles: Names = frozenset()
    discord_allowed_users: Names = frozenset()
    discord_admins: Names = frozenset()
    discord_direct: Literal["closed", "open"] = "closed"
    discord_idle_hours: float | None = Field(default=None, ge=0, le=8_760)

    # Slack
    slack_bot_token: SecretStr | None = None
    slack_app_token: SecretStr | None = None
    slack_events: Literal["socket", "http"] = "socket"
    slack_signing_secret: SecretStr | None = None
    slack_api_url: str = ""
    slack_connections: int = Field(default=2, ge=1, le=10)
    slack_streams: Switch = "on"
    slack_allowed_teams: Names = frozenset()
    slack_allowed_channels: Names = frozenset()
    slack_allowed_users: Names = frozenset()
    slack_admins: Names = frozenset()
    slack_direct: Literal["closed", "open"] = "closed"
    slack_idle_hours: float | None = Field(default=None, ge=0, le=8_760)

    # Telegram
    telegram_token: SecretStr | None = None
    telegram_api_url: str = ""
    telegram_file_url: str = ""
    telegram_local_mode: Switch = "off"
    telegram_events: Literal["polling", "webhook"] = "polling"
    telegram_webhook_url: str = ""
    telegram_webhook_secret: SecretStr | None = None
    telegram_drafts: Switch = "off"
    telegram_allowed_chats: Names = frozenset()
    telegram_allowed_users: Names = frozenset()
    telegram_admins: Names = frozenset()
    telegram_direct: Literal["closed", "open"] = "closed"
    telegram_idle_hours: float | None = Field(default=None, ge=0, le=8_760)

    # Claude
    backend: Literal["anthropic_api", "claude_web", "demo"] = "anthropic_api"
    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str = ""
    claude_web_session_key: SecretStr | None = None
    claude_web_organization: str = ""
    claude_web_base_url: str = ""
    claude_web_proxy: SecretStr | None = None
    claude_web_idle_seconds: float = Field(default=300, ge=0, le=86_400)
    model: str = "sonnet"
    effort: Literal["", "low", "medium", "high", "xhigh", "max"] = ""
    max_tokens: int = Field(default=32_000, ge=256, le=128_000)
    system_prompt: str = SYSTEM_PROMPT
    thinking: Literal["off", "summarised", "shown"] = "off"
    cache_ttl: Literal["5m", "1h"] = "5m"
    prices: Prices = Field(default_factory=dict[str, Price])
    connection_idle_seconds: float = Field(default=300, ge=1, le=86_400)
    history_turns: int = Field(default=200, ge=0, le=10_000)
    history_characters: int = Field(default=400_000, ge=1_000, le=4_000_000)

    # What the model may use
    web_search: Switch = "off"
    web_fetch: Switch = "off"
    code_execution: Switch = "off"
    mcp_servers: SecretStr | None = None

    # Files
    files_per_message: int = Field(default=10, ge=0, le=100)
    file_megabytes: float = Field(default=20, gt=0, le=100)
    files_days: float = Field(default=30, gt=0, le=3_650)
    files_total_megabytes: float = Field(default=2_000, ge=10, le=1_000_000)
    code_file_characters: int = Field(default=4_000, ge=0, le=1_000_000)

    # Conversations
    burst_seconds: float = Field(default=1.5, ge=0, le=60)
    when_busy: Literal["queue", "interrupt"] = "queue"
    queue_limit: int = Field(default=10, ge=0, le=1_000)
    idle_hours: float = Field(default=24, ge=0, le=8_760)
    idle_channels: Hours = Field(default_factory=dict[str, float])
    idle_notice: Switch = "on"

    # Limits
    user_per_minute: int = Field(default=20, ge=0, le=10_000)
    budget_user_tokens: int = Field(default=0, ge=0, le=10**15)
    budget_user_dollars: float = Field(default=0, ge=0, le=10**9)
    budget_channel_tokens: int = Field(default=0, ge=0, le=10**15)
    budget_channel_dollars: float = Field(default=0, ge=0, le=10**9)
    budget_total_tokens: int = Field(default=0, ge=0, le=10**15)
    budget_total_dollars: float = Field(default=0, ge=0, le=10**9)

    # Turns and replies
    turn_seconds: float = Field(default=900, gt=0, le=86_400)
    silence_seconds: float = Field(default=120, gt=0, le=3_600)
    retry_seconds: float = Field(default=20, ge=0, le=600)
    attempts: int = Field(default=2, ge=1, le=10)
    concurrent_turns: int = Field(default=512, ge=1, le=10_000)
    first_text: Literal["at_once", "sentence"] = "at_once"
    drain_seconds: float = Field(default=20, ge=0, le=600)
    recall_hours: float = Field(default=6, ge=0, le=168)

    @field_validator(*_LISTS, mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        """Lists are written with commas: 123, 456."""
        return frozenset(lists.words(value)) if isinstance(value, str) else value

    @field_validator(*_LISTS, mode="after")
    @classmethod
    def _ids(cls, value: frozenset[str], info: ValidationInfo) -> frozenset[str]:
        """A name where an id should be would let nobody in without saying why."""
        name = info.field_name or ""
        lists.check_ids(value, "number" if name in _NUMBERS else "code" if name in _CODES else "signed")
        return value

    @field_validator("idle_channels", mode="before")
    @classmethod
    def _hours(cls, value: object) -> object:
        """Written as discord:123=2, discord:5=0."""
        return lists.hours(value, like="discord:123=2, discord:5=0") if isinstance(value, str) else value

    @field_validator("prices", mode="before")
    @classmethod
    def _prices(cls, value: object) -> object:
        """A JSON object, or the path of a file that holds one."""
        return lists.prices(value) if isinstance(value, str) else value

    @field_validator("mcp_servers")
    @classmethod
    def _servers(cls, value: SecretStr | None) -> SecretStr | None:
        """A JSON list; kept as a whole, since it holds secrets, and read by `mcp`."""
        if value is not None:
            lists.mcp_servers(value.get_secret_value())
        return value

    @field_validator("telegram_webhook_secret")
    @classmethod
    def _word(cls, value: SecretStr | None) -> SecretStr | None:
        """What Telegram takes as such (core.telegram.org/bots/api, setWebhook: secret_token)."""
        if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]{1,256}", value.get_secret_value()):
            raise ValueError("takes 1 to 256 letters, digits, - and _")
        return value

    @field_validator(
        "discord_api_url", "discord_gateway_url", "anthropic_base_url", "claude_web_base_url", "slack_api_url",
        "telegram_api_url", "telegram_file_url", "telegram_webhook_url",
    )  # fmt: skip
    @classmethod
    def _url(cls, value: str) -> str:
        """Addresses are http, https, ws or wss; a slash at the end is dropped."""
        if value and not value.startswith(("http://", "https://", "ws://", "wss://")):
            raise ValueError("has to begin with http://, https://, ws:// or wss://")
        return value.rstrip("/")

    @field_validator(
        "discord_token", "anthropic_api_key", "claude_web_session_key", "slack_bot_token", "slack_app_token",
        "slack_signing_secret", "telegram_token",
    )  # fmt: skip
    @classmethod
    def _printable(cls, value: SecretStr | None) -> SecretStr | None:
        """Keys and tokens travel in HTTP headers: one with a blank or a sign beyond ASCII fails with every call."""
        if value is not None and not all("!" <= sign <= "~" for sign in value.get_secret_value()):
            raise ValueError("keys and tokens are plain ASCII without blanks; copy it anew")
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Our own reader of files takes the place of pydantic's: that one takes an empty file for a value."""
        return init_settings, env_settings, dotenv_settings, InitSettingsSource(settings_cls, _credentials())

    def platforms(self) -> bool:
        """Whether anything is set that is for a platform alone."""
        tokens = (self.discord_token, self.slack_bot_token, self.slack_app_token, self.slack_signing_secret, self.telegram_token)
        return any(tokens)

    def secrets(self) -> list[str]:
        """Every secret value, for the log to keep out."""
        values = [
            self.discord_token, self.slack_bot_token, self.slack_app_token, self.slack_signing_secret, self.anthropic_api_key,
            self.claude_web_session_key, self.claude_web_proxy, self.telegram_token, self.telegram_webhook_secret,
        ]  # fmt: skip
        tokens = [server.token for server in self.mcp() if server.token]
        return [*(value.get_secret_value() for value in values if value), *tokens]

    def mcp(self) -> Sequence[McpServer]:
        """The MCP servers that the model may use."""
        return () if self.mcp_servers is None else lists.mcp_servers(self.mcp_servers.get_secret_value())

    def idle_by_platform(self) -> Mapping[str, float]:
        """The hours of the platforms that have a time of their own."""
        hours = {"discord": self.discord_idle_hours, "slack": self.slack_idle_hours, "telegram": self.telegram_idle_hours}
        return {platform: each for platform, each in hours.items() if each is not None}

    def told(self) -> Sequence[tuple[str, str, bool]]:
        """What people may know of the settings: name, value as it is written, and whether the operator has set it.

        Left out are secrets, addresses, lists of people and places, and what can be chosen in a conversation.
        """
        values = ((name, getattr(self, name)) for name in _TOLD)
        shown = [(name, f"{value:g}" if isinstance(value, float) else str(value)) for name, value in values]
        return [(name.upper(), value, name in self.model_fields_set) for name, value in shown]


def names() -> dict[str, Any]:
    """The name of every setting as the environment has it, with its default."""
    return {name.upper(): field.default for name, field in Settings.model_fields.items()}


def load(env_file: Path | None = ENV_FILE) -> Settings:
    """The settings as they are now. Raises `Misconfigured` with one sentence for the first thing that is wrong.

    The sentence names the setting and never its value: it may be a secret.
    """
    for name in os.environ:
        if name.startswith(_OURS) and name not in names():
            raise Misconfigured(_unknown(name, "the environment"))
    try:
        # The checker sees only the fields; pydantic-settings' own __init__ takes the file as well.
        return Settings(_env_file=env_file)  # pyright: ignore[reportCallIssue]  (see the line above)
    except UnicodeDecodeError:
        raise Misconfigured(f"The file {env_file} is not UTF-8 text; correct it or take it away.") from None
    except OSError as error:
        raise Misconfigured(f"The file {env_file} cannot be read: {error.strerror}. Let this user read it.") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        name = str(first["loc"][0]).upper()
        if first["type"] == "extra_forbidden":
            raise Misconfigured(_unknown(name, str(env_file))) from None
        what = first["msg"].removeprefix("Value error, ")
        raise Misconfigured(f"The setting {name} is not right: {what}. See .env.example for what it takes.") from None


def _credentials() -> dict[str, Any]:
    """What a service manager hands over as files, each named as its setting in small letters (systemd.exec(5), LoadCredential).

    Blanks around a value and a line break after it are no part of it; an empty file means the default. Raises `Misconfigured`.
    """
    folder = Path(os.environ.get("CREDENTIALS_DIRECTORY") or os.devnull)
    found: dict[str, Any] = {}
    # A folder that is gone belonged to a service that this process merely descends from.
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        if file.name not in Settings.model_fields:
            if file.name.upper().startswith(_OURS):
                raise Misconfigured(_unknown(file.name.upper(), "the credentials"))
            continue
        try:
            value = file.read_text("utf-8").strip()
        except UnicodeDecodeError:
            raise Misconfigured(f"The credential {file.name} is not UTF-8 text; write it anew.") from None
        except OSError as error:
            raise Misconfigured(f"The credential {file.name} cannot be read: {error.strerror}. Let this user read it.") from None
        if value:
            found[file.name] = value
    return found


def _unknown(name: str, where: str) -> str:
    close = difflib.get_close_matches(name.upper(), list(names()), n=1)
    hint = f"; did you mean {close[0]}?" if close else "; .env.example lists all that there are."
    return f"There is no setting {name} (found in {where}){hint}"
