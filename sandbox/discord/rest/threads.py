"""Threads (Discord developer docs, Channel resource; Topics: Threads)."""

from sandbox.discord.errors import ApiError, invalid
from sandbox.discord.model import TEXT, THREAD_CREATED, THREAD_STARTER, Channel, Json, Permission
from sandbox.discord.payloads import channel_json, thread_member_json
from sandbox.discord.rest.asked import Asked, text_of
from sandbox.discord.rest.messages import reference_json
from sandbox.discord.world import Draft, World

NAME = (1, 100)
"""Characters of a thread's name."""
DURATIONS = (60, 1440, 4320, 10080)
"""Minutes after which a thread may archive itself."""


def on_message(asked: Asked) -> Json:
    """Open a thread on a message. It gets the message's id, so there can be only one (error 160004)."""
    channel = asked.channel()
    message = asked.world.message(channel.id, asked.id("message"))
    if message is None:
        raise ApiError(10008)
    if message.id in asked.world.state.channels:
        raise ApiError(160004)
    name, minutes = _asked_for(asked, channel)
    thread = open_on(asked.world, channel, message.id, name, asked.me, minutes)
    return channel_json(asked.world, thread)


def alone(asked: Asked) -> Json:
    """Open a public thread without a message."""
    channel = asked.channel()
    if asked.body.get("type", 11) != 11:
        raise ApiError(50024)
    name, minutes = _asked_for(asked, channel)
    world = asked.world
    thread = world.open_thread(channel, name, asked.me, auto_archive=minutes)
    reference = reference_json(thread, thread.id)
    world.post(channel, Draft(asked.me, name, THREAD_CREATED, reference=reference))
    return channel_json(world, thread)


def open_on(world: World, channel: Channel, message: int, name: str, owner: int, minutes: int = 1440) -> Channel:
    """Open a thread on a message, with the system message that begins it."""
    thread = world.open_thread(channel, name, owner, message=world.state.messages[message], auto_archive=minutes)
    world.post(thread, Draft(owner, "", THREAD_STARTER, reference=reference_json(channel, message)))
    return thread


def _asked_for(asked: Asked, channel: Channel) -> tuple[str, int]:
    if channel.type != TEXT:
        raise ApiError(50024)
    name = text_of(asked.body, "name", *NAME)
    if name is None:
        raise invalid("name", "BASE_TYPE_REQUIRED", "This field is required")
    minutes: int = asked.body.get("auto_archive_duration") or 1440
    if minutes not in DURATIONS:
        raise invalid("auto_archive_duration", "BASE_TYPE_CHOICES", f"Value must be one of {DURATIONS}.")
    asked.need(channel, Permission.CREATE_PUBLIC_THREADS)
    return name, minutes


def change(asked: Asked) -> Json:
    """Archive, bring back, lock or unlock a thread. Others' threads and locks need MANAGE_THREADS."""
    thread = asked.channel()
    if not thread.thread:
        raise ApiError(50024)
    locked = bool(asked.body.get("locked", thread.locked))
    archived = bool(asked.body.get("archived", thread.archived))
    if locked != thread.locked or thread.owner != asked.me:
        asked.need(thread, Permission.MANAGE_THREADS)
    asked.world.set_thread(thread, archived=archived, locked=locked)
    return channel_json(asked.world, thread)


def join(asked: Asked) -> None:
    """Join a thread."""
    _membership(asked, asked.me, joined=True)


def leave(asked: Asked) -> None:
    """Leave a thread."""
    _membership(asked, asked.me, joined=False)


def add(asked: Asked) -> None:
    """Add somebody to a thread."""
    _membership(asked, asked.id("user"), joined=True)


def _membership(asked: Asked, user: int, *, joined: bool) -> None:
    thread = asked.channel()
    if not thread.thread:
        raise ApiError(50024)
    if thread.archived:
        raise ApiError(50083)
    if user not in asked.world.state.users:
        raise ApiError(10013)
    if (user in thread.members) != joined:
        asked.world.join(thread, user, joined=joined)


def members(asked: Asked) -> list[Json]:
    """Who joined a thread."""
    thread = asked.channel()
    return [thread_member_json(thread, user) for user in sorted(thread.members)]


def active(asked: Asked) -> Json:
    """The threads of a guild that are not archived and that the bot can see."""
    world = asked.world
    guild = world.state.guilds.get(asked.id("guild"))
    if guild is None or asked.me not in guild.members:
        raise ApiError(10004)
    threads = [world.state.channels[each] for each in guild.channels]
    seen = [each for each in threads if each.thread and not each.archived and asked.has(each, Permission.VIEW_CHANNEL)]
    mine = [thread_member_json(each, asked.me) for each in seen if asked.me in each.members]
    return {"threads": [channel_json(world, each) for each in seen], "members": mine}
