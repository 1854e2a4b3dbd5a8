"""The world as tests and terminals read it: plain JSON."""

from dataclasses import asdict

from sandbox.telegram.model import Chat, File, Json, Message, Query
from sandbox.telegram.payloads import chat_json
from sandbox.telegram.state import labels
from sandbox.telegram.world import World


def name_of(message: Message) -> str:
    """The id of a message for the control API: a message_id alone is only unique in its chat."""
    return f"{message.chat}:{message.id}"


def _file(file: File) -> Json:
    return {"id": file.id, "kind": file.kind, "name": file.name, "size": file.size, "media_type": file.media}


def _files(world: World, message: Message) -> list[File]:
    return [] if message.file is None else [world.state.files[message.file]]


def message_view(world: World, message: Message) -> Json:
    """A message with everything it ever showed."""
    return {
        "id": name_of(message),
        "message_id": message.id,
        "chat": message.chat,
        "topic": message.topic,
        "author": world.state.users[message.sender].username,
        "author_id": message.sender,
        "content": message.text,
        "entities": message.entities,
        "buttons": labels(message.markup),
        "markup": message.markup,
        "attachments": [_file(each) for each in _files(world, message)],
        "album": message.album,
        "reply_to": message.reply_to,
        "quote": message.quote,
        "forward": message.forward,
        "service": message.service,
        "preview": message.preview,
        "silent": message.silent,
        "created": message.created,
        "edited_at": message.edited,
        "deleted": message.deleted is not None,
        "deleted_at": message.deleted,
        "reactions": _reactions(message),
        "history": [{"at": each.at, "content": each.text, "buttons": each.buttons} for each in message.shown],
    }


def _reactions(message: Message) -> dict[str, int]:
    counted: dict[str, int] = {}
    for emoji in message.reactions.values():
        for each in emoji:
            counted[each] = counted.get(each, 0) + 1
    return counted


def seen(world: World, chat: Chat, user: int, topic: int | None = None) -> list[Json]:
    """What one person sees in a chat or a topic of it, oldest first; the draft that shows now comes last.

    A chat with topics shows all of them when `topic` is None. `state` is `draft` for a draft, `service` for a service message,
    else None. `preview` says whether the first link shows its preview.
    """
    if (chat.kind == "private" and user != chat.id) or (chat.kind != "private" and not world.inside(chat, user)):
        return []
    lines = [
        _seen(world, found)
        for each in chat.messages
        if (found := world.message(chat.id, each)) is not None and topic in (None, found.topic)
    ]
    for each in world.drafts():
        if each.chat == chat.id and topic in (None, each.topic):
            lines.append(_draft(world, each.topic, each.text, each.entities))
    return lines


def _seen(world: World, message: Message) -> Json:
    service = None if message.service is None else next(iter(message.service))
    linked = any(each["type"] in ("url", "text_link") for each in message.entities)
    return {
        "id": name_of(message),
        "author": world.state.users[message.sender].username,
        "text": message.text if service is None else service,
        "entities": message.entities,
        "topic": message.topic,
        "reply_to": message.reply_to,
        "buttons": labels(message.markup),
        "attachments": [each.name for each in _files(world, message)],
        "album": message.album,
        "reactions": _reactions(message),
        "preview": message.preview and linked,
        "edited": message.edited is not None,
        "state": None if service is None else "service",
    }


def _draft(world: World, topic: int | None, text: str, entities: list[Json]) -> Json:
    empty: Json = {"buttons": [], "attachments": [], "reactions": {}, "reply_to": None, "album": None, "edited": False}
    told: Json = {"id": None, "author": world.state.users[world.me].username, "text": text, "entities": entities, "topic": topic}
    return told | empty | {"preview": False, "state": "draft"}


def query_view(query: Query) -> Json:
    """A press. `answer` is None while the button still turns."""
    return asdict(query) | {"message": f"{query.chat}:{query.message}"}


def chat_view(world: World, chat: Chat) -> Json:
    """A chat."""
    return {
        "id": chat.id,
        "kind": chat.kind,
        "name": chat.title,
        "person": world.state.users[chat.id].username if chat.kind == "private" else None,
        "bot": world.standing(chat, world.me),
        "hears_all": chat.hears_all or world.rules(chat, world.me),
        "started": chat.started,
        "blocked": chat.blocked,
        "muted": chat.muted,
        "forum": chat.forum,
        "migrated_to": chat.migrated_to,
        "members": {world.state.users[user].username: status for user, status in chat.members.items()},
        "topics": [asdict(each) for each in chat.topics.values()],
        "messages": len(chat.messages),
    }


def world_view(world: World) -> Json:
    """Users and chats."""
    state = world.state
    return {
        "bot": world.me,
        "users": [
            {"id": user.id, "name": user.username, "display": user.first_name, "bot": user.bot} for user in state.users.values()
        ],
        "chats": [chat_view(world, each) for each in state.chats.values()],
    }


def origin(world: World, forwarded: str, user: int | None, chat: Chat | None) -> Json:
    """A MessageOrigin: of a user, of a chat, or of somebody hidden of whom only the name is known."""
    told: Json = {"date": int(world.now())}
    if user is not None:
        from_user = world.state.users[user]
        sender = {"id": from_user.id, "is_bot": from_user.bot, "first_name": from_user.first_name, "username": from_user.username}
        return told | {"type": "user", "sender_user": sender}
    if chat is not None:
        return told | {"type": "chat", "sender_chat": chat_json(world, chat)}
    return told | {"type": "hidden_user", "sender_user_name": forwarded}
