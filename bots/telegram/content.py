"""What a message holds besides its text: files, and what can only be told in words. Pure."""

from collections.abc import Iterator

from telegram import (
    Chat,
    ExternalReplyInfo,
    Message,
    MessageOrigin,
    MessageOriginChannel,
    MessageOriginChat,
    MessageOriginHiddenUser,
    MessageOriginUser,
    PhotoSize,
    User,
)

from shared.chat import Attachment

NAME = 100
"""Characters of a name inside a text."""


def attachments(message: Message | ExternalReplyInfo) -> tuple[Attachment, ...]:
    """The files of a message; where they lie is asked when they are fetched, so `ref` is Telegram's file_id."""
    return tuple(_attachments(message))


def _attachments(message: Message | ExternalReplyInfo) -> Iterator[Attachment]:
    if message.photo:
        yield _photo(message.photo[-1])  # the sizes come in growing order; the last is the largest
    if message.animation is not None:
        # A `document` that comes with it is the same file (core.telegram.org/bots/api, Message: animation).
        each = message.animation
        yield _file(each.file_id, each.file_name, each.mime_type, each.file_size, "animation.mp4", "video/mp4")
    elif message.document is not None:
        each = message.document
        yield _file(each.file_id, each.file_name, each.mime_type, each.file_size, "file", "application/octet-stream")
    if message.audio is not None:
        each = message.audio
        yield _file(each.file_id, each.file_name, each.mime_type, each.file_size, "audio.mp3", "audio/mpeg")
    if message.video is not None:
        each = message.video
        yield _file(each.file_id, each.file_name, each.mime_type, each.file_size, "video.mp4", "video/mp4")
    if message.voice is not None:
        yield _file(message.voice.file_id, None, message.voice.mime_type, message.voice.file_size, "voice.ogg", "audio/ogg")
    if message.video_note is not None:
        yield _file(message.video_note.file_id, None, None, message.video_note.file_size, "video.mp4", "video/mp4")


def _photo(photo: PhotoSize) -> Attachment:
    # Photos are always JPEG, and have no names (core.telegram.org/bots/api, PhotoSize).
    return _file(photo.file_id, None, None, photo.file_size, "photo.jpg", "image/jpeg")


def _file(ref: str, name: str | None, media: str | None, size: int | None, otherwise: str, kind: str) -> Attachment:
    return Attachment(ref=ref, name=name or otherwise, media_type=media or kind, size=size or 0)


def words(message: Message | ExternalReplyInfo) -> str:
    """What can only be told in words, in a line; empty where there is nothing of that kind."""
    if message.sticker is not None:
        return message.sticker.emoji or "(a sticker)"
    if message.contact is not None:
        each = message.contact
        return f"Contact: {' '.join(part for part in (each.first_name, each.last_name, each.phone_number) if part)}"
    if message.venue is not None:
        place = message.venue.location
        return f"Venue: {message.venue.title}, {message.venue.address} ({place.latitude}, {place.longitude})"
    if message.location is not None:
        return f"Location: {message.location.latitude}, {message.location.longitude}"
    if message.poll is not None:
        return f"Poll: {message.poll.question}: " + "; ".join(each.text for each in message.poll.options)
    if message.dice is not None:
        return f"{message.dice.emoji} {message.dice.value}"
    if message.checklist is not None:
        return f"Checklist: {message.checklist.title}: " + "; ".join(each.text for each in message.checklist.tasks)
    if message.game is not None:
        return f"Game: {message.game.title}"
    if message.story is not None:
        return "(a story)"
    if message.paid_media is not None:
        return "(paid media)"  # which bots cannot read
    return ""


def from_whom(origin: MessageOrigin) -> str:
    """The name of the one who wrote what was forwarded."""
    match origin:
        case MessageOriginUser():
            return person(origin.sender_user)
        case MessageOriginHiddenUser():
            return plain(origin.sender_user_name)
        case MessageOriginChat():
            return chat_name(origin.sender_chat)
        case MessageOriginChannel():
            return chat_name(origin.chat)
        case _:
            return "somebody"


def person(user: User) -> str:
    """The name that people see of a user."""
    return plain(user.full_name) or user.username or "somebody"


def chat_name(chat: Chat) -> str:
    """The name that people see of a group or a channel."""
    return plain(chat.title or "") or chat.username or "a group"


def plain(name: str) -> str:
    """A name in one line, cut where it is too long for one: it is hostile text like any other."""
    return " ".join(name.split())[:NAME]
