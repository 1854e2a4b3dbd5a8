"""Files that come with messages, read from Discord's own hosts alone, and our files as Discord takes them."""

import re
from collections.abc import AsyncIterator, Callable

import aiohttp
import discord
import yarl

from bots.discord.calls import failure
from bots.discord.convert import NAME
from bots.discord.reads import Reads
from shared.chat import Attachment, File
from shared.errors import Forbidden, Gone, RateLimited, Refused, Unavailable

PIECE = 64 * 1024
"""Bytes that are read at once."""

HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})
"""Where Discord keeps files and stickers (Discord developer docs, Reference: Signed Attachment CDN URLs, Image Formatting)."""

CONNECT_SECONDS, SILENCE_SECONDS = 10.0, 30.0
"""How long a connection may take, and how long a download may stand still."""

MOST = 10 * 1024 * 1024
"""Bytes of an uploaded file where the server has no higher limit (Discord developer docs, Reference: Uploading Files)."""

UPLOAD_SECONDS = 180.0
"""How long one upload may take: 10 MiB at half a megabit a second."""

WAIT_SECONDS = 5.0
"""How long to wait after a 429 that names no time."""

_REF = re.compile(r"(\d+)/(\d+)/(\d+)")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\]")


class Files:
    """Reads files. `elsewhere` is an address whose host is trusted besides Discord's: that of what stands in for it."""

    def __init__(self, read: Reads, elsewhere: str = "", *, silence: float = SILENCE_SECONDS) -> None:
        """`silence` is how many seconds a download may stand still."""
        self._read = read
        self._elsewhere = yarl.URL(elsewhere).origin() if elsewhere else None
        self._timeout = aiohttp.ClientTimeout(
            total=None, connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=silence
        )

    async def fetch(self, client: Callable[[], discord.Client], attachment: Attachment) -> AsyncIterator[bytes]:
        """The bytes, in pieces. See `shared.chat.Adapter.fetch`."""
        found = _REF.fullmatch(attachment.ref)
        address = attachment.ref if found is None else await self._fresh(client(), *map(int, found.groups()))
        url = self._trusted(address)
        # A session of its own: what comes from there must see neither the bot's token nor its cookies. No proxy that the
        # environment names, and no decompression, behind which a small answer could be a very large one.
        async with aiohttp.ClientSession(timeout=self._timeout, trust_env=False, auto_decompress=False) as session:
            try:
                async with session.get(url, allow_redirects=False, headers={"Accept-Encoding": "identity"}) as response:
                    _check(response)
                    async for piece in response.content.iter_chunked(PIECE):
                        yield piece
            except (aiohttp.ClientError, OSError) as error:
                raise Unavailable(f"Discord's files: {type(error).__name__}") from error  # its text may hold the address

    async def _fresh(self, client: discord.Client, channel: int, message: int, file: int) -> str:
        """The address as it is now: those that messages had when they came expire."""
        where = client.get_partial_messageable(channel)
        found = await self._read(lambda: where.fetch_message(message))
        for each in [*found.attachments, *(each for past in found.message_snapshots for each in past.attachments)]:
            if each.id == file:
                return each.url
        raise Gone(f"Discord: the message {NAME}:{message} has this file no longer")

    def _trusted(self, address: str) -> yarl.URL:
        try:
            url = yarl.URL(address)
            origin = url.origin()
        except ValueError as error:
            raise Forbidden("Discord: a file's address that cannot be read") from error
        ours = url.scheme == "https" and url.host in HOSTS and url.port == 443
        if url.user is not None or url.password is not None or not (ours or origin == self._elsewhere):
            raise Forbidden("Discord: a file that lies elsewhere")
        return url


def _check(response: aiohttp.ClientResponse) -> None:
    """Raise what an answer other than the file means."""
    status = response.status
    if status == 200:
        return
    detail = f"Discord's files: {status}"
    if 300 <= status < 400:
        raise Forbidden(f"{detail}, to another place")
    if status in (403, 404, 410):
        raise Gone(detail)
    if status == 429:
        try:
            wait = float(response.headers.get("Retry-After", 0))
        except ValueError:
            wait = 0.0
        raise RateLimited(detail, wait if wait > 0 else WAIT_SECONDS)
    raise Unavailable(detail) if status >= 500 else Refused(detail)


def opened(file: File) -> Callable[[], discord.File]:
    """What opens the file for the library, once for each try."""

    def again() -> discord.File:
        try:
            return discord.File(file.path, filename=_UNSAFE.sub("_", file.name).strip(". ") or "file")
        except OSError as error:
            raise Refused(f"Discord: a file of ours cannot be read: {type(error).__name__}") from failure(error)

    return again
