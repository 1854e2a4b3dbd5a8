"""The simulated Slack as a whole: what exists, how it changes, and who is told of each change."""

import copy
import secrets
from dataclasses import asdict, dataclass, field
from typing import Any

from sandbox.chronicle import Chronicle
from sandbox.slack import defaults
from sandbox.slack.config import SimulatorConfig
from sandbox.slack.files import Files
from sandbox.slack.ids import Ids
from sandbox.slack.mentions import pings_of
from sandbox.slack.model import Channel, File, Json, Kind, Message, Session, StreamState, Trigger, User
from sandbox.slack.state import State


@dataclass(frozen=True, slots=True)
class Happening:
    """One change that has taken place. `op` is the change's own, or `status`, `unfurl`, `opened`, `stopped`: those leave
    no trace in the state."""

    op: str
    change: Json
    channel: str | None = None
    message: str | None = None
    before: Message | None = None
    """The message as it was, when it was changed."""


@dataclass(slots=True)
class Draft:
    """A message about to be created."""

    user: str
    text: str
    markdown: bool = False
    blocks: list[Json] = field(default_factory=list[Json])
    attachments: list[Json] = field(default_factory=list[Json])
    files: list[str] = field(default_factory=list[str])
    thread: str | None = None
    broadcast: bool = False
    subtype: str | None = None
    metadata: Json | None = None
    ephemeral: str | None = None
    unfurl: bool = True
    trigger: str | None = None
    stream: Json | None = None


@dataclass(frozen=True, slots=True)
class Status:
    """What a bot is said to do in a thread."""

    text: str
    until: float
    """Unix seconds."""
    loading: tuple[str, ...] = ()


class World(Chronicle[Happening]):
    """The state with its clock, its journal and its listeners. All changes go through here."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config
        self.ids = Ids(config.clock)
        self.files = Files(config.state)
        self.state = State(self.ids)
        super().__init__(self.state, config.state, config.clock, defaults.changes())
        self.me = defaults.BOT
        self.team = defaults.TEAM
        self.statuses: dict[tuple[str, str], Status] = {}
        """By channel and thread; what has run out may still be here."""

    def commit(
        self, change: Json, *, channel: str | None = None, message: str | None = None, before: Message | None = None
    ) -> None:
        """Write a change down, carry it out and tell the listeners of it."""
        self.write(change)
        self.tell(Happening(change["op"], change, channel, message, before))

    # what exists

    def channel(self, channel: str) -> Channel | None:
        """A channel that exists and is not deleted."""
        found = self.state.channels.get(channel)
        return found if found is not None and not found.deleted else None

    def message(self, channel: str, ts: str) -> Message | None:
        """A message of this channel that is neither deleted nor ephemeral."""
        found = self.state.messages.get(ts)
        if found is None or found.channel != channel or found.ephemeral is not None:
            return None
        return found if found.deleted is None else None

    def replies(self, root: str) -> list[Message]:
        """The replies to a message that are not deleted, oldest first."""
        found = (self.state.messages[ts] for ts in self.state.threads.get(root, []))
        return [each for each in found if each.deleted is None]

    def standing(self, message: Message) -> StreamState | None:
        """The state of a streamed message now; None when it never was one."""
        stream = message.stream
        if stream is None:
            return None
        over = self.now() - stream.started >= self.config.stream_lifetime
        return "expired" if stream.state == "streaming" and over else stream.state

    # messages

    def post(self, channel: Channel, draft: Draft) -> Message:
        """Create a message. One of the bot in a thread takes its status away."""
        ts = self.ids.ts()
        if draft.user == self.me:
            self.statuses.pop((channel.id, draft.thread or ts), None)
        change: Json = {name: getattr(draft, name) for name in _DRAFT}
        change |= {"op": "message", "ts": ts, "channel": channel.id, "created": self.now()}
        change["pings"] = asdict(pings_of(draft.text, draft.blocks, self.state.users))
        self.commit(change, channel=channel.id, message=ts)
        return self.state.messages[ts]

    def edit(self, message: Message, *, edited: bool = True, **fields: Any) -> None:
        """Change fields of a message. `edited` says whether people are told so."""
        text, blocks = fields.get("text", message.text), fields.get("blocks", message.blocks)
        pings = asdict(pings_of(text, blocks, self.state.users))
        change: Json = {"op": "edit", "ts": message.ts, "at": self.now(), "edited": edited, "pings": pings, **fields}
        self.commit(change, channel=message.channel, message=message.ts, before=copy.copy(message))

    def append(self, message: Message, text: str, mode: str | None, tasks: dict[str, Json], plan: str = "") -> None:
        """Let a streamed message grow."""
        pings = asdict(pings_of(message.text + text, message.blocks, self.state.users))
        change: Json = {"op": "append", "ts": message.ts, "at": self.now(), "text": text, "mode": mode, "tasks": tasks}
        self.commit(change | {"plan": plan, "pings": pings}, channel=message.channel, message=message.ts)

    def set_stream(self, message: Message, state: StreamState) -> None:
        """End the streaming of a message."""
        self.commit({"op": "stream", "ts": message.ts, "state": state}, channel=message.channel, message=message.ts)

    def delete(self, message: Message) -> None:
        """Delete a message."""
        change = {"op": "delete", "ts": message.ts, "at": self.now()}
        self.commit(change, channel=message.channel, message=message.ts, before=copy.copy(message))

    def react(self, message: Message, emoji: str, user: str, *, added: bool) -> bool:
        """Add or take away a reaction. False when it was already so."""
        if (user in message.reactions.get(emoji, [])) == added:
            return False
        change = {"op": "react", "ts": message.ts, "emoji": emoji, "user": user, "added": added}
        self.commit(change, channel=message.channel, message=message.ts)
        return True

    def set_status(self, channel: str, thread: str, text: str, loading: tuple[str, ...] = ()) -> None:
        """Show what the bot does in a thread; an empty text takes it away."""
        if text:
            self.statuses[channel, thread] = Status(text, self.now() + self.config.status_lifetime, loading)
        else:
            self.statuses.pop((channel, thread), None)
        self.tell(Happening("status", {"op": "status", "thread": thread, "status": text}, channel))

    def set_session(self, channel: str, thread: str, status: str, title: str = "", initiator: str | None = None) -> Session:
        """Create an agent session or change its status. Title and initiator count only for a new one."""
        old = self.state.sessions.get((channel, thread))
        change: Json = {"op": "session", "channel": channel, "thread": thread, "status": status}
        change |= {"title": title if old is None else old.title, "initiator": initiator if old is None else old.initiator}
        self.commit(change, channel=channel)
        return self.state.sessions[channel, thread]

    def rename_session(self, session: Session, title: str) -> None:
        """Change the title of an agent session."""
        self.commit({"op": "session", **asdict(session), "title": title}, channel=session.channel)

    # channels, people, files

    def open_direct(self, person: str) -> Channel:
        """The direct chat of the bot with a person, created when there is none."""
        existing = self.state.directs.get(person)
        if existing is not None:
            return self.state.channels[existing]
        return self.add_channel(self.state.users[person].name, "im", [person, self.me], person=person)

    def add_channel(self, name: str, kind: Kind, members: list[str], **fields: Any) -> Channel:
        """Create a channel."""
        channel = self.ids.next("D" if kind == "im" else "C")
        change: Json = {"op": "channel", "id": channel, "kind": kind, "name": name, "created": self.now()}
        self.commit(change | {"members": members, **fields}, channel=channel)
        return self.state.channels[channel]

    def set_channel(self, channel: Channel, field: str, value: bool) -> None:
        """Set one of `archived`, `deleted`, `read_only` and `external`."""
        self.commit({"op": "channel_set", "channel": channel.id, "field": field, "value": value}, channel=channel.id)

    def join(self, channel: Channel, user: str, *, joined: bool) -> None:
        """Make a user a member of a channel, or no longer one."""
        if (user in channel.members) != joined:
            self.commit({"op": "member", "channel": channel.id, "user": user, "joined": joined}, channel=channel.id)

    def add_user(self, name: str, display: str, *, bot: bool = False, team: str | None = None) -> User:
        """Create a user."""
        user = self.ids.next("U")
        change: Json = {"op": "user", "id": user, "name": name, "display": display, "team": team or self.team}
        self.commit(change | {"bot_id": self.ids.next("B") if bot else None})
        return self.state.users[user]

    def add_file(self, name: str, size: int, media: str, user: str, **fields: Any) -> File:
        """Create a file without its bytes."""
        file = self.ids.next("F")
        change: Json = {"op": "file", "id": file, "name": name, "size": size, "media": media, "user": user}
        self.commit(change | {"created": self.now(), "title": name, **fields})
        return self.state.files[file]

    def set_file(self, file: File, **fields: Any) -> None:
        """Change fields of a file."""
        self.commit({"op": "file_set", "file": file.id, **fields})

    # commands and buttons

    def begin(self, trigger: Trigger) -> None:
        """Begin a command or press."""
        self.commit({"op": "trigger", **asdict(trigger)}, channel=trigger.channel)

    def set_trigger(self, trigger: Trigger, **fields: Any) -> None:
        """Change fields of a command or press."""
        self.commit({"op": "trigger_set", "trigger": trigger.id, **fields}, channel=trigger.channel)


def secret() -> str:
    """Something that nobody guesses."""
    return secrets.token_urlsafe(18)


_DRAFT = tuple(Draft.__dataclass_fields__)
