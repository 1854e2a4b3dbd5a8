"""Forum topics (core.telegram.org/bots/api, createForumTopic and those that follow it)."""

from sandbox.telegram.api.asked import Asked
from sandbox.telegram.errors import bad
from sandbox.telegram.model import Chat, Json, Topic

NAME = 128
"""Characters of a topic's name (core.telegram.org/bots/api, createForumTopic)."""


def create(asked: Asked) -> Json:
    """`createForumTopic`: as an administrator in a forum, or in a private chat of a bot that has topics."""
    chat, name = _forum(asked), asked.text("name") or ""
    if not 1 <= len(name) <= NAME:
        raise bad("topic name is empty" if not name else "TOPIC_TITLE_TOO_LONG")
    return {"message_thread_id": asked.world.add_topic(chat, name, asked.world.me), "name": name, "icon_color": 7322096}


def edit(asked: Asked) -> bool:
    """`editForumTopic`."""
    chat = _forum(asked)
    topic, name = _topic(asked, chat), asked.text("name") or ""
    if len(name) > NAME:
        raise bad("TOPIC_TITLE_TOO_LONG")
    if not name or name == topic.name:
        raise bad("TOPIC_NOT_MODIFIED")
    asked.world.set_topic(chat, topic.id, asked.world.me, {"forum_topic_edited": {"name": name}}, name=name)
    return True


def close(asked: Asked) -> bool:
    """`closeForumTopic`."""
    chat = _forum(asked)
    topic = _topic(asked, chat)
    if topic.closed:
        raise bad("TOPIC_NOT_MODIFIED")
    asked.world.set_topic(chat, topic.id, asked.world.me, {"forum_topic_closed": {}}, closed=True)
    return True


def reopen(asked: Asked) -> bool:
    """`reopenForumTopic`."""
    chat = _forum(asked)
    topic = _topic(asked, chat)
    if not topic.closed:
        raise bad("TOPIC_NOT_MODIFIED")
    asked.world.set_topic(chat, topic.id, asked.world.me, {"forum_topic_reopened": {}}, closed=False)
    return True


def delete(asked: Asked) -> bool:
    """`deleteForumTopic`: with all its messages."""
    chat = _forum(asked)
    topic = _topic(asked, chat)
    asked.world.set_topic(chat, topic.id, asked.world.me, deleted=True)
    for number in list(chat.messages):
        message = asked.world.message(chat.id, number)
        if message is not None and message.topic == topic.id:
            asked.world.delete(message)
    return True


def _forum(asked: Asked) -> Chat:
    chat = asked.chat()
    if chat.kind == "private":
        if not asked.api.config.topics_in_private:
            raise bad("BOT_FORUM_CREATE_FORBIDDEN")  # seen: tdlib/telegram-bot-api issue 847
        return chat
    if not chat.forum:
        raise bad("the chat is not a forum")
    if not asked.world.rules(chat, asked.world.me):
        raise bad("not enough rights to create a topic")
    return chat


def _topic(asked: Asked, chat: Chat) -> Topic:
    found = chat.topics.get(asked.number("message_thread_id"))
    if found is None or found.deleted:
        raise bad("message thread not found")
    return found
