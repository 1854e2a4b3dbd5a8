"""Every setting. Nothing else in Threadline reads the environment.

Values come from the environment and from `.env` in the folder that the server is started in; the environment wins. `.env.example`
lists them all with their meaning; a test compares it with this file.
"""

import difflib
import os
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from shared.errors import Misconfigured

Names = Annotated[frozenset[str], NoDecode]
ENV_FILE = Path(".env")
SYSTEM_PROMPT = (
    "You are a helpful assistant in a chat. Answer in the language you are written to in. Be brief unless asked for more. "
    "Use Markdown sparingly, as fits a chat."
)

# Prefixes that only our settings have: a misspelt one in the environment is told as one in `.env` is.
_OURS = ("DISCORD_", "THREADLINE_")


class Settings(BaseSettings):
    """What the operator has chosen. Names in the environment are these names in capitals."""

    model_config = SettingsConfigDict(extra="forbid", hide_input_in_errors=True, env_ignore_empty=True)

    # Where things are kept and told
    state_dir: Path = Path("state")
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "console", "json"] = "auto"

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
    discord_direct: Literal["closed", "open"] = "closed"

    # Claude
    backend: Literal["anthropic_api", "demo"] = "anthropic_api"
    anthropic_api_key: SecretStr | None = None
    anthropic_base_url: str = ""
    model: str = "claude-sonnet-5-5"
    effort: Literal["", "low", "medium", "high", "xhigh", "max"] = ""
    max_tokens: int = Field(default=32_000, ge=256, le=128_000)
    system_prompt: str = SYSTEM_PROMPT
    history_turns: int = Field(default=200, ge=0, le=10_000)
    history_characters: int = Field(default=400_000, ge=1_000, le=4_000_000)

    # Turns and replies
    turn_seconds: float = Field(default=900, gt=0, le=86_400)
    silence_seconds: float = Field(default=120, gt=0, le=3_600)
    retry_seconds: float = Field(default=20, ge=0, le=600)
    attempts: int = Field(default=2, ge=1, le=10)
    concurrent_turns: int = Field(default=512, ge=1, le=10_000)
    first_text: Literal["at_once", "sentence"] = "at_once"
    drain_seconds: float = Field(default=20, ge=0, le=600)
    recall_hours: float = Field(default=6, ge=0, le=168)

    @field_validator(
        "discord_allowed_servers", "discord_allowed_channels", "discord_allowed_roles", "discord_allowed_users", mode="before"
    )
    @classmethod
    def _split(cls, value: object) -> object:
        """Lists are written with commas: 123, 456."""
        if isinstance(value, str):
            return frozenset(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator(
        "discord_allowed_servers", "discord_allowed_channels", "discord_allowed_roles", "discord_allowed_users", mode="after"
    )
    @classmethod
    def _numbers(cls, value: frozenset[str]) -> frozenset[str]:
        """Discord's ids are numbers; a name here would let nobody in without saying why."""
        for part in value:
            if not part.isascii() or not part.isdigit():
                raise ValueError("takes Discord ids, which are numbers, with commas between them")
        return value

    @field_validator("discord_api_url", "discord_gateway_url", "anthropic_base_url")
    @classmethod
    def _url(cls, value: str) -> str:
        """Addresses are http, https, ws or wss; a slash at the end is dropped."""
        if value and not value.startswith(("http://", "https://", "ws://", "wss://")):
            raise ValueError("has to begin with http://, https://, ws:// or wss://")
        return value.rstrip("/")

    @field_validator("discord_token", "anthropic_api_key")
    @classmethod
    def _printable(cls, value: SecretStr | None) -> SecretStr | None:
        """Keys and tokens travel in HTTP headers: one with a blank or a sign beyond ASCII fails with every call."""
        if value is not None and not all("!" <= sign <= "~" for sign in value.get_secret_value()):
            raise ValueError("keys and tokens are plain ASCII without blanks; copy it anew")
        return value

    def secrets(self) -> list[str]:
        """Every secret value, for the log to keep out."""
        values = [self.discord_token, self.anthropic_api_key]
        return [value.get_secret_value() for value in values if value]


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


def _unknown(name: str, where: str) -> str:
    close = difflib.get_close_matches(name.upper(), list(names()), n=1)
    hint = f"; did you mean {close[0]}?" if close else "; .env.example lists all that there are."
    return f"There is no setting {name} (found in {where}){hint}"
