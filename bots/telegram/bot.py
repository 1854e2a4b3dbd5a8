"""The library's bot, with connections of its own for polls and for everything else, and nothing of it in the log."""

import logging
from typing import Any

from telegram import Bot
from telegram.request import HTTPXRequest

from bots.telegram.config import TelegramConfig
from bots.telegram.failures import hide

CONNECTIONS = 64
"""At most at a time, for everything but polls."""

POOL_SECONDS = 30.0
"""How long a call waits for a connection that is free."""


class Line:
    """A bot and the connections it has. Closed with `aclose`."""

    def __init__(self, config: TelegramConfig, *, connections: int, read_timeout: float) -> None:
        self._request = HTTPXRequest(
            connection_pool_size=connections,
            connect_timeout=min(10.0, config.call_timeout),
            read_timeout=read_timeout,
            write_timeout=config.call_timeout,
            media_write_timeout=config.upload_timeout,
            pool_timeout=POOL_SECONDS,
            # What stands in for Telegram is near; the library would take a proxy from the environment.
            httpx_kwargs={"trust_env": not config.api_url},
        )
        addresses: dict[str, Any] = {"base_url": config.api_url, "base_file_url": config.files} if config.api_url else {}
        # Both: the bot would make connections of its own for what it is not given.
        self.bot = Bot(
            config.token, request=self._request, get_updates_request=self._request, local_mode=config.local, **addresses
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._request.shutdown()


def calling(config: TelegramConfig) -> Line:
    """The line for everything but polls."""
    return Line(config, connections=CONNECTIONS, read_timeout=config.call_timeout)


def polling(config: TelegramConfig) -> Line:
    """The line for polls: two connections, since one that hangs would hold up the next (telegram, Bot: one by default)."""
    return Line(config, connections=2, read_timeout=config.poll_seconds + config.poll_margin)


class _Hiding(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = hide(record.getMessage()), ()
        # A traceback names addresses, and so the token.
        record.exc_info, record.exc_text, record.stack_info = None, None, None
        return True


def hush() -> None:
    """Keep the token out of what the libraries log: httpx writes down every address at INFO (httpx, _client.py).

    Called with each session; repeating it changes nothing.
    """
    for name in ("httpx", "telegram.Bot", "telegram.request.BaseRequest", "telegram.request.HTTPXRequest"):
        logger = logging.getLogger(name)
        if not any(isinstance(each, _Hiding) for each in logger.filters):
            logger.addFilter(_Hiding())
