"""What people do with chats: topics, members, blocking, and the move of a group to a supergroup."""

from sandbox.telegram import lookup
from sandbox.telegram.interacting import Wrong
from sandbox.telegram.model import GENERAL, Chat, Json
from sandbox.telegram.payloads import user_json
from sandbox.telegram.people import People
from sandbox.telegram.views import chat_view
from sandbox.telegram.world import Written


class Managing(People):
    """Chats as their owners keep them. Names are resolved as in `lookup`."""

    async def topic(self, by: str, where: str, name: str) -> Json:
        """Create a topic in a forum, or with `@user` in a private chat, and return it with its id."""
        chat, user = lookup.chat(self.world, where), lookup.user(self.world, by).id
        if chat.kind == "private":
            if not self.world.config.topics_in_private:
                raise Wrong("the bot has no topics in private chats")
            self._begin(chat, user)
        elif not chat.forum:
            raise Wrong(f"{where} is not a forum")
        return {"id": self.world.add_topic(chat, name, user), "name": name}

    async def close_topic(self, by: str, where: str, topic: str) -> None:
        """Close a topic, also `General`."""
        self._change(by, where, topic, {"forum_topic_closed": {}}, {"general_forum_topic_hidden": {}}, closed=True)

    async def reopen_topic(self, by: str, where: str, topic: str) -> None:
        """Open a topic again."""
        self._change(by, where, topic, {"forum_topic_reopened": {}}, {"general_forum_topic_unhidden": {}}, closed=False)

    async def rename_topic(self, by: str, where: str, topic: str, name: str) -> None:
        """Give a topic another name."""
        service = {"forum_topic_edited": {"name": name}}
        self._change(by, where, topic, service, service, name=name)

    def _change(self, by: str, where: str, topic: str, service: Json, general: Json, **fields: str | bool) -> None:
        chat, user = lookup.chat(self.world, where), lookup.user(self.world, by).id
        number = lookup.topic(chat, topic)
        if number is None:
            made = {} if GENERAL in chat.topics else {"name": "General"}
            self.world.set_topic(chat, GENERAL, user, general, **{**made, **fields})
        else:
            self.world.set_topic(chat, number, user, service, **fields)

    async def delete_topic(self, where: str, topic: str) -> None:
        """Delete a topic with its messages. No update tells of it."""
        chat = lookup.chat(self.world, where)
        number = lookup.topic(chat, topic)
        if number is None:
            raise Wrong("General cannot be deleted")
        self.world.set_topic(chat, number, self.world.me, deleted=True)
        for each in list(chat.messages):
            found = self.world.message(chat.id, each)
            if found is not None and found.topic == number:
                self.world.delete(found)

    async def migrate(self, where: str, by: str = "user1") -> Json:
        """Make a group a supergroup and return that: another id, another count of messages, and the old one is closed.

        core.telegram.org/bots/api, Message: migrate_to_chat_id in the old chat, migrate_from_chat_id in the new one.
        """
        old, user = lookup.chat(self.world, where), lookup.user(self.world, by).id
        if old.kind != "group" or old.migrated_to is not None:
            raise Wrong(f"{where} is no basic group")
        members = [[each, status] for each, status in old.members.items()]
        new = self.world.add_chat(self._free(), "supergroup", old.title, members)
        if old.hears_all != new.hears_all:
            self.world.set_chat(new, hears_all=old.hears_all)
        self.world.post(old, Written(user, service={"migrate_to_chat_id": new.id}))
        self.world.set_chat(old, migrated_to=new.id)
        self.world.post(new, Written(user, service={"migrate_from_chat_id": old.id}))
        return chat_view(self.world, new)

    def _free(self) -> int:
        return min(-1_002_000_000_000, *self.world.state.chats) - 1

    async def block(self, by: str) -> None:
        """Block the bot as a person (my_chat_member with status kicked)."""
        user = lookup.user(self.world, by).id
        chat = self.world.open_private(user)
        if not chat.blocked:
            self.world.set_chat(chat, blocked=True, started=True)
            self.world.set_member(chat, self.world.me, "kicked", user)

    async def unblock(self, by: str) -> None:
        """Unblock it again."""
        user = lookup.user(self.world, by).id
        chat = self.world.open_private(user)
        if chat.blocked:
            self.world.set_chat(chat, blocked=False)
            self.world.set_member(chat, self.world.me, "member", user)

    async def deactivate(self, user: str) -> None:
        """Let a person's account be deleted."""
        self.world.commit({"op": "user_set", "user": lookup.user(self.world, user).id, "deactivated": True})

    async def add_bot(self, where: str, user: str = "threadline_bot", by: str = "user1", *, admin: bool = False) -> Json:
        """Bring the bot, or somebody else, into a group. Privacy mode counts as it is now."""
        chat, who, adder = self._group(where), lookup.user(self.world, user), lookup.user(self.world, by).id
        if who.id == self.world.me:
            self.world.set_chat(chat, hears_all=not self.world.privacy)
        self.world.set_member(chat, who.id, "administrator" if admin else "member", adder)
        self.world.post(chat, Written(adder, service={"new_chat_members": [user_json(who)]}))
        return chat_view(self.world, chat)

    async def remove_bot(self, where: str, user: str = "threadline_bot", by: str = "user1") -> Json:
        """Remove the bot, or somebody else, from a group."""
        chat, who, remover = self._group(where), lookup.user(self.world, user), lookup.user(self.world, by).id
        self.world.set_member(chat, who.id, "kicked", remover)
        self.world.post(chat, Written(remover, service={"left_chat_member": user_json(who)}))
        return chat_view(self.world, chat)

    async def promote(self, where: str, user: str = "threadline_bot", by: str = "user1", *, admin: bool = True) -> Json:
        """Make the bot, or somebody else, an administrator, or no longer one."""
        chat, who = self._group(where), lookup.user(self.world, user)
        status = "administrator" if admin else "member"
        self.world.set_member(chat, who.id, status, lookup.user(self.world, by).id)
        return chat_view(self.world, chat)

    async def mute(self, where: str, *, muted: bool = True) -> Json:
        """Let nobody but administrators write in a group, or everybody again."""
        chat = self._group(where)
        self.world.set_chat(chat, muted=muted)
        return chat_view(self.world, chat)

    async def add_user(self, name: str, display: str | None = None, *, bot: bool = False) -> Json:
        """Create a user and make them a member of every group."""
        user = self.world.add_user(name, display or name, bot=bot)
        for chat in list(self.world.state.chats.values()):
            if chat.kind != "private" and chat.migrated_to is None:
                self.world.set_member(chat, user.id, "member", user.id)
        return {"id": user.id, "name": user.username}

    async def add_chat(self, name: str, kind: str = "supergroup", *, forum: bool = False, bot: bool = True) -> Json:
        """Create a group or supergroup with everybody in it, and the bot if `bot`."""
        if kind not in ("group", "supergroup") or (forum and kind == "group"):
            raise ValueError("a chat is a group or a supergroup, and only that is a forum")
        users = [each.id for each in self.world.state.users.values() if each.id != self.world.me]
        members: list[list[object]] = [[each, "member"] for each in users]
        members[0][1] = "creator"
        number = self._free() if kind == "supergroup" else max(each for each in self._groups()) + 1
        chat = self.world.add_chat(number, "supergroup" if kind == "supergroup" else "group", name, members, forum=forum)
        return await self.add_bot(str(chat.id)) if bot else chat_view(self.world, chat)

    def _groups(self) -> list[int]:
        """The ids of basic groups, growing from a fixed one."""
        return [
            -4_100_000_000,
            *(each.id for each in self.world.state.chats.values() if -4_100_000_000 < each.id < -4_050_000_000),
        ]

    def _group(self, where: str) -> Chat:
        chat = lookup.chat(self.world, where)
        if chat.kind == "private":
            raise Wrong("that is a private chat")
        return chat
