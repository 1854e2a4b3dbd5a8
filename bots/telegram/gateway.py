"""What comes in from Telegram: every update becomes events of the seam, which are stored before the update is confirmed."""

import asyncio
import hmac
import json
import logging
from collections.abc import Coroutine, Iterator, Sequence
from dataclasses import replace
from typing import Any, cast
from weakref import WeakValueDictionary

from aiohttp import web
from telegram import Bot, CallbackQuery, Update

from bots.telegram.calls import Calls
from bots.telegram.config import TelegramConfig
from bots.telegram.convert import Converter, Json, lane_of, migration, moved
from bots.telegram.failures import TOO_OLD, said
from shared.chat import Connected, Deliver, Event, Message, MessageId
from shared.errors import Failure, Unavailable

log = logging.getLogger(__name__)

WANTED = ("message", "edited_message", "callback_query", "my_chat_member")
"""The kinds of updates that are asked for. Telegram remembers what was asked for last, so it is said each time
(core.telegram.org/bots/api, getUpdates: allowed_updates)."""

HOOK_SECONDS = 30.0
"""After how long what was posted and is not stored yet is put off: Telegram waits 60 seconds, and posts it again
(tdlib/telegram-bot-api, WebhookActor.cpp)."""

HOOK_BYTES = 1024 * 1024
"""The largest body that is read."""

SECRET = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header (core.telegram.org/bots/api, setWebhook)

KNOWN = 2000
"""Of how many messages is remembered what they showed, to tell an edit from a change that nobody made; and of how many albums
that they were addressed."""


class Gateway:
    """Takes the updates of one session."""

    def __init__(
        self, config: TelegramConfig, calls: Calls, converter: Converter, *, tasks: asyncio.TaskGroup, deliver: Deliver
    ) -> None:
        self._config = config
        self._calls = calls
        self._converter = converter
        self._tasks = tasks
        self._deliver = deliver
        self._shown: dict[MessageId, tuple[object, ...]] = {}
        self._albums: dict[str, None] = {}
        """Those that were addressed, in the order in which they came."""
        self._lanes: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.announced = False
        """Whether a session has been announced."""

    async def up(self) -> None:
        """There is a connection: announce it before anything that is heard in it. What was said long before it was missed."""
        self._converter = replace(self._converter, since=self._converter.now())
        await self._deliver(Connected())
        self.announced = True

    async def take(self, updates: Sequence[Json]) -> None:
        """Return once all are stored. Those of a chat are taken one after the other, different chats at the same time.

        Raises `Unavailable` if one could not be.
        """
        lanes: dict[int, list[Json]] = {}
        for raw in updates:
            lanes.setdefault(lane_of(raw), []).append(raw)
        # One that cannot be stored does not keep the other chats' from being stored; then all come once more.
        ended = await asyncio.gather(*(self._each(lane, some) for lane, some in lanes.items()), return_exceptions=True)
        for each in ended:
            if each is not None:
                raise each

    async def _each(self, lane: int, updates: Sequence[Json]) -> None:
        async with self._lane(lane):
            for raw in updates:
                for event in self._events(raw):
                    await self._deliver(event)

    def _lane(self, chat: int) -> asyncio.Lock:
        lock = self._lanes.get(chat)
        if lock is None:
            lock = self._lanes[chat] = asyncio.Lock()
        return lock

    def moved(self, old: int, new: int) -> None:
        """A call was refused since a group has become a supergroup. Its update says so, too, unless it came too late."""

        async def tell() -> None:
            async with self._lane(new):
                await self._deliver(moved(old, new))

        spawn(self._tasks, tell(), "telegram move")

    def _events(self, raw: Json) -> Sequence[Event]:
        """What an update means; nothing where it cannot be read, so that the others go on."""
        try:
            update = Update.de_json(raw, self._calls.bot)
            return tuple(self._meaning(update))
        except Exception:
            # Nobody knows what else can be in an update; one must not hold up the others for ever.
            log.exception("an update could not be read", extra={"update_id": raw.get("update_id")})
            return ()

    def _meaning(self, update: Update) -> Iterator[Event]:
        if update.callback_query is not None:
            self._answer(update.callback_query)
            if (pressed := self._converter.pressed(update.callback_query)) is not None:
                yield pressed
        elif update.my_chat_member is not None:
            if (left := self._converter.left(update.my_chat_member)) is not None:
                yield left
        elif update.message is not None:
            if (move := migration(update.message)) is not None:
                self._calls.moves.learn(*move)
                yield moved(*move, update.message.chat.title)
            elif (message := self._converter.message(update.message)) is not None:
                self._remember(message.id, (message.text, message.attachments))
                yield self._whole(message)
        elif update.edited_message is not None:
            edited = self._converter.edited(update.edited_message, update.update_id)
            if edited is not None and self._remember(edited.message.id, (edited.message.text, edited.message.attachments)):
                yield edited

    def _whole(self, message: Message) -> Message:
        """An album is addressed as a whole: the mention is in the caption, which one of its messages has, as a rule the first."""
        if message.album is None:
            return message
        if message.addressed:
            self._albums[message.album] = None
            if len(self._albums) > KNOWN:
                del self._albums[next(iter(self._albums))]
        return replace(message, addressed=message.album in self._albums and not message.author.is_bot)

    def _remember(self, message: MessageId, shown: tuple[object, ...]) -> bool:
        """Whether a message shows something else than before, as far as that is known.

        Telegram tells of changes that are nobody's doing, too (core.telegram.org/bots/api, Update: edited_message).
        """
        changed = self._shown.pop(message, None) != shown
        self._shown[message] = shown
        if len(self._shown) > KNOWN:
            del self._shown[next(iter(self._shown))]
        return changed

    # presses

    def _answer(self, query: CallbackQuery) -> None:
        """Every press is answered, so that the button stops turning; what it leads to is said by other means."""
        spawn(self._tasks, self._answered(query.id), "telegram press")

    async def _answered(self, query: str) -> None:
        async def ask(bot: Bot) -> bool:
            return await bot.answer_callback_query(query)

        try:
            await self._calls.ask("answerCallbackQuery", ask, repeats=1)
        except Failure as failure:
            if TOO_OLD not in said(failure):  # one that waited while we were down
                log.info("a press cannot be answered", extra={"detail": failure.detail})

    # webhook

    async def broken(self) -> None:
        """Raise what kept something that was posted from being stored."""
        await self._broken

    async def hook(self, request: web.Request) -> web.Response:
        """Take what was posted; the answer to it. Only 2xx confirms an update (core.telegram.org/bots/api, setWebhook)."""
        given = request.headers.get(SECRET, "").encode()
        if not hmac.compare_digest(given, self._config.webhook_secret.encode()):
            return web.Response(status=401)
        if not self.announced:
            return web.Response(status=503)
        body = await _body(request)
        if body is None:
            return web.Response(status=413)
        try:
            raw: object = json.loads(body)
        except ValueError:
            return web.Response(status=400)
        if not isinstance(raw, dict) or "update_id" not in raw:
            return web.Response(status=400)
        return await self._posted(cast("Json", raw))

    async def _posted(self, raw: Json) -> web.Response:
        try:
            async with asyncio.timeout(HOOK_SECONDS):
                await self.take((raw,))
        except (TimeoutError, Unavailable):
            return web.Response(status=503)
        except Exception as error:
            # What `deliver` raises ends the session, as it does when we ask for updates; Telegram posts this one again.
            if not self._broken.done():
                self._broken.set_exception(error)
            return web.Response(status=500)
        return web.Response(status=200)


def spawn(tasks: asyncio.TaskGroup, work: Coroutine[Any, Any, object], name: str) -> None:
    """Begin a task in the group, unless that is ending and takes no tasks any more (asyncio/taskgroups.py)."""
    try:
        tasks.create_task(work, name=name)
    except RuntimeError:
        work.close()


async def _body(request: web.Request) -> bytes | None:
    """The body; None where it is too large."""
    if (request.content_length or 0) > HOOK_BYTES:
        return None
    try:
        body = await request.read()
    except web.HTTPRequestEntityTooLarge:
        return None
    return body if len(body) <= HOOK_BYTES else None
