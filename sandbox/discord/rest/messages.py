"""Messages (Discord developer docs, Message resource)."""

from typing import Any

from sandbox.discord.errors import ApiError, invalid
from sandbox.discord.events import content_hidden, without_content
from sandbox.discord.limits import Window
from sandbox.discord.mentions import pings_of
from sandbox.discord.model import (
    DEFAULT,
    DIRECT,
    REPLY,
    SUPPRESS_EMBEDS,
    SUPPRESS_NOTIFICATIONS,
    Channel,
    Json,
    Message,
    Permission,
    Pings,
)
from sandbox.discord.payloads import message_json
from sandbox.discord.rest.asked import Asked, flags_of, list_of, object_of, snowflake, text_of
from sandbox.discord.world import Draft

CONTENT = 2000
"""Code points of a message's text (Discord developer docs, Create Message; discord-api-docs issue 1315)."""
NONCE = 25
"""Characters of a nonce (Discord developer docs, Create Message)."""


def create(asked: Asked) -> Json:
    """Create a message, or give the one that was created with the same nonce."""
    channel, body, world = asked.channel(), asked.body, asked.world
    _may_write(asked, channel)
    content = text_of(body, "content", 0, CONTENT)
    nonce = _nonce(body)
    if nonce is not None and body.get("enforce_nonce"):
        earlier = world.nonce(asked.me, channel.id, nonce)
        if earlier is not None:
            return message_json(world, earlier, nonce=True)
    reference, replied = _reference(asked, channel)
    components = list_of(body, "components") or []
    # Discord trims what it stores, and refuses what is then empty (error 50006).
    text = (content or "").strip()
    if not (text or components or asked.files or list_of(body, "embeds") or list_of(body, "sticker_ids")):
        raise ApiError(50006)
    draft = Draft(
        author=asked.me,
        content=text,
        type=DEFAULT if reference is None else REPLY,
        nonce=nonce,
        flags=(flags_of(body) or 0) & (SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS),
        tts=bool(body.get("tts")),
        pings=_pings(asked, channel, text, replied),
        reference=reference,
        attachments=asked.files,
        components=components,
    )
    return message_json(world, world.post(channel, draft), nonce=True)


def edit(asked: Asked) -> Json:
    """Edit a message of the bot. Fields left out stay as they are, but pings are worked out anew by the default rules."""
    channel, body, world = asked.channel(), asked.body, asked.world
    message = _message(asked, channel)
    if message.author != asked.me:
        raise ApiError(50005)
    _not_archived(channel)
    content = text_of(body, "content", 0, CONTENT)
    if "content" in body:
        content = content or ""  # null takes the text away
    text = None if content is None else content.strip()
    components = list_of(body, "components")
    shown = [message.content if text is None else text, message.attachments]
    if not any([*shown, message.components if components is None else components, list_of(body, "embeds")]):
        raise ApiError(50006)
    _count_old(asked, message)
    flags = flags_of(body)
    if flags is not None:
        # Only this flag can be changed (Discord developer docs, Edit Message).
        flags = message.flags & ~SUPPRESS_EMBEDS | flags & SUPPRESS_EMBEDS
    pings = None if text is None else _pings(asked, channel, text, None)
    world.edit(message, content=text, flags=flags, pings=pings, components=components)
    return message_json(world, message)


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
    """Add the bot's reaction."""
    channel = asked.channel()
    asked.need(channel, Permission.READ_MESSAGE_HISTORY)
    asked.need(channel, Permission.ADD_REACTIONS)
    asked.world.react(_message(asked, channel), asked.path["emoji"], asked.me, added=True)


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


def _pings(asked: Asked, channel: Channel, text: str, replied: int | None) -> Pings:
    allowed: Any = object_of(asked.body, "allowed_mentions")
    guild = asked.world.guild_of(channel)
    roles = guild.roles if guild is not None else {}
    return pings_of(
        text,
        allowed,
        replied=replied,
        known=asked.world.state.users,
        may_everyone=guild is not None and asked.has(channel, Permission.MENTION_EVERYONE),
        role_mentionable=lambda role: role in roles and roles[role].mentionable,
    )
