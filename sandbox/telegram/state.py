"""The state of the simulated Telegram, built up by applying changes. Nothing here knows of sockets, time or files."""

from typing import Any

from sandbox.chronicle import Changing
from sandbox.telegram.defaults import FIRST_UPDATE
from sandbox.telegram.model import Chat, File, Json, Message, Query, Shown, Topic, Update, User, Webhook


class State(Changing):
    """Everything that exists. It changes only through `apply`, so that replaying the same changes gives the same state."""

    def __init__(self) -> None:
        self.users: dict[int, User] = {}
        self.chats: dict[int, Chat] = {}
        self.messages: dict[tuple[int, int], Message] = {}
        """By chat and id. Deleted ones stay, marked with their time."""
        self.files: dict[str, File] = {}
        self.links: dict[str, tuple[str, float]] = {}
        """The file_path of a download to its file and the time until which it is good."""
        self.queries: dict[str, Query] = {}
        self.updates: dict[int, Update] = {}
        """Those that are not confirmed, oldest first."""
        self.allowed: list[str] = []
        """The kinds of updates that the bot asked for; none means the usual ones."""
        self.webhook = Webhook()
        self.commands: dict[str, list[Json]] = {}
        """The commands by scope and language: see `api.commands.key`."""
        self.last_message = 0
        self.last_update = FIRST_UPDATE
        self.last_number = 0

    def next_message(self, chat: Chat) -> int:
        """The id of the next message in a chat."""
        return (chat.last if chat.kind == "supergroup" else self.last_message) + 1

    def _user(self, **fields: Any) -> None:
        user = User(**fields)
        self.users[user.id] = user

    def _user_set(self, user: int, **fields: Any) -> None:
        for name, value in fields.items():
            setattr(self.users[user], name, value)

    def _chat(self, members: list[tuple[int, str]], **fields: Any) -> None:
        chat = Chat(**fields, members=dict(members))
        self.chats[chat.id] = chat

    def _chat_set(self, chat: int, **fields: Any) -> None:
        for name, value in fields.items():
            setattr(self.chats[chat], name, value)

    def _member(self, chat: int, user: int, status: str, **_: Any) -> None:
        self.chats[chat].members[user] = status

    def _topic(self, chat: int, id: int, **fields: Any) -> None:  # noqa: A002 - as in the journal
        topic = self.chats[chat].topics.get(id)
        if topic is None:
            self.chats[chat].topics[id] = Topic(id, **fields)
            return
        for name, value in fields.items():
            setattr(topic, name, value)

    def _message(self, **fields: Any) -> None:
        message = Message(**fields)
        message.shown.append(Shown(message.created, message.text, labels(message.markup)))
        self.messages[message.chat, message.id] = message
        chat = self.chats[message.chat]
        chat.messages.append(message.id)
        if chat.kind == "supergroup":
            chat.last = message.id
        else:
            self.last_message = message.id

    def _edit(self, chat: int, id: int, at: float, hidden: bool = False, **fields: Any) -> None:  # noqa: A002 - as in the journal
        message = self.messages[chat, id]
        for name, value in fields.items():
            setattr(message, name, value)
        if not hidden:
            message.edited = at
        message.shown.append(Shown(at, message.text, labels(message.markup)))

    def _delete(self, chat: int, id: int, at: float) -> None:  # noqa: A002 - as in the journal
        self.messages[chat, id].deleted = at

    def _react(self, chat: int, id: int, user: int, emoji: list[str]) -> None:  # noqa: A002 - as in the journal
        reactions = self.messages[chat, id].reactions
        if emoji:
            reactions[user] = emoji
        else:
            reactions.pop(user, None)

    def _file(self, **fields: Any) -> None:
        file = File(**fields)
        self.files[file.id] = file
        self.last_number = max(self.last_number, file.number)

    def _link(self, path: str, file: str, until: float) -> None:
        self.links[path] = (file, until)

    def _query(self, number: int, inaccessible: bool = False, **fields: Any) -> None:
        query = Query(**fields)
        self.queries[query.id] = query
        self.last_number = max(self.last_number, number)

    def _query_set(self, query: str, **fields: Any) -> None:
        for name, value in fields.items():
            setattr(self.queries[query], name, value)

    def _update(self, **fields: Any) -> None:
        update = Update(**fields)
        self.updates[update.id] = update
        self.last_update = max(self.last_update, update.id)

    def _forget(self, updates: list[int]) -> None:
        for each in updates:
            self.updates.pop(each, None)

    def _allowed(self, kinds: list[str]) -> None:
        self.allowed = kinds

    def _webhook(self, **fields: Any) -> None:
        self.webhook = Webhook(**fields)

    def _commands(self, key: str, commands: list[Json] | None) -> None:
        if commands is None:
            self.commands.pop(key, None)
        else:
            self.commands[key] = commands


def labels(markup: Json | None) -> list[str]:
    """The labels of an inline keyboard's buttons, row by row."""
    return [button["text"] for row in (markup or {}).get("inline_keyboard", []) for button in row]
