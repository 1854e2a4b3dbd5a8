"""From Slack's messages to the vocabulary of the seam. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from bots.slack.names import author_id, channel_id, message_id, moment, space_id
from bots.slack.reading import mentioned, readable
from shared.chat import Attachment, Author, Channel, Message, Quoted, Target

Json = dict[str, Any]

WRITTEN = frozenset({None, "file_share", "thread_broadcast", "bot_message", "me_message"})
"""The subtypes of what somebody wrote (docs.slack.dev, Message event); the others tell of joins, topics and the like."""

QUESTION = "threadline_question"
"""The type of the metadata of a message that shows the question of a command for the person who asked it."""

PART = "threadline_part"
"""The type of the metadata of our other messages."""

SLACKBOT = "USLACKBOT"


@dataclass(frozen=True, slots=True)
class Around:
    """What a message does not say itself."""

    names: Mapping[str, str] = field(default_factory=dict[str, str])
    """Names of users by their ids, as far as known."""
    ours: bool = False
    """Whether the thread that it is in is one that the bot takes part in."""
    root: Json | None = None
    """The first message of its thread, where that is to be quoted."""


@dataclass(frozen=True, slots=True)
class Converter:
    """Reads messages as the bot would."""

    me: str
    """The bot's user id."""
    bot: str
    """The bot's id as the author of messages."""
    team: str
    called: str = ""
    """The bot's name, as people mention it."""

    def by_us(self, raw: Json) -> bool:
        """Whether a message is one of ours."""
        return raw.get("user") == self.me or (bool(raw.get("bot_id")) and raw.get("bot_id") == self.bot)

    def by_person(self, raw: Json) -> bool:
        """Whether a person wrote it."""
        return bool(raw.get("user")) and raw.get("user") not in (self.me, SLACKBOT) and not raw.get("bot_id")

    def mentions_us(self, raw: Json) -> bool:
        """Whether its text names the bot."""
        return self.me in mentioned(_text(raw))

    def users(self, raw: Json) -> list[str]:
        """The users whose names are needed to read it: its author first."""
        author = [str(raw["user"])] if self.by_person(raw) else []
        return [*author, *sorted(mentioned(_text(raw)) - {self.me, *author})]

    def place(self, channel: str, root: str | None = None) -> Channel:
        """A channel, a direct chat, or a thread in one of them.

        A thread of a direct chat is a direct chat, too: what holds for those holds for it.
        """
        direct = channel.startswith("D")  # docs.slack.dev, Conversation object: ids of direct chats
        return Channel(
            id=channel_id(channel, root),
            kind="direct" if direct else "thread" if root else "group",
            parent=channel_id(channel) if root else None,
            space=None if direct else space_id(self.team),
        )

    def message(self, raw: Json, channel: str, around: Around, *, recalled: bool = False) -> Message | None:
        """The message as an event; None for what nobody wrote. What bots wrote is never addressed."""
        ts = str(raw.get("ts") or "")
        if not ts or raw.get("subtype") not in WRITTEN:
            return None
        root = thread_of(raw)
        where = self.place(channel, root)
        if (asked := self._asked(raw)) is not None and root is None:
            return self.question(channel, ts, asked, recalled=recalled)
        person = self.by_person(raw)
        addressed = person and (where.kind == "direct" or self.mentions_us(raw) or (root is not None and around.ours))
        author = self.author(raw, around.names)
        number = message_id(channel, ts)
        return Message(
            keys=(number,),
            id=number,
            target=Target(channel=where, reply_to=number, user=author.id),
            author=author,
            sent_at=moment(ts),
            text=readable(_text(raw), around.names, self.me),
            addressed=addressed,
            recalled=recalled,
            thread=self.place(channel, ts) if addressed and root is None else None,
            quoted=self._quoted(raw, around) if person else None,
            attachments=tuple(attachments(raw)) if person else (),
        )

    def author(self, raw: Json, names: Mapping[str, str]) -> Author:
        """Who wrote."""
        if self.by_person(raw):
            user = str(raw["user"])
            # Their own workspace, in channels that several share (docs.slack.dev, Developing apps for Slack Connect).
            team = str(raw.get("user_team") or raw.get("team") or self.team)
            return Author(id=author_id(user), name=names.get(user) or user, space=space_id(team))
        profile = _dict(raw.get("bot_profile"))
        name = raw.get("username") or profile.get("name") or "bot"
        return Author(id=author_id(str(raw.get("user") or raw.get("bot_id") or "bot")), name=str(name), is_bot=True)

    def question(self, channel: str, ts: str, asked: "Asked", *, recalled: bool = False) -> Message:
        """The question of a command, which stands in the message `ts` of ours."""
        number = message_id(channel, ts)
        return Message(
            keys=(number, asked.key),
            id=number,
            target=Target(channel=self.place(channel), reply_to=number, user=asked.author.id),
            author=asked.author,
            sent_at=moment(ts),
            text=asked.text,
            addressed=True,
            recalled=recalled,
            commanded=True,
            thread=self.place(channel, ts),
        )

    def _asked(self, raw: Json) -> "Asked | None":
        metadata = _dict(raw.get("metadata"))
        if not self.by_us(raw) or metadata.get("event_type") != QUESTION:
            return None
        payload = _dict(metadata.get("event_payload"))
        given = [payload.get(name) for name in ("key", "user", "name", "text")]
        if not all(isinstance(each, str) for each in given):
            return None
        key, user, name, text = cast("list[str]", given)
        team = payload.get("team")
        return Asked(key, Author(id=author_id(user), name=name, space=team if isinstance(team, str) else None), text)

    def _quoted(self, raw: Json, around: Around) -> Quoted | None:
        """A message that was shared with it; else the beginning of a thread into which the bot is called."""
        for each in cast("Sequence[object]", raw.get("attachments") or ()):
            shared = _dict(each)
            if shared.get("is_share") or shared.get("is_msg_unfurl"):
                text = readable(str(shared.get("text") or shared.get("fallback") or ""), around.names)
                name = str(shared.get("author_name") or "Shared message")
                return Quoted(name=name, text=text, own=shared.get("author_id") == self.me)
        if around.root is None:
            return None
        name = self.author(around.root, around.names).name
        return Quoted(
            name=name,
            text=readable(_text(around.root), around.names),
            own=self.by_us(around.root),
            attachments=tuple(attachments(around.root)),
        )


@dataclass(frozen=True, slots=True)
class Asked:
    """The question of a command and who asked it. `key` names the command."""

    key: str
    author: Author
    text: str

    def metadata(self) -> Json:
        """The metadata of the message that shows it."""
        user = self.author.id.partition(":")[2]
        payload = {"key": self.key, "user": user, "name": self.author.name, "text": self.text}
        if self.author.space is not None:
            payload["team"] = self.author.space
        return {"event_type": QUESTION, "event_payload": payload}

    def shown(self) -> str:
        """The Markdown of that message."""
        name = " ".join("".join(sign if sign.isalnum() or sign in " .'-" else " " for sign in self.author.name).split())
        lines = "\n".join(f"> {line}" for line in self.text.splitlines()) or "> "
        return f"**{name[:40] or 'Somebody'}** asks:\n{lines}"


def thread_of(raw: Json) -> str | None:
    """The ts of the thread's first message, for a message that is another one of it."""
    root = raw.get("thread_ts")
    return str(root) if root and root != raw.get("ts") else None


def attachments(raw: Json) -> Iterator[Attachment]:
    """The files of a message. Where they lie is asked anew when they are fetched, so `ref` is Slack's id."""
    for each in cast("Sequence[object]", raw.get("files") or ()):
        file = _dict(each)
        # Those that a free workspace no longer shows, or that were deleted, have no bytes (docs.slack.dev, File object: mode).
        if not file.get("id") or file.get("mode") in ("tombstone", "hidden_by_limit"):
            continue
        yield Attachment(
            ref=str(file["id"]),
            name=str(file.get("name") or file.get("title") or "file"),
            media_type=str(file.get("mimetype") or "application/octet-stream"),
            size=int(file.get("size") or 0),
        )


def _text(raw: Json) -> str:
    return str(raw.get("text") or "")


def _dict(value: object) -> Json:
    return cast("Json", value) if isinstance(value, dict) else {}
