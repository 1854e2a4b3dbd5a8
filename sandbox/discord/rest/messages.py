"""Messages (Discord developer docs, Message resource)."""

from sandbox.discord.emoji import is_emoji
from sandbox.discord.errors import ApiError, invalid
from sandbox.discord.events import content_hidden, without_content
from sandbox.discord.model import (
    DEFAULT,
    DIRECT,
    REPLY,
    Channel,
    Json,
    Message,
    Permission,
)
from sandbox.discord.payloads import message_json
from sandbox.discord.rest.asked import Asked, object_of, snowflake
from sandbox.discord.rest.writing import composed, revised
from sandbox.windows import Window

NONCE = 25
"""Characters of a nonce (Discord developer docs, Create Message)."""


def create(asked: Asked) -> Json:
    """Create a message, or give the one that was created with the same nonce."""
    channel, body, world = asked.channel(), asked.body, asked.world
    _may_write(asked, channel)
    nonce = _nonce(body)
    if nonce is not None and body.get("enforce_nonce"):
        earlier = world.nonce(asked.me, channel.id, nonce)
        if earlier is not None:
            return message_json(world, earlier, nonce=True)
    reference, replied = _reference(asked, channel)
    if asked.files:
        asked.need(channel, Permission.ATTACH_FILES)
    draft = composed(asked, body, channel, replied=replied)
    draft.type = DEFAULT if reference is None else REPLY
    draft.nonce, draft.reference = nonce, reference
    return message_json(world, world.post(channel, draft), nonce=True)


def edit(asked: Asked) -> Json:
    """Edit a message of the bot; not one that only one person sees."""
    channel = asked.channel()
    message = _message(asked, channel)
    if message.author != asked.me:
        raise ApiError(50005)
    _not_archived(channel)
    _count_old(asked, message)
    revised(asked, asked.body, channel, message)
    return message_json(asked.world, message)


def delete(asked: Asked) -> None:
    """Delete a message; somebody else's needs MANAGE_MESSAGES."""
    channel = asked.channel()
    message = _message(asked, channel)
    if message.author != asked.me:
        asked.need(channel, Permission.MANAGE_MESSAGES)
    _not_archived(channel)
    asked.world.delete(message)


def get(asked: Asked) -> Json:
    """One message."""
    channel = asked.channel()
    asked.need(channel, Permission.READ_MESSAGE_HISTORY)
    return _shown(asked, _message(asked, channel))


def history(asked: Asked) -> list[Json]:
    """A page of a channel's messages, newest first; empty without READ_MESSAGE_HISTORY (Get Channel Messages)."""
    channel, world = asked.channel(), asked.world
    limit = asked.number("limit", 1, 100, 50)
    around, before, after = asked.anchor("around"), asked.anchor("before"), asked.anchor("after")
    if not asked.has(channel, Permission.READ_MESSAGE_HISTORY):
        return []
    if around is not None:
        half = max(1, limit // 2)
        older = list(world.page(channel, before=around + 1, after=None, limit=half))
        newer = list(world.page(channel, before=None, after=around, limit=limit - len(older)))
        found = newer[::-1] + older
    elif after is not None and before is None:
        found = list(world.page(channel, before=None, after=after, limit=limit))[::-1]
    else:
        found = list(world.page(channel, before=before, after=None, limit=limit))
    return [_shown(asked, message) for message in found]


def typing(asked: Asked) -> None:
    """Show the typing sign."""
    channel = asked.channel()
    _may_write(asked, channel)
    asked.world.start_typing(channel, asked.me)


def react(asked: Asked) -> None:
    """Add the bot's reaction; ADD_REACTIONS is needed only for an emoji that is not there yet (Create Reaction)."""
    channel = asked.channel()
    asked.need(channel, Permission.READ_MESSAGE_HISTORY)
    message, emoji = _message(asked, channel), asked.path["emoji"]
    if not is_emoji(emoji):
        raise ApiError(10014)
    if emoji not in message.reactions:
        asked.need(channel, Permission.ADD_REACTIONS)
    _not_archived(channel)
    asked.world.react(message, emoji, asked.me, added=True)


def unreact(asked: Asked) -> None:
    """Take the bot's reaction away. Raises `ApiError` 10014 when there is none."""
    message = _message(asked, asked.channel())
    emoji = asked.path["emoji"]
    if asked.me not in message.reactions.get(emoji, []):
        raise ApiError(10014)
    asked.world.react(message, emoji, asked.me, added=False)


def _message(asked: Asked, channel: Channel) -> Message:
    message = asked.world.message(channel.id, asked.id("message"))
    if message is None:
        raise ApiError(10008)
    return message


def _shown(asked: Asked, message: Message) -> Json:
    data = message_json(asked.world, message)
    hide = not asked.api.message_content() and content_hidden(asked.world, message)
    return without_content(data) if hide else data


def _may_write(asked: Asked, channel: Channel) -> None:
    if channel.type == DIRECT:
        if channel.person is not None and asked.world.state.users[channel.person].refuses_direct:
            raise ApiError(50007)
        return
    # SEND_MESSAGES has no effect in threads (Discord developer docs, Threads: Permissions).
    asked.need(channel, Permission.SEND_MESSAGES_IN_THREADS if channel.thread else Permission.SEND_MESSAGES)
    if channel.locked and not asked.has(channel, Permission.MANAGE_THREADS):
        raise ApiError(50083)


def _not_archived(channel: Channel) -> None:
    if channel.archived:
        raise ApiError(50083)


def _count_old(asked: Asked, message: Message) -> None:
    config = asked.api.config
    if asked.world.now() - message.created < config.old_edit_age:
        return
    window = asked.api.old_edits.setdefault(message.channel, Window(*config.old_edit_limit))
    now = config.monotonic()
    if not window.take(now):
        raise ApiError(30046, retry_after=round(window.left(now), 3))


def _nonce(body: Json) -> str | None:
    nonce: object = body.get("nonce")
    if nonce is None:
        return None
    if not isinstance(nonce, int | str) or isinstance(nonce, bool):
        raise invalid("nonce", "NONCE_TYPE_INVALID", "Nonce must be a string or an integer.")
    if len(str(nonce)) > NONCE:
        raise invalid("nonce", "NONCE_TYPE_TOO_LONG", f"Must be {NONCE} or fewer in length.")
    return str(nonce)


def _reference(asked: Asked, channel: Channel) -> tuple[Json | None, int | None]:
    """The reference to store and the author replied to."""
    given = object_of(asked.body, "message_reference")
    if given is None:
        return None, None
    if not asked.has(channel, Permission.READ_MESSAGE_HISTORY):
        raise ApiError(160002)
    target = snowflake(str(given.get("message_id", "")), "message_reference.message_id")
    message = asked.world.message(channel.id, target)
    if message is None:
        if given.get("fail_if_not_exists", True):
            raise invalid("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
        return None, None
    return reference_json(channel, message.id), message.author


def reference_json(channel: Channel, message: int) -> Json:
    """A message reference as Discord stores it."""
    reference: Json = {"type": 0, "channel_id": str(channel.id), "message_id": str(message)}
    return reference if channel.guild is None else reference | {"guild_id": str(channel.guild)}
