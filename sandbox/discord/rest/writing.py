"""What a message is made of, whichever route it comes by (Discord developer docs, Create Message, Edit Message)."""

from sandbox.discord.errors import ApiError
from sandbox.discord.mentions import pings_of
from sandbox.discord.model import SUPPRESS_EMBEDS, SUPPRESS_NOTIFICATIONS, Channel, Json, Message, Permission, Pings
from sandbox.discord.rest.asked import Asked, flags_of, list_of, object_of, text_of
from sandbox.discord.rest.components import components_of
from sandbox.discord.rest.uploads import attachments_of
from sandbox.discord.world import Draft

CONTENT = 2000
"""Code points of a message's text (Discord developer docs, Create Message; discord-api-docs issue 1315)."""


def composed(asked: Asked, body: Json, channel: Channel, *, replied: int | None = None) -> Draft:
    """A new message of the bot. Raises `ApiError` 50006 when it is empty and 50035 for what is wrong with it."""
    content = text_of(body, "content", 0, CONTENT)
    components = components_of(body) or []
    # Discord trims what it stores, and refuses what is then empty (error 50006).
    text = (content or "").strip()
    if not (text or components or asked.files or list_of(body, "embeds") or list_of(body, "sticker_ids")):
        raise ApiError(50006)
    return Draft(
        author=asked.me,
        content=text,
        flags=(flags_of(body) or 0) & (SUPPRESS_EMBEDS | SUPPRESS_NOTIFICATIONS),
        tts=bool(body.get("tts")),
        pings=pings(asked, body, channel, text, replied),
        attachments=attachments_of(asked, body) or [],
        components=components,
    )


def revised(asked: Asked, body: Json, channel: Channel, message: Message, *, clear: int = 0) -> None:
    """Change a message of the bot. Fields left out stay as they are, but pings are worked out anew by the default rules.

    `clear` are flags to take away. Raises `ApiError` 50006 when nothing would be left.
    """
    content = text_of(body, "content", 0, CONTENT)
    if "content" in body:
        content = content or ""  # null takes the text away
    text = None if content is None else content.strip()
    components = components_of(body)
    attachments = attachments_of(asked, body, message)
    shown = [
        message.content if text is None else text,
        message.attachments if attachments is None else attachments,
        message.components if components is None else components,
    ]
    if not any([*shown, list_of(body, "embeds")]):
        raise ApiError(50006)
    flags, given = message.flags & ~clear, flags_of(body)
    if given is not None:
        # Only this flag can be changed (Discord developer docs, Edit Message).
        flags = flags & ~SUPPRESS_EMBEDS | given & SUPPRESS_EMBEDS
    new = None if text is None else pings(asked, body, channel, text, None)
    asked.world.edit(message, content=text, flags=flags, pings=new, components=components, attachments=attachments)


def pings(asked: Asked, body: Json, channel: Channel, text: str, replied: int | None) -> Pings:
    """Whom a text of the bot pings."""
    guild = asked.world.guild_of(channel)
    roles = guild.roles if guild is not None else {}
    return pings_of(
        text,
        object_of(body, "allowed_mentions"),
        replied=replied,
        known=asked.world.state.users,
        may_everyone=guild is not None and asked.has(channel, Permission.MENTION_EVERYONE),
        role_mentionable=lambda role: role in roles and roles[role].mentionable,
    )
