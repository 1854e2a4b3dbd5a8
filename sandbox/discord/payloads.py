"""The JSON objects of the API, as Discord writes them (Discord developer docs, the Resources pages)."""

from datetime import UTC, datetime

from sandbox.discord.mentions import bare_links
from sandbox.discord.model import (
    COMMAND,
    DIRECT,
    SUPPRESS_EMBEDS,
    Channel,
    Guild,
    Interaction,
    Json,
    Message,
    Overwrite,
    Permission,
    Role,
    User,
)
from sandbox.discord.world import World

JOINED = "2020-09-13T12:26:40.000000+00:00"


def stamp(seconds: float | None) -> str | None:
    """An ISO 8601 timestamp in UTC."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def user_json(user: User) -> Json:
    """A user object. `discriminator` is "0" for people with a unique name, and still given for bots."""
    return {
        "id": str(user.id),
        "username": user.name,
        "global_name": user.display,
        "discriminator": "0000" if user.bot else "0",
        "avatar": None,
        "bot": user.bot,
        "public_flags": 0,
    }


def member_json(guild: Guild, user: int) -> Json:
    """A guild member object without its user."""
    return {
        "nick": None,
        "avatar": None,
        "roles": [str(role) for role in guild.members.get(user, [])],
        "joined_at": JOINED,
        "premium_since": None,
        "deaf": False,
        "mute": False,
        "flags": 0,
        "pending": False,
    }


def role_json(role: Role) -> Json:
    """A role object."""
    return {
        "id": str(role.id),
        "name": role.name,
        "permissions": str(role.permissions),
        "position": role.position,
        "color": 0,
        "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
        "hoist": False,
        "managed": False,
        "mentionable": role.mentionable,
        "flags": 0,
    }


def overwrite_json(overwrite: Overwrite) -> Json:
    """A permission overwrite: type 0 is a role's, 1 a member's."""
    return {
        "id": str(overwrite.id),
        "type": 1 if overwrite.member else 0,
        "allow": str(overwrite.allow),
        "deny": str(overwrite.deny),
    }


def channel_json(world: World, channel: Channel) -> Json:
    """A channel object: text channel, thread or direct chat."""
    body: Json = {
        "id": str(channel.id),
        "type": channel.type,
        "last_message_id": None if channel.last is None else str(channel.last),
        "flags": 0,
    }
    if channel.type == DIRECT:
        person = world.state.users[channel.person or 0]
        return body | {"recipients": [user_json(person)]}
    body |= {"name": channel.name, "guild_id": str(channel.guild), "rate_limit_per_user": 0}
    if channel.thread:
        return body | _thread_part(world, channel)
    overwrites = [overwrite_json(each) for each in channel.overwrites.values()]
    return body | {"position": 0, "parent_id": None, "topic": None, "nsfw": False, "permission_overwrites": overwrites}


def _thread_part(world: World, thread: Channel) -> Json:
    created = stamp(thread.created)
    part: Json = {
        "parent_id": str(thread.parent),
        "owner_id": str(thread.owner),
        "message_count": len(thread.messages),
        "total_message_sent": len(thread.messages),
        "member_count": len(thread.members),
        "thread_metadata": {
            "archived": thread.archived,
            "auto_archive_duration": thread.auto_archive,
            "archive_timestamp": created,
            "create_timestamp": created,
            "locked": thread.locked,
        },
    }
    if world.me in thread.members:
        part["member"] = thread_member_json(thread, world.me)
    return part


def thread_member_json(thread: Channel, user: int) -> Json:
    """A thread member object."""
    return {"id": str(thread.id), "user_id": str(user), "join_timestamp": stamp(thread.created), "flags": 1}


def guild_json(world: World, guild: Guild, *, full: bool) -> Json:
    """A guild object; `full` adds what GUILD_CREATE carries: channels, active threads and the bot's own member entry."""
    body: Json = {
        "id": str(guild.id),
        "name": guild.name,
        "icon": None,
        "splash": None,
        "owner_id": str(guild.owner),
        "verification_level": 0,
        "default_message_notifications": 1,
        "explicit_content_filter": 0,
        "roles": [role_json(role) for role in guild.roles.values()],
        "emojis": [],
        "features": [],
        "mfa_level": 0,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "vanity_url_code": None,
        "description": None,
        "banner": None,
        "premium_tier": 0,
        "preferred_locale": "en-US",
        "nsfw_level": 0,
        "afk_channel_id": None,
        "afk_timeout": 300,
    }
    if not full:
        return body
    channels = [world.state.channels[each] for each in guild.channels]
    me = member_json(guild, world.me) | {"user": user_json(world.state.users[world.me])}
    return body | {
        "joined_at": JOINED,
        "large": False,
        "unavailable": False,
        "member_count": len(guild.members),
        "voice_states": [],
        "members": [me],
        "channels": [channel_json(world, each) for each in channels if not each.thread],
        "threads": [channel_json(world, each) for each in channels if _active(world, each)],
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "stickers": [],
    }


def _active(world: World, channel: Channel) -> bool:
    """Whether it is a thread that is not archived and that the bot can see."""
    return channel.thread and not channel.archived and bool(world.may(channel, world.me) & Permission.VIEW_CHANNEL)


def message_json(world: World, message: Message, *, nonce: bool = False, refer: bool = True) -> Json:
    """A message object. `nonce` is for the answer to its creation and for MESSAGE_CREATE; history does not carry it."""
    state = world.state
    author = user_json(state.users[message.author])
    if message.webhook is not None:
        author["username"] = message.webhook
    body: Json = {
        "id": str(message.id),
        "channel_id": str(message.channel),
        "type": message.type,
        "author": author,
        "content": message.content,
        "timestamp": stamp(message.created),
        "edited_timestamp": stamp(message.edited),
        "tts": message.tts,
        "flags": message.flags,
        "pinned": False,
        "mention_everyone": message.pings.everyone,
        "mentions": [user_json(state.users[each]) for each in message.pings.users if each in state.users],
        "mention_roles": [str(each) for each in message.pings.roles],
        "attachments": attachments_json(world, message),
        "components": message.components,
        "embeds": embeds_json(message),
    }
    if nonce and message.nonce is not None:
        body["nonce"] = message.nonce
    if message.webhook is not None:
        body["webhook_id"] = str(message.author)
    if message.interaction is not None:
        body |= _answering(world, state.interactions[message.interaction], message)
    if message.reactions:
        body["reactions"] = [
            {"emoji": {"id": None, "name": emoji}, "count": len(users), "me": world.me in users}
            for emoji, users in message.reactions.items()
        ]
    thread = world.channel(message.id)
    if thread is not None:
        body["thread"] = channel_json(world, thread)
    if message.reference is not None:
        body["message_reference"] = message.reference
        if refer:
            referred = state.messages.get(int(message.reference["message_id"]))
            alive = referred is not None and referred.deleted is None and referred.ephemeral in (None, message.ephemeral)
            body["referenced_message"] = message_json(world, referred, refer=False) if referred and alive else None
    return body


def attachments_json(world: World, message: Message) -> list[Json]:
    """The attachments of a message with fresh addresses."""
    seen = {} if message.ephemeral is None else {"ephemeral": True}
    return [world.files.addressed(message.channel, each) | seen for each in message.attachments]


def owners_json(world: World, interaction: Interaction) -> Json:
    """For which installation an interaction is (Discord developer docs, Authorizing Integration Owners Object)."""
    guild = world.state.channels[interaction.channel].guild
    return {"0": "0" if guild is None else str(guild)}


def _answering(world: World, interaction: Interaction, message: Message) -> Json:
    """What a message tells of the interaction that it answers (Discord developer docs, Message Interaction Metadata)."""
    user = user_json(world.state.users[interaction.user])
    told: Json = {"id": str(interaction.id), "type": interaction.type, "user": user}
    metadata = told | {"authorizing_integration_owners": owners_json(world, interaction)}
    if interaction.message is not None:
        metadata["interacted_message_id"] = str(interaction.message)
    if interaction.original not in (None, message.id):
        metadata["original_response_message_id"] = str(interaction.original)
    body: Json = {"application_id": str(world.me), "webhook_id": str(world.me)}
    if interaction.type == COMMAND:
        metadata["name"] = interaction.name
        body["interaction"] = told | {"name": interaction.name}
    return body | {"interaction_metadata": metadata}


def embeds_json(message: Message) -> list[Json]:
    """The previews of the bare links of a message, at most 5; none while SUPPRESS_EMBEDS is set."""
    if message.flags & SUPPRESS_EMBEDS:
        return []
    return [{"type": "link", "url": link} for link in bare_links(message.content)[:5]]
