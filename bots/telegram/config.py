"""What the Telegram adapter has to be told. It reads no environment; whoever builds it does."""

import random
from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True, slots=True)
class TelegramConfig:
    """The settings of one bot."""

    token: str = field(repr=False)
    """The bot's token, "123:AA…": secret. It is part of every address that is called."""
    api_url: str = ""
    """What comes before the token in the addresses of methods, as "https://api.telegram.org/bot". Empty for the real Telegram."""
    file_url: str = ""
    """What comes before the token in the addresses of files, as "https://api.telegram.org/file/bot". Empty: as `api_url`."""
    local: bool = False
    """Whether `api_url` is a Bot API server of one's own with --local, which gives paths of this machine and has larger files
    (core.telegram.org/bots/api, Using a Local Bot API Server)."""
    drafts: bool = False
    """Whether a reply that grows in a private chat is shown as a draft, which leaves nothing behind if the server dies."""
    events: Literal["polling", "webhook"] = "polling"
    """How updates come: asked for by long polling, or posted to `TelegramAdapter.hook`."""
    webhook_url: str = ""
    """The public address that leads to `hook`, on port 443, 80, 88 or 8443 (core.telegram.org/bots/api, setWebhook)."""
    webhook_secret: str = field(default="", repr=False)
    """Proves that what is posted comes from Telegram: secret, 1 to 256 of A-Z a-z 0-9 _ and -
    (core.telegram.org/bots/api, setWebhook: secret_token)."""
    webhook_connections: int = 40
    """How many updates Telegram may post at a time, 1 to 100 (core.telegram.org/bots/api, setWebhook: max_connections)."""
    hook_seconds: float = 30.0
    """After how long what was posted and is not stored yet is put off: Telegram waits 60 seconds, and posts it again
    (tdlib/telegram-bot-api, WebhookActor.cpp)."""
    look_seconds: float = 60.0
    """Between two looks at whether what is posted gets through: Telegram posts what was not taken again after a minute at most
    (tdlib/telegram-bot-api, WebhookActor.cpp), so that each look can tell."""
    poll_seconds: int = 25
    """How long a poll waits for updates, 0 to 50 (tdlib/telegram-bot-api, process_get_updates_query)."""
    poll_margin: float = 10.0
    """How many seconds more than that a poll may take before it is given up as hanging."""
    call_timeout: float = 20.0
    """Seconds that an answer to any other call is waited for."""
    upload_timeout: float = 300.0
    """Seconds that sending a file may take."""
    retry_wait: float = 0.5
    """Seconds before a failed call or poll is tried again for the first time; doubled each time, and jittered."""
    longest_wait: float = 60.0
    """Seconds between two tries at most."""

    @property
    def files(self) -> str:
        """What comes before the token in the addresses of files; empty for the real Telegram."""
        if self.file_url or not self.api_url:
            return self.file_url
        return self.api_url.removesuffix("/").removesuffix("/bot") + "/file/bot"

    def pause(self, times: int) -> float:
        """How many seconds to wait after the `times`-th failure in a row, from 1 on; jittered."""
        return min(self.retry_wait * 2 ** min(times - 1, 10), self.longest_wait) * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
