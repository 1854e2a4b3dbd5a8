"""The state of the simulated Discord, built up by applying changes. Nothing here knows of sockets, time or files."""

from dataclasses import asdict
from typing import Any

from sandbox.chronicle import Changing
from sandbox.discord.ids import Snowflakes
from sandbox.discord.model import (
    HAS_THREAD,
    THREAD_STARTER,
    Channel,
    Edit,
    Guild,
    Interaction,
    Json,
    Message,
    Overwrite,
    Pings,
    Role,
    User,
)


class State(Changing):
    """Everything that exists. It changes only through `apply`, so that replaying the same changes gives the same state."""

    def __init__(self, ids: Snowflakes) -> None:
        self.ids = ids
        self.users: dict[int, User] = {}
        self.guilds: dict[int, Guild] = {}
        self.channels: dict[int, Channel] = {}
        """Deleted ones stay, marked."""
        self.messages: dict[int, Message] = {}
        """Deleted ones stay, marked with their time."""
        self.directs: dict[int, int] = {}
        """User id to the id of the direct chat with the bot."""
        self.nonces: dict[tuple[int, int, str], int] = {}
        """Author, channel and nonce to the latest message that carried it."""
        self.commands: dict[int, dict[int, Json]] = {}
        """Guild id, or 0 for all guilds and direct chats, to command id to command."""
        self.creates: dict[int, list[float]] = {}
        """The same scopes to the times at which a command was created there."""
        self.interactions: dict[int, Interaction] = {}

    def _user(self, **fields: Any) -> None:
        user = User(**fields)
        self.users[user.id] = user
        self.ids.seen(user.id)

    def _refuses(self, user: int, refuses: bool) -> None:
        self.users[user].refuses_direct = refuses

    def _guild(self, id: int, name: str, owner: int, everyone: int) -> None:  # noqa: A002 - the journal's field name
        role = Role(id, "@everyone", everyone, 0)
        self.guilds[id] = Guild(id, name, owner, {id: role}, {owner: []})
        self.ids.seen(id)

    def _member(self, guild: int, user: int, roles: list[int] | None, was: bool = False) -> None:
        if roles is None:
            self.guilds[guild].members.pop(user, None)
        else:
            self.guilds[guild].members[user] = list(roles)

    def _role(self, guild: int, was: bool = False, **fields: Any) -> None:
        role = Role(**fields)
        self.guilds[guild].roles[role.id] = role
        self.ids.seen(role.id)

    def _overwrite(self, channel: int, **fields: Any) -> None:
        overwrite = Overwrite(**fields)
        if overwrite.allow or overwrite.deny:
            self.channels[channel].overwrites[overwrite.id] = overwrite
        else:
            self.channels[channel].overwrites.pop(overwrite.id, None)

    def _channel(self, **fields: Any) -> None:
        channel = Channel(**fields)
        self.channels[channel.id] = channel
        self.ids.seen(channel.id)
        if channel.guild is not None:
            self.guilds[channel.guild].channels[channel.id] = None
        if channel.person is not None:
            self.directs[channel.person] = channel.id
        if channel.thread and channel.owner is not None:
            channel.members.add(channel.owner)
            starter = self.messages.get(channel.id)
            if starter is not None:
                starter.flags |= HAS_THREAD

    def _channel_gone(self, channel: int) -> None:
        gone = self.channels[channel]
        gone.deleted = True
        if gone.guild is not None:
            self.guilds[gone.guild].channels.pop(channel, None)

    def _thread(self, channel: int, archived: bool, locked: bool) -> None:
        thread = self.channels[channel]
        thread.archived, thread.locked = archived, locked

    def _join(self, channel: int, user: int, joined: bool) -> None:
        if joined:
            self.channels[channel].members.add(user)
        else:
            self.channels[channel].members.discard(user)

    def _message(self, pings: Json, **fields: Any) -> None:
        message = Message(**fields, pings=Pings(**pings))
        message.shown.append(Edit(message.created, message.content, message.flags))
        self.messages[message.id] = message
        self.ids.seen(message.id)
        channel = self.channels[message.channel]
        if message.ephemeral is not None:
            channel.whispers.append(message.id)
            return
        channel.messages.append(message.id)
        channel.last = message.id
        if channel.thread and message.type != THREAD_STARTER:
            channel.members.add(message.author)
        if message.nonce is not None:
            self.nonces[message.author, message.channel, message.nonce] = message.id

    def _edit(
        self,
        message: int,
        at: float,
        content: str,
        flags: int,
        pings: Json,
        components: list[Json],
        edited: bool,
        attachments: list[Json] | None = None,
    ) -> None:
        changed = self.messages[message]
        changed.content, changed.flags, changed.components = content, flags, components
        if attachments is not None:
            changed.attachments = attachments
        changed.pings = Pings(**pings)
        if edited:
            changed.edited = at
        changed.shown.append(Edit(at, content, flags))

    def _delete(self, message: int, at: float) -> None:
        self.messages[message].deleted = at

    def _delete_many(self, messages: list[int], at: float) -> None:
        for message in messages:
            self.messages[message].deleted = at

    def _commands(self, scope: int, commands: list[Json], created: list[float]) -> None:
        self.commands[scope] = {int(command["id"]): command for command in commands}
        self.creates.setdefault(scope, []).extend(created)
        for command in commands:
            self.ids.seen(int(command["version"]))

    def _interaction(self, **fields: Any) -> None:
        interaction = Interaction(**fields)
        self.interactions[interaction.id] = interaction
        self.ids.seen(interaction.id)

    def _answered(self, interaction: int, type: int, original: int | None, choices: list[Json] | None) -> None:  # noqa: A002 - Discord's word
        answered = self.interactions[interaction]
        answered.answered, answered.original, answered.choices = type, original, choices

    def _react(self, message: int, emoji: str, user: int, added: bool) -> None:
        reactions = self.messages[message].reactions
        users = reactions.setdefault(emoji, [])
        if added and user not in users:
            users.append(user)
        elif not added and user in users:
            users.remove(user)
        if not users:
            del reactions[emoji]


def pings_json(pings: Pings) -> Json:
    """Pings as a change carries them."""
    return asdict(pings)
