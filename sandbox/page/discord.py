"""The page's seat at the simulated Discord."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from sandbox import slash
from sandbox.calls import Call
from sandbox.discord import ApiError, Simulator, lookup
from sandbox.discord.interactions import SILENCE, silent
from sandbox.discord.model import AUTOCOMPLETE, LOADING, Channel, Message, Permission
from sandbox.discord.rest.components import buttons_of
from sandbox.discord.rest.server import PREFIX
from sandbox.faults import Rule
from sandbox.page import markup
from sandbox.page.base import BaseSeat, mishap_rule, refusals
from sandbox.page.completing import Typed, completes, typed
from sandbox.page.seat import PEOPLE, Blob, Json, Part, Refusal, bounded, file_view, given_files, message, reactions

DIRECT = "direct"
THREADS = 15
"""How many threads of a channel are listed, the newest ones."""
_UNSEEN = frozenset({18, 21})
"""Messages that Discord itself writes about threads (Discord developer docs, Message: Message Types)."""
_ATTACHMENT = 11
"""Discord developer docs, Application Commands: Application Command Option Type."""


class DiscordSeat(BaseSeat[Simulator]):
    """What people see of the simulated Discord and do in it: see `Seat`."""

    name = "discord"
    title = "Discord"
    replies = True

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(simulator)
        self._world = simulator.world
        dialect = markup.Dialect(
            markup.DISCORD, self._named, quote="> ", headings=3, lists=True, links=True, small=True, escapes=True
        )  # fmt: skip
        self._tree = markup.reader(dialect)

    def _told(self) -> AbstractContextManager[None]:
        return refusals(ApiError, lambda error: error.message)

    def people(self) -> list[Json]:
        """The first few people."""
        found = [each for each in self._world.state.users.values() if not each.bot]
        return [{"name": each.name, "display": each.display} for each in found[:PEOPLE]]

    def places(self, by: str) -> list[Json]:
        """The channels, each followed by its newest threads, and the direct chat."""
        with self._told():
            user = lookup.user(self._world, by).id
        mention = f"@{self._world.state.users[self._world.me].name}"
        told: list[Json] = []
        for channel in self._open(None):
            if not self._sees(channel, user):
                continue
            told.append(self._listed(channel, hint=f"{mention} hello"))
            told += [self._listed(each, hint="what is 2 + 3?") for each in self._open(channel.id)[-THREADS:]]
        direct = self._world.channel(self._world.state.directs.get(user, 0))
        last = "" if direct is None else str(direct.last)
        return [*told, {"id": DIRECT, "kind": "direct", "name": self._shown(self._world.me), "hint": "hello", "last": last}]

    def _listed(self, channel: Channel, hint: str) -> Json:
        named: Json = {"id": str(channel.id), "kind": "channel", "name": channel.name, "hint": hint, "last": str(channel.last)}
        return named | {"kind": "thread", "under": str(channel.parent)} if channel.thread else named

    def _open(self, parent: int | None) -> list[Channel]:
        known = self._world.state.channels.values()
        return [each for each in known if each.person is None and each.parent == parent and not each.deleted]

    def _sees(self, channel: Channel, user: int) -> bool:
        return bool(self._world.may(channel, user) & Permission.VIEW_CHANNEL)

    def _place(self, by: str, place: str) -> tuple[int, Channel | None]:
        """Who it is, and the channel; None for a direct chat that has not begun."""
        with self._told():
            user = lookup.user(self._world, by).id
            if place == DIRECT:
                return user, self._world.channel(self._world.state.directs.get(user, 0))
            channel = lookup.channel(self._world, place)
        if channel.person is not None or not self._sees(channel, user):
            raise Refusal("You cannot see that place.")
        return user, channel

    def read(self, by: str, place: str, most: int) -> Part:
        """The latest messages; in a thread the one that it was opened on comes first."""
        user, channel = self._place(by, place)
        if channel is None:
            return Part([], earlier=False)
        known = self._world.state.messages
        seen = [known[each] for each in channel.messages if known[each].deleted is None and known[each].type not in _UNSEEN]
        opener = known.get(channel.id)
        if opener is not None and opener.deleted is None:
            seen.insert(0, opener)
        part = seen[-most:]
        own = [known[each] for each in channel.whispers if known[each].deleted is None and known[each].ephemeral == user]
        part += [each for each in own if len(seen) <= most or each.created >= part[0].created]
        told = [(each.created, each.id, self._message(each, user, channel.id)) for each in part]
        for each in self._world.state.interactions.values():
            waiting = each.answered is None and each.type != AUTOCOMPLETE
            if (each.channel, each.user) == (channel.id, user) and waiting and silent(self._world, each):
                told.append((each.created, each.id, self._silence(each.id, each.created)))
        told.sort(key=lambda each: each[:2])
        return Part([each[2] for each in told], earlier=len(seen) > most)

    def _silence(self, number: int, at: float) -> Json:
        display = self._shown(self._world.me)
        body: list[Any] = [{"t": "p", "c": [SILENCE]}]
        return message(
            str(number), author="", display=display, bot=True, mine=False, at=at, body=body, state="silent", alone=True
        )  # fmt: skip

    def _message(self, found: Message, user: int, place: int) -> Json:
        author = self._world.state.users[found.author]
        mine, ours = found.author == user, found.author == self._world.me
        state = None
        if found.flags & LOADING:
            over = found.interaction is not None and silent(self._world, self._world.state.interactions[found.interaction])
            state = "silent" if over else "thinking"
        text = SILENCE if state == "silent" else found.content
        buttons = [_button(each) for each in buttons_of(found.components)]
        may = [*(["edit"] if mine else []), *(["delete"] if mine or ours else [])]
        may += [] if found.ephemeral else ["reply", "react"]
        return message(
            str(found.id), author=author.name, display=found.webhook or author.display, bot=author.bot, mine=mine,
            at=found.created, body=self._tree(text), source=self._typed(found.content),
            edited=found.edited is not None, buttons=buttons, files=[_file(each) for each in found.attachments],
            reactions=reactions(found.reactions, user, {}), thread=self._thread(found, place), reply=self._replied(found),
            alone=found.ephemeral is not None, state=state,
            may=may,
        )  # fmt: skip

    def _thread(self, found: Message, place: int) -> Json | None:
        thread = self._world.channel(found.id)
        if thread is None or thread.id == place:
            return None
        seen = [self._world.state.messages[each] for each in thread.messages]
        seen = [each for each in seen if each.deleted is None and each.type not in _UNSEEN]
        told: Json = {"place": str(thread.id), "name": thread.name, "count": len(seen)}
        if not seen:
            return told
        return told | {"last": f"{self._shown(seen[-1].author)}: {bounded(markup.words(self._tree(seen[-1].content)), 120)}"}

    def _replied(self, found: Message) -> str | None:
        number = (found.reference or {}).get("message_id")
        other = self._world.state.messages.get(int(number)) if number and found.type not in _UNSEEN else None
        if other is None:
            return None
        what = "deleted message" if other.deleted is not None else bounded(markup.words(self._tree(other.content))) or "a file"
        return f"{self._shown(other.author)}: {what}"

    def _shown(self, user: int) -> str:
        return self._world.state.users[user].display

    def _named(self, inner: str) -> str | None:
        state = self._world.state
        number = inner.lstrip("@!&#")
        if not number.isdigit() or inner[:1] not in "@#":
            return None
        if inner.startswith("#"):
            channel = state.channels.get(int(number))
            return f"#{channel.name}" if channel else None
        if inner.startswith("@&"):
            named = [role.name for guild in state.guilds.values() for role in guild.roles.values() if role.id == int(number)]
            return f"@{named[0]}" if named else None
        user = state.users.get(int(number))
        return f"@{user.display}" if user else None

    def _typed(self, text: str) -> str:
        """A text as a person would type it: with `@name` for mentions."""
        for user in self._world.state.users.values():
            text = text.replace(f"<@{user.id}>", f"@{user.name}")
        return text

    def busy(self, by: str, place: str) -> list[Json]:
        """The typing sign of the bot."""
        _, channel = self._place(by, place)
        now, me = self._world.now(), self._world.me
        until = self._world.typing.get((channel.id, me), 0.0) if channel is not None else 0.0
        return [{"who": self._shown(me), "what": "is typing", "until": until}] if until > now else []

    def menu(self, by: str, place: str) -> list[Json]:
        """The slash commands, with the names of their options."""
        return [
            {
                "insert": f"/{each['name']} ",
                "name": f"/{each['name']}",
                "about": each.get("description", ""),
                "options": [f"{option['name']}{'' if option.get('required') else '?'}" for option in each.get("options", [])],
                "named": True,
                "completes": any(completes(option) for option in each.get("options", [])),
            }
            for each in self._commands(by, place)
        ]

    def _commands(self, by: str, place: str) -> list[Json]:
        _, channel = self._place(by, place)
        if channel is None:
            return []  # the direct chat is not there before the first word
        with self._told():
            return self._simulator.commands(by, str(channel.id))

    async def opened(self, by: str, place: str) -> None:
        """Makes the direct chat when somebody looks into it, as Discord's app does: so the commands are there at once."""
        if place == DIRECT:
            with self._told():
                self._world.open_direct(lookup.user(self._world, by).id)

    async def complete(self, by: str, place: str, text: str) -> list[Json]:
        """The values of the option that the text ends in: those of the command itself, else what the bot offers."""
        _, channel = self._place(by, place)
        where = "" if channel is None else str(channel.id)
        with self._told():
            name = text.removeprefix("/").partition(" ")[0]
            known = self._simulator.commands(by, where) if text.startswith("/") else []
            command = next((each for each in known if each["name"] == name), None)
            found = None if command is None else typed(text, command.get("options", []))
            if found is None:
                return []
            try:
                values = await self._values(by, name, found, where)
            except TimeoutError:
                raise Refusal("Loading options failed.") from None  # as Discord says it
        return [{"name": each["name"], "insert": found.filled(str(each["value"])), "about": _otherwise(each)} for each in values]

    async def _values(self, by: str, command: str, found: Typed, where: str) -> list[Json]:
        option = found.option
        if not option.get("choices"):
            return await self._simulator.autocomplete(by, command, option["name"], found.value, where)
        return [each for each in option["choices"] if found.value.casefold() in each["name"].casefold()]

    async def write(self, by: str, place: str, text: str, files: Sequence[Json], reply_to: str | None) -> None:
        """Write a message, or call the command that it begins with. `//` sends a slash as it is."""
        _, channel = self._place(by, place)
        where = "" if channel is None else str(channel.id)
        given = given_files(files)
        with self._told():
            if text.startswith("/") and not text.startswith("//"):
                known = self._simulator.commands(by, where or f"@{by}")
                line = slash.parsed(text, [_without_files(each) for each in known])
                if line is not None:
                    named = _file_options(known, line.name)
                    options = line.options | dict(zip(named, given, strict=False))
                    await self._simulator.call(by, line.name, where, options)
                    return
            text = text.removeprefix("/") if text.startswith("//") else text
            direct = place == DIRECT
            await self._simulator.say(by, where, text, reply_to=reply_to, attachments=given, direct=direct)

    def _whose(self, by: str, message: str) -> tuple[bool, bool]:
        found, user = self._found(by, message)
        return found.author == user, found.author == self._world.me and found.ephemeral in (None, user)

    def _found(self, by: str, message: str) -> tuple[Message, int]:
        """The message, and who asks for it."""
        with self._told():
            return lookup.message(self._world, message), lookup.user(self._world, by).id

    def _seen(self, by: str, message: str) -> Message:
        found, user = self._found(by, message)
        channel = self._world.state.channels[found.channel]
        alone = found.ephemeral not in (None, user) or channel.person not in (None, user)
        if found.deleted is not None or alone or not self._sees(channel, user):
            raise Refusal("You cannot see that message.")
        return found

    def _file(self, by: str, message: str, file: str) -> Blob | None:
        found = next((each for each in self._seen(by, message).attachments if str(each["id"]) == file), None)
        data = None if found is None else self._world.files.read(int(found["id"]))
        return None if found is None or data is None else Blob(found["filename"], found.get("content_type", ""), data)

    def called(self, call: Call) -> str:
        """The path without what all paths have, and without tokens."""
        path = call.path.removeprefix(PREFIX).partition("?")[0].removeprefix("/")
        parts = path.split("/")
        # Ids differ in their last digits; tokens of interactions are longer and tell nothing.
        return "/".join(f"…{each[-3:]}" if each.isdigit() else "…" if len(each) > 24 else each for each in parts)

    def fault(self, mishap: str) -> Rule:
        """What goes wrong next. A 429 is worded as Discord words it."""
        path = r"/(channels|webhooks|interactions)/"
        body = {"message": "You are being rate limited.", "retry_after": 2.0, "global": False}
        return mishap_rule(mishap, path, body, {"Via": "1.1 simulator", "X-RateLimit-Scope": "user"})


def _button(found: Json) -> Json:
    told: Json = {"id": found.get("custom_id", ""), "label": found.get("label") or "Button"}
    style = {1: "primary", 3: "good", 4: "danger"}.get(found.get("style", 2))
    return told | ({"style": style} if style else {}) | ({"off": True} if found.get("disabled") or not told["id"] else {})


def _file(found: Json) -> Json:
    return file_view(str(found["id"]), found["filename"], found["size"], found.get("content_type", ""))


def _otherwise(choice: Json) -> str:
    """A choice's value, where it is not what the choice is called."""
    return "" if choice["value"] == choice["name"] else str(choice["value"])


def _without_files(command: Json) -> Json:
    """A command without its options for files: those take what the page sends, never the path of a file on this machine."""
    options: list[Json] = command.get("options", [])
    return command | {"options": [_without_files(each) for each in options if each["type"] != _ATTACHMENT]}


def _file_options(known: Sequence[Json], name: str) -> list[str]:
    """The names of a command's options that take a file."""
    first, *rest = name.split()
    nothing: list[Json] = []
    options: list[Json] = next((each.get("options", nothing) for each in known if each["name"] == first), nothing)
    for word in rest:
        options = next((each.get("options", nothing) for each in options if each["name"] == word), nothing)
    return [each["name"] for each in options if each["type"] == _ATTACHMENT]
