"""Sending: texts, drafts, files, albums and chat actions."""

from typing import cast

from sandbox.telegram.api.asked import CAPTION, TEXT, Asked, checked
from sandbox.telegram.api.uploads import file_of, uploaded
from sandbox.telegram.entities import formatted, units
from sandbox.telegram.errors import ApiError, bad
from sandbox.telegram.model import Chat, Json, Media, Message
from sandbox.telegram.payloads import message_json
from sandbox.telegram.world import Written, chain

ACTIONS = frozenset(
    {
        "typing",
        "upload_photo",
        "record_video",
        "upload_video",
        "record_voice",
        "upload_voice",
        "upload_document",
        "choose_sticker",
        "find_location",
        "record_video_note",
        "upload_video_note",
    }
)
"""core.telegram.org/bots/api, sendChatAction."""


def send_message(asked: Asked) -> Json:
    """`sendMessage`."""
    chat = asked.chat()
    text, entities = asked.formatted(asked.text("text") or "", "entities", limit=TEXT, long="message is too long")
    if not text:
        raise bad("message text is empty")
    written = _begun(asked, chat)
    written.text, written.entities, written.preview = text, entities, asked.preview()
    return message_json(asked.world, asked.world.post(chat, written))


def send_draft(asked: Asked) -> bool:
    """`sendMessageDraft`: only in private chats (seen: TEXTDRAFT_PEER_INVALID elsewhere); an empty text shows a placeholder."""
    chat = asked.chat()
    number = asked.number("draft_id")
    if number == 0:
        raise bad("draft identifier must be non-zero")
    text, entities = asked.formatted(asked.text("text") or "", "entities", limit=TEXT, long="message is too long")
    if chat.kind != "private":
        raise bad("TEXTDRAFT_PEER_INVALID")
    asked.world.draft(chat, asked.topic(chat), number, text, entities)
    return True


def send_action(asked: Asked) -> bool:
    """`sendChatAction`."""
    chat = asked.chat()
    action = asked.text("action")
    if action not in ACTIONS:
        raise bad("wrong parameter action in request")
    asked.writable(chat)
    asked.world.act(chat, asked.topic(chat), action)
    return True


def send_document(asked: Asked) -> Json:
    """`sendDocument`."""
    return _file(asked, "document")


def send_photo(asked: Asked) -> Json:
    """`sendPhoto`."""
    return _file(asked, "photo")


def _file(asked: Asked, kind: Media) -> Json:
    chat = asked.chat()
    caption, entities = asked.formatted(
        asked.text("caption") or "", "caption_entities", limit=CAPTION, long="message caption is too long"
    )
    given = file_of(asked, kind, asked.text(kind) or "", kind)
    written = _begun(asked, chat)
    file = uploaded(asked, kind, given)
    written.text, written.entities, written.media, written.file = caption, entities, file.kind, file.id
    return message_json(asked.world, asked.world.post(chat, written))


def album_size(asked: Asked) -> int:
    """How many messages a sendMediaGroup counts as."""
    given = asked.parsed("media")
    return max(1, len(cast("list[object]", given))) if isinstance(given, list) else 1


def send_album(asked: Asked) -> list[Json]:
    """`sendMediaGroup`: 2 to 10 items, documents only among themselves (core.telegram.org/bots/api)."""
    chat = asked.chat()
    given = asked.parsed("media")
    items = (
        [cast("Json", each) for each in cast("list[object]", given) if isinstance(each, dict)] if isinstance(given, list) else []
    )
    if not 2 <= len(items) <= 10:
        raise bad("number of media must be between 2 and 10" if items else "there are no messages to send")
    kinds = {item.get("type") for item in items}
    if kinds not in ({"document"}, {"photo"}):
        raise bad("Can't use the media of the specified type in the album")
    kind: Media = "document" if kinds == {"document"} else "photo"
    prepared: list[Written] = []
    for item in items:
        given_caption, mode = str(item.get("caption") or ""), item.get("parse_mode")
        caption, entities = checked(
            given_caption, mode, item.get("caption_entities"), limit=CAPTION, long="message caption is too long"
        )
        file = uploaded(asked, kind, file_of(asked, kind, str(item.get("media") or ""), "media"))
        written = _begun(asked, chat)
        written.text, written.entities, written.media, written.file = caption, entities, file.kind, file.id
        prepared.append(written)
    album = str(13_000_000_000 + asked.world.state.last_number)
    sent: list[Message] = []
    for written in prepared:
        written.album = album
        sent.append(asked.world.post(chat, written))
    return [message_json(asked.world, each) for each in sent]


def _begun(asked: Asked, chat: Chat) -> Written:
    """A message of the bot with what all kinds have: where it goes, what it replies to, and its buttons."""
    asked.writable(chat)
    markup = asked.markup()
    parameters = asked.object("reply_parameters") or {"message_id": asked.number("reply_to_message_id")}
    reply, quote = _replied(asked, chat, parameters)
    topic = asked.topic(chat, reply)
    thread = None if reply is None or topic is not None else chain(chat, reply)
    written = Written(asked.world.me, topic=topic, thread=thread, markup=markup, quote=quote)
    written.reply_to = None if reply is None else reply.id
    written.silent = asked.flag("disable_notification")
    return written


def _replied(asked: Asked, chat: Chat, parameters: Json) -> tuple[Message | None, str | None]:
    """The message replied to, and what of it is quoted (core.telegram.org/bots/api, ReplyParameters)."""
    wanted = int(parameters.get("message_id") or 0)
    if not wanted:
        return None, None
    if int(parameters.get("chat_id") or chat.id) != chat.id:
        raise bad("message to be replied not found")
    reply = asked.world.message(chat.id, wanted)
    if reply is None:
        if parameters.get("allow_sending_without_reply") or asked.flag("allow_sending_without_reply"):
            return None, None
        raise bad("message to be replied not found")
    quote = parameters.get("quote")
    if not quote:
        return reply, None
    text, _ = formatted(str(quote))
    if units(text) > CAPTION:
        raise ApiError(400, "Bad Request: MESSAGE_TOO_LONG")
    if text not in reply.text:
        raise bad("QUOTE_TEXT_INVALID")
    return reply, text
