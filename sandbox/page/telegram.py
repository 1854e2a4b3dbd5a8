"""The page's seat at the simulated Telegram."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import PurePath

from sandbox.faults import Rule
from sandbox.page import entities
from sandbox.page.base import BaseSeat, mishap_rule, refusals
from sandbox.page.seat import PEOPLE, PICTURES, Blob, Json, Part, Refusal, bounded, file_view, given_files, message, reactions
from sandbox.telegram import ApiError, Simulator, lookup
from sandbox.telegram.errors import too_many
from sandbox.telegram.files import media_type
from sandbox.telegram.model import GENERAL, Chat, Message
from sandbox.telegram.views import name_of

PRIVATE = "private"
_ACTIONS = {"typing": "is typing", "upload_photo": "is sending a photo", "upload_document": "is sending a file"}
_SERVICES = {"forum_topic_created": "created the topic", "pinned_message": "pinned a message"}


class TelegramSeat(BaseSeat[Simulator]):
    """What people see of the simulated Telegram and do in it: see `Seat`.

    A place is a chat's id or `private`, and with a slash and its id a topic there.
    """

    name = "telegram"
    title = "Telegram"
    replies = True

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(simulator)
        self._world = simulator.world

    def _told(self) -> AbstractContextManager[None]:
        return refusals(ApiError, lambda error: error.description)

    def people(self) -> list[Json]:
        """The first few people."""
        found = [each for each in self._world.state.users.values() if not each.bot]
        return [{"name": each.username, "display": each.first_name} for each in found[:PEOPLE]]

    def places(self, by: str) -> list[Json]:
        """The private chat, then the groups that the bot is in, each followed by its topics."""
        with self._told():
            user = lookup.user(self._world, by).id
        bot = self._world.state.users[self._world.me]
        private = self._world.state.chats.get(user)
        told: list[Json] = [
            {"id": PRIVATE, "kind": "direct", "name": bot.first_name, "hint": "hello", "last": self._last(private)}
        ]
        hint = f"@{bot.username} hello"
        for chat in self._world.state.chats.values():
            if chat.kind == "private" or chat.migrated_to is not None:
                continue
            if not (self._world.inside(chat, user) and self._world.inside(chat, self._world.me)):
                continue
            named = {"id": str(chat.id), "kind": "group", "name": chat.title, "hint": hint, "last": self._last(chat)}
            told.append(named)
            for topic in chat.topics.values():
                if not topic.deleted and topic.id != GENERAL:
                    more = {"id": f"{chat.id}/{topic.id}", "kind": "topic", "name": topic.name, "under": str(chat.id)}
                    told.append(named | more | {"last": self._last(chat, topic.id)})
        return told

    def _last(self, chat: Chat | None, topic: int | None = None) -> str:
        """The latest message of a chat, or in a forum of one of its topics."""
        if chat is None:
            return ""
        found = (self._world.state.messages[chat.id, each] for each in reversed(chat.messages))
        return next((str(each.id) for each in found if not chat.forum or each.topic == topic), "")

    def _place(self, by: str, place: str) -> tuple[int, Chat | None, int | None]:
        """Who it is, the chat (None for a private one that has not begun), and the topic."""
        where, _, topic = place.partition("/")
        with self._told():
            user = lookup.user(self._world, by).id
            if where == PRIVATE:
                return user, self._world.state.chats.get(user), None
            chat = lookup.chat(self._world, where)
            number = lookup.topic(chat, topic or None)
        if chat.kind == "private" or not self._world.inside(chat, user):
            raise Refusal("You cannot see that place.")
        return user, chat, number

    def read(self, by: str, place: str, most: int) -> Part:
        """The latest messages of the chat or topic, and the draft that shows now as the last one."""
        user, chat, topic = self._place(by, place)
        if chat is None:
            return Part([], earlier=False)
        known = self._world.state.messages
        seen = [known[chat.id, each] for each in chat.messages]
        seen = [each for each in seen if each.deleted is None and (not chat.forum or each.topic == topic)]
        told = [self._message(each, user) for each in seen[-most:]]
        for draft in self._world.drafts():
            if draft.chat == chat.id and draft.topic == topic:
                bot = self._world.state.users[self._world.me]
                told.append(
                    message(
                        f"draft:{draft.id}", author=bot.username, display=bot.first_name, bot=True, mine=False,
                        at=self._world.now() // 60 * 60, body=entities.tree(draft.text, draft.entities), state="growing",
                    )
                )  # fmt: skip
        return Part(told, earlier=len(seen) > most)

    def _message(self, found: Message, user: int) -> Json:
        author = self._world.state.users[found.sender]
        mine, ours = found.sender == user, found.sender == self._world.me
        if found.service is not None:
            kind = next(iter(found.service))
            name = found.service[kind].get("name", "") if isinstance(found.service[kind], dict) else ""
            words = f"{_SERVICES.get(kind, kind.replace('_', ' '))} {name}".strip()
            return message(
                name_of(found), author=author.username, display=author.first_name, bot=author.bot, mine=False, at=found.created,
                body=[{"t": "p", "c": [words]}], state="service",
            )  # fmt: skip
        rows: list[list[Json]] = (found.markup or {}).get("inline_keyboard", [])
        files = [] if found.file is None else [self._world.state.files[found.file]]
        counted: dict[str, list[int]] = {}
        for who, signs in found.reactions.items():
            for sign in signs:
                counted.setdefault(sign, []).append(who)
        may = [*(["edit"] if mine and found.file is None else []), *(["delete"] if mine or ours else []), "reply", "react"]
        return message(
            name_of(found), author=author.username, display=author.first_name, bot=author.bot, mine=mine, at=found.created,
            body=entities.tree(found.text, found.entities), source=found.text, edited=found.edited is not None,
            buttons=[_button(each) for row in rows for each in row],
            files=[file_view(each.id, each.name, each.size, each.media) for each in files],
            reactions=reactions(counted, user, {}), reply=self._replied(found), may=may,
        )  # fmt: skip

    def _replied(self, found: Message) -> str | None:
        other = self._world.state.messages.get((found.chat, found.reply_to or 0))
        if other is None or other.service is not None:
            return None
        what = "deleted message" if other.deleted is not None else bounded(found.quote or other.text) or "a file"
        return f"{self._world.state.users[other.sender].first_name}: {what}"

    def busy(self, by: str, place: str) -> list[Json]:
        """The chat action of the bot there."""
        _, chat, topic = self._place(by, place)
        who = self._world.state.users[self._world.me].first_name
        return [
            {"who": who, "what": _ACTIONS.get(each["action"], "is busy"), "until": each["until"]}
            for each in self._world.actions()
            if chat is not None and (each["chat"], each["topic"]) == (chat.id, topic)
        ]

    def menu(self, by: str, place: str) -> list[Json]:
        """The commands; in groups they name the bot, as those picked from Telegram's menu do."""
        _, chat, _ = self._place(by, place)
        if chat is None:  # before the first word Telegram's app has nothing but a button for this
            return [{"insert": "/start", "name": "/start", "about": "Begin"}]
        at = "" if chat.kind == "private" else f"@{self._world.state.users[self._world.me].username}"
        with self._told():
            found = self._simulator.commands(by, str(chat.id))
        return [
            {"insert": f"/{each['command']}{at} ", "name": f"/{each['command']}", "about": each["description"]} for each in found
        ]

    def toasts(self, by: str) -> list[Json]:
        """The answers to presses, which Telegram shows in passing."""
        with self._told():
            user = lookup.user(self._world, by).id
        found = [each for each in self._world.state.queries.values() if each.user == user and (each.answer or {}).get("text")]
        return [{"id": each.id, "text": str((each.answer or {})["text"])} for each in found[-5:]]

    async def write(self, by: str, place: str, text: str, files: Sequence[Json], reply_to: str | None) -> None:
        """Write a message; commands are messages here."""
        _, chat, topic = self._place(by, place)
        where = "" if chat is None else str(chat.id)
        given = [each | {"kind": _kind(each["name"])} for each in given_files(files)]
        with self._told():
            await self._simulator.say(
                by, where, text, topic=topic, reply_to=reply_to, attachments=given, direct=place == PRIVATE
            )  # fmt: skip

    def _whose(self, by: str, message: str) -> tuple[bool, bool]:
        found = self._seen(by, message)
        return self._world.state.users[found.sender].username == by, found.sender == self._world.me

    def _seen(self, by: str, message: str) -> Message:
        with self._told():
            found, user = lookup.message(self._world, message), lookup.user(self._world, by).id
        chat = self._world.state.chats[found.chat]
        if found.deleted is not None or not (chat.id == user if chat.kind == "private" else self._world.inside(chat, user)):
            raise Refusal("You cannot see that message.")
        return found

    def _file(self, by: str, message: str, file: str) -> Blob | None:
        found = self._world.state.files.get(file) if self._seen(by, message).file == file else None
        data = None if found is None else self._world.files.read(file)
        return None if found is None or data is None else Blob(found.name, found.media, data)

    def fault(self, mishap: str) -> Rule:
        """What goes wrong next. A 429 is worded as Telegram words it."""
        path = r"^/(?i:send|edit|delete|answer|set(?!webhook)|file/)"
        return mishap_rule(mishap, path, too_many(2).body())


def _button(found: Json) -> Json:
    told: Json = {"id": found.get("callback_data", ""), "label": found["text"]}
    return told if told["id"] else told | {"off": True}


def _kind(name: str) -> str:
    """Pictures are sent as photos, as Telegram's app does it unless it is told otherwise. A GIF would be an animation."""
    photo = media_type(name) in PICTURES - {"image/gif"} and PurePath(name).suffix
    return "photo" if photo else "document"
