"""Users, the application, guilds, channels and the gateway's address."""

from sandbox.discord.errors import ApiError
from sandbox.discord.gateway import application_flags
from sandbox.discord.model import Json, Permission
from sandbox.discord.payloads import channel_json, guild_json, member_json, user_json
from sandbox.discord.rest.asked import Asked, snowflake


def me(asked: Asked) -> Json:
    """The bot's own user (Get Current User)."""
    return user_json(asked.world.state.users[asked.me]) | {"verified": True, "mfa_enabled": False, "flags": 0}


def user(asked: Asked) -> Json:
    """A user (Get User)."""
    found = asked.world.state.users.get(asked.id("user"))
    if found is None:
        raise ApiError(10013)
    return user_json(found)


def application(asked: Asked) -> Json:
    """The bot's application (Get Current Application)."""
    owner = next(user for user in asked.world.state.users.values() if not user.bot)
    return {
        "id": str(asked.me),
        "name": "Threadline",
        "icon": None,
        "description": "",
        "rpc_origins": [],
        "bot_public": False,
        "bot_require_code_grant": False,
        "verify_key": "0" * 64,
        "flags": application_flags(asked.api.message_content()),
        "owner": user_json(owner),
        "team": None,
        "summary": "",
    }


def gateway(asked: Asked) -> Json:
    """Where the gateway is (Get Gateway)."""
    return {"url": asked.api.gateway_url()}


def gateway_bot(asked: Asked) -> Json:
    """Where the gateway is, and how often it may be entered (Get Gateway Bot)."""
    limit = {"total": 1000, "remaining": 1000, "reset_after": 86_400_000, "max_concurrency": 1}
    return {"url": asked.api.gateway_url(), "shards": 1, "session_start_limit": limit}


def channel(asked: Asked) -> Json:
    """A channel (Get Channel)."""
    return channel_json(asked.world, asked.channel())


def direct(asked: Asked) -> Json:
    """The direct chat with a user, created when there is none (Create DM)."""
    person = snowflake(str(asked.body.get("recipient_id", "")), "recipient_id")
    found = asked.world.state.users.get(person)
    if found is None or found.webhook:
        raise ApiError(10013)
    if found.bot or found.refuses_direct:
        raise ApiError(50007)
    return channel_json(asked.world, asked.world.open_direct(person))


def guild(asked: Asked) -> Json:
    """A guild that the bot is in (Get Guild)."""
    found = asked.world.state.guilds.get(asked.id("guild"))
    if found is None or asked.me not in found.members:
        raise ApiError(10004)
    return guild_json(asked.world, found, full=False)


def guild_channels(asked: Asked) -> list[Json]:
    """The channels of a guild that the bot can see, without threads (Get Guild Channels)."""
    found = asked.world.state.guilds.get(asked.id("guild"))
    if found is None or asked.me not in found.members:
        raise ApiError(10004)
    channels = [asked.world.state.channels[each] for each in found.channels]
    return [channel_json(asked.world, each) for each in channels if not each.thread and asked.has(each, Permission.VIEW_CHANNEL)]


def member(asked: Asked) -> Json:
    """A member of a guild (Get Guild Member)."""
    found = asked.world.state.guilds.get(asked.id("guild"))
    if found is None or asked.me not in found.members:
        raise ApiError(10004)
    who = asked.id("user")
    if who not in found.members:
        raise ApiError(10007)
    return member_json(found, who) | {"user": user_json(asked.world.state.users[who])}


def my_guilds(asked: Asked) -> list[Json]:
    """The guilds that the bot is in (Get Current User Guilds)."""
    guilds = asked.world.state.guilds.values()
    return [guild_json(asked.world, each, full=False) for each in guilds if asked.me in each.members]
