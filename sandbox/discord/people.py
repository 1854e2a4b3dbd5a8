"""Acting as the people of the simulated Discord, and as those who run its guilds."""

import re
from collections.abc import Sequence
from typing import Any

from sandbox.discord import defaults, lookup
from sandbox.discord.emoji import is_emoji
from sandbox.discord.errors import ApiError
from sandbox.discord.interacting import Interacting
from sandbox.discord.mentions import pings_of
from sandbox.discord.model import REPLY, Channel, Json, Message, Pings, Role
from sandbox.discord.permissions import bits
from sandbox.discord.rest.messages import reference_json
from sandbox.discord.rest.threads import open_on
from sandbox.discord.views import channel_view, message_view
from sandbox.discord.world import Draft


class People(Interacting):
    """What people do. Names are resolved as in `lookup`; an unknown one raises `lookup.Unknown`, a `ValueError`."""

    async def say(
        self,
        by: str,
        where: str,
        text: str,
        *,
        reply_to: int | str | None = None,
        nonce: str | None = None,
        attachments: Sequence[Json] = (),
        webhook: str | None = None,
        direct: bool = False,
    ) -> Json:
        """Write a message as a person (or, with `webhook`, as a webhook of that name) and return it.

        `@name` of a known user, in small or large letters, becomes a real mention. `direct` writes to the bot in private,
        whatever `where` says. Attachments are as `attached` takes them.
        """
        author = lookup.user(self.world, "webhook" if webhook is not None else by)
        channel = self.world.open_direct(author.id) if direct else lookup.channel(self.world, where)
        content = self.mentioned(text).strip()
        replied = None if reply_to is None else lookup.message(self.world, reply_to)
        files = [self.attached(given) for given in attachments]
        if not content and not files:
            raise ApiError(50006)
        draft = Draft(author.id, content, nonce=nonce, webhook=webhook, attachments=files)
        if replied is not None:
            draft.type = REPLY
            draft.reference = reference_json(channel, replied.id)
        draft.pings = self._pings(channel, content, replied)
        return message_view(self.world, self.world.post(channel, draft))

    def mentioned(self, text: str) -> str:
        """The text with every `@name` of a known user as a mention, in small or large letters. Also `@&role` for roles."""
        users = {user.name.lower(): f"<@{user.id}>" for user in self.world.state.users.values()}
        guilds = self.world.state.guilds.values()
        roles = {role.name: f"<@&{role.id}>" for guild in guilds for role in guild.roles.values()}
        text = re.sub(r"@&(\w+)", lambda found: roles.get(found[1], found[0]), text)
        return re.sub(r"(?<![\w<])@(\w+)", lambda found: users.get(found[1].lower(), found[0]), text)

    def _pings(self, channel: Channel, content: str, replied: Message | None) -> Pings:
        in_guild = channel.guild is not None
        answered = replied.author if replied else None
        return pings_of(content, None, replied=answered, known=self.world.state.users, may_everyone=in_guild)

    async def edit(self, message: int | str, text: str) -> Json:
        """Change a message as its author."""
        found = lookup.message(self.world, message)
        content = self.mentioned(text).strip()
        self.world.edit(found, content=content, pings=self._pings(self._channel_of(found), content, None))
        return message_view(self.world, found)

    async def delete(self, message: int | str) -> Json:
        """Delete anyone's message, also the bot's, as a moderator."""
        found = lookup.message(self.world, message)
        if found.deleted is None:
            self.world.delete(found)
        return message_view(self.world, found)

    async def delete_many(self, messages: Sequence[int | str]) -> None:
        """Delete several messages of one channel at once, as a moderator's tool does."""
        found = [lookup.message(self.world, each) for each in messages]
        if len({each.channel for each in found}) != 1:
            raise ValueError("messages of one channel are deleted at once")
        self.world.delete_many([each for each in found if each.deleted is None])

    async def unfurl(self, message: int | str) -> Json:
        """Let the links of a message get their previews: the bot is told of an update that nobody made."""
        found = lookup.message(self.world, message)
        self.world.unfurl(found)
        return message_view(self.world, found)

    async def react(self, by: str, message: int | str, emoji: str, *, remove: bool = False) -> Json:
        """Add or take away a person's reaction."""
        found = lookup.message(self.world, message)
        if not is_emoji(emoji):
            raise ApiError(10014)
        self.world.react(found, emoji, lookup.user(self.world, by).id, added=not remove)
        return message_view(self.world, found)

    async def type(self, by: str, where: str) -> None:
        """Show a person's typing sign for 10 seconds."""
        self.world.start_typing(lookup.channel(self.world, where), lookup.user(self.world, by).id)

    async def open_thread(self, by: str, where: str, name: str, *, message: int | str | None = None) -> Json:
        """Open a thread as a person, on a message or alone."""
        channel, owner = lookup.channel(self.world, where), lookup.user(self.world, by).id
        if message is None:
            return channel_view(self.world, self.world.open_thread(channel, name, owner))
        found = lookup.message(self.world, message)
        if found.id in self.world.state.channels:
            raise ApiError(160004)
        return channel_view(self.world, open_on(self.world, channel, found.id, name, owner))

    async def archive(self, where: str, *, archived: bool = True, locked: bool = False) -> Json:
        """Archive, bring back, lock or unlock a thread."""
        thread = lookup.channel(self.world, where)
        self.world.set_thread(thread, archived=archived, locked=locked)
        return channel_view(self.world, thread)

    async def archive_due(self) -> list[str]:
        """Archive the threads in which nothing was written for as long as each one's setting says, and return their ids.

        Discord does it by itself, at a time it does not promise; here it happens on demand (Topics, Threads: Active &
        Archived Threads).
        """
        state, due = self.world.state, list[str]()
        for thread in [each for each in state.channels.values() if each.thread and not each.archived and not each.deleted]:
            last = thread.created if thread.last is None else state.messages[thread.last].created
            if self.world.now() - last >= thread.auto_archive * 60:
                self.world.set_thread(thread, archived=True, locked=thread.locked)
                due.append(str(thread.id))
        return due

    async def add_to_thread(self, user: str, where: str, *, remove: bool = False) -> Json:
        """Make a user a member of a thread, or no longer one."""
        thread = lookup.channel(self.world, where)
        self.world.join(thread, lookup.user(self.world, user).id, joined=not remove)
        return channel_view(self.world, thread)

    async def add_user(self, name: str, display: str | None = None, *, bot: bool = False, guild: str | None = None) -> Json:
        """Create a user and make them a member of a guild (the first one when None)."""
        user = self.world.add_user(name, display or name, bot=bot)
        self.world.set_member(lookup.guild(self.world, guild), user.id, [])
        return {"id": str(user.id), "name": user.name}

    async def add_channel(self, name: str, guild: str | None = None) -> Json:
        """Create a text channel in a guild."""
        return channel_view(self.world, self.world.add_channel(lookup.guild(self.world, guild), name))

    async def add_guild(self, name: str, channels: Sequence[str] = ("general",), *, owner: str = "user1") -> Json:
        """Create a guild with channels, and invite the bot."""
        guild = self.world.add_guild(name, lookup.user(self.world, owner).id)
        made = [channel_view(self.world, self.world.add_channel(guild, each)) for each in channels]
        self.world.set_member(guild, self.world.me, [])
        return {"id": str(guild.id), "name": guild.name, "channels": made}

    async def delete_channel(self, where: str) -> None:
        """Delete a channel with its threads, or a thread."""
        self.world.remove_channel(lookup.channel(self.world, where))

    async def permissions(
        self, where: str, who: str = "threadline", *, allow: Sequence[str] = (), deny: Sequence[str] = ()
    ) -> Json:
        """Set the overwrite of a user or role (`&helpers`, `&everyone`) in a channel; permissions by name.

        Nothing allowed and nothing denied removes it. Returns what the bot may then do there.
        """
        channel = lookup.channel(self.world, where)
        member = not who.startswith("&")
        target = lookup.user(self.world, who).id if member else self._role(channel, who[1:]).id
        self.world.set_overwrite(channel, target, member=member, allow=bits(list(allow)), deny=bits(list(deny)))
        return {"bot": str(self.world.may(channel, self.world.me))}

    async def role(
        self,
        name: str,
        *,
        guild: str | None = None,
        permissions: Sequence[str] = (),
        mentionable: bool = False,
        members: Sequence[str] = (),
    ) -> Json:
        """Create a role or change it (`everyone` too), and give it to members."""
        found = lookup.guild(self.world, guild)
        existing = next((each for each in found.roles.values() if each.name.removeprefix("@") == name), None)
        role = existing or Role(self.world.ids.next(), name, 0, len(found.roles))
        self.world.set_role(found, Role(role.id, role.name, bits(list(permissions)), role.position, mentionable))
        for each in members:
            user = lookup.user(self.world, each).id
            self.world.set_member(found, user, [*found.members.get(user, []), role.id])
        return {"id": str(role.id), "name": role.name}

    async def kick(self, guild: str | None = None, user: str = "threadline") -> None:
        """Remove the bot, or somebody else, from a guild."""
        self.world.set_member(lookup.guild(self.world, guild), lookup.user(self.world, user).id, None)

    async def invite(self, guild: str | None = None, user: str = "threadline") -> None:
        """Bring the bot, or somebody else, into a guild."""
        who = lookup.user(self.world, user).id
        roles = [defaults.BOT_ROLE] if who == self.world.me and guild is None else []
        self.world.set_member(lookup.guild(self.world, guild), who, roles)

    async def refuse_direct(self, user: str, *, refuses: bool = True) -> None:
        """Let a user refuse direct messages of the bot (error 50007), or accept them again."""
        self.world.set_refuses(lookup.user(self.world, user).id, refuses)

    def _channel_of(self, message: Message) -> Channel:
        return self.world.state.channels[message.channel]

    def _role(self, channel: Channel, name: str) -> Role:
        guild = self.world.guild_of(channel)
        roles: list[Any] = [] if guild is None else list(guild.roles.values())
        for role in roles:
            if role.name.removeprefix("@") == name or str(role.id) == name:
                return role
        raise lookup.Unknown(f"no role {name}")
