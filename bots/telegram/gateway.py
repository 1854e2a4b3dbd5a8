"""What comes in from Telegram: every update becomes events of the seam, which are stored before the update is confirmed."""

import asyncio
import hmac
import json
import logging
from collections.abc import Callable, Coroutine, Iterator, Sequence
from dataclasses import replace
from itertools import count
from typing import Any, cast
from weakref import WeakValueDictionary

from aiohttp import web
from telegram import Bot, Update

from bots.telegram.calls import Calls
from bots.telegram.config import TelegramConfig
from bots.telegram.convert import Converter, Json, lane_of, migration, move_of, moved, query_of
from bots.telegram.failures import TOO_OLD, said
from bots.telegram.names import Moves, place_of
from shared.chat import Connected, Deliver, Edited, Event, Message, MessageId, Moved, Pressed, Target
from shared.errors import Failure, Unavailable

log = logging.getLogger(__name__)

WANTED = ("message", "edited_message", "callback_query", "my_chat_member")
"""The kinds of updates that are asked for. Telegram remembers what was asked for last, so it is said each time
(core.telegram.org/bots/api, getUpdates: allowed_updates)."""

HOOK_BYTES = 1024 * 1024
"""The largest body that is read."""

SECRET = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of a header (core.telegram.org/bots/api, setWebhook)

KNOWN = 2000
"""Of how many messages is remembered what they showed, to tell an edit from a change that nobody made."""

ALBUMS = 100
"""Of how many albums is remembered what came before the mention: all of an album comes within moments."""

TRIES = 3
"""How often an update is handed on that fails by a fault of ours; the sessions that it ends take the others' with them."""


class Gateway:
    """Takes the updates of one session."""

    def __init__(
        self,
        config: TelegramConfig,
        calls: Calls,
        converter: Converter,
        *,
        tasks: asyncio.TaskGroup,
        deliver: Deliver,
        failed: dict[str, int],
    ) -> None:
        """`failed` outlives the session: how often an update has ended one by a fault of ours."""
        self._config = config
        self._calls = calls
        self._converter = converter
        self._tasks = tasks
        self._deliver = deliver
        self._failed = failed
        self._taking: set[asyncio.Task[int]] = set()
        self._shown: dict[MessageId, tuple[object, ...]] = {}
        self._parts: dict[str, list[Message]] = {}
        """Of each album what came and was not addressed."""
        self._told = Moves()
        """The moves that are stored."""
        self._lanes: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.came: Callable[[], None] | None = None
        """Called when something that was posted is stored."""
        self.announced = False
        """Whether a session has been announced."""
        self.unstored = 0
        """Of how many chats something could not be stored yet."""

    async def up(self) -> None:
        """There is a connection: announce it before anything that is heard in it. What was said long before it was missed."""
        self._converter = replace(self._converter, since=self._converter.now())
        await self._deliver(Connected())
        self.announced = True

    async def take(self, updates: Sequence[Json], *, insist: bool = False) -> None:
        """Return once all are stored. Those of a chat are taken one after the other, different chats at the same time.

        Raises `Unavailable` if one could not be; or, to `insist`, tries until it is, before what comes after it in its chat.
        """
        for raw in updates:
            if (move := move_of(raw)) is not None:
                self._calls.moves.learn(*move)
        lanes: dict[int, list[Json]] = {}
        for raw in updates:
            # What was said before a group moved is taken before what was said after it.
            lanes.setdefault(self._calls.moves.now(lane_of(raw)), []).append(raw)
        # One that cannot be stored does not keep the other chats' from being stored; then all come once more.
        each_lane = (self._each(lane, some, insist) for lane, some in lanes.items())
        ended = await asyncio.gather(*each_lane, return_exceptions=True)
        for each in ended:
            if each is not None:
                raise each

    async def keep(self, updates: Sequence[Json]) -> None:
        """As `take`, insisting."""
        await self.take(updates, insist=True)

    async def _each(self, lane: int, updates: Sequence[Json], insist: bool) -> None:
        async with self._lane(lane):
            for raw in updates:
                for event in self._events(raw):
                    if self._is_news(event):
                        await self._handed(raw, event, insist)

    async def _handed(self, raw: Json, event: Event, insist: bool) -> None:
        try:
            await (self._insist(event) if insist else self._hand(event))
        except Failure:
            raise
        except Exception:
            number = str(raw.get("update_id"))
            self._failed[number] = self._failed.get(number, 0) + 1
            if self._failed[number] < TRIES:
                raise
            # A fault of ours: the next session would begin with it, too, and nobody would be heard any more.
            del self._failed[number]
            log.exception("an update is left out", extra={"update_id": number})
            return
        # Not before: what could not be stored comes again.
        self._failed.pop(str(raw.get("update_id")), None)
        self._remember(event)

    async def _hand(self, event: Event) -> None:
        if isinstance(event, Moved) and event.old != event.channel.id:
            # What is being stored of the group as it was before comes first.
            async with self._lane(place_of(event.old).chat):
                pass
        await self._deliver(self._placed(event))

    async def _insist(self, event: Event) -> None:
        """Hand it on until it is stored. What comes after it in its chat waits."""
        for tried in count(1):
            try:
                return await self._hand(event)
            except Unavailable as failed:
                pause = self._config.pause(tried)
                log.warning("an update is not stored yet", extra={"detail": failed.detail, "seconds": round(pause, 1)})
            self.unstored += 1
            try:
                await asyncio.sleep(pause)
            finally:
                self.unstored -= 1

    def _lane(self, chat: int) -> asyncio.Lock:
        lock = self._lanes.get(chat)
        if lock is None:
            lock = self._lanes[chat] = asyncio.Lock()
        return lock

    def moved(self, old: int, new: int) -> None:
        """A call was refused since a group has become a supergroup. Its update says so, too, unless it came too late."""

        async def tell() -> None:
            # Nothing else may tell of it again. What is said in the new group has to come after it.
            async with self._lane(new):
                await self._insist(moved(old, new))
                self._remember(moved(old, new))

        spawn(self._tasks, tell(), "telegram move")

    def _events(self, raw: Json) -> Sequence[Event]:
        """What an update means; nothing where it cannot be read, so that the others go on."""
        if query := query_of(raw):
            self._answer(query)
        try:
            update = Update.de_json(raw, self._calls.bot)
            return tuple(self._meaning(update))
        except Exception:
            # Nobody knows what else can be in an update; one must not hold up the others for ever.
            log.exception("an update could not be read", extra={"update_id": raw.get("update_id")})
            return ()

    def _meaning(self, update: Update) -> Iterator[Event]:
        if update.callback_query is not None:
            if (pressed := self._converter.pressed(update.callback_query)) is not None:
                yield pressed
        elif update.my_chat_member is not None:
            chat = update.my_chat_member.chat.id
            # That nobody is in the group any more that a supergroup has come of is no leaving.
            if self._calls.moves.now(chat) == chat and (left := self._converter.left(update.my_chat_member)) is not None:
                yield left
        elif update.message is not None:
            if (move := migration(update.message)) is not None:
                yield moved(*move, update.message.chat.title)
            elif (message := self._converter.message(update.message)) is not None:
                yield message
                yield from self._of_album(message)
        elif (changed := update.edited_message) is not None and (edited := self._converter.edited(changed, update.update_id)):
            yield edited

    def _of_album(self, message: Message) -> Iterator[Message]:
        """What came before it of its album, if it is the one with the mention: files have their caption with the last of them.

        The mention goes first: it says what is wanted. What comes after it the core knows to belong to it.
        """
        if message.album is None or message.author.is_bot:
            return
        if not message.addressed:
            self._parts.setdefault(message.album, []).append(message)
            if len(self._parts) > ALBUMS:
                del self._parts[next(iter(self._parts))]
            return
        for each in self._parts.get(message.album, ()):
            yield replace(each, addressed=True)

    def _is_news(self, event: Event) -> bool:
        """False for an edit of a message that shows what it did before, as far as that is known.

        Telegram tells of changes that are nobody's doing, too (core.telegram.org/bots/api, Update: edited_message).
        """
        return not isinstance(event, Edited) or self._shown.get(event.message.id) != _shown(event.message)

    def _placed(self, event: Event) -> Event:
        """The event where its chat is now. What comes late of a group that has moved would begin a conversation there anew."""
        match event:
            case Message() | Pressed():
                return replace(event, target=self._there(event.target))
            case Edited():
                return replace(event, message=replace(event.message, target=self._there(event.message.target)))
            case _:
                return event

    def _there(self, target: Target) -> Target:
        old = place_of(target.channel.id).chat
        new = self._told.now(old)
        return target if new == old else replace(target, channel=moved(old, new, target.channel.title).channel)

    def _remember(self, event: Event) -> None:
        if isinstance(event, Moved):
            self._told.learn(place_of(event.old).chat, place_of(event.channel.id).chat)
        message = event.message if isinstance(event, Edited) else event
        if not isinstance(message, Message):
            return
        self._shown.pop(message.id, None)
        self._shown[message.id] = _shown(message)
        if len(self._shown) > KNOWN:
            del self._shown[next(iter(self._shown))]

    # presses

    def _answer(self, query: str) -> None:
        """Every press is answered, so that the button stops turning; what it leads to is said by other means."""
        spawn(self._tasks, self._answered(query), "telegram press")

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
        given = request.headers.get(SECRET, "").encode(errors="surrogateescape")  # as aiohttp has decoded it
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
        return web.Response(status=await self._posted(cast("Json", raw)))

    async def _posted(self, raw: Json) -> int:
        """The status of the answer. What takes too long goes on without being waited for, as it may be stored by then."""
        taking = asyncio.create_task(self._taken(raw), name="telegram update")
        self._taking.add(taking)
        taking.add_done_callback(self._taking.discard)
        await asyncio.wait((taking,), timeout=self._config.hook_seconds)
        return taking.result() if taking.done() else 503

    async def _taken(self, raw: Json) -> int:
        try:
            await self.take((raw,))
        except Unavailable:
            return 503
        except Exception as error:
            # What `deliver` raises ends the session, as it does when we ask for updates; Telegram posts this one again.
            if not self._broken.done():
                self._broken.set_exception(error)
            return 500
        if self.came is not None:
            self.came()
        return 200


def _shown(message: Message) -> tuple[object, ...]:
    return message.text, message.attachments


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
