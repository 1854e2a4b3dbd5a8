"""Acting as the people of the simulated Slack, and as those who run its workspace."""

from collections.abc import Sequence
from typing import Any

from sandbox.files import content_of, media_type
from sandbox.slack import defaults, lookup
from sandbox.slack.interacting import Interacting, Wrong
from sandbox.slack.mentions import written
from sandbox.slack.model import Channel, Json
from sandbox.slack.views import channel_view, message_view
from sandbox.slack.world import Draft, Happening

_DETAILS = ("mode", "connect", "width", "height")


class People(Interacting):
    """What people do. Names are resolved as in `lookup`; an unknown one raises `lookup.Unknown`, a `ValueError`."""

    async def say(
        self,
        by: str,
        where: str,
        text: str,
        *,
        thread: str | None = None,
        broadcast: bool = False,
        attachments: Sequence[Json] = (),
        direct: bool = False,
        raw: bool = False,
    ) -> Json:
        """Write a message as a person or another bot and return it.

        `@name`, `#channel`, `@here`, links and `&<>` become what Slack's client sends, unless `raw`. `thread` is the ts of a
        root. `direct` writes to the bot in private, whatever `where` says. Attachments are as `attached` takes them.
        """
        author = lookup.user(self.world, by)
        channel = self.world.open_direct(author.id) if direct else lookup.channel(self.world, where)
        if author.id not in channel.members and author.team == self.world.team:
            raise Wrong(f"{by} is not in {channel.name}")
        if channel.archived:
            raise Wrong(f"{channel.name} is archived")
        if thread is not None:
            root = lookup.message(self.world, thread)
            thread = root.thread or root.ts
        files = [self.attached(author.id, given) for given in attachments]
        content = text.strip() if raw else self.written(text)
        if not content and not files:
            raise Wrong("nothing was written")
        subtype = "bot_message" if author.bot_id is not None else "file_share" if files else None
        draft = Draft(author.id, content, thread=thread, broadcast=broadcast, files=files, subtype=subtype)
        return message_view(self.world, self.world.post(channel, draft))

    def written(self, text: str) -> str:
        """The text as Slack's client sends it."""
        return written(text.strip(), self.world.state.users.values(), self.world.state.channels.values())

    async def edit(self, message: str, text: str) -> Json:
        """Change a message as its author."""
        found = lookup.message(self.world, message)
        self.world.edit(found, text=self.written(text))
        return message_view(self.world, found)

    async def delete(self, message: str) -> Json:
        """Delete anyone's message, also the bot's, as an owner of the workspace."""
        found = lookup.message(self.world, message)
        if found.deleted is None:
            self.world.delete(found)
        return message_view(self.world, found)

    async def unfurl(self, message: str) -> Json:
        """Let the links of a message get their previews: the app is told of a change that nobody made."""
        found = lookup.message(self.world, message)
        self.world.tell(Happening("unfurl", {"op": "unfurl", "ts": message}, found.channel, found.ts))
        return message_view(self.world, found)

    async def react(self, by: str, message: str, emoji: str, *, remove: bool = False) -> Json:
        """Add or take away a person's reaction; `emoji` is its name without colons."""
        found = lookup.message(self.world, message)
        self.world.react(found, emoji.strip(":"), lookup.user(self.world, by).id, added=not remove)
        return message_view(self.world, found)

    def attached(self, user: str, given: Json) -> str:
        """A file that a person gives. Returns its id.

        It has `name`, and may have `media_type`, `content_base64`, `size`, `mode` (hosted, external, snippet, hidden_by_limit,
        tombstone), `connect` (from another workspace), `width` and `height`. Without content it is `size` zero bytes long.
        """
        unknown = set(given) - {"name", "media_type", "content_base64", "size", *_DETAILS}
        if unknown or "name" not in given:
            raise ValueError(f"a file has a name, and no {', '.join(sorted(unknown)) or 'less'}")
        name = str(given["name"])
        size, data = content_of(given, name)
        details: dict[str, Any] = {each: given[each] for each in _DETAILS if each in given}
        file = self.world.add_file(name, size, given.get("media_type") or media_type(name), user, **details)
        if data is not None:
            self.world.files.keep(file.id, data)
        return file.id

    async def delete_file(self, file: str) -> None:
        """Delete a file; its message stays."""
        if file not in self.world.state.files:
            raise lookup.Unknown(f"no file {file}")
        self.world.set_file(self.world.state.files[file], deleted=True)

    async def add_user(self, name: str, display: str | None = None, *, bot: bool = False, team: str | None = None) -> Json:
        """Create a user and make them a member of the public channels. `team` is another workspace's id."""
        user = self.world.add_user(name, display or name, bot=bot, team=team)
        for channel in list(self.world.state.channels.values()):
            if channel.kind == "channel" and not channel.deleted:
                self.world.join(channel, user.id, joined=True)
        return {"id": user.id, "name": user.name}

    async def add_channel(self, name: str, *, private: bool = False, bot: bool = True, external: bool = False) -> Json:
        """Create a channel with everybody in it, and the bot if `bot`."""
        people = [user.id for user in self.world.state.users.values() if user.id != self.world.me]
        members = [*people, *([self.world.me] if bot else [])]
        made = self.world.add_channel(name, "group" if private else "channel", members, external=external)
        return channel_view(self.world, made)

    async def delete_channel(self, where: str) -> None:
        """Delete a channel with all that is in it."""
        self.world.set_channel(self._place(where), "deleted", True)

    async def archive(self, where: str, *, archived: bool = True) -> Json:
        """Archive a channel, or bring it back."""
        channel = self._place(where)
        self.world.set_channel(channel, "archived", archived)
        return channel_view(self.world, channel)

    async def read_only(self, where: str, *, read_only: bool = True) -> Json:
        """Let nobody but owners write in a channel, or everybody again."""
        channel = self._place(where)
        self.world.set_channel(channel, "read_only", read_only)
        return channel_view(self.world, channel)

    async def kick(self, where: str, user: str = "threadline") -> None:
        """Remove the bot, or somebody else, from a channel."""
        self.world.join(self._place(where), lookup.user(self.world, user).id, joined=False)

    async def invite(self, where: str, user: str = "threadline") -> None:
        """Bring the bot, or somebody else, into a channel. Somebody of another workspace makes it a shared one."""
        channel, who = self._place(where), lookup.user(self.world, user)
        if who.team != defaults.TEAM and not channel.external:
            self.world.set_channel(channel, "external", True)
        self.world.join(channel, who.id, joined=True)

    def _place(self, where: str) -> Channel:
        channel = lookup.channel(self.world, where)
        if channel.kind == "im":
            raise Wrong("that is a direct chat")
        return channel
