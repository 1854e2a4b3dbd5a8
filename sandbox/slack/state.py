"""The state of the simulated Slack, built up by applying changes. Nothing here knows of sockets, time or files."""

from typing import Any

from sandbox.chronicle import Changing
from sandbox.slack.ids import Ids
from sandbox.slack.model import Channel, File, Json, Message, Pings, Session, Shown, Stream, Trigger, User


class State(Changing):
    """Everything that exists. It changes only through `apply`, so that replaying the same changes gives the same state."""

    def __init__(self, ids: Ids) -> None:
        self.ids = ids
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        """Deleted ones stay, marked."""
        self.messages: dict[str, Message] = {}
        """By ts, which is unique over all channels here. Deleted ones stay, marked with their time."""
        self.threads: dict[str, list[str]] = {}
        """The ts of a root to those of its replies, ascending, deleted ones too."""
        self.directs: dict[str, str] = {}
        """User id to the id of the direct chat with the bot."""
        self.files: dict[str, File] = {}
        self.sessions: dict[tuple[str, str], Session] = {}
        """By channel and thread."""
        self.triggers: dict[str, Trigger] = {}
        self.homes: dict[str, Json] = {}
        """User id to the view of the home tab."""
        self.prompts: dict[str, Json] = {}
        """Channel id to the suggested prompts there, with `title` and `prompts`."""

    def _user(self, **fields: Any) -> None:
        user = User(**fields)
        self.users[user.id] = user
        self.ids.seen(user.id, "U")

    def _channel(self, members: list[str], **fields: Any) -> None:
        channel = Channel(**fields, members=set(members))
        self.channels[channel.id] = channel
        self.ids.seen(channel.id, "D" if channel.kind == "im" else "C")
        if channel.person is not None:
            self.directs[channel.person] = channel.id

    def _member(self, channel: str, user: str, joined: bool) -> None:
        if joined:
            self.channels[channel].members.add(user)
        else:
            self.channels[channel].members.discard(user)

    def _channel_set(self, channel: str, field: str, value: bool) -> None:
        setattr(self.channels[channel], field, value)

    def _message(self, pings: Json, stream: Json | None, **fields: Any) -> None:
        message = Message(**fields, pings=Pings(**pings), stream=None if stream is None else Stream(**stream))
        message.shown.append(Shown(message.created, message.text))
        self.messages[message.ts] = message
        self.ids.seen_ts(message.ts)
        channel = self.channels[message.channel]
        if message.ephemeral is not None:
            channel.whispers.append(message.ts)
            return
        channel.messages.append(message.ts)
        if message.thread is not None:
            self.threads.setdefault(message.thread, []).append(message.ts)

    def _edit(self, ts: str, at: float, edited: bool, pings: Json, **fields: Any) -> None:
        message = self.messages[ts]
        for name, value in fields.items():
            setattr(message, name, value)
        message.pings = Pings(**pings)
        if edited:
            message.edited = at
        message.shown.append(Shown(at, message.text))

    def _append(self, ts: str, at: float, text: str, mode: str | None, tasks: dict[str, Json], plan: str, pings: Json) -> None:
        message = self.messages[ts]
        message.text += text
        message.pings = Pings(**pings)
        message.shown.append(Shown(at, message.text))
        if message.stream is not None:
            message.stream.mode = mode
            message.stream.tasks |= tasks
            message.stream.plan = plan or message.stream.plan

    def _stream(self, ts: str, state: Any) -> None:
        stream = self.messages[ts].stream
        if stream is not None:
            stream.state = state

    def _delete(self, ts: str, at: float) -> None:
        self.messages[ts].deleted = at

    def _react(self, ts: str, emoji: str, user: str, added: bool) -> None:
        reactions = self.messages[ts].reactions
        users = reactions.setdefault(emoji, [])
        if added and user not in users:
            users.append(user)
        elif not added and user in users:
            users.remove(user)
        if not users:
            del reactions[emoji]

    def _file(self, **fields: Any) -> None:
        file = File(**fields)
        self.files[file.id] = file
        self.ids.seen(file.id, "F")

    def _file_set(self, file: str, **fields: Any) -> None:
        for name, value in fields.items():
            setattr(self.files[file], name, value)

    def _session(self, **fields: Any) -> None:
        session = Session(**fields)
        self.sessions[session.channel, session.thread] = session

    def _trigger(self, **fields: Any) -> None:
        trigger = Trigger(**fields)
        self.triggers[trigger.id] = trigger

    def _trigger_set(self, trigger: str, **fields: Any) -> None:
        for name, value in fields.items():
            setattr(self.triggers[trigger], name, value)

    def _home(self, user: str, view: Json) -> None:
        self.homes[user] = view

    def _prompts(self, channel: str, title: str, prompts: list[Json]) -> None:
        self.prompts[channel] = {"title": title, "prompts": prompts}
