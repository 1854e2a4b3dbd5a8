"""What the methods share: the call as they see it, and the checks that come first."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from sandbox.telegram.config import SimulatorConfig
from sandbox.telegram.entities import formatted, units
from sandbox.telegram.errors import ApiError, bad, forbidden
from sandbox.telegram.model import GENERAL, PRESENT, Chat, Json, Message
from sandbox.telegram.updates import Updates
from sandbox.telegram.webhooks import Webhooks
from sandbox.telegram.world import World

TEXT, CAPTION = 4096, 1024
"""UTF-16 code units after entities parsing (core.telegram.org/bots/api, sendMessage and sendDocument)."""
DATA = 64
"""Bytes of callback_data (core.telegram.org/bots/api, InlineKeyboardButton)."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of a multipart call."""

    name: str
    media: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Api:
    """What every method may use."""

    world: World
    config: SimulatorConfig
    updates: Updates
    webhooks: Webhooks


@dataclass(frozen=True, slots=True)
class Asked:
    """One call, already authorised and counted in its limits."""

    api: Api
    arguments: Json
    """From the query, a form or a JSON body (core.telegram.org/bots/api, Making requests). Forms hold JSON as text."""
    uploads: Mapping[str, Upload] = field(default_factory=dict[str, Upload])
    gone: Callable[[], bool] = lambda: False
    """Whether the caller has closed its connection."""

    @property
    def world(self) -> World:
        """The world."""
        return self.api.world

    def text(self, name: str) -> str | None:
        """A string, or None."""
        value: object = self.arguments.get(name)
        return None if value is None else value if isinstance(value, str) else json.dumps(value)

    def number(self, name: str, default: int = 0) -> int:
        """A whole number; what is none counts as the default."""
        try:
            return int(self.text(name) or "")
        except ValueError:
            return default

    def flag(self, name: str) -> bool:
        """A truth value."""
        return (self.text(name) or "").lower() in ("true", "1", "yes", "t", "y")

    def parsed(self, name: str) -> object:
        """A list or an object, also as JSON text; None when absent. Raises `ApiError` for what is no JSON."""
        value: object = self.arguments.get(name)
        if not isinstance(value, str):
            return value
        if not value:
            return None
        try:
            return json.loads(value)
        except ValueError as error:
            raise bad(f"can't parse {name} JSON object") from error

    def object(self, name: str) -> Json | None:
        """An object, or None. Raises `ApiError` for something else."""
        value = self.parsed(name)
        if value is None:
            return None
        if not isinstance(value, dict):
            raise bad(f"can't parse {name}: object expected")
        return cast("Json", value)

    # chats

    def named(self) -> Chat | None:
        """The chat of `chat_id`, if there is one; also one that the bot may not write in."""
        name = self.text("chat_id") or ""
        if re.fullmatch(r"-?\d+", name):
            return self.world.state.chats.get(int(name))
        return None

    def chat(self, *, write: bool = True) -> Chat:
        """The chat of `chat_id`.

        Raises `ApiError` as check_chat_access of tdlib/telegram-bot-api does: unknown, moved to a supergroup, kicked, not a
        member, blocked by the user (USER_IS_BLOCKED), or not yet written to by the person.
        """
        if not self.text("chat_id"):
            raise bad("chat_id is empty")
        chat = self.named()
        if chat is None:
            known = self.world.state.users.get(self.number("chat_id"))
            if known is not None and not known.bot and write:
                raise forbidden("bot can't initiate conversation with a user")
            raise bad("chat not found")
        if chat.kind == "private":
            self._private(chat, write=write)
        elif chat.migrated_to is not None and write:
            moved = {"migrate_to_chat_id": chat.migrated_to}
            raise ApiError(400, "Bad Request: group chat was upgraded to a supergroup chat", moved)
        elif (status := self.world.standing(chat, self.world.me)) not in PRESENT:
            how = "bot was kicked from" if status == "kicked" else "bot is not a member of"
            raise forbidden(f"{how} the {chat.kind} chat")
        return chat

    def _private(self, chat: Chat, *, write: bool) -> None:
        if self.world.state.users[chat.id].deactivated:
            raise forbidden("user is deactivated")
        if write and chat.blocked:
            raise forbidden("bot was blocked by the user")
        if write and not chat.started:
            raise forbidden("bot can't initiate conversation with a user")

    def writable(self, chat: Chat) -> None:
        """Raise `ApiError` where the bot may not write."""
        if chat.muted and not self.world.rules(chat, self.world.me):
            raise bad("not enough rights to send text messages to the chat")

    def topic(self, chat: Chat, reply: Message | None = None) -> int | None:
        """The topic of `message_thread_id`, else that of the message replied to; None for General and where there are none.

        Raises `ApiError`: `message thread not found` for what is no topic, which the General topic's own id 1 is not either
        (python-telegram-bot issue 4739); TOPIC_CLOSED, unless the bot is an administrator.
        """
        given = self.number("message_thread_id")
        number = given or (reply.topic if reply is not None else None)
        if given == GENERAL and chat.forum:
            raise bad("message thread not found")
        if number is None:
            number = GENERAL if chat.forum else 0
        topic = chat.topics.get(number)
        if topic is None or topic.deleted:
            if number == 0 or (number == GENERAL and chat.forum):
                return None
            raise bad("message thread not found")
        if topic.closed and not self.world.rules(chat, self.world.me):
            raise bad("TOPIC_CLOSED")
        return None if chat.forum and number == GENERAL else number

    def own(self, chat: Chat, what: str = "edit") -> Message:
        """The bot's message of `message_id`. Raises `ApiError` for none, for another's, and for a service message."""
        found = self.world.message(chat.id, self.number("message_id"))
        if found is None:
            raise bad(f"message to {what} not found")
        if found.sender != self.world.me or found.service is not None:
            raise bad(f"message can't be {what}ed")
        return found

    # texts

    def formatted(self, text: str, name: str, *, limit: int, long: str) -> tuple[str, list[Json]]:
        """A text with the entities of the argument `name`. Raises `ApiError` with `long` when it is over the limit."""
        return checked(text, self.text("parse_mode"), self.parsed(name), limit=limit, long=long)

    def markup(self) -> Json | None:
        """The inline keyboard of `reply_markup`; None when there is none. Raises `ApiError` for buttons that are not allowed.

        Keyboards of other kinds are taken and show nothing.
        """
        given = self.object("reply_markup")
        if given is None or "inline_keyboard" not in given:
            return None
        rows: object = given["inline_keyboard"]
        if not isinstance(rows, list):
            raise bad('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array')
        kept: list[list[Json]] = []
        for row in cast("list[object]", rows):
            if not isinstance(row, list):
                raise bad('field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays')
            buttons = [_button(each) for each in cast("list[object]", row)]
            if buttons:
                kept.append(buttons)
        if sum(len(row) for row in kept) > 100:
            raise bad("reply markup is too long")
        return {"inline_keyboard": kept} if kept else None

    def preview(self) -> bool:
        """Whether links may have previews: `link_preview_options`, which counts for this call only."""
        options = self.object("link_preview_options") or {}
        return not (options.get("is_disabled") or self.flag("disable_web_page_preview"))


def checked(text: str, mode: str | None, entities: object, *, limit: int, long: str) -> tuple[str, list[Json]]:
    """A text with its entities, within the limit. Raises `ApiError`; no parse_mode is known here, only entities are."""
    if mode:
        raise bad("unsupported parse_mode")
    kept, found = formatted(text, entities)
    if units(kept) > limit:
        raise bad(long)
    return kept, found


def _button(given: object) -> Json:
    if not isinstance(given, dict):
        raise bad("InlineKeyboardButton must be an Object")
    button = cast("Json", given)
    if not isinstance(button.get("text"), str) or not button["text"]:
        raise bad('field "text" of the InlineKeyboardButton must be a non-empty String')
    data, url = button.get("callback_data"), button.get("url")
    if data is None and url is None:
        raise bad("text buttons are unallowed in the inline keyboard")
    if data is not None and not 1 <= len(str(data).encode()) <= DATA:
        raise bad("BUTTON_DATA_INVALID")
    return button


Handler = Callable[[Asked], Any]


@dataclass(frozen=True, slots=True)
class Method:
    """One method. Its handler returns the result, or an awaitable of it."""

    handler: Handler
    messages: Callable[[Asked], int] = lambda asked: 1
    """How many messages a call counts as."""
