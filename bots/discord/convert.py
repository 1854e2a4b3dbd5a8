"""From Discord's objects to the vocabulary of the seam. Pure: no call is made, only the library's cache is read."""

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import discord

from bots.discord import questions
from bots.discord.config import AnswerIn
from shared.chat import Attachment, Author, AuthorId, Channel, ChannelId, Message, MessageId, Quoted, Target

NAME = "discord"

TITLE_LIMIT = 100
"""Code points in a thread's name (Discord developer docs, Start Thread from Message: 1-100 characters)."""

log = logging.getLogger(__name__)

_MARKUP = re.compile(
    r"<(?:@!?(?P<user>\d+)|@&(?P<role>\d+)|#(?P<channel>\d+)|a?(?P<emoji>:\w+:)\d+"
    r"|(?P<command>/[^:<>\n]+):\d+|t:(?P<time>-?\d{1,12})(?::[a-zA-Z])?)>"
)
"""The markup that people do not see as such (Discord developer docs, Message Formatting)."""

_OWN_FIRST = re.compile(r"^\s*\0[\s\0]*[,:]?")
_OWN_BEFORE_SIGN = re.compile(r"[ \t]*\0(?=[ \t]*[,.:;!?])")
_OWN = re.compile(r"[ \t]*\0[ \t]*")
"""The bot's own mention, once it has become a NUL."""


def channel_id(snowflake: int) -> ChannelId:
    """The id of a channel across the seam."""
    return ChannelId(f"{NAME}:{snowflake}")


def message_id(snowflake: int) -> MessageId:
    """The id of a message across the seam."""
    return MessageId(f"{NAME}:{snowflake}")


def author_id(snowflake: int) -> AuthorId:
    """The id of a user across the seam."""
    return AuthorId(f"{NAME}:{snowflake}")


def interaction_key(snowflake: int) -> str:
    """The key of an interaction."""
    return f"{NAME}:{snowflake}"


def space_id(snowflake: int) -> str:
    """The id of a server across the seam."""
    return f"{NAME}:{snowflake}"


def snowflake(identity: str) -> int:
    """Discord's own number in an id of the seam. Raises `ValueError` for an id of another platform."""
    name, _, number = identity.partition(":")
    if name != NAME:
        raise ValueError(f"not an id of {NAME}: {identity!r}")
    return int(number)


def title(text: str) -> str:
    """A text as the name of a thread: one line, 1 to 100 code points."""
    line = " ".join("".join(sign for sign in text if sign.isprintable() or sign.isspace()).split())
    if len(line) > TITLE_LIMIT:
        line = line[: TITLE_LIMIT - 1].rstrip() + "…"
    return line or "Conversation"


@dataclass(frozen=True, slots=True)
class Asked:
    """The question of an /ask and who asked it."""

    interaction: int
    author: Author
    text: str
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Converter:
    """Reads messages as the bot `me` would."""

    me: int
    """The bot's user id."""
    answer_in: AnswerIn
    message_content: bool
    """Whether the Message Content intent is held."""

    def message(self, message: discord.Message, place: Channel | None = None, *, recalled: bool = False) -> Message:
        """The message as an event. What no person wrote (bots, webhooks, the system, the bot itself) is never addressed.

        `place` is given where the message does not tell its channel.
        """
        where = _where(message)
        channel = place or _channel(where, message)
        if (asked := self._asked(message)) is not None:
            allowed = where.permissions_for(where.guild.me) if isinstance(where, discord.TextChannel) else None
            exists = message.flags.has_thread
            return self.question(message.id, asked, where, channel, allowed, exists=exists, recalled=recalled)
        person = self._hears(message)
        addressed = person and self._addressed(message, where, channel)
        thread = self._answered_in(message, where) if addressed else None
        if addressed and thread is None and not _may_write(where):
            # The answer would be paid for and shown to nobody.
            log.warning("asked in a channel where we may not write: %s", channel.id)
            addressed = False
        return Message(
            keys=(message_id(message.id),),
            id=message_id(message.id),
            target=Target(channel=channel, reply_to=message_id(message.id), user=author_id(message.author.id)),
            author=author(message.author, is_bot=not person),
            sent_at=message.created_at,
            text=self.readable(message.content, message.guild, message.mentions),
            addressed=addressed,
            recalled=recalled,
            unreadable=self._withheld(message, channel),
            thread=thread,
            quoted=self._quoted(message) if person else None,
            attachments=tuple(_attachments(message)) if person else (),
        )

    def question(
        self,
        number: int,
        asked: "Asked",
        where: object,
        channel: Channel,
        allowed: discord.Permissions | None,
        *,
        exists: bool = False,
        recalled: bool = False,
    ) -> Message:
        """The question of an /ask, which stands in the message `number` of ours; `allowed` is what we may do there."""
        return Message(
            keys=(message_id(number), interaction_key(asked.interaction)),
            id=message_id(number),
            target=Target(channel=channel, reply_to=message_id(number), user=asked.author.id),
            author=asked.author,
            sent_at=discord.utils.snowflake_time(number),
            text=asked.text,
            addressed=True,
            recalled=recalled,
            commanded=True,
            thread=None if allowed is None else self._thread(number, where, allowed, exists=exists),
            attachments=asked.attachments,
        )

    def _asked(self, message: discord.Message) -> "Asked | None":
        """The question that a message of ours shows for the person who asked it, where it does."""
        metadata = message.interaction_metadata
        if metadata is None or message.author.id != self.me or message.type is not discord.MessageType.chat_input_command:
            return None
        if (found := questions.read(message.content)) is None:
            return None
        text = self.readable(found[0], message.guild, message.mentions)
        return Asked(metadata.id, author(metadata.user, is_bot=False), text, found[1])

    def _hears(self, message: discord.Message) -> bool:
        """Whether a person wrote it."""
        return (
            not message.author.bot
            and message.webhook_id is None
            and message.author.id != self.me
            and message.type in (discord.MessageType.default, discord.MessageType.reply)
        )

    def _addressed(self, message: discord.Message, where: object, channel: Channel) -> bool:
        if channel.kind == "direct" or (isinstance(where, discord.Thread) and where.owner_id == self.me):
            return True
        pinged = any(user.id == self.me for user in message.mentions)
        # The payload's mentions leave out what stands in code, and hold the author of the message replied to;
        # the text alone holds what stands in code, and not that author (Discord developer docs, Message object).
        if pinged and self.me in message.raw_mentions:
            return True
        if message.type is not discord.MessageType.reply:
            return False
        original = message.reference.resolved if message.reference is not None else None
        return original.author.id == self.me if isinstance(original, discord.Message) else pinged

    def _withheld(self, message: discord.Message, channel: Channel) -> bool:
        """Without the intent text, files and embeds come empty, but in direct chats and mentions (Message Content Intent)."""
        ours = message.author.id == self.me
        if self.message_content or ours or channel.kind == "direct" or any(user.id == self.me for user in message.mentions):
            return False
        shown = message.content or message.attachments or message.embeds
        return not (shown or message.stickers or message.message_snapshots)

    def _answered_in(self, message: discord.Message, where: object) -> Channel | None:
        if not isinstance(where, discord.TextChannel):
            return None
        return self._thread(message.id, where, where.permissions_for(where.guild.me), exists=message.flags.has_thread)

    def _thread(self, number: int, where: object, allowed: discord.Permissions, *, exists: bool) -> Channel | None:
        """The thread that a message in a text channel is answered in. A thread on a message has the message's id."""
        # Of the channels with messages only text and announcement channels have threads on messages.
        if self.answer_in != "thread" or not isinstance(where, discord.TextChannel):
            return None
        # SEND_MESSAGES has no effect in threads (Discord developer docs, Threads: Permissions).
        if not allowed.send_messages_in_threads or not (exists or allowed.create_public_threads):
            return None
        return Channel(id=channel_id(number), kind="thread", parent=channel_id(where.id), space=space_id(where.guild.id))

    def _quoted(self, message: discord.Message) -> Quoted | None:
        for forwarded in message.message_snapshots:
            text = self.readable(forwarded.content, message.guild, message.mentions)
            return Quoted(name="Forwarded message", text=text, own=False)
        original = message.reference.resolved if message.reference is not None else None
        if not isinstance(original, discord.Message):
            return None
        text = self.readable(original.content, original.guild, original.mentions, keep_me=True)
        return Quoted(
            name=original.author.display_name,
            text=text,
            own=original.author.id == self.me,
            attachments=tuple(_attachments(original)),
        )

    def readable(
        self,
        content: str,
        guild: discord.Guild | None,
        mentions: Sequence[discord.User | discord.Member] = (),
        *,
        keep_me: bool = False,
    ) -> str:
        """The text as people see it, without the mention of the bot. `mentions` are those named in it, as far as known."""
        if "<" not in content:
            return content.strip()

        def seen(match: re.Match[str]) -> str:
            kind, value = match.lastgroup, match[match.lastgroup or 0]
            if kind in ("emoji", "command"):
                return value
            if kind == "time":
                return _time(int(value)) or match[0]
            number = int(value)
            if kind == "user":
                if number == self.me and not keep_me:
                    return "\0"
                return "@" + next((user.display_name for user in mentions if user.id == number), "someone")
            if kind == "role":
                role = guild.get_role(number) if guild is not None else None
                return f"@{role.name}" if role is not None else "@role"
            other = guild.get_channel_or_thread(number) if guild is not None else None
            return f"#{other.name}" if other is not None else "#channel"

        text = _MARKUP.sub(seen, content.replace("\0", ""))
        return _OWN.sub(" ", _OWN_BEFORE_SIGN.sub("", _OWN_FIRST.sub("", text))).strip()


def _may_write(where: object) -> bool:
    """Whether we may write there, as far as is known. SEND_MESSAGES has no effect in threads (Discord docs, Threads)."""
    if isinstance(where, discord.Thread):
        parent = where.parent
        return parent is None or parent.permissions_for(where.guild.me).send_messages_in_threads
    if isinstance(where, (discord.TextChannel, discord.VoiceChannel, discord.StageChannel)):
        return where.permissions_for(where.guild.me).send_messages
    return True


def place(channel: object, guild: discord.Guild | None) -> Channel | None:
    """A channel of the library's as one of the seam; None for what holds no messages."""
    if isinstance(channel, discord.Thread):
        return Channel(
            id=channel_id(channel.id),
            kind="thread",
            parent=channel_id(channel.parent_id),
            space=space_id(channel.guild.id),
            title=channel.name,
            secluded=channel.is_private(),
        )
    if isinstance(channel, (discord.TextChannel, discord.VoiceChannel, discord.StageChannel)):
        return Channel(id=channel_id(channel.id), kind="group", space=space_id(channel.guild.id), title=channel.name)
    if isinstance(channel, discord.PartialMessageable):
        server = guild.id if guild is not None else channel.guild_id
        if server is None:
            return Channel(id=channel_id(channel.id), kind="direct")
        return Channel(id=channel_id(channel.id), kind="group", space=space_id(server))
    if isinstance(channel, (discord.DMChannel, discord.GroupChannel)):
        return Channel(id=channel_id(channel.id), kind="direct")
    return None


def _where(message: discord.Message) -> object:
    """The message's channel; looked up again where it was not in the cache when the message came."""
    if isinstance(message.channel, discord.PartialMessageable) and message.guild is not None:
        return message.guild.get_channel_or_thread(message.channel.id) or message.channel
    return message.channel


def _channel(where: object, message: discord.Message) -> Channel:
    found = place(where, message.guild)
    if found is None:
        raise ValueError(f"a message in a {type(where).__name__}")
    return found


def author(user: discord.User | discord.Member, *, is_bot: bool) -> Author:
    """Who wrote."""
    # Messages read from the history come without the member, and so without roles.
    roles = user.roles if isinstance(user, discord.Member) else []
    return Author(
        id=author_id(user.id),
        name=user.display_name,
        is_bot=is_bot,
        roles=frozenset(f"{NAME}:{role.id}" for role in roles if not role.is_default()),
    )


def _attachments(message: discord.Message) -> Iterator[Attachment]:
    """Files and stickers. An attachment's address expires, so `ref` says where to ask for a fresh one."""
    files = [*message.attachments, *(file for each in message.message_snapshots for file in each.attachments)]
    for file in files:
        yield Attachment(
            ref=f"{message.channel.id}/{message.id}/{file.id}",
            name=file.filename,
            media_type=media_type(file.content_type),
            size=file.size,
        )
    for sticker in message.stickers:
        # Lottie stickers are drawing programs, not pictures (Discord developer docs, Sticker Format Types).
        if sticker.format is not discord.StickerFormatType.lottie:
            media = "image/gif" if sticker.format is discord.StickerFormatType.gif else "image/png"
            yield Attachment(ref=sticker.url, name=sticker.name, media_type=media, size=0)


def media_type(claimed: str | None) -> str:
    """A media type without its parameters."""
    return (claimed or "application/octet-stream").partition(";")[0].strip()


def _time(seconds: int) -> str | None:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):
        return None
