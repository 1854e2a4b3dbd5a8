"""The stage with a simulated Telegram: people there, the whole server in this process, Claude's answers by script.

A place is a group ("general"), the private chat of a person ("@user1"), or a topic ("workshop/plans"); a forum without a topic is
General. Styles are told as Markdown has them. A press is answered in the chat, so nothing is for one person alone there.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from bots.assembly import TELEGRAM_PATH
from sandbox import anthropic
from sandbox.telegram import Simulator, SimulatorConfig, lookup
from sandbox.telegram.defaults import BOT_NAME
from sandbox.telegram.payloads import message_json
from tests.bots.telegram.rig import ROOMY
from tests.script.base import ADMIN, PATIENCE, BaseStage, Json, free_port, line

ME = f"@{BOT_NAME}"
DRAFT = "(draft)"

_MARKS = {"bold": "**", "italic": "*", "code": "`", "strikethrough": "~~", "spoiler": "||", "underline": "__"}


class Stage(BaseStage):
    """Everything around a server on Telegram, and the server."""

    def __init__(self, folder: Path, telegram: Simulator, claude: anthropic.Simulator, settings: Mapping[str, object]) -> None:
        super().__init__(folder, claude, settings)
        self.telegram = telegram

    def platform(self) -> Mapping[str, object]:
        return {
            "telegram_token": self.telegram.config.token,
            "telegram_api_url": self.telegram.api_url,
            "telegram_file_url": self.telegram.file_url,
            "telegram_direct": "open",
            "telegram_admins": self.number(ADMIN),
        }

    async def until(self, true: Callable[[], Any]) -> Any:
        return await self.telegram.wait_for(true, PATIENCE)

    async def gone(self) -> None:
        """There is no connection that could linger: each call is one of its own."""

    # people and places

    async def person(self) -> str:
        name = f"user{self.newcomer()}"
        await self.telegram.add_user(name)
        return name

    def number(self, person: str) -> str:
        """Their id, as settings and the platform have it."""
        return str(lookup.user(self.telegram.world, person).id)

    def chat(self, where: str) -> str:
        """The id of a chat, as settings and the platform have it."""
        return str(lookup.chat(self.telegram.world, _place(where)[0]).id)

    async def group(self, kind: str = "supergroup", *, forum: bool = False) -> str:
        """A new group with everybody in it who is there by now, and the bot."""
        name = f"place{self.newcomer()}"
        await self.telegram.add_chat(name, kind, forum=forum)
        return name

    async def topic(self, by: str, forum: str) -> str:
        """A new topic in a forum."""
        name = f"topic{self.newcomer()}"
        await self.telegram.topic(by, forum, name)
        return f"{forum}/{name}"

    async def say(
        self, by: str, where: str, text: str, *files: Json, reply_to: str | None = None, quote: str | None = None, **more: Any
    ) -> str:
        """Write a message; returns its id."""
        chat, topic = _place(where)
        said = await self.telegram.say(
            by, chat, text, topic=topic, attachments=files, reply_to=reply_to, quote=quote, direct=where == f"@{by}", **more
        )
        return said["id"]

    async def edit(self, message: str, text: str) -> None:
        """Change a message as its author."""
        await self.telegram.edit(message, text)

    async def repeat(self, message: str) -> None:
        """Tell the bot of a message again."""
        world = self.telegram.world
        found = lookup.message(world, message)
        await self.telegram.emit("message", message_json(world, found), found.chat)

    async def heard(self) -> None:
        """Wait until the server has taken all that was said."""
        await self.until(lambda: not self.telegram.waiting())

    async def call(self, by: str, where: str, command: str) -> str:
        """Pick a command from the menu, as "model opus": in groups it names the bot."""
        chat, topic = _place(where)
        name, _, rest = command.partition(" ")
        return (await self.telegram.call(by, name, chat if where != f"@{by}" else "", rest, topic=topic))["id"]

    async def told(self, by: str, where: str, command: str) -> str:
        """Pick a command from the menu and read its answer, without the author."""
        return await self.answer(by, where, await self.call(by, where, command))

    async def answer(self, by: str, where: str, message: str) -> str:
        """The bot's first message after another one, once it is there; without the author."""
        return (await self.until(lambda: self.after(by, where, message))).removeprefix("threadline: ")

    def after(self, by: str, where: str, message: str) -> str | None:
        """The line of the bot's first message after another one, if there is one."""
        numbers = [each["id"] for each in self.seen(by, where)]
        later = self.seen(by, where)[numbers.index(message) + 1 :]
        return next((_line(each) for each in later if each["author"] == BOT_NAME), None)

    async def press(self, by: str, where: str, label: str, *, inaccessible: bool = False) -> str:
        """Press a button by its label, under the last message that has it, as `Simulator.press`; returns the press."""
        found = [each["id"] for each in self.seen(by, where) if label in each["buttons"]]
        return (await self.telegram.press(by, found[-1], label, inaccessible=inaccessible))["id"]

    async def keep_buttons(self, message: str, markup: Json) -> None:
        """Give a message buttons, as a screen still shows those that have just gone."""
        world = self.telegram.world
        world.edit(lookup.message(world, message), markup=markup)

    async def preview(self, message: str) -> None:
        """Change a message as nobody would see it: the bot is told of an edit."""
        self.telegram.world.edit(lookup.message(self.telegram.world, message), hidden=True)

    # what they see

    def seen(self, by: str, where: str) -> list[Json]:
        """The messages that a person sees in a place; those that only tell of changes of the chat are left out."""
        chat, topic = _place(where)
        wanted = lookup.topic(lookup.chat(self.telegram.world, chat), topic)
        return [each for each in self.telegram.sees(by, chat) if each["topic"] == wanted and each["state"] in (None, "draft")]

    def sees(self, by: str, where: str) -> list[str]:
        return [_line(each) for each in self.seen(by, where)]

    def ids(self, by: str, where: str) -> list[str]:
        """The id of each message that a person sees in a place."""
        return [each["id"] for each in self.seen(by, where)]

    def answered_to(self, by: str, where: str) -> list[str | None]:
        """What each message that a person sees is a reply to: the line of that message."""
        lines = {str(each["id"]).rpartition(":")[2]: _line(each) for each in self.seen(by, where)}
        return [lines.get(str(each["reply_to"])) for each in self.seen(by, where)]

    def typing(self, where: str) -> list[Json]:
        """What the bot is shown to do in a place."""
        chat, topic = _place(where)
        here = lookup.chat(self.telegram.world, chat)
        wanted = (here.id, lookup.topic(here, topic))
        return [each for each in self.telegram.actions() if (each["chat"], each["topic"]) == wanted]

    def calls(self, method: str) -> list[Any]:
        """The calls of a method of the Bot API, in any case."""
        return [each for each in self.telegram.calls if each.path.lower() == f"/{method.lower()}"]


def _place(where: str) -> tuple[str, str | None]:
    chat, _, topic = where.partition("/")
    return chat, topic or None


def _line(seen: Json) -> str:
    author = "threadline" if seen["author"] == BOT_NAME else seen["author"]
    told = line(author, marked(seen["text"], seen["entities"]), seen["buttons"], seen["attachments"], seen["reactions"])
    return f"{told} {DRAFT}" if seen["state"] == "draft" else told


def marked(text: str, entities: Sequence[Json]) -> str:
    """A text with its styles as Markdown has them."""
    opens: dict[int, str] = {}
    closes: dict[int, str] = {}
    for each in sorted(entities, key=lambda one: (one["offset"], -one["length"])):
        before, after = _marks(each)
        begin, end = each["offset"], each["offset"] + each["length"]
        opens[begin] = opens.get(begin, "") + before
        closes[end] = after + closes.get(end, "")
    units = text.encode("utf-16-le")
    borders = sorted({0, *opens, *closes, len(units) // 2})
    parts = [closes.get(0, "") + opens.get(0, "")]
    for begin, end in pairwise(borders):
        parts += [units[2 * begin : 2 * end].decode("utf-16-le"), closes.get(end, ""), opens.get(end, "")]
    return "".join(parts)


def _marks(entity: Json) -> tuple[str, str]:
    match entity["type"]:
        case "pre":
            return f"```{entity.get('language', '')}\n", "\n```"
        case "text_link":
            return "[", f"]({entity['url']})"
        case "blockquote" | "expandable_blockquote":
            return "> ", ""
        case kind:
            mark = _MARKS.get(kind, "")
            return mark, mark


@asynccontextmanager
async def opened(
    folder: Path, settings: Mapping[str, object] | None = None, *, config: SimulatorConfig = ROOMY, **more: object
) -> AsyncGenerator[Stage]:
    """A stage with a server that runs with these settings."""
    async with Simulator(config) as telegram, anthropic.Simulator() as claude:
        stage = Stage(folder, telegram, claude, {**(settings or {}), **more})
        await stage.start()
        try:
            yield stage
        finally:
            await stage.stop()


@asynccontextmanager
async def posted(folder: Path, **more: object) -> AsyncGenerator[Stage]:
    """A stage on which Telegram posts to the server. The server is yet to be started."""
    port = free_port()
    given: dict[str, object] = {
        "telegram_events": "webhook",
        "telegram_webhook_url": f"http://127.0.0.1:{port}{TELEGRAM_PATH}",
        "telegram_webhook_secret": "a-word-of-ours",
        "http_port": port,
    }
    async with Simulator(replace(ROOMY, webhook_delay=0.05)) as telegram, anthropic.Simulator() as claude:
        stage = Stage(folder, telegram, claude, {**given, **more})
        try:
            yield stage
        finally:
            await stage.stop()
