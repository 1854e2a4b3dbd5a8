"""The world as tests and terminals read it: plain JSON with ids as strings and times in Unix seconds."""

from sandbox.discord.interactions import SILENCE, silent
from sandbox.discord.mentions import bare_links
from sandbox.discord.model import AUTOCOMPLETE, LOADING, SUPPRESS_EMBEDS, Channel, Json, Message, Permission
from sandbox.discord.payloads import attachments_json
from sandbox.discord.rest.components import buttons_of
from sandbox.discord.world import World


def message_view(world: World, message: Message) -> Json:
    """A message with everything it ever showed. `embeds_shown`: whether people see a link preview under it."""
    return {
        "id": str(message.id),
        "channel": str(message.channel),
        "author": world.state.users[message.author].name,
        "author_id": str(message.author),
        "type": message.type,
        "content": message.content,
        "nonce": message.nonce,
        "flags": message.flags,
        "created": message.created,
        "edited_at": message.edited,
        "deleted": message.deleted is not None,
        "deleted_at": message.deleted,
        "reference": None if message.reference is None else message.reference["message_id"],
        "pinged": {
            "users": [str(each) for each in message.pings.users],
            "roles": [str(each) for each in message.pings.roles],
            "everyone": message.pings.everyone,
        },
        "embeds_shown": not message.flags & SUPPRESS_EMBEDS and bool(bare_links(message.content)),
        "attachments": attachments_json(world, message),
        "components": message.components,
        "buttons": [each.get("label") for each in buttons_of(message.components)],
        "ephemeral": None if message.ephemeral is None else world.state.users[message.ephemeral].name,
        "interaction": None if message.interaction is None else str(message.interaction),
        "reactions": {emoji: [str(each) for each in users] for emoji, users in message.reactions.items()},
        "thread": str(message.id) if world.channel(message.id) is not None else None,
        "history": [{"at": shown.at, "content": shown.content, "flags": shown.flags} for shown in message.shown],
    }


def seen(world: World, channel: Channel, user: int) -> list[Json]:
    """What one person sees in a channel, oldest first: nothing deleted, and of the ephemeral messages their own.

    `text` is what they read; `state` is `thinking` while an answer is still loading and `silent` when it never came.
    """
    if not world.may(channel, user) & Permission.VIEW_CHANNEL:
        return []
    messages = [world.state.messages[each] for each in [*channel.messages, *channel.whispers]]
    visible = [each for each in messages if each.deleted is None and each.ephemeral in (None, user)]
    shown = {each.id: _seen(world, each) for each in visible}
    for each in world.state.interactions.values():
        waiting = each.answered is None and each.type != AUTOCOMPLETE
        if (each.channel, each.user) == (channel.id, user) and waiting and silent(world, each):
            shown[each.id] = _line(each.id, world.state.users[world.me].name, SILENCE) | {"ephemeral": True, "state": "silent"}
    return [shown[each] for each in sorted(shown)]


def _seen(world: World, message: Message) -> Json:
    line = _line(message.id, message.webhook or world.state.users[message.author].name, message.content)
    if message.flags & LOADING and message.interaction is not None:
        over = silent(world, world.state.interactions[message.interaction])
        line |= {"text": SILENCE if over else "", "state": "silent" if over else "thinking"}
    return line | {
        "buttons": [each.get("label") for each in buttons_of(message.components)],
        "attachments": [each["filename"] for each in message.attachments],
        "reactions": {emoji: len(users) for emoji, users in message.reactions.items()},
        "ephemeral": message.ephemeral is not None,
        "edited": message.edited is not None,
    }


def _line(number: int, author: str, text: str) -> Json:
    nothing: Json = {"buttons": [], "attachments": [], "reactions": {}, "ephemeral": False, "edited": False, "state": None}
    return {"id": str(number), "author": author, "text": text} | nothing


def channel_view(world: World, channel: Channel) -> Json:
    """A channel, thread or direct chat."""
    return {
        "id": str(channel.id),
        "kind": "direct" if channel.person is not None else "thread" if channel.thread else "text",
        "name": channel.name,
        "guild": None if channel.guild is None else str(channel.guild),
        "parent": None if channel.parent is None else str(channel.parent),
        "person": None if channel.person is None else world.state.users[channel.person].name,
        "owner": None if channel.owner is None else world.state.users[channel.owner].name,
        "archived": channel.archived,
        "locked": channel.locked,
        "messages": len(channel.messages),
        "members": [str(each) for each in sorted(channel.members)],
    }


def world_view(world: World) -> Json:
    """Users, guilds, and the channels that are not deleted."""
    state = world.state
    return {
        "bot": str(world.me),
        "users": [
            {"id": str(user.id), "name": user.name, "display": user.display, "bot": user.bot, "webhook": user.webhook}
            for user in state.users.values()
        ],
        "guilds": [
            {
                "id": str(guild.id),
                "name": guild.name,
                "bot_in": world.me in guild.members,
                "roles": {role.name: str(role.id) for role in guild.roles.values()},
                "members": [str(each) for each in guild.members],
            }
            for guild in state.guilds.values()
        ],
        "channels": [channel_view(world, each) for each in state.channels.values() if not each.deleted],
    }


def typing_view(world: World) -> list[Json]:
    """Who shows the typing sign where, now."""
    now = world.now()
    return [
        {"channel": str(channel), "user": world.state.users[user].name, "until": until}
        for (channel, user), until in world.typing.items()
        if until > now
    ]
