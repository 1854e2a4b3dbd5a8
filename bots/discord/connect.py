"""One session after the other: what ends a connection to Discord, and whether another try is of use."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import aiohttp
import discord

from bots.discord.calls import failure
from bots.discord.gateway import Connection
from shared.errors import Misconfigured, RateLimited

log = logging.getLogger(__name__)

_TOKEN = "Discord does not accept the bot's token: set DISCORD_TOKEN to the one in the developer portal, under Bot."  # noqa: S105

_FATAL = {
    4004: _TOKEN,
    4010: "Discord's gateway refuses the shard: this server runs one connection for all servers that the bot is in.",
    4011: "The bot is in so many servers that Discord demands sharding, which is not supported: remove it from some.",
    4012: "Discord's gateway no longer speaks the version of its protocol that discord.py uses: update discord.py.",
    4013: "Discord's gateway does not know the intents asked for: update discord.py.",
}
"""Close codes after which connecting again is of no use (Discord developer docs, Gateway Close Event Codes)."""

NO_CONTENT = (
    'Switch on "Message Content Intent" in the Discord developer portal, under Bot, or set DISCORD_MESSAGE_CONTENT=auto '
    "to go on without it."
)


# No voice here: without this the library warns at every start that its voice packages are missing.
discord.VoiceClient.warn_nacl = False
discord.VoiceClient.warn_dave = False


class Lost(Exception):
    """The connection could not be made or kept; another try may do better after `wait` seconds."""

    def __init__(self, detail: str, wait: float = 0.0) -> None:
        super().__init__(detail)
        self.wait = wait


async def connect(client: Connection, token: str) -> None:
    """Log in and stay connected; the library reconnects and resumes by itself until that is of no use.

    Raises `Misconfigured`, `Lost`, or `discord.PrivilegedIntentsRequired` where the intents asked for are not granted.
    """
    try:
        await client.login(token)
        client.usable = True
        await client.connect()
    except discord.LoginFailure as error:
        raise Misconfigured(_TOKEN) from error
    except discord.PrivilegedIntentsRequired:
        raise
    except discord.ConnectionClosed as error:
        if error.code in _FATAL:
            raise Misconfigured(_FATAL[error.code]) from error
        raise Lost(f"the gateway closed with {error.code}") from error
    except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
        failed = failure(error)
        raise Lost(failed.detail, failed.retry_after if isinstance(failed, RateLimited) else 0.0) from error
    except Exception as error:
        # Whatever the library meets: a payload that its parsers do not understand ends its loop with any error (gateway.py,
        # received_message), and a first connection that fails with an AttributeError (client.py, connect). Both may pass.
        log.warning("discord.py gave up", exc_info=error)
        raise Lost(f"discord.py gave up: {error!r}") from error
    raise Lost("the gateway closed")


@asynccontextmanager
async def closing(client: Connection, seconds: float) -> AsyncGenerator[None]:
    """Close the client at the end, within `seconds`: the library alone would wait 30 s for the other side."""
    try:
        yield
    finally:
        client.usable = False
        try:
            async with asyncio.timeout(seconds):
                # Closes with code 1000, which ends the session for Discord too: the bot shows as offline at once.
                await client.close()
        except (TimeoutError, OSError, aiohttp.ClientError) as error:
            log.debug("closing failed", extra={"detail": repr(error)})
        finally:
            # The library leaves this out where closing the gateway's socket fails.
            await client.http.close()
