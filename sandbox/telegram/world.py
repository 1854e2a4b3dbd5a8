"""The simulated Telegram as a whole: what exists, how it changes, and who is told of each change."""

import asyncio
import copy
from dataclasses import asdict, dataclass, field
from pathlib import PurePath
from typing import Any

from sandbox.chronicle import Chronicle
from sandbox.telegram import defaults
from sandbox.telegram.config import SimulatorConfig
from sandbox.telegram.files import Files
from sandbox.telegram.model import GENERAL, PRESENT, Chat, Draft, File, Json, Kind, Media, Message, Query, User
from sandbox.telegram.state import State


@dataclass(frozen=True, slots=True)
class Happening:
    """One change that has taken place. `op` is the change's own, or `draft` or `action`: those leave no trace in the state."""

    op: str
    change: Json
    chat: int | None = None
    message: int | None = None
    before: Message | None = None
    """The message as it was, when it was changed."""


@dataclass(slots=True)
class Written:
    """A message about to be created: the fields of `Message` that are not given by its place and time."""

    sender: int
    text: str = ""
    entities: list[Json] = field(default_factory=list[Json])
    media: Media | None = None
    file: str | None = None
    topic: int | None = None
    thread: int | None = None
    reply_to: int | None = None
    quote: str | None = None
    markup: Json | None = None
    album: str | None = None
    forward: Json | None = None
    service: Json | None = None
    preview: bool = True
    silent: bool = False


def chain(chat: Chat, replied: Message) -> int | None:
    """The first message of the chain of replies that an answer to `replied` belongs to, outside of topics.

    In supergroups, also in a forum's General topic, it is told as message_thread_id without is_topic_message, and is refused as
    one of a call (tdlib/telegram-bot-api issues 356 and 447).
    """
    return (replied.thread or replied.id) if chat.kind == "supergroup" else None


class World(Chronicle[Happening]):
    """The state with its clock, its journal and its listeners. All changes go through here."""

    def __init__(self, config: SimulatorConfig) -> None:
        self.config = config
        self.files = Files(config.state, local=config.token if config.local_mode else None)
        self.state = State()
        super().__init__(self.state, config.state, config.clock, defaults.changes(privacy=config.privacy))
        self.me = defaults.BOT
        self.privacy = config.privacy
        """Privacy mode, for groups that the bot joins from now on."""
        self._drafts: dict[tuple[int, int | None], Draft] = {}
        self._actions: dict[tuple[int, int | None], tuple[str, float]] = {}

    def close(self) -> None:
        """Close the journal and delete what was kept for the time being."""
        super().close()
        self.files.close()

    def commit(self, change: Json, *, chat: int | None = None, message: int | None = None, before: Message | None = None) -> None:
        """Write a change down, carry it out and tell the listeners of it."""
        self.write(change)
        self.tell(Happening(change["op"], change, chat, message, before))

    # what exists

    def message(self, chat: int, message: int) -> Message | None:
        """A message that is not deleted."""
        found = self.state.messages.get((chat, message))
        return found if found is not None and found.deleted is None else None

    def standing(self, chat: Chat, user: int) -> str:
        """The status of a user in a group."""
        return chat.members.get(user, "left")

    def inside(self, chat: Chat, user: int) -> bool:
        """Whether a user is in a group."""
        return self.standing(chat, user) in PRESENT

    def rules(self, chat: Chat, user: int) -> bool:
        """Whether a user is an administrator of a group."""
        return self.standing(chat, user) in ("creator", "administrator")

    def drafts(self) -> list[Draft]:
        """The drafts that show now."""
        return [each for each in self._drafts.values() if each.until > self.now()]

    def actions(self) -> list[Json]:
        """The chat actions that show now."""
        now = self.now()
        return [
            {"chat": chat, "topic": topic, "action": action, "until": until}
            for (chat, topic), (action, until) in self._actions.items()
            if until > now
        ]

    # messages

    def post(self, chat: Chat, written: Written) -> Message:
        """Create a message. One of the bot takes its draft and its action there away."""
        number = self.state.next_message(chat)
        if written.sender == self.me:
            self._drafts.pop((chat.id, written.topic), None)
            self._actions.pop((chat.id, written.topic), None)
        change: Json = {"op": "message", "chat": chat.id, "id": number, "created": self.now()}
        change |= {name: value for name, value in asdict(written).items() if value not in (None, [], "")}
        self.commit(change, chat=chat.id, message=number)
        return self.state.messages[chat.id, number]

    def edit(self, message: Message, *, hidden: bool = False, **fields: Any) -> None:
        """Change fields of a message. `hidden` leaves no mark that it was edited, as a change of only its buttons does."""
        change: Json = {"op": "edit", "chat": message.chat, "id": message.id, "at": self.now(), "hidden": hidden, **fields}
        self.commit(change, chat=message.chat, message=message.id, before=copy.copy(message))

    def delete(self, message: Message) -> None:
        """Delete a message."""
        change: Json = {"op": "delete", "chat": message.chat, "id": message.id, "at": self.now()}
        self.commit(change, chat=message.chat, message=message.id, before=copy.copy(message))

    def react(self, message: Message, user: int, emoji: list[str]) -> None:
        """Set the whole reaction of a user."""
        before = copy.copy(message)
        before.reactions = dict(message.reactions)
        change: Json = {"op": "react", "chat": message.chat, "id": message.id, "user": user, "emoji": emoji}
        self.commit(change, chat=message.chat, message=message.id, before=before)

    def draft(self, chat: Chat, topic: int | None, number: int, text: str, entities: list[Json]) -> None:
        """Show a draft, in place of the one before in that chat and topic."""
        lifetime = self.config.draft_lifetime
        self._drafts[chat.id, topic] = Draft(chat.id, topic, number, text, entities, self.now() + lifetime)
        asyncio.get_running_loop().call_later(lifetime + 0.01, self.changes.notify)
        self.tell(Happening("draft", {"op": "draft", "topic": topic, "text": text}, chat.id))

    def act(self, chat: Chat, topic: int | None, action: str) -> None:
        """Show a chat action such as `typing`."""
        self._actions[chat.id, topic] = (action, self.now() + self.config.action_lifetime)
        self.tell(Happening("action", {"op": "action", "topic": topic, "action": action}, chat.id))

    # chats, topics and people

    def open_private(self, user: int) -> Chat:
        """The private chat of the bot with a person, created when there is none."""
        if user not in self.state.chats:
            person = self.state.users[user]
            self.add_chat(user, "private", person.first_name, [[user, "member"], [self.me, "member"]])
        return self.state.chats[user]

    def add_chat(self, chat: int, kind: Kind, title: str, members: list[list[Any]], **fields: Any) -> Chat:
        """Create a chat."""
        hears_all = kind == "private" or not self.privacy
        change: Json = {"op": "chat", "id": chat, "kind": kind, "title": title, "members": members, "hears_all": hears_all}
        self.commit(change | fields, chat=chat)
        return self.state.chats[chat]

    def set_chat(self, chat: Chat, **fields: Any) -> None:
        """Change fields of a chat."""
        self.commit({"op": "chat_set", "chat": chat.id, **fields}, chat=chat.id)

    def set_member(self, chat: Chat, user: int, status: str, by: int) -> None:
        """Give a user another status in a chat."""
        change: Json = {"op": "member", "chat": chat.id, "user": user, "status": status, "by": by}
        self.commit(change | {"old": self.standing(chat, user)}, chat=chat.id)

    def add_topic(self, chat: Chat, name: str, by: int) -> int:
        """Create a topic and return its id."""
        number = self.state.next_message(chat)
        self.commit({"op": "topic", "chat": chat.id, "id": number, "name": name}, chat=chat.id)
        self.post(chat, Written(by, topic=number, service={"forum_topic_created": {"name": name, "icon_color": 7322096}}))
        return number

    def set_topic(self, chat: Chat, topic: int, by: int, service: Json | None = None, **fields: Any) -> None:
        """Change fields of a topic, with the service message that tells of it."""
        self.commit({"op": "topic", "chat": chat.id, "id": topic, **fields}, chat=chat.id)
        if service is not None:
            self.post(chat, Written(by, topic=None if topic == GENERAL else topic, service=service))

    def add_user(self, username: str, first_name: str, *, bot: bool = False) -> User:
        """Create a user."""
        number = max(each for each in self.state.users if bot or each < defaults.BOT) + 1
        self.commit({"op": "user", "id": number, "username": username, "first_name": first_name, "bot": bot})
        return self.state.users[number]

    # files and queries

    def add_file(self, kind: Media, name: str, size: int, media: str, **fields: Any) -> File:
        """Create a file without its bytes."""
        number = self.state.last_number + 1
        file = f"AgACAgQAAxkBAAI{number:06d}"
        self.commit(
            {"op": "file", "id": file, "number": number, "kind": kind, "name": name, "size": size, "media": media, **fields}
        )
        return self.state.files[file]

    def add_link(self, file: File) -> str:
        """A new file_path for a download."""
        path = f"{file.kind}s/file_{file.number}{PurePath(file.name).suffix}"
        self.commit({"op": "link", "path": path, "file": file.id, "until": self.now() + self.config.file_lifetime})
        return path

    def add_query(self, user: int, message: Message, data: str, *, inaccessible: bool = False) -> Query:
        """Let a person press a button. `inaccessible` keeps the message's content from the bot."""
        number = self.state.last_number + 1
        query = f"{user}{number:08d}"
        change: Json = {"op": "query", "number": number, "id": query, "user": user, "chat": message.chat, "message": message.id}
        self.commit(change | {"data": data, "created": self.now(), "inaccessible": inaccessible}, chat=message.chat)
        return self.state.queries[query]

    def set_query(self, query: Query, **fields: Any) -> None:
        """Change fields of a query."""
        self.commit({"op": "query_set", "query": query.id, **fields}, chat=query.chat)
