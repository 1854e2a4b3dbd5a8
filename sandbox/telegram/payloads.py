"""The objects of the Bot API as JSON (core.telegram.org/bots/api, Available types)."""

from sandbox.telegram.model import Chat, File, Json, Message, Query, User
from sandbox.telegram.world import World

THUMBNAIL = "s"
"""What the id of a photo's small size ends with; it downloads the same bytes."""


def user_json(user: User) -> Json:
    """A User."""
    told: Json = {"id": user.id, "is_bot": user.bot, "first_name": user.first_name, "username": user.username}
    return told if user.bot else told | {"language_code": "en"}


def chat_json(world: World, chat: Chat) -> Json:
    """A Chat."""
    if chat.kind == "private":
        person = world.state.users[chat.id]
        return {"id": chat.id, "first_name": person.first_name, "username": person.username, "type": "private"}
    told: Json = {"id": chat.id, "title": chat.title, "type": chat.kind}
    return told | {"is_forum": True} if chat.forum else told


def file_json(file: File) -> Json:
    """What every kind of file has."""
    return {"file_id": file.id, "file_unique_id": f"AQAD{file.number:06d}", "file_size": file.size}


def media_json(file: File) -> Json:
    """The field of a message that holds a file, with its name."""
    told = file_json(file)
    if file.kind == "photo":
        small = {"file_id": file.id + THUMBNAIL, "file_unique_id": f"AQAD{file.number:06d}{THUMBNAIL}"}
        small |= {"width": min(90, file.width), "height": min(90, file.height), "file_size": min(1500, file.size)}
        return {"photo": [small, told | {"width": file.width, "height": file.height}]}
    named = told | {"file_name": file.name, "mime_type": file.media}
    size = {"width": file.width, "height": file.height}
    match file.kind:
        case "voice":
            return {"voice": told | {"duration": 1, "mime_type": file.media}}
        case "audio":
            return {"audio": named | {"duration": 1}}
        case "video":
            return {"video": named | size | {"duration": 1}}
        case "video_note":
            return {"video_note": told | {"length": file.width, "duration": 1}}
        case "animation":
            return {"animation": named | size | {"duration": 1}, "document": named}
        case "sticker":
            kind = {"type": "regular", "is_animated": False, "is_video": False, "emoji": file.emoji}
            return {"sticker": told | size | kind}
        case _:
            return {"document": named}


def message_json(world: World, message: Message, *, alone: bool = False) -> Json:
    """A Message; `alone` without the message that it replies to, as inside another message."""
    chat = world.state.chats[message.chat]
    told: Json = {
        "message_id": message.id,
        "from": user_json(world.state.users[message.sender]),
        "chat": chat_json(world, chat),
        "date": int(message.created),
    }
    if message.topic is not None:
        told |= {"message_thread_id": message.topic, "is_topic_message": True}
    elif message.thread is not None:
        told["message_thread_id"] = message.thread
    optional = {"edit_date": message.edited and int(message.edited), "media_group_id": message.album}
    optional |= {"reply_markup": message.markup, "forward_origin": message.forward}
    told |= {name: value for name, value in optional.items() if value is not None}
    if not message.preview:
        told["link_preview_options"] = {"is_disabled": True}
    if not alone:
        told |= _answered(world, message)
    return told | _content(world, message)


def _answered(world: World, message: Message) -> Json:
    """What a message replies to. In a topic, a message that replies to none names the one that created the topic (seen in
    updates of forums; core.telegram.org/api/threads: the topic's root is what such a message replies to)."""
    root = message.topic if message.topic != message.id else None
    found = world.message(message.chat, message.reply_to or root or 0)
    if found is None:
        return {}
    told: Json = {"reply_to_message": message_json(world, found, alone=True)}
    if message.quote is not None:
        told["quote"] = {"text": message.quote, "position": max(0, found.text.find(message.quote)), "is_manual": True}
    return told


def _content(world: World, message: Message) -> Json:
    if message.service is not None:
        return message.service
    text, entities = ("text", "entities") if message.file is None else ("caption", "caption_entities")
    told: Json = {} if message.file is None else media_json(world.state.files[message.file])
    if message.text:
        told[text] = message.text
        if message.entities:
            told[entities] = message.entities
    return told


def query_json(world: World, query: Query, *, inaccessible: bool = False) -> Json:
    """A CallbackQuery. Its message is an InaccessibleMessage once it is deleted, or when `inaccessible` says so."""
    message = world.message(query.chat, query.message)
    chat = chat_json(world, world.state.chats[query.chat])
    if message is None or inaccessible:
        shown: Json = {"chat": chat, "message_id": query.message, "date": 0}
    else:
        shown = message_json(world, message)
    told: Json = {"id": query.id, "from": user_json(world.state.users[query.user]), "message": shown, "data": query.data}
    return told | {"chat_instance": str(abs(query.chat) * 7919)}


def member_json(world: World, user: int, status: str) -> Json:
    """A ChatMember."""
    told: Json = {"user": user_json(world.state.users[user]), "status": status}
    if status == "kicked":
        return told | {"until_date": 0}
    if status == "creator":
        return told | {"is_anonymous": False}
    if status != "administrator":
        return told
    rights = ("can_manage_chat", "can_delete_messages", "can_manage_video_chats", "can_restrict_members", "can_promote_members")
    more = ("can_change_info", "can_invite_users", "can_post_stories", "can_edit_stories", "can_delete_stories")
    return told | {"can_be_edited": False, "is_anonymous": False} | dict.fromkeys((*rights, *more), True)
