"""What the settings mean: the adapters, the backend, and what is told to each part of the core."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import cast

from bots.hooks import Hooked
from shared.access import Access
from shared.asking import Patience
from shared.backends import Backend, Models
from shared.backends.lazy import Able, Lazy
from shared.chat import Adapter
from shared.errors import Misconfigured
from shared.files.blobs import Blobs
from shared.inbox import Intake
from shared.limits import budgets, idle_times, rules
from shared.means import FileLimits, TurnSettings
from shared.settings import Settings

MEGABYTE = 1 << 20
SLACK_PATH = "/slack/events"
"""Where Slack posts events, commands and presses."""

TELEGRAM_PATH = "/telegram/webhook"
"""Where Telegram posts updates."""

TOGETHER = 3
"""How many times the largest file all files of a question may have together."""


def adapters(settings: Settings) -> dict[str, Adapter]:
    """The adapters of the platforms whose tokens are set. Raises `Misconfigured` if there is none."""
    found: dict[str, Adapter] = {}
    if settings.discord_token:
        from bots.discord.adapter import DiscordAdapter
        from bots.discord.config import DiscordConfig

        found["discord"] = DiscordAdapter(
            DiscordConfig(
                token=settings.discord_token.get_secret_value(),
                api_url=settings.discord_api_url,
                gateway_url=settings.discord_gateway_url,
                files_url=settings.discord_api_url,
                message_content=settings.discord_message_content,
                answer_in=settings.discord_answer_in,
                roles=bool(settings.discord_allowed_roles),
            )
        )
    if settings.slack_bot_token or settings.slack_app_token or settings.slack_signing_secret:
        found["slack"] = _slack(settings)
    if settings.telegram_token:
        found["telegram"] = _telegram(settings, settings.telegram_token.get_secret_value())
    if not found:
        raise Misconfigured(
            "No platform is set up: put DISCORD_TOKEN, or SLACK_BOT_TOKEN and SLACK_APP_TOKEN, or TELEGRAM_TOKEN into .env "
            "(README.md says how to get them), or try the demo with `make run`."
        )
    return found


def hooked(settings: Settings, adapters: Mapping[str, Adapter]) -> Mapping[str, Hooked]:
    """The adapters to which their platforms post, by the paths to which they do."""
    paths: dict[str, str] = {}
    if settings.slack_events == "http":
        paths["slack"] = SLACK_PATH
    if settings.telegram_events == "webhook":
        paths["telegram"] = TELEGRAM_PATH
    # Each of these has the method; that its platform is set to it is what the settings say.
    return {path: cast("Hooked", adapters[name]) for name, path in paths.items() if name in adapters}


def _slack(settings: Settings) -> Adapter:
    bot, app, secret = settings.slack_bot_token, settings.slack_app_token, settings.slack_signing_secret
    http = settings.slack_events == "http"
    if bot is None or (secret if http else app) is None:
        other, how = ("SLACK_SIGNING_SECRET", "with SLACK_EVENTS=http ") if http else ("SLACK_APP_TOKEN", "")
        raise Misconfigured(f"Slack {how}needs both SLACK_BOT_TOKEN and {other} in .env; README.md says how to get them.")
    from bots.slack.adapter import SlackAdapter
    from bots.slack.config import SlackConfig

    return SlackAdapter(
        SlackConfig(
            bot_token=bot.get_secret_value(),
            app_token=app.get_secret_value() if app else "",
            api_url=settings.slack_api_url,
            events=settings.slack_events,
            signing_secret=secret.get_secret_value() if secret else "",
            connections=settings.slack_connections,
            streams=settings.slack_streams == "on",
        )
    )


def _telegram(settings: Settings, token: str) -> Adapter:
    secret = settings.telegram_webhook_secret
    if settings.telegram_events == "webhook" and (secret is None or not settings.telegram_webhook_url):
        raise Misconfigured(
            "Telegram with TELEGRAM_EVENTS=webhook needs both TELEGRAM_WEBHOOK_URL and TELEGRAM_WEBHOOK_SECRET in .env; "
            "README.md says how to choose them."
        )
    if settings.telegram_webhook_url.startswith("http://") and not settings.telegram_api_url:
        # core.telegram.org/bots/api, setWebhook, and Using a Local Bot API Server.
        raise Misconfigured("TELEGRAM_WEBHOOK_URL has to begin with https://: only a Bot API server of your own posts to others.")
    from bots.telegram.adapter import TelegramAdapter
    from bots.telegram.config import TelegramConfig

    return TelegramAdapter(
        TelegramConfig(
            token=token,
            api_url=settings.telegram_api_url,
            file_url=settings.telegram_file_url,
            local=settings.telegram_local_mode == "on",
            drafts=settings.telegram_drafts == "on",
            events=settings.telegram_events,
            webhook_url=settings.telegram_webhook_url,
            webhook_secret=secret.get_secret_value() if secret else "",
        )
    )


def backend(settings: Settings, blobs: Blobs) -> Backend:
    """The backend that is set; it reads and keeps files in `blobs`. Raises `Misconfigured` if it lacks its key."""
    if settings.backend == "demo":
        from shared.backends.demo import DemoBackend

        return DemoBackend()
    if settings.backend == "claude_web":
        return _claude_web(settings, blobs)
    key = settings.anthropic_api_key
    if key is None:
        raise Misconfigured("BACKEND is anthropic_api, which needs ANTHROPIC_API_KEY in .env; or set BACKEND=demo.")

    def make() -> Able:
        from shared.backends.anthropic_api import AnthropicApi, AnthropicConfig

        api = AnthropicApi(
            AnthropicConfig(
                api_key=key.get_secret_value(),
                base_url=settings.anthropic_base_url,
                model=settings.model,
                effort=settings.effort or None,
                max_tokens=settings.max_tokens,
                thinking=settings.thinking,
                web_search=settings.web_search == "on",
                web_fetch=settings.web_fetch == "on",
                code_execution=settings.code_execution == "on",
                mcp_servers=settings.mcp(),
                prices=settings.prices,
                cache_ttl=settings.cache_ttl,
                silence=settings.silence_seconds,
                connection_idle=settings.connection_idle_seconds,
                longest_wait=settings.retry_seconds,
            ),
            blobs,
        )
        api.open()
        return api

    return Lazy("anthropic_api", make)


def _claude_web(settings: Settings, blobs: Blobs) -> Backend:
    """The claude.ai backend, which is there only for those who ask for it by name."""
    key, proxy = settings.claude_web_session_key, settings.claude_web_proxy
    if key is None:
        raise Misconfigured(
            "BACKEND is claude_web, which needs CLAUDE_WEB_SESSION_KEY in .env; README.md says what to know first."
        )
    from shared.backends.claude_web import ClaudeWeb, ClaudeWebConfig

    config = ClaudeWebConfig(
        session_key=key.get_secret_value(),
        organization=settings.claude_web_organization,
        proxy=proxy.get_secret_value() if proxy else "",
        model=settings.model,
        web_search=settings.web_search == "on",
        code_execution=settings.code_execution == "on",
        silence=settings.silence_seconds,
        idle=settings.claude_web_idle_seconds,
        longest_wait=settings.retry_seconds,
    )
    if settings.claude_web_base_url:
        config = replace(config, base_url=settings.claude_web_base_url)
    return ClaudeWeb(config, blobs)


def turn_settings(settings: Settings) -> TurnSettings:
    """What holds for turns."""
    return TurnSettings(
        patience=Patience(turn=settings.turn_seconds, silence=settings.silence_seconds),
        attempts=settings.attempts,
        at_once=settings.concurrent_turns,
        history_turns=settings.history_turns,
        history_characters=settings.history_characters,
        system=settings.system_prompt,
        hold_sentence=settings.first_text == "sentence",
        thinking=settings.thinking,
        fold=settings.code_file_characters,
        files=FileLimits(
            count=settings.files_per_message,
            each=int(settings.file_megabytes * MEGABYTE),
            together=int(settings.file_megabytes * MEGABYTE * TOGETHER),
        ),
        budgets=budgets(settings),
    )


def intake(settings: Settings, backend: Backend) -> Intake:
    """What holds for the intake and for commands."""
    access: Mapping[str, Access] = {
        "discord": Access(
            spaces=settings.discord_allowed_servers,
            channels=settings.discord_allowed_channels,
            roles=settings.discord_allowed_roles,
            users=settings.discord_allowed_users,
            admins=settings.discord_admins,
            direct_open=settings.discord_direct == "open",
        ),
        "slack": Access(
            spaces=settings.slack_allowed_teams,
            channels=settings.slack_allowed_channels,
            users=settings.slack_allowed_users,
            admins=settings.slack_admins,
            direct_open=settings.slack_direct == "open",
        ),
        "telegram": Access(
            channels=settings.telegram_allowed_chats,
            users=settings.telegram_allowed_users,
            admins=settings.telegram_admins,
            direct_open=settings.telegram_direct == "open",
        ),
    }
    return Intake(
        access=access,
        recall_age=timedelta(hours=settings.recall_hours),
        rules=rules(settings),
        defaults=defaults(settings),
        models=backend if isinstance(backend, Models) else None,
        idle=idle_times(settings),
        told=settings.told(),
    )


def defaults(settings: Settings) -> Mapping[str, str]:
    """What holds where nobody has chosen."""
    return {"model": "demo" if settings.backend == "demo" else settings.model, "effort": settings.effort, "system": ""}
