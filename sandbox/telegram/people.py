"""Acting as the people of the simulated Telegram."""

from collections.abc import Sequence

from sandbox.telegram import lookup
from sandbox.telegram.api.asked import CAPTION, TEXT
from sandbox.telegram.entities import formatted, units
from sandbox.telegram.giving import attached
from sandbox.telegram.interacting import Interacting, Wrong
from sandbox.telegram.model import Chat, Json, Message
from sandbox.telegram.views import message_view, origin
from sandbox.telegram.world import Written, chain


class People(Interacting):
    """What people write. Names are resolved as in `lookup`; an unknown one raises `lookup.Unknown`, a `ValueError`."""

    async def say(
        self,
        by: str,
        where: str,
        text: str = "",
        *,
        topic: str | int | None = None,
        reply_to: str | None = None,
        quote: str | None = None,
        attachments: Sequence[Json] = (),
        forwarded: str | None = None,
        entities: Sequence[Json] = (),
        direct: bool = False,
    ) -> Json:
        """Write a message as a person or another bot and return it; of an album the first, which has the caption.

        `@name`, `/command`, links and hashtags become entities by themselves. `topic` is a topic's name or id. `reply_to` is a
        message, `quote` a part of its text. Attachments are as `giving.attached` takes them: two or more are an album, each item
        an update of its own. `forwarded` is the person, group or hidden name that it comes from. `direct` writes to the bot in
        private, whatever `where` says; whoever blocked the bot unblocks it so. Raises `Wrong`.
        """
        author = lookup.user(self.world, by)
        chat = self.world.open_private(author.id) if direct else lookup.chat(self.world, where)
        if chat.kind == "private" and chat.id != author.id:
            raise Wrong(f"that is the private chat of {chat.title}")
        self._begin(chat, author.id)
        content, found = formatted(text.strip(), list(entities))
        if not content and not attachments:
            raise Wrong("nothing was written")
        if units(content) > (CAPTION if attachments else TEXT):
            raise Wrong("the text is too long for one message")
        files = [attached(self.world, each) for each in attachments]
        replied = None if reply_to is None else lookup.message(self.world, reply_to)
        place = self._topic(chat, topic, replied)
        album = None
        if len(files) > 1:
            album = str(13_000_000_000 + self.world.state.last_number)
        sent: list[Message] = []
        for number in range(max(1, len(files))):
            written = Written(author.id, topic=place, album=album)
            if number == 0:
                written.text, written.entities = content, found
            if files:
                written.media, written.file = files[number].kind, files[number].id
            if replied is not None:
                written.reply_to, written.quote = replied.id, quote
                written.thread = chain(chat, replied) if place is None else None
            if forwarded is not None:
                written.forward = self._origin(forwarded)
            sent.append(self.world.post(chat, written))
        return message_view(self.world, sent[0])

    def _begin(self, chat: Chat, author: int) -> None:
        if chat.kind == "private":
            if not chat.started or chat.blocked:
                self.world.set_chat(chat, started=True)
            if chat.blocked:
                self.world.set_chat(chat, blocked=False)
                self.world.set_member(chat, self.world.me, "member", author)
            return
        if chat.migrated_to is not None:
            raise Wrong(f"{chat.title} is a supergroup now")
        if not self.world.inside(chat, author):
            raise Wrong(f"{self.world.state.users[author].username} is not in {chat.title}")
        if chat.muted and not self.world.rules(chat, author):
            raise Wrong(f"only administrators write in {chat.title}")

    def _topic(self, chat: Chat, topic: str | int | None, replied: Message | None) -> int | None:
        if replied is not None and replied.chat != chat.id:
            raise Wrong("a reply is in the chat of its message")
        if topic is None and replied is not None:
            return replied.topic
        return lookup.topic(chat, topic)

    def _origin(self, forwarded: str) -> Json:
        for each in self.world.state.users.values():
            if forwarded in (each.username, each.first_name):
                return origin(self.world, forwarded, each.id, None)
        for each in self.world.state.chats.values():
            if forwarded == each.title and each.kind != "private":
                return origin(self.world, forwarded, None, each)
        return origin(self.world, forwarded, None, None)

    async def call(
        self,
        by: str,
        name: str,
        where: str = "",
        text: str = "",
        *,
        at: bool | None = None,
        topic: str | int | None = None,
        reply_to: str | None = None,
    ) -> Json:
        """Give a command in a chat, or without one in private, and return its message.

        `at` says whether it names the bot (`/ask@bot`); by default it does in groups, as when it is picked from the menu.
        """
        private = not where or where.startswith("@")
        named = f"@{self.world.state.users[self.world.me].username}" if (not private if at is None else at) else ""
        written = f"/{name.removeprefix('/')}{named} {text}".strip()
        return await self.say(by, where, written, topic=topic, reply_to=reply_to, direct=private)

    async def start(self, by: str) -> Json:
        """Press Start in the private chat with the bot."""
        return await self.call(by, "start")

    async def edit(self, message: str, text: str) -> Json:
        """Change the text or caption of a message as its author."""
        found = lookup.message(self.world, message)
        if found.deleted is not None or found.service is not None:
            raise Wrong("there is nothing to edit")
        content, entities = formatted(text.strip())
        self.world.edit(found, text=content, entities=entities)
        return message_view(self.world, found)

    async def delete(self, message: str) -> Json:
        """Delete anyone's message, also the bot's. No update tells of it."""
        found = lookup.message(self.world, message)
        if found.deleted is None:
            self.world.delete(found)
        return message_view(self.world, found)

    async def react(self, by: str, message: str, emoji: str, *, remove: bool = False) -> Json:
        """Add or take away a person's reaction."""
        found, user = lookup.message(self.world, message), lookup.user(self.world, by).id
        now = found.reactions.get(user, [])
        after = [each for each in now if each != emoji] if remove else [*now, emoji] if emoji not in now else now
        if after != now:
            self.world.react(found, user, after)
        return message_view(self.world, found)
