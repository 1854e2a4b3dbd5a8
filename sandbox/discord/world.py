"""The simulated Discord as a whole: what exists, how it changes, and who is told of each change."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field

from sandbox.chronicle import Chronicle
from sandbox.discord import defaults
from sandbox.discord.config import SimulatorConfig
from sandbox.discord.files import Files
from sandbox.discord.ids import Snowflakes
from sandbox.discord.model import DEFAULT, DIRECT, PUBLIC_THREAD, TEXT, Channel, Guild, Json, Message, Pings, Role, User
from sandbox.discord.permissions import permissions_of
from sandbox.discord.state import State, pings_json


@dataclass(frozen=True, slots=True)
class Happening:
    """One change that has taken place. `op` is the change's own, or `typing`, which leaves no trace in the state."""

    op: str
    change: Json
    channel: int | None = None
    message: int | None = None


@dataclass(slots=True)
class Draft:
    """A message about to be created."""

    author: int
    content: str
    type: int = DEFAULT
    nonce: str | None = None
    flags: int = 0
    tts: bool = False
    pings: Pings = field(default_factory=Pings)
    reference: Json | None = None
    attachments: list[Json] = field(default_factory=list[Json])
    components: list[Json] = field(default_factory=list[Json])
    webhook: str | None = None
    interaction: int | None = None
    ephemeral: int | None = None


class World(Chronicle[Happening]):
    """The state with its clock, its journal and its listeners. All changes go through here."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config
        self.ids = Snowflakes(config.clock)
        self.files = Files(config.state, config.clock, config.file_lifetime)
        self.state = State(self.ids)
        super().__init__(self.state, config.state, config.clock, defaults.changes())
        self.me = defaults.BOT
        self.typing: dict[tuple[int, int], float] = {}
        """Channel and user to the time (Unix seconds) until which the typing sign shows."""

    def commit(self, change: Json, *, channel: int | None = None, message: int | None = None) -> None:
        """Write a change down, carry it out and tell the listeners of it."""
        self.write(change)
        self.tell(Happening(change["op"], change, channel, message))

    # what exists

    def channel(self, channel: int) -> Channel | None:
        """A channel that exists and is not deleted."""
        found = self.state.channels.get(channel)
        return found if found is not None and not found.deleted else None

    def message(self, channel: int, message: int) -> Message | None:
        """A message of this channel that is neither deleted nor ephemeral."""
        found = self.state.messages.get(message)
        if found is None or found.channel != channel or found.ephemeral is not None:
            return None
        return found if found.deleted is None else None

    def guild_of(self, channel: Channel) -> Guild | None:
        """The guild of a channel; None for a direct chat."""
        return self.state.guilds[channel.guild] if channel.guild is not None else None

    def may(self, channel: Channel, user: int) -> int:
        """The permission bits of a user in a guild's channel or thread. In a direct chat: every bit for its two sides."""
        guild = self.guild_of(channel)
        if guild is None:
            return (1 << 53) - 1 if user in (self.me, channel.person) else 0
        parent = self.state.channels[channel.parent] if channel.thread and channel.parent is not None else channel
        return permissions_of(guild, parent, user)

    def page(self, channel: Channel, *, before: int | None, after: int | None, limit: int) -> Iterator[Message]:
        """Messages that are not deleted: those just after `after`, ascending, else the latest before `before`, descending."""
        ids = channel.messages
        if after is not None:
            order = iter(range(bisect_right(ids, after), len(ids)))
        else:
            end = len(ids) if before is None else bisect_left(ids, before)
            order = iter(range(end - 1, -1, -1))
        for index in order:
            if limit == 0:
                return
            message = self.state.messages[ids[index]]
            if message.deleted is None:
                limit -= 1
                yield message

    # messages

    def post(self, channel: Channel, draft: Draft) -> Message:
        """Create a message. Posting to an archived thread brings it back, as Discord does."""
        if channel.archived:
            self.set_thread(channel, archived=False, locked=channel.locked)
        message = self.ids.next()
        self.typing.pop((channel.id, draft.author), None)
        change: Json = {name: getattr(draft, name) for name in _DRAFT}
        change |= {"op": "message", "id": message, "channel": channel.id, "created": self.now()}
        change["pings"] = pings_json(draft.pings)
        self.commit(change, channel=channel.id, message=message)
        return self.state.messages[message]

    def edit(
        self,
        message: Message,
        *,
        content: str | None = None,
        flags: int | None = None,
        pings: Pings | None = None,
        components: list[Json] | None = None,
        attachments: list[Json] | None = None,
    ) -> None:
        """Change what a message shows. What is None stays; a change of flags alone sets no edited time."""
        change: Json = {
            "op": "edit",
            "message": message.id,
            "at": self.now(),
            "content": message.content if content is None else content,
            "flags": message.flags if flags is None else flags,
            "pings": pings_json(message.pings if pings is None else pings),
            "components": message.components if components is None else components,
            "edited": any(each is not None for each in (content, components, attachments)),
            "attachments": attachments,
        }
        self.commit(change, channel=message.channel, message=message.id)

    def delete(self, message: Message) -> None:
        """Delete a message."""
        change = {"op": "delete", "message": message.id, "at": self.now()}
        self.commit(change, channel=message.channel, message=message.id)

    def delete_many(self, messages: list[Message]) -> None:
        """Delete several messages of one channel at once."""
        change = {"op": "delete_many", "messages": [each.id for each in messages], "at": self.now()}
        self.commit(change, channel=messages[0].channel)

    def unfurl(self, message: Message) -> None:
        """Tell that the links of a message have got their previews: an update that is no edit."""
        self.tell(Happening("unfurl", {"op": "unfurl", "message": message.id}, message.channel, message.id))

    def nonce(self, author: int, channel: int, nonce: str) -> Message | None:
        """The message that this author created here with this nonce within the window, as it is now.

        Discord does not say what a repeat gets when that message was deleted since; here a new one is made.
        """
        found = self.state.nonces.get((author, channel, nonce))
        if found is None:
            return None
        message = self.state.messages[found]
        young = self.now() - message.created < self.config.nonce_window
        return message if young and message.deleted is None else None

    def react(self, message: Message, emoji: str, user: int, *, added: bool) -> None:
        """Add or take away a reaction. One that is already so is left."""
        if (user in message.reactions.get(emoji, [])) == added:
            return
        change = {"op": "react", "message": message.id, "emoji": emoji, "user": user, "added": added}
        self.commit(change, channel=message.channel, message=message.id)

    def start_typing(self, channel: Channel, user: int) -> None:
        """Show the typing sign for 10 seconds (Discord developer docs, Trigger Typing Indicator)."""
        now = self.now()
        self.typing = {key: until for key, until in self.typing.items() if until > now}
        self.typing[channel.id, user] = now + 10.0
        self.tell(Happening("typing", {"op": "typing", "user": user, "at": now}, channel.id))

    # channels and threads

    def add_channel(self, guild: Guild, name: str) -> Channel:
        """Create a text channel."""
        return self._new_channel({"type": TEXT, "name": name, "guild": guild.id})

    def open_direct(self, person: int) -> Channel:
        """The direct chat of the bot with a person, created when there is none."""
        existing = self.state.directs.get(person)
        if existing is not None:
            return self.state.channels[existing]
        return self._new_channel({"type": DIRECT, "name": self.state.users[person].name, "person": person})

    def open_thread(
        self, parent: Channel, name: str, owner: int, *, message: Message | None = None, auto_archive: int = 1440
    ) -> Channel:
        """Create a public thread. On a message, the thread has the id of the message."""
        fields: Json = {"type": PUBLIC_THREAD, "name": name, "guild": parent.guild, "parent": parent.id, "owner": owner}
        fields["auto_archive"] = auto_archive
        return self._new_channel(fields, message.id if message is not None else None)

    def _new_channel(self, fields: Json, id: int | None = None) -> Channel:  # noqa: A002 - the word Discord uses
        channel = self.ids.next() if id is None else id
        change: Json = {"op": "channel", "id": channel, "created": self.now(), **fields}
        self.commit(change, channel=channel)
        return self.state.channels[channel]

    def set_thread(self, thread: Channel, *, archived: bool, locked: bool) -> None:
        """Archive, bring back, lock or unlock a thread."""
        change = {"op": "thread", "channel": thread.id, "archived": archived, "locked": locked}
        self.commit(change, channel=thread.id)

    def join(self, thread: Channel, user: int, *, joined: bool) -> None:
        """Make a user a member of a thread, or no longer one."""
        self.commit({"op": "join", "channel": thread.id, "user": user, "joined": joined}, channel=thread.id)

    def remove_channel(self, channel: Channel) -> None:
        """Delete a channel with its threads, or a thread."""
        for child in [each for each in self.state.channels.values() if each.parent == channel.id and not each.deleted]:
            self.commit({"op": "channel_gone", "channel": child.id}, channel=child.id)
        self.commit({"op": "channel_gone", "channel": channel.id}, channel=channel.id)

    def set_overwrite(self, channel: Channel, target: int, *, member: bool, allow: int, deny: int) -> None:
        """Set what a role or member is allowed and denied in a channel; nothing allowed and denied removes it."""
        change = {"op": "overwrite", "channel": channel.id, "id": target, "member": member, "allow": allow, "deny": deny}
        self.commit(change, channel=channel.id)

    # guilds and people

    def add_guild(self, name: str, owner: int) -> Guild:
        """Create a guild. The bot is not in it until `set_member`."""
        guild = self.ids.next()
        self.commit({"op": "guild", "id": guild, "name": name, "owner": owner, "everyone": int(defaults.EVERYONE)})
        return self.state.guilds[guild]

    def set_role(self, guild: Guild, role: Role) -> None:
        """Create or change a role."""
        fields: Json = {"name": role.name, "permissions": role.permissions, "position": role.position}
        fields |= {"mentionable": role.mentionable, "was": role.id in guild.roles}
        self.commit({"op": "role", "guild": guild.id, "id": role.id, **fields})

    def set_member(self, guild: Guild, user: int, roles: list[int] | None) -> None:
        """Make a user a member with these roles, change the roles, or remove the user (None)."""
        was = user in guild.members
        self.commit({"op": "member", "guild": guild.id, "user": user, "roles": roles, "was": was})

    def add_user(self, name: str, display: str, *, bot: bool = False) -> User:
        """Create a user."""
        user = self.ids.next()
        self.commit({"op": "user", "id": user, "name": name, "display": display, "bot": bot})
        return self.state.users[user]

    def set_refuses(self, user: int, refuses: bool) -> None:
        """Let a user refuse direct messages of the bot, or accept them again."""
        self.commit({"op": "refuses", "user": user, "refuses": refuses})


_DRAFT = tuple(Draft.__dataclass_fields__)
