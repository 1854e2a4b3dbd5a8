"""The settings of the simulator. All have defaults."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

DEFAULT_TOKEN = "7000000001:AAdemo_token_of_the_simulated_bot00"  # noqa: S105 - the token of a simulated bot

COUNTED = frozenset(
    {
        "sendmessage",
        "sendmessagedraft",
        "sendchataction",
        "senddocument",
        "sendphoto",
        "sendmediagroup",
        "editmessagetext",
        "editmessagecaption",
        "editmessagereplymarkup",
    }
)
"""The methods, in small letters, that count in their chat: edits share the limit of sends (tdlib/td issue 3034), drafts are
refused with 429 as well (seen: NousResearch/hermes-agent issue 53865). That chat actions count there is assumed."""


@dataclass(frozen=True, slots=True)
class SimulatorConfig:
    """What one simulator is like. Durations are seconds; a limit is (calls, seconds)."""

    host: str = "127.0.0.1"
    port: int = 0
    """0 takes a free port."""
    round_trip: float = 0.0
    """Half is waited before a call takes effect and half before its answer."""
    state: Path | None = None
    """The journal. A simulator started on the same file has the same world. The calls go to the same name + `.calls`."""
    token: str = DEFAULT_TOKEN
    local_mode: bool = False
    """A server of one's own with `--local`: no limit for downloads, file_path is a path of this machine, uploads of `file://`
    addresses and up to 2000 MB (core.telegram.org/bots/api, Using a Local Bot API Server)."""
    privacy: bool = True
    """Privacy mode, as of the bot's joining (core.telegram.org/bots/features, Privacy mode)."""
    topics_in_private: bool = False
    """Whether private chats have topics (core.telegram.org/bots/api, User: has_topics_enabled)."""
    strict_webhooks: bool = False
    """Take only HTTPS webhooks on ports 443, 80, 88 and 8443, as the hosted server does (core.telegram.org/bots/api, setWebhook).
    Off by default: tests listen on loopback without TLS, which a local server allows."""
    webhook_timeout: float = 60.0
    """How long an answer of a webhook is waited for (tdlib/telegram-bot-api, WebhookActor.cpp, create_connection)."""
    webhook_delay: float = 1.0
    """The unit of the waits before a failed update is sent again: none, then 2, 4, 8 … of it up to `webhook_longest`
    (tdlib/telegram-bot-api, WebhookActor.cpp, on_update_error; its random part is left out)."""
    webhook_longest: float = 60.0
    update_lifetime: float = 86_400.0
    """How long an update is kept (core.telegram.org/bots/api, Getting updates: not longer than 24 hours)."""
    conflict_delay: float = 3.0
    """A second conflict within this time is answered that much later (tdlib/telegram-bot-api, fail_query_conflict)."""
    draft_lifetime: float = 30.0
    """How long a draft shows (core.telegram.org/bots/api, sendMessageDraft: a temporary 30-second preview)."""
    action_lifetime: float = 5.0
    """How long a chat action shows (core.telegram.org/bots/api, sendChatAction: 5 seconds or less)."""
    query_lifetime: float = 15.0
    """How long a callback query may be answered. Telegram names no number; this one is assumed (20 were too many in
    eternnoir/pyTelegramBotAPI issue 1615)."""
    file_lifetime: float = 3600.0
    """How long a file_path is good (core.telegram.org/bots/api, getFile: at least 1 hour)."""
    download_limit: int = 20 * 1024 * 1024
    """Bytes (core.telegram.org/bots/api, getFile: 20 MB; 20 << 20 in tdlib/telegram-bot-api, Client.h)."""
    upload_limit: int = 50 * 1024 * 1024
    """Bytes (core.telegram.org/bots/api, sendDocument: 50 MB)."""
    photo_limit: int = 10 * 1024 * 1024
    """Bytes (core.telegram.org/bots/api, sendPhoto: 10 MB)."""
    private_limit: tuple[int, float] = (10, 10.0)
    """core.telegram.org/bots/faq: about one message per second in a chat, short bursts are let through."""
    group_limit: tuple[int, float] = (20, 60.0)
    """core.telegram.org/bots/faq: 20 messages per minute in a group."""
    overall_limit: tuple[int, float] = (30, 1.0)
    """core.telegram.org/bots/faq: about 30 messages per second."""
    penalty: float = 10.0
    """The least retry_after of a chat. Telegram publishes none; seen were 18 to 137 (lettabot issue 433, hermes-agent 102402)."""
    penalty_growth: float = 2.0
    """By how much a call inside the time of retry_after makes it longer (seen: growing to hours, tdlib/td issue 1331)."""
    penalty_longest: float = 14_000.0
    """The greatest retry_after (seen: 13,938, cokacdir issue 30)."""
    counted: frozenset[str] = COUNTED
    seed: int = 0
    """The beginning of the random choices of faults."""
    clock: Callable[[], float] = time.time
    """Unix seconds: message times, and the life of updates, drafts, actions, queries and file paths."""
    monotonic: Callable[[], float] = time.monotonic
    """Seconds that only grow: rate limits and the call log."""
