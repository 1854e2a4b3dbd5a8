"""From Telegram's updates to the vocabulary of the seam. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from telegram import CallbackQuery, ChatMemberRestricted, ChatMemberUpdated
from telegram import Chat as TelegramChat
from telegram import Message as TelegramMessage

from bots.telegram.content import attachments, chat_name, from_whom, person, words
from bots.telegram.names import NAME, author_id, channel_id, message_id, space_id
from bots.telegram.reading import Me, Written, written
from shared.chat import Author, Channel, Edited, Left, Message, Moved, Pressed, Quoted, Target
from shared.commands import BY_NAME

Json = dict[str, Any]

BEFORE = timedelta(seconds=5)
"""By how much a message must be older than the connection to count as said while nobody heard: Telegram tells whole seconds."""

SERVICE = 777000
"""The user under whose name a channel's posts come into its group (core.telegram.org/bots/api, Message: from)."""

START = "start"
"""What a person gives by opening the chat with a bot; what follows it is a link's own (core.telegram.org/bots/features, Deep
linking). It is answered like /help."""


@dataclass(frozen=True, slots=True)
class Converter:
    """Reads updates as the bot would."""

    me: Me
    since: datetime
    """When this connection began, or was there again."""
    now: Callable[[], datetime]

    def pressed(self, query: CallbackQuery) -> Pressed | None:
        """A press on a button; None for what is not under a message. One that is too old tells of its message only the id."""
        shown = query.message
        if shown is None or query.data is None:
            return None
        where = place(shown) if isinstance(shown, TelegramMessage) else channel(shown.chat)
        author = Author(id=author_id(query.from_user.id), name=person(query.from_user), is_bot=query.from_user.is_bot)
        return Pressed(
            keys=(f"{NAME}:query:{query.id}",),
            target=Target(channel=where, user=author.id),
            author=author,
            sent_at=self.now(),
            button=query.data,
            message=message_id(shown.chat.id, shown.message_id),
        )

    def left(self, change: ChatMemberUpdated) -> Left | None:
        """That we can no longer be in a chat: blocked by the person, or no longer in the group, whose topics go with it."""
        now = change.new_chat_member
        away = now.status in ("kicked", "left") or (isinstance(now, ChatMemberRestricted) and not now.is_member)
        # Telegram tells whole seconds: it was at some time in this one.
        return Left(channel=channel_id(change.chat.id), at=change.date + timedelta(seconds=1)) if away else None

    def edited(self, raw: TelegramMessage, update: int) -> Edited | None:
        """A change of a message; None if nobody made it. The time of an edit has whole seconds, so its update names it, too."""
        if raw.edit_date is None or (message := self.message(raw, live=True)) is None:
            return None
        return Edited(keys=(f"{message.id}/edit/{int(raw.edit_date.timestamp())}/{update}",), message=message)

    def message(self, raw: TelegramMessage, *, live: bool = False) -> Message | None:
        """The message as an event; None for what nobody wrote. What bots wrote is never addressed.

        Its id names it: those of updates begin anew after a week of silence (core.telegram.org/bots/api, Update: update_id).
        """
        text = raw.text if raw.text is not None else raw.caption or ""
        told = written(text, raw.entities if raw.text is not None else raw.caption_entities, self.me)
        files, more = attachments(raw), words(raw)
        if not text and not files and not more:
            return None
        number, author = message_id(raw.chat.id, raw.message_id), self._author(raw)
        return Message(
            keys=(number,),
            id=number,
            target=Target(channel=place(raw), reply_to=number, user=author.id),
            author=author,
            sent_at=raw.date,
            text=self._text(raw, told, more),
            addressed=not author.is_bot and self._addressed(raw, told),
            recalled=not live and raw.date < self.since - BEFORE,
            quoted=None if author.is_bot else self._quoted(raw),
            attachments=() if author.is_bot else files,
            album=f"{NAME}:{raw.chat.id}/{raw.media_group_id}" if raw.media_group_id else None,
        )

    def _text(self, raw: TelegramMessage, told: Written, more: str) -> str:
        if raw.forward_origin is not None:
            return f"[Forwarded from {from_whom(raw.forward_origin)}]\n{told.text or more}".strip()
        if told.command == START and not told.other:
            return "/help"
        return told.text or more

    def _addressed(self, raw: TelegramMessage, told: Written) -> bool:
        if told.other:
            return False
        if raw.chat.type == "private" or told.mentioned:
            return True
        if told.command and raw.forward_origin is None and (told.command in BY_NAME or told.command == START):
            return True
        replied = _replied(raw)
        return replied is not None and replied.from_user is not None and replied.from_user.id == self.me.id

    def _author(self, raw: TelegramMessage) -> Author:
        """Who wrote. An anonymous administrator, or one who writes as a channel, is a person under that chat's name; the posts
        of a linked channel are nobody's."""
        speaks = raw.sender_chat
        if speaks is not None:
            return Author(id=author_id(speaks.id), name=chat_name(speaks), is_bot=bool(raw.is_automatic_forward))
        user = raw.from_user
        if user is None:
            return Author(id=author_id(raw.chat.id), name="somebody", is_bot=True)
        return Author(id=author_id(user.id), name=person(user), is_bot=user.is_bot or user.id == SERVICE)

    def _quoted(self, raw: TelegramMessage) -> Quoted | None:
        part = raw.quote.text if raw.quote is not None else ""
        replied = _replied(raw)
        if replied is not None:
            text = replied.text if replied.text is not None else replied.caption or ""
            told = written(text, replied.entities if replied.text is not None else replied.caption_entities, self.me)
            own = replied.from_user is not None and replied.from_user.id == self.me.id
            return Quoted(
                name=self._author(replied).name,
                text=part or told.text or words(replied),
                own=own,
                attachments=() if own else attachments(replied),
            )
        if raw.external_reply is not None:
            other = raw.external_reply
            return Quoted(name=from_whom(other.origin), text=part or words(other), own=False, attachments=attachments(other))
        return None


def _replied(raw: TelegramMessage) -> TelegramMessage | None:
    """The message that this one answers. In a topic, what answers nothing names the message that created the topic."""
    replied = raw.reply_to_message
    return None if replied is None or replied.forum_topic_created is not None else replied


def place(raw: TelegramMessage) -> Channel:
    """Where a message is: its chat, or the topic.

    Chains of replies outside of topics have a message_thread_id, too, without is_topic_message
    (tdlib/telegram-bot-api issues 356 and 447).
    """
    topic = raw.message_thread_id if raw.is_topic_message else None
    made = raw.reply_to_message.forum_topic_created if raw.reply_to_message is not None else None
    return channel(raw.chat, topic, made.name if made is not None else None)


def channel(chat: TelegramChat, topic: int | None = None, title: str | None = None) -> Channel:
    """A chat, or a topic in it: what holds for the one holds for the other, such as that a mention is needed in a group."""
    number, whole = channel_id(chat.id, topic), channel_id(chat.id)
    direct = chat.type == "private"
    return Channel(
        id=number,
        kind="direct" if direct else "group",
        parent=None if number == whole else whole,
        space=None if direct else space_id(chat.id),
        title=(None if direct else chat.title) if number == whole else title,
    )


def migration(raw: TelegramMessage) -> tuple[int, int] | None:
    """The old and the new id of a group that has become a supergroup; both chats tell of it."""
    if raw.migrate_to_chat_id:
        return raw.chat.id, raw.migrate_to_chat_id
    if raw.migrate_from_chat_id:
        return raw.migrate_from_chat_id, raw.chat.id
    return None


def moved(old: int, new: int, title: str | None = None) -> Moved:
    """That a group has become the supergroup `new`."""
    return Moved(old=channel_id(old), channel=Channel(id=channel_id(new), kind="group", space=space_id(new), title=title))


def lane_of(raw: Json) -> int:
    """The chat that an update is about; 0 where it is about none. It is not yet known what the update holds."""
    query = _dict(raw.get("callback_query"))
    for found in (raw.get("message"), raw.get("edited_message"), raw.get("my_chat_member"), query.get("message")):
        number = _dict(_dict(found).get("chat")).get("id")
        if isinstance(number, int):
            return number
    return 0


def move_of(raw: Json) -> tuple[int, int] | None:
    """As `migration`, of an update of which it is not yet known what it holds."""
    message = _dict(raw.get("message"))
    here = _dict(message.get("chat")).get("id")
    new, old = message.get("migrate_to_chat_id"), message.get("migrate_from_chat_id")
    if isinstance(here, int) and isinstance(new, int):
        return here, new
    return (old, here) if isinstance(here, int) and isinstance(old, int) else None


def query_of(raw: Json) -> str:
    """The id of a press on a button, of an update of which it is not yet known what it holds; empty where it is none."""
    number = _dict(raw.get("callback_query")).get("id")
    return number if isinstance(number, str) else ""


def _dict(value: object) -> Json:
    return cast("Json", value) if isinstance(value, dict) else {}
