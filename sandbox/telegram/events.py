"""Which updates the bot gets of each change (core.telegram.org/bots/api, Update)."""

from collections.abc import Iterator

from sandbox.telegram.entities import piece
from sandbox.telegram.model import Chat, Json, Message
from sandbox.telegram.payloads import chat_json, member_json, message_json, query_json, user_json
from sandbox.telegram.world import Happening, World

UNUSUAL = frozenset({"chat_member", "message_reaction", "message_reaction_count"})
"""What an empty list of allowed_updates leaves out (core.telegram.org/bots/api, getUpdates)."""


def updates_of(world: World, happening: Happening) -> Iterator[tuple[str, Json]]:
    """The kind and the object of each update of a change. Nobody is told of deletions, and the bot of nothing that it did."""
    chat = world.state.chats.get(happening.chat or 0)
    if chat is None:
        return
    if happening.op in ("message", "edit") and happening.message is not None:
        message = world.state.messages[chat.id, happening.message]
        if heard(world, chat, message):
            yield "message" if happening.op == "message" else "edited_message", message_json(world, message)
    elif happening.op == "query":
        query = world.state.queries[happening.change["id"]]
        yield "callback_query", query_json(world, query, inaccessible=bool(happening.change.get("inaccessible")))
    elif happening.op == "member":
        yield from _membership(world, chat, happening)
    elif happening.op == "react":
        yield from _reaction(world, chat, happening)


def heard(world: World, chat: Chat, message: Message) -> bool:
    """Whether the bot gets a message: never a bot's, and in privacy mode only what is meant for it.

    core.telegram.org/bots/features, Privacy mode, and core.telegram.org/bots/faq, What messages will my bot get: commands,
    mentions, replies to the bot, and service messages; all when it is an administrator.
    """
    if world.state.users[message.sender].bot:
        return False
    if chat.kind == "private":
        return True
    if not world.inside(chat, world.me):
        return False
    if message.service is not None or chat.hears_all or world.rules(chat, world.me):
        return True
    replied = world.message(chat.id, message.reply_to or 0)
    return (replied is not None and replied.sender == world.me) or any(_meant(world, message, each) for each in message.entities)


def _meant(world: World, message: Message, entity: Json) -> bool:
    name = world.state.users[world.me].username.lower()
    words = piece(message.text, entity).lower()
    if entity["type"] == "bot_command":
        command, _, bot = words.partition("@")
        return bool(command) and bot in ("", name)
    if entity["type"] == "text_mention":
        return entity["user"].get("id") == world.me
    return entity["type"] == "mention" and words == f"@{name}"


def _membership(world: World, chat: Chat, happening: Happening) -> Iterator[tuple[str, Json]]:
    change = happening.change
    mine = change["user"] == world.me
    if not mine and not world.rules(chat, world.me):
        return
    told: Json = {"chat": chat_json(world, chat), "from": user_json(world.state.users[change["by"]]), "date": int(world.now())}
    told["old_chat_member"] = member_json(world, change["user"], change["old"])
    told["new_chat_member"] = member_json(world, change["user"], change["status"])
    yield "my_chat_member" if mine else "chat_member", told


def _reaction(world: World, chat: Chat, happening: Happening) -> Iterator[tuple[str, Json]]:
    """In groups only for an administrator (core.telegram.org/bots/api, Update: message_reaction), and not of bots."""
    change = happening.change
    if world.state.users[change["user"]].bot or not (chat.kind == "private" or world.rules(chat, world.me)):
        return
    before = happening.before.reactions.get(change["user"], []) if happening.before is not None else []
    told: Json = {"chat": chat_json(world, chat), "message_id": change["id"], "date": int(world.now())}
    told["user"] = user_json(world.state.users[change["user"]])
    for name, emoji in (("old_reaction", before), ("new_reaction", change["emoji"])):
        told[name] = [{"type": "emoji", "emoji": each} for each in emoji]
    yield "message_reaction", told
