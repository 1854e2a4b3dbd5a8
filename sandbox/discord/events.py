"""Which gateway events a change causes (Discord developer docs, Gateway Events; Gateway: List of Intents)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sandbox.discord.interactions import payload
from sandbox.discord.model import DIRECT, Channel, Json, Message, Permission
from sandbox.discord.payloads import (
    channel_json,
    guild_json,
    member_json,
    message_json,
    role_json,
    thread_member_json,
    user_json,
)
from sandbox.discord.world import Happening, World

GUILDS, MEMBERS, PRESENCES = 1 << 0, 1 << 1, 1 << 8
MESSAGES, REACTIONS, TYPING = 1 << 9, 1 << 10, 1 << 11
DIRECT_SHIFT = 3
"""The intents of direct chats for messages, reactions and typing are the guild ones moved by this many bits."""
MESSAGE_CONTENT = 1 << 15


@dataclass(frozen=True, slots=True)
class Event:
    """One gateway event. `intent` 0 means that it is sent whatever was asked for."""

    name: str
    intent: int
    data: Json
    hidden: bool = False
    """Whether a session without the Message Content intent gets it without its content."""


def events_of(world: World, happening: Happening) -> Iterator[Event]:
    """The events that the bot is sent for a change, before the intents of a session are looked at."""
    channel = world.state.channels.get(happening.channel) if happening.channel is not None else None
    if happening.op == "interaction":
        # Also from where the bot sees nothing, and whatever its intents are (Receiving and Responding; List of Intents).
        yield Event("INTERACTION_CREATE", 0, payload(world, world.state.interactions[happening.change["id"]]))
        return
    if happening.message is not None and world.state.messages[happening.message].ephemeral is not None:
        return
    if channel is not None and not _sees(world, channel, happening.op):
        return
    make = _EVENTS.get(happening.op)
    if make is not None:
        yield from make(world, happening, channel)


def without_content(data: Json) -> Json:
    """A message as it looks without the Message Content intent (Discord developer docs, Gateway: Message Content Intent)."""
    return data | {"content": "", "embeds": [], "attachments": [], "components": []}


def content_hidden(world: World, message: Message) -> bool:
    """Whether a message is shown without content to a bot that lacks the Message Content intent.

    Its own messages, direct chats and messages that mention it are not.
    """
    direct = world.state.channels[message.channel].type == DIRECT
    return not (direct or message.author == world.me or world.me in message.pings.users)


def _sees(world: World, channel: Channel, op: str) -> bool:
    guild = world.guild_of(channel)
    if guild is None:
        return True
    if world.me not in guild.members:
        return False
    # Bots are told of every channel of their guilds; what happens in one needs the permission to view it.
    if not channel.thread and op in ("channel", "channel_gone", "overwrite"):
        return True
    return bool(world.may(channel, world.me) & Permission.VIEW_CHANNEL)


def _place(channel: Channel) -> Json:
    return {"channel_id": str(channel.id)} | ({} if channel.guild is None else {"guild_id": str(channel.guild)})


def _intent(channel: Channel, intent: int) -> int:
    return intent << DIRECT_SHIFT if channel.guild is None else intent


def _message_event(world: World, name: str, message: Message, channel: Channel) -> Event:
    data = message_json(world, message, nonce=name == "MESSAGE_CREATE")
    guild = world.guild_of(channel)
    if guild is not None:
        data["guild_id"] = str(guild.id)
        if message.webhook is None and message.author in guild.members:
            data["member"] = member_json(guild, message.author)
            for user in data["mentions"]:
                user["member"] = member_json(guild, int(user["id"]))
    return Event(name, _intent(channel, MESSAGES), data, content_hidden(world, message))


def _on_message(world: World, happening: Happening, channel: Channel | None) -> Iterator[Event]:
    if channel is not None and happening.message is not None:
        name = "MESSAGE_CREATE" if happening.op == "message" else "MESSAGE_UPDATE"
        yield _message_event(world, name, world.state.messages[happening.message], channel)


def _on_delete(world: World, happening: Happening, channel: Channel | None) -> Iterator[Event]:
    if channel is not None:
        data = {"id": str(happening.message)} | _place(channel)
        yield Event("MESSAGE_DELETE", _intent(channel, MESSAGES), data)


def _on_delete_many(world: World, happening: Happening, channel: Channel | None) -> Iterator[Event]:
    if channel is not None:
        data = {"ids": [str(each) for each in happening.change["messages"]]} | _place(channel)
        yield Event("MESSAGE_DELETE_BULK", _intent(channel, MESSAGES), data)


def _on_typing(world: World, happening: Happening, channel: Channel | None) -> Iterator[Event]:
    if channel is None:
        return
    user = int(happening.change["user"])
    data: Json = {"user_id": str(user), "timestamp": int(happening.change["at"])} | _place(channel)
    guild = world.guild_of(channel)
    if guild is not None:
        data["member"] = member_json(guild, user) | {"user": user_json(world.state.users[user])}
    yield Event("TYPING_START", _intent(channel, TYPING), data)


def _on_react(world: World, happening: Happening, channel: Channel | None) -> Iterator[Event]:
    if channel is None:
        return
    change = happening.change
    data: Json = {
        "user_id": str(change["user"]),
        "message_id": str(happening.message),
        "emoji": {"id": None, "name": change["emoji"]},
        "burst": False,
        "type": 0,
    } | _place(channel)
    name = "MESSAGE_REACTION_ADD" if change["added"] else "MESSAGE_REACTION_REMOVE"
    yield Event(name, _intent(channel, REACTIONS), data)


def _on_channel(world: World, happening: Happening, channel: Channel | None) -> Iterator[Event]:
    if channel is None or channel.guild is None:
        return  # a new direct chat is not announced to bots (Discord developer docs, Change Log: API v8)
    if not channel.thread:
        yield Event("CHANNEL_CREATE", GUILDS, channel_json(world, channel))
        return
    yield Event("THREAD_CREATE", GUILDS, channel_json(world, channel) | {"newly_created": True})
    starter = world.state.messages.get(channel.id)
    if starter is not None:
        yield _message_event(world, "MESSAGE_UPDATE", starter, world.state.channels[starter.channel])


def _on_channel_gone(world: World, happening: Happening, channel: Channel | None) -> Iterator[Event]:
    if channel is None or channel.guild is None:
        return
    if channel.thread:
        data = {"id": str(channel.id), "type": channel.type, "parent_id": str(channel.parent)}
        yield Event("THREAD_DELETE", GUILDS, data | {"guild_id": str(channel.guild)})
    else:
        yield Event("CHANNEL_DELETE", GUILDS, channel_json(world, channel))


def _on_thread(world: World, happening: Happening, channel: Channel | None) -> Iterator[Event]:
    if channel is not None:
        yield Event("THREAD_UPDATE", GUILDS, channel_json(world, channel))


def _on_join(world: World, happening: Happening, channel: Channel | None) -> Iterator[Event]:
    if channel is None:
        return
    user = int(happening.change["user"])
    data: Json = {"id": str(channel.id), "guild_id": str(channel.guild), "member_count": len(channel.members)}
    if happening.change["joined"]:
        data["added_members"] = [thread_member_json(channel, user)]
    else:
        data["removed_member_ids"] = [str(user)]
    yield Event("THREAD_MEMBERS_UPDATE", GUILDS if user == world.me else MEMBERS, data)


def _on_overwrite(world: World, happening: Happening, channel: Channel | None) -> Iterator[Event]:
    if channel is None or channel.guild is None:
        return
    yield Event("CHANNEL_UPDATE", GUILDS, channel_json(world, channel))
    if world.may(channel, world.me) & Permission.VIEW_CHANNEL:
        guild = world.state.guilds[channel.guild]
        threads = [world.state.channels[each] for each in guild.channels]
        active = [each for each in threads if each.parent == channel.id and each.thread and not each.archived]
        data: Json = {"guild_id": str(guild.id), "channel_ids": [str(channel.id)]}
        data["threads"] = [channel_json(world, each) for each in active]
        data["members"] = [thread_member_json(each, world.me) for each in active if world.me in each.members]
        yield Event("THREAD_LIST_SYNC", GUILDS, data)


def _on_role(world: World, happening: Happening, channel: Channel | None) -> Iterator[Event]:
    guild = world.state.guilds[happening.change["guild"]]
    if world.me in guild.members:
        role = role_json(guild.roles[happening.change["id"]])
        name = "GUILD_ROLE_UPDATE" if happening.change.get("was") else "GUILD_ROLE_CREATE"
        yield Event(name, GUILDS, {"guild_id": str(guild.id), "role": role})


def _on_member(world: World, happening: Happening, channel: Channel | None) -> Iterator[Event]:
    guild = world.state.guilds[happening.change["guild"]]
    user, roles, was = happening.change["user"], happening.change["roles"], happening.change["was"]
    if user == world.me and roles is None:
        yield Event("GUILD_DELETE", GUILDS, {"id": str(guild.id)})
    elif user == world.me and not was:
        joined = guild_json(world, guild, full=True)
        del joined["unavailable"]  # its absence tells a joined guild from one that came back (discord/state.py)
        yield Event("GUILD_CREATE", GUILDS, joined)
    elif world.me in guild.members:
        entry = {"guild_id": str(guild.id), "user": user_json(world.state.users[user])}
        if roles is None:
            yield Event("GUILD_MEMBER_REMOVE", MEMBERS, entry)
            return
        name = "GUILD_MEMBER_UPDATE" if was else "GUILD_MEMBER_ADD"
        # A bot hears of changes to its own entry without the intent (Discord developer docs, List of Intents).
        yield Event(name, 0 if user == world.me else MEMBERS, entry | member_json(guild, user))


_EVENTS: dict[str, Callable[[World, Happening, Channel | None], Iterator[Event]]] = {
    "message": _on_message,
    "edit": _on_message,
    "unfurl": _on_message,
    "delete": _on_delete,
    "delete_many": _on_delete_many,
    "typing": _on_typing,
    "react": _on_react,
    "channel": _on_channel,
    "channel_gone": _on_channel_gone,
    "thread": _on_thread,
    "join": _on_join,
    "overwrite": _on_overwrite,
    "role": _on_role,
    "member": _on_member,
}
