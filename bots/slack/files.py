"""Files that come with messages, read from Slack's own host alone, and files of ours (docs.slack.dev, Working with files)."""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable
from typing import cast

import aiohttp
import yarl

from bots.slack.calls import Json, Web, told, wait_of
from bots.slack.names import message_id
from bots.slack.pace import Reads
from bots.slack.showing import where
from shared.chat import Attachment, File, MessageId, Target
from shared.errors import Forbidden, Gone, RateLimited, Refused, TooLarge, Unavailable

log = logging.getLogger(__name__)

PIECE = 64 * 1024
"""Bytes that are read at once."""

HOST = "files.slack.com"
"""Where Slack keeps files (docs.slack.dev, File object: url_private)."""

REDIRECTS = 3
"""How often another address of the same host is followed."""

CONNECT_SECONDS = 10.0
"""How long a connection may take."""

MOST = 1024 * 1024 * 1024
"""Bytes of an uploaded file (slack.com/help, Add files to Slack: 1 GB)."""

UPLOAD_SECONDS = 300.0
"""How long one upload may take."""

SHARED_SECONDS = 10.0
"""How long the message with an uploaded file is waited for: Slack shows it after it has answered."""

KEPT = 500
"""Of how many files the messages are remembered."""


class Files:
    """Reads and shows files. `api_url` is where what stands in for Slack is: its host serves files, too."""

    def __init__(self, token: str, api_url: str = "", *, silence: float = 30.0) -> None:
        """`silence` is how many seconds a transfer may stand still. The token is sent to Slack's host alone."""
        self._token = token
        self._elsewhere = yarl.URL(api_url).origin() if api_url else None
        self._timeout = aiohttp.ClientTimeout(
            total=None, connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=silence
        )
        self._shared: OrderedDict[str, asyncio.Future[str]] = OrderedDict()
        """The ts of the messages that show files of ours, by the files' ids."""

    # theirs

    async def fetch(self, read: Callable[[], Reads], attachment: Attachment) -> AsyncIterator[bytes]:
        """The bytes, in pieces. See `shared.chat.Adapter.fetch`."""
        given = (await read()("files.info", file=attachment.ref)).get("file")
        file = cast("Json", given) if isinstance(given, dict) else {}
        if file.get("mode") in ("tombstone", "hidden_by_limit"):
            raise Gone("Slack: a file that is no longer shown")
        url = self._trusted(str(file.get("url_private_download") or file.get("url_private") or ""))
        headers = {"Authorization": f"Bearer {self._token}", "Accept-Encoding": "identity"}
        # A session of its own, without a proxy that the environment names, and without decompression, behind which a small
        # answer could be a very large one.
        async with aiohttp.ClientSession(timeout=self._timeout, trust_env=False, auto_decompress=False) as session:
            try:
                for _ in range(REDIRECTS + 1):
                    async with session.get(url, allow_redirects=False, headers=headers) as response:
                        if 300 <= response.status < 400:
                            url = self._trusted(str(url.join(yarl.URL(response.headers.get("Location", "")))))
                            continue
                        _check(response, file)
                        async for piece in response.content.iter_chunked(PIECE):
                            yield piece
                        return
            except (aiohttp.ClientError, OSError) as error:
                raise Unavailable(f"Slack's files: {type(error).__name__}") from error  # its text may hold the address
        raise Forbidden("Slack's files: one address after the other")

    def _trusted(self, address: str) -> yarl.URL:
        try:
            url = yarl.URL(address)
            origin = url.origin()
        except ValueError as error:
            raise Forbidden("Slack: a file's address that cannot be read") from error
        ours = url.scheme == "https" and url.host == HOST and url.port == 443
        if url.user is not None or url.password is not None or not (ours or origin == self._elsewhere):
            raise Forbidden("Slack: a file that lies elsewhere")
        return url

    # ours

    def shown(self, raw: Json) -> None:
        """Slack tells of a message of ours that has files."""
        for each in cast("list[object]", raw.get("files") or []):
            file = cast("Json", each) if isinstance(each, dict) else {}
            waiting = self._of(str(file.get("id")))
            if not waiting.done():
                waiting.set_result(str(raw.get("ts")))

    async def upload(self, web: Web, read: Reads, target: Target, file: File, *, key: str) -> MessageId:
        """Show a file as a message of its own.

        The key goes into its description: metadata cannot be given, and the name is what people save it under
        (docs.slack.dev, files.completeUploadExternal, files.getUploadURLExternal).
        """
        if file.size > MOST:
            raise TooLarge(f"Slack: a file of {file.size} bytes")
        place = where(target)
        ticket = await web.read(
            "files.getUploadURLExternal", filename=file.name, length=max(file.size, 1), alt_txt=described(file.name, key)
        )
        number, address = told(ticket, "file_id"), told(ticket, "upload_url")
        await self._send(web, address, file)
        await web.form(
            "files.completeUploadExternal",
            repeats=0,
            files=[{"id": number, "title": file.name}],
            channel_id=place.channel,
            thread_ts=place.root,
        )
        try:
            async with asyncio.timeout(SHARED_SECONDS):
                ts = await asyncio.shield(self._of(number))
        except TimeoutError:
            ts = _share(await read("files.info", file=number), place.channel)
        return message_id(place.channel, ts)

    def _of(self, number: str) -> "asyncio.Future[str]":
        if number not in self._shared:
            self._shared[number] = asyncio.get_running_loop().create_future()
            if len(self._shared) > KEPT:
                self._shared.popitem(last=False)
        return self._shared[number]

    async def _send(self, web: Web, address: str, file: File) -> None:
        """The bytes, straight from the disk. No token goes there: the address is one that Slack made for this."""
        timeout = aiohttp.ClientTimeout(total=UPLOAD_SECONDS)
        try:
            with file.path.open("rb") as data:
                async with web.session.post(address, data=data, timeout=timeout, allow_redirects=False) as response:
                    status = response.status
        except aiohttp.ClientError as error:
            raise Unavailable(f"Slack's files: {type(error).__name__}") from None
        except TimeoutError as error:
            raise Unavailable("Slack's files: an upload took too long") from error
        except OSError as error:
            raise Refused(f"Slack: a file of ours cannot be read: {type(error).__name__}") from error
        if status != 200:
            raise Unavailable(f"Slack's files: {status}") if status >= 500 else Refused(f"Slack's files: {status}")


def described(name: str, key: str) -> str:
    """The description of a file of ours."""
    return f"{name} [{key}]"


def _share(answer: Json, channel: str) -> str:
    """Where a file is shown, by files.info (docs.slack.dev, File object: shares)."""
    file = cast("Json", answer.get("file") or {})
    for places in cast("Json", file.get("shares") or {}).values():
        for share in cast("Json", places).get(channel) or ():
            return str(share["ts"])
    raise Unavailable("Slack: an uploaded file is not shown yet")


def _check(response: aiohttp.ClientResponse, file: Json) -> None:
    """Raise what an answer other than the file means."""
    status = response.status
    if status == 200:
        # To whoever may not read a file Slack answers with the page of its login, as if all were well.
        page = response.content_type == "text/html"
        if page and (file.get("mimetype") != "text/html" or response.content_length not in (None, file.get("size"))):
            raise Forbidden("Slack's files: a login page; does the token have the scope files:read?")
        return
    detail = f"Slack's files: {status}"
    if status in (403, 404, 410):
        raise Gone(detail)
    if status == 429:
        raise RateLimited(detail, wait_of(response.headers))
    raise Unavailable(detail) if status >= 500 else Refused(detail)
