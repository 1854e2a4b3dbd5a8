"""Files that come with messages, and files of ours (core.telegram.org/bots/api, getFile and Sending files)."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import BinaryIO
from urllib.parse import quote

import aiohttp
import yarl
from telegram import Bot, InputFile, Message

from bots.telegram.calls import Calls
from bots.telegram.config import TelegramConfig
from bots.telegram.failures import said
from bots.telegram.names import message_id, place_of
from bots.telegram.showing import reply
from shared.chat import Attachment, File, MessageId, Target
from shared.errors import Failure, Forbidden, Gone, RateLimited, Refused, TooLarge, Unavailable

PIECE = 64 * 1024
"""Bytes that are read at once."""

READ = 20 * 1024 * 1024
"""Bytes of a file that a bot may read (core.telegram.org/bots/api, getFile: 20 MB; tdlib/telegram-bot-api: 20 << 20)."""

MOST = 50 * 1024 * 1024
"""Bytes of a file of ours (core.telegram.org/bots/api, sendDocument: 50 MB)."""

LOCAL_MOST = 2000 * 1024 * 1024
"""The same through a server of one's own (core.telegram.org/bots/api, Using a Local Bot API Server: 2000 MB)."""

PHOTO_MOST = 10 * 1024 * 1024
"""Bytes of a photo (core.telegram.org/bots/api, sendPhoto: 10 MB)."""

PHOTOS = frozenset({"image/jpeg", "image/png", "image/webp"})
"""What is shown as a picture, not as a document."""

CONNECT_SECONDS, SILENCE_SECONDS = 10.0, 30.0
"""How long a connection may take, and how long a download may stand still."""

WAIT_SECONDS = 5.0
"""How long to wait after a 429 that names no time."""

HOSTED = "https://api.telegram.org/file/bot"

_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\]")
_NO_PHOTO = ("photo_", "image_process_failed", "for a photo", "wrong type of the web page content")
"""Of a picture that is too wide, too long, or no picture (tdlib/td; core.telegram.org/bots/api, sendPhoto)."""


class Files:
    """Reads and shows files."""

    def __init__(self, config: TelegramConfig, *, silence: float = SILENCE_SECONDS) -> None:
        """`silence` is how many seconds a download may stand still."""
        self._config = config
        self._base = f"{config.files or HOSTED}{config.token}"
        self._timeout = aiohttp.ClientTimeout(
            total=None, connect=CONNECT_SECONDS, sock_connect=CONNECT_SECONDS, sock_read=silence
        )

    # theirs

    async def fetch(self, calls: Callable[[], Calls], attachment: Attachment) -> AsyncIterator[bytes]:
        """The bytes, in pieces. See `shared.chat.Adapter.fetch`. Raises `TooLarge` for what Telegram gives no bot."""
        if not self._config.local and attachment.size > READ:
            raise TooLarge(f"Telegram: a file of {attachment.size} bytes", READ)
        try:
            path = await calls().ask("getFile", lambda bot: _path(bot, attachment.ref))
        except TooLarge as failure:
            raise TooLarge(failure.detail, READ) from None
        pieces = self._from_disk(path) if self._config.local else self._from_server(path)
        async for piece in pieces:
            yield piece

    async def _from_server(self, path: str) -> AsyncIterator[bytes]:
        url = self._address(path)
        failed: Failure | None = None
        # No decompression, behind which a small answer could be a very large one.
        async with aiohttp.ClientSession(
            timeout=self._timeout, trust_env=not self._config.api_url, auto_decompress=False
        ) as session:
            try:
                async with session.get(url, allow_redirects=False, headers={"Accept-Encoding": "identity"}) as response:
                    failed = _problem(response)
                    if failed is None:
                        async for piece in response.content.iter_chunked(PIECE):
                            yield piece
            except (aiohttp.ClientError, OSError) as error:
                failed = Unavailable(f"Telegram's files: {type(error).__name__}")
        # Not in the handler above: the exception has the address, and so the token, and would come along as the context.
        if failed is not None:
            raise failed

    def _address(self, path: str) -> yarl.URL:
        """Where a file can be read: below the address for files, whatever the server says."""
        path = path.removeprefix(f"{self._base}/")
        if path.startswith("/") or "://" in path or not path.isprintable() or {"", ".", ".."} & set(path.split("/")):
            raise Forbidden("Telegram: a file that lies elsewhere")
        return yarl.URL(f"{self._base}/{quote(path)}", encoded=True)

    async def _from_disk(self, path: str) -> AsyncIterator[bytes]:
        data = await asyncio.to_thread(self._opened, path)
        try:
            while piece := await asyncio.to_thread(data.read, PIECE):
                yield piece
        except OSError as error:
            raise Unavailable(f"Telegram: a file of the local server: {type(error).__name__}") from None
        finally:
            data.close()

    def _opened(self, path: str) -> BinaryIO:
        """A file that a server of one's own has kept. It keeps those of a bot in a folder that is named like its token, and no
        other is opened (tdlib/telegram-bot-api, ClientManager.cpp: the working directory and the token)."""
        names = {self._config.token, self._config.token.replace(":", "~")}
        problem = ""
        try:
            real = Path(path).resolve(strict=True)
            if Path(path).is_absolute() and names & set(real.parts[:-1]) and real.is_file():
                return real.open("rb")
            raise Forbidden("Telegram: a file of the local server lies outside of the bot's folder")
        except (OSError, ValueError) as error:
            problem = type(error).__name__
        raise Forbidden(f"Telegram: a file of the local server cannot be read ({problem}): has this machine its folder?")

    # ours

    @property
    def most(self) -> int:
        """The largest file in bytes that can be shown."""
        return LOCAL_MOST if self._config.local else MOST

    async def upload(self, calls: Calls, target: Target, file: File, *, silent: bool) -> MessageId:
        """Show a file as a message of its own: a picture as one where Telegram takes it so. Raises `TooLarge`."""
        if file.size > self.most:
            raise TooLarge(f"Telegram: a file of {file.size} bytes")
        if file.media_type in PHOTOS and file.size <= PHOTO_MOST:
            try:
                return await self._send(calls, target, file, silent=silent, photo=True)
            except Refused as refused:
                if not any(each in said(refused) for each in _NO_PHOTO):
                    raise
        return await self._send(calls, target, file, silent=silent, photo=False)

    async def _send(self, calls: Calls, target: Target, file: File, *, silent: bool, photo: bool) -> MessageId:
        """It is not tried again: nothing would make a repeat harmless."""
        place = place_of(target.channel.id)
        try:
            data = await asyncio.to_thread(file.path.open, "rb")
        except OSError as error:
            raise Refused(f"Telegram: a file of ours cannot be read: {type(error).__name__}") from None
        name = _UNSAFE.sub("_", file.name).strip(". ") or "file"

        async def send(bot: Bot, chat: int) -> Message:
            data.seek(0)
            given = InputFile(data, filename=name, read_file_handle=False)
            limit = self._config.upload_timeout
            async with asyncio.timeout(limit):
                if photo:
                    return await bot.send_photo(
                        chat,
                        given,
                        message_thread_id=place.topic,
                        reply_parameters=reply(target, chat),
                        disable_notification=silent,
                        read_timeout=limit,
                    )
                return await bot.send_document(
                    chat,
                    given,
                    message_thread_id=place.topic,
                    reply_parameters=reply(target, chat),
                    disable_notification=silent,
                    # Or Telegram would make a picture or a film of it after all.
                    disable_content_type_detection=True,
                    read_timeout=limit,
                )

        try:
            sent = await calls.write("sendPhoto" if photo else "sendDocument", place.chat, send)
        finally:
            data.close()
        return message_id(sent.chat_id, sent.message_id)


async def _path(bot: Bot, ref: str) -> str:
    file = await bot.get_file(ref)
    return file.file_path or ""


def _problem(response: aiohttp.ClientResponse) -> Failure | None:
    """What an answer other than the file means."""
    status = response.status
    if status == 200:
        return None
    detail = f"Telegram's files: {status}"
    if 300 <= status < 400:
        return Forbidden(f"{detail}, to another place")
    if status in (403, 404, 410):
        return Gone(detail)
    if status == 429:
        wait = response.headers.get("Retry-After", "")
        return RateLimited(detail, float(wait) if wait.isdigit() and int(wait) else WAIT_SECONDS)
    return Unavailable(detail) if status >= 500 or status == 401 else Refused(detail)
