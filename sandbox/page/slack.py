"""The page's seat at the simulated Slack."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from sandbox.faults import Rule
from sandbox.page import markup
from sandbox.page.base import BaseSeat, mishap_rule, refusals
from sandbox.page.seat import PEOPLE, Blob, Json, Part, Refusal, bounded, file_view, given_files, message, reactions
from sandbox.slack import ApiError, Simulator, lookup
from sandbox.slack.blocks import buttons_of
from sandbox.slack.mentions import as_read
from sandbox.slack.model import Channel, Message
from sandbox.slack.triggers import SILENCE

DIRECT = "direct"
THREADS = 15
"""How many threads of a channel are listed, the newest ones."""
SIGNS = {
    "eyes": "\U0001f440",
    "+1": "\U0001f44d",
    "thumbsup": "\U0001f44d",
    "heart": "\u2764",
    "white_check_mark": "\u2705",
    "x": "\u274c",
    "hourglass_flowing_sand": "\u23f3",
    "warning": "\u26a0",
}
"""The emoji that are seen here as signs; others by their names."""
_NAMES = {"\U0001f440": "eyes", "\U0001f44d": "+1", "\u2764": "heart"}
_ABOUT = {"/ask": "Ask a question", "/threadline": "Call one of Threadline's commands, as in /threadline help"}
_SESSION = "session:"
"""Begins the id of what has the Stop button of an agent session."""


class SlackSeat(BaseSeat[Simulator]):
    """What people see of the simulated Slack and do in it: see `Seat`.

    A place is a channel's id or `direct`, and with a slash and the ts of its root a thread there.
    """

    name = "slack"
    title = "Slack"
    replies = False

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(simulator)
        self._world = simulator.world
        markdown = markup.Dialect(
            markup.MARKDOWN, self._named, headings=6, lists=True, tables=True, rules=True, links=True, escapes=True
        )  # fmt: skip
        mrkdwn = markup.Dialect(markup.MRKDWN, self._named, quote="&gt; ?", entities=True)
        self._markdown = markup.reader(markdown)
        self._mrkdwn = markup.reader(mrkdwn)

    def _told(self) -> AbstractContextManager[None]:
        return refusals(ApiError, lambda error: error.error)

    def people(self) -> list[Json]:
        """The first few people."""
        found = [each for each in self._world.state.users.values() if each.bot_id is None]
        return [{"name": each.name, "display": each.display} for each in found[:PEOPLE]]

    def places(self, by: str) -> list[Json]:
        """The channels that the bot is in, and the direct chat, each followed by its newest threads."""
        with self._told():
            user = lookup.user(self._world, by).id
        told: list[Json] = []
        mention = f"@{self._world.state.users[self._world.me].name}"
        for channel in self._world.state.channels.values():
            open_ = not (channel.deleted or channel.archived) and {self._world.me, user} <= channel.members
            if open_ and channel.kind != "im":
                named = {"id": channel.id, "kind": "channel", "name": channel.name, "hint": f"{mention} hello"}
                told.append(named | {"last": self._last(channel)})
                told += self._threads(channel, channel.id)
        direct = self._world.channel(self._world.state.directs.get(user, ""))
        last = "" if direct is None else self._last(direct)
        told.append({"id": DIRECT, "kind": "direct", "name": self._shown(self._world.me), "hint": "hello", "last": last})
        return [*told, *self._threads(direct, DIRECT)] if direct is not None else told

    def _last(self, channel: Channel) -> str:
        """The latest message outside of threads."""
        known = self._world.state.messages
        return next((ts for ts in reversed(channel.messages) if known[ts].thread is None), "")

    def _threads(self, channel: Channel, under: str) -> list[Json]:
        state = self._world.state
        roots = [ts for ts in state.threads if ts in state.messages and state.messages[ts].channel == channel.id]
        told: list[Json] = []
        for ts in sorted(roots)[-THREADS:]:
            if state.messages[ts].deleted is None and self._world.replies(ts):
                text = self._words(state.messages[ts]).strip()
                name = bounded(text.removeprefix(f"@{self._shown(self._world.me)}"), 48) or "Thread"
                place = {"id": f"{under}/{ts}", "kind": "thread", "name": name, "under": under, "hint": "what is 2 + 3?"}
                told.append(place | {"last": state.threads[ts][-1]})
        return told

    def _place(self, by: str, place: str) -> tuple[str, Channel | None, str | None]:
        """Who it is, the channel (None for a direct chat that has not begun), and the thread's root."""
        where, _, root = place.partition("/")
        with self._told():
            user = lookup.user(self._world, by).id
            direct = self._world.channel(self._world.state.directs.get(user, ""))
            channel = direct if where == DIRECT else lookup.channel(self._world, where)
            begun = lookup.message(self._world, root) if root else None
        if channel is not None and (user not in channel.members or (channel.kind == "im" and where != DIRECT)):
            raise Refusal("You cannot see that place.")
        if begun is not None and (channel is None or begun.channel != channel.id):
            raise Refusal("You cannot see that thread.")
        return user, channel, root or None

    def read(self, by: str, place: str, most: int) -> Part:
        """The latest messages: of a channel those outside of threads, and those that were sent to it as well."""
        user, channel, root = self._place(by, place)
        if channel is None:
            return Part([], earlier=False)
        known = self._world.state.messages
        ids = channel.messages if root is None else [root, *self._world.state.threads.get(root, [])]
        seen = [
            known[ts] for ts in ids if known[ts].deleted is None and (root or known[ts].thread is None or known[ts].broadcast)
        ]
        part = seen[-most:]
        own = [known[ts] for ts in channel.whispers if known[ts].deleted is None and known[ts].ephemeral == user]
        own = [each for each in own if each.thread == root]
        part += [each for each in own if len(seen) <= most or each.created >= part[0].created]
        told = [(each.created, each.ts, self._message(each, user, place)) for each in part]
        for each in self._world.state.triggers.values():
            if (each.channel, each.user, each.outcome, each.kind) == (channel.id, user, SILENCE, "command") and root is None:
                told.append((each.created, each.id, self._silence(each.id, each.created, each.name)))
        told.sort(key=lambda each: each[:2])
        return Part([each[2] for each in told], earlier=len(seen) > most)

    def _silence(self, number: str, at: float, name: str) -> Json:
        body: list[Any] = [{"t": "p", "c": [f'{name} failed with the error "{SILENCE}"']}]
        return message(
            number, author="slackbot", display="Slackbot", bot=True, mine=False, at=at, body=body, state="silent", alone=True
        )  # fmt: skip

    def _message(self, found: Message, user: str, place: str) -> Json:
        author = self._world.state.users[found.user]
        mine, ours = found.user == user, found.user == self._world.me
        state = {"streaming": "growing", "expired": "broken"}.get(self._world.standing(found) or "")
        files = [self._world.state.files[each] for each in found.files]
        alone = found.ephemeral is not None
        return message(
            found.ts, author=author.name, display=author.display, bot=author.bot_id is not None, mine=mine, at=found.created,
            body=self._body(found), source=as_read(found.text, self._world.state.users), edited=found.edited is not None,
            buttons=[_button(each) for each in buttons_of(found.blocks)],
            files=[file_view(each.id, each.name, each.size, each.media) for each in files if each.ready and not each.deleted],
            reactions=reactions(found.reactions, user, SIGNS), thread=self._thread(found, place), alone=alone, state=state,
            may=[*(["edit"] if mine else []), *(["delete"] if (mine or ours) else []), *([] if alone else ["react"])],
        )  # fmt: skip

    def _words(self, found: Message) -> str:
        return markup.words(self._body(found))

    def _body(self, found: Message) -> list[Any]:
        own = self._markdown(found.text) if found.markdown else self._mrkdwn(found.text)
        nodes = [node for block in found.blocks for node in self._block(block)]
        if found.stream is not None:
            return [*own, *nodes]
        return nodes or own

    def _block(self, block: Json) -> list[Any]:
        """What a block shows (docs.slack.dev, Block Kit: Blocks). Buttons stand below."""
        kind = block["type"]
        if kind == "markdown":
            return self._markdown(block["text"])
        if kind == "divider":
            return [{"t": "hr"}]
        if kind == "header":
            return [{"t": "h2", "c": [block["text"]["text"]]}]
        if kind == "section":
            parts: list[Any] = [block.get("text"), *block.get("fields", [])]
            return [node for part in parts if part for node in self._text(part)]
        if kind == "context":
            return [{"t": "small", "c": self._text(part)} for part in block["elements"] if "text" in part]
        return [{"t": "p", "c": [str(block["title"])]}] if kind in ("plan", "task_card") and block.get("title") else []

    def _text(self, part: Json) -> list[Any]:
        return self._mrkdwn(part["text"]) if part["type"] == "mrkdwn" else [{"t": "p", "c": [part["text"]]}]

    def _thread(self, found: Message, place: str) -> Json | None:
        if "/" in place or found.thread is not None:
            return None
        seen = self._world.replies(found.ts)
        if not seen:
            return None
        last = f"{self._shown(seen[-1].user)}: {bounded(self._words(seen[-1]), 120)}"
        return {"place": f"{place}/{found.ts}", "name": "Thread", "count": len(seen), "last": last}

    def _shown(self, user: str) -> str:
        return self._world.state.users[user].display

    def _named(self, inner: str) -> str | None:
        """What `<…>` names (docs.slack.dev, Formatting message text)."""
        name, _, label = inner.partition("|")
        if name.startswith("@"):
            user = self._world.state.users.get(name[1:])
            return f"@{user.display}" if user else None
        if name.startswith("#"):
            channel = self._world.channel(name[1:])
            return f"#{label or channel.name}" if channel else None
        broadcast = name in ("!here", "!channel", "!everyone") or name.startswith(("!subteam^", "!date^"))
        return (label or f"@{name[1:]}") if broadcast else None

    def busy(self, by: str, place: str) -> list[Json]:
        """The status of the bot there: in a channel also that of threads that are only about to begin."""
        _, channel, root = self._place(by, place)
        now, told = self._world.now(), list[Json]()
        for (where, thread), status in self._world.statuses.items():
            begins = root is None and not self._world.replies(thread)
            if channel is not None and where == channel.id and (thread == root or begins) and status.until > now:
                told.append({"who": self._shown(self._world.me), "what": status.text, "until": status.until})
        session = self._world.state.sessions.get((channel.id, root)) if channel is not None and root else None
        if session is not None and session.status == "processing":
            stop = {"message": f"{_SESSION}{root}", "id": place, "label": "Stop"}
            told = [each | {"button": stop} for each in told] or [{"who": "", "what": "", "until": now + 3600, "button": stop}]
        return told

    def menu(self, by: str, place: str) -> list[Json]:
        """The app's slash commands; Slack has none in threads (docs.slack.dev, Implementing slash commands)."""
        if "/" in place:
            return []
        return [
            {"insert": f"{name} ", "name": name, "about": _ABOUT.get(name, ""), "options": ["text?"]}
            for name in sorted(self._simulator.offered)
        ]

    def prompts(self, by: str, place: str) -> Json | None:
        """What the bot suggests in the direct chat."""
        with self._told():
            return self._simulator.prompts(by) if place == DIRECT else None

    async def opened(self, by: str, place: str) -> None:
        """Tells the bot that its direct chat was opened, as the app's messages tab does."""
        if place == DIRECT:
            with self._told():
                await self._simulator.open_home(by)

    async def write(self, by: str, place: str, text: str, files: Sequence[Json], reply_to: str | None) -> None:
        """Write a message, or call the command that it begins with. `//` sends a slash as it is."""
        _, channel, root = self._place(by, place)
        where = "" if channel is None else channel.id
        given = given_files(files)
        with self._told():
            if text.startswith("/") and not text.startswith("//"):
                if given:
                    raise Refusal("A slash command takes no files on Slack.")
                name, _, rest = text.partition(" ")
                await self._simulator.call(by, name, where, rest.strip(), root)
                return
            text = text.removeprefix("/") if text.startswith("//") else text
            await self._simulator.say(by, where, text, thread=root, attachments=given, direct=place.startswith(DIRECT))

    def _whose(self, by: str, message: str) -> tuple[bool, bool]:
        found, user = self._found(by, message)
        return found.user == user, found.user == self._world.me and found.ephemeral in (None, user)

    def _found(self, by: str, message: str) -> tuple[Message, str]:
        """The message, and who asks for it."""
        with self._told():
            return lookup.message(self._world, message), lookup.user(self._world, by).id

    async def press(self, by: str, message: str, button: str) -> None:
        """Press a button by its action_id, or the Stop button of a session, whose id is the place."""
        if not message.startswith(_SESSION):
            await super().press(by, message, button)
            return
        with self._told():
            _, channel, root = self._place(by, button)
            await self._simulator.stop(by, channel.id if channel else "", root or "")

    async def react(self, by: str, message: str, emoji: str, *, remove: bool) -> None:
        """Add or take away a reaction, given as a sign or by its name."""
        await super().react(by, message, _NAMES.get(emoji, emoji), remove=remove)

    def _seen(self, by: str, message: str) -> Message:
        found, user = self._found(by, message)
        inside = user in self._world.state.channels[found.channel].members
        if found.deleted is not None or found.ephemeral not in (None, user) or not inside:
            raise Refusal("You cannot see that message.")
        return found

    def _file(self, by: str, message: str, file: str) -> Blob | None:
        found = self._world.state.files.get(file) if file in self._seen(by, message).files else None
        data = None if found is None or found.deleted else self._world.files.read(file)
        return None if found is None or data is None else Blob(found.name, found.media, data)

    def fault(self, mishap: str) -> Rule:
        """What goes wrong next. A 429 is worded as Slack words it."""
        path = r"^/(chat|files|assistant|agents|reactions|responses)\b"
        return mishap_rule(mishap, path, {"ok": False, "error": "ratelimited"})


def _button(found: Json) -> Json:
    told: Json = {"id": found["action"]["action_id"], "label": found["label"]}
    style = found["action"].get("style")
    return told | {"style": style} if style else told
