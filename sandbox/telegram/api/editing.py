"""Changing what was sent: texts, captions, buttons, deletions and reactions."""

from typing import cast

from sandbox.telegram.api.asked import CAPTION, TEXT, Asked
from sandbox.telegram.emoji import REACTIONS
from sandbox.telegram.errors import bad
from sandbox.telegram.model import Chat, Json, Message
from sandbox.telegram.payloads import message_json

DELETABLE = 48 * 3600.0
"""Seconds in which a message may be deleted (core.telegram.org/bots/api, deleteMessage: less than 48 hours ago)."""
UNCHANGED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content and "
    "reply markup of the message"
)


def edit_text(asked: Asked) -> Json:
    """`editMessageText`. Without reply_markup the buttons go (seen by every bot; the keyboard is replaced as a whole)."""
    chat = asked.chat()
    text, entities = asked.formatted(asked.text("text") or "", "entities", limit=TEXT, long="MESSAGE_TOO_LONG")
    if not text:
        raise bad("message text is empty")
    message = asked.own(chat)
    if message.file is not None:
        raise bad("there is no text in the message to edit")
    return _edited(asked, message, text, entities)


def edit_caption(asked: Asked) -> Json:
    """`editMessageCaption`."""
    chat = asked.chat()
    caption, entities = asked.formatted(
        asked.text("caption") or "", "caption_entities", limit=CAPTION, long="message caption is too long"
    )
    message = asked.own(chat)
    if message.file is None:
        raise bad("there is no caption in the message to edit")
    return _edited(asked, message, caption, entities)


def _edited(asked: Asked, message: Message, text: str, entities: list[Json]) -> Json:
    markup = asked.markup()
    if (text, entities, markup) == (message.text, message.entities, message.markup):
        raise bad(UNCHANGED)
    asked.world.edit(message, text=text, entities=entities, markup=markup, preview=asked.preview())
    return message_json(asked.world, message)


def edit_markup(asked: Asked) -> Json:
    """`editMessageReplyMarkup`. It leaves no mark of an edit (core.telegram.org/constructor/message: edit_hide)."""
    chat = asked.chat()
    message = asked.own(chat)
    markup = asked.markup()
    if markup == message.markup:
        raise bad(UNCHANGED)
    asked.world.edit(message, hidden=True, markup=markup)
    return message_json(asked.world, message)


def delete_message(asked: Asked) -> bool:
    """`deleteMessage`."""
    chat = asked.chat()
    message = asked.world.message(chat.id, asked.number("message_id"))
    if message is None:
        raise bad("message to delete not found")
    if not _deletable(asked, chat, message):
        raise bad("message can't be deleted")
    asked.world.delete(message)
    return True


def delete_messages(asked: Asked) -> bool:
    """`deleteMessages`: those that cannot be found are skipped."""
    chat = asked.chat()
    given = asked.parsed("message_ids")
    numbers = cast("list[int]", given) if isinstance(given, list) else []
    if not 1 <= len(numbers) <= 100:
        raise bad("too many message identifiers specified" if numbers else "message identifiers are not specified")
    found = [message for each in numbers if (message := asked.world.message(chat.id, int(each))) is not None]
    if not all(_deletable(asked, chat, each) for each in found):
        raise bad("message can't be deleted for everyone")
    for each in found:
        asked.world.delete(each)
    return True


def _deletable(asked: Asked, chat: Chat, message: Message) -> bool:
    """core.telegram.org/bots/api, deleteMessage: own ones and those of private chats for 48 hours, all as an administrator."""
    if chat.kind != "private" and asked.world.rules(chat, asked.world.me):
        return True
    recent = asked.world.now() - message.created < DELETABLE
    return recent and message.service is None and (message.sender == asked.world.me or chat.kind == "private")


def react(asked: Asked) -> bool:
    """`setMessageReaction`: a bot sets one emoji at most, of a fixed list (core.telegram.org/bots/api)."""
    chat = asked.chat()
    message = asked.world.message(chat.id, asked.number("message_id"))
    if message is None or message.service is not None:
        raise bad("message to react not found")
    given = asked.parsed("reaction")
    marks = (
        [cast("Json", each) for each in cast("list[object]", given) if isinstance(each, dict)] if isinstance(given, list) else []
    )
    if len(marks) > 1:
        raise bad("REACTIONS_TOO_MANY")
    emoji = [str(each.get("emoji")) for each in marks if each.get("type") == "emoji"]
    if len(emoji) != len(marks) or not set(emoji) <= REACTIONS:
        raise bad("REACTION_INVALID")
    asked.world.react(message, asked.world.me, emoji)
    return True
