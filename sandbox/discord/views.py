"""The world as tests and terminals read it: plain JSON with ids as strings and times in Unix seconds."""

from sandbox.discord.mentions import bare_links
from sandbox.discord.model import SUPPRESS_EMBEDS, Channel, Json, Message
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
        "attachments": message.attachments,
        "components": message.components,
        "reactions": {emoji: [str(each) for each in users] for emoji, users in message.reactions.items()},
        "thread": str(message.id) if world.channel(message.id) is not None else None,
        "history": [{"at": shown.at, "content": shown.content, "flags": shown.flags} for shown in message.shown],
    }


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
