"""What the settings mean: the adapters, the backend, and what is told to each part of the core."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

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

MEGABYTE = 1_000_000
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
    if settings.slack_bot_token or settings.slack_app_token:
        found["slack"] = _slack(settings)
    if not found:
        raise Misconfigured(
            "No platform is set up: put DISCORD_TOKEN, or SLACK_BOT_TOKEN and SLACK_APP_TOKEN, into .env (README.md says how to "
            "get them), or try the demo with `make run`."
        )
    return found


def _slack(settings: Settings) -> Adapter:
    bot, app = settings.slack_bot_token, settings.slack_app_token
    if bot is None or app is None:
        raise Misconfigured("Slack needs both SLACK_BOT_TOKEN and SLACK_APP_TOKEN in .env; README.md says how to get them.")
    from bots.slack.adapter import SlackAdapter
    from bots.slack.config import SlackConfig

    return SlackAdapter(
        SlackConfig(
            bot_token=bot.get_secret_value(),
            app_token=app.get_secret_value(),
            api_url=settings.slack_api_url,
            connections=settings.slack_connections,
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
            channels=settings.slack_allowed_channels,
            users=settings.slack_allowed_users,
            admins=settings.slack_admins,
            direct_open=settings.slack_direct == "open",
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
