"""Telegram: an answer stands in the chat of its question. A place is a chat, by its id.

The Bot API gives no past and no key: what was said is kept until it is taken, and a post whose end is not known is made again.
"""

import random
import socket
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sandbox.faults import Rule
from sandbox.telegram import Simulator, SimulatorConfig
from sandbox.telegram.defaults import BOT_NAME
from sandbox.telegram.model import Webhook
from tests.crash.platforms.base import WHERE, Json, Platform, Said, Shown, Sky

WRITES = r"^/(send|edit|delete|setMessageReaction)"


def limited(seconds: int) -> Rule:
    """A 429 that the simulator's own limits would not give (core.telegram.org/bots/api, ResponseParameters)."""
    body = refused(seconds)
    return Rule("status", path=WRITES, status=429, body=body, chance=0.01, times=None, name="429")


def refused(seconds: int) -> Json:
    """What stands in an answer with the status 429."""
    said = f"Too Many Requests: retry after {seconds}"
    return {"ok": False, "error_code": 429, "description": said, "parameters": {"retry_after": seconds}}


class Telegram(Platform):
    """The simulated Telegram, by long polling."""

    name = "telegram"
    calls = r"^/(send|edit|delete)"
    acts = r"^/(send|edit|delete|setMessageReaction|answerCallbackQuery|getFile|file/)"
    writes = WRITES
    posts = r"^/sendMessage$"
    edits = r"^/editMessageText$"
    refusal = refused(4)
    direct_open: ClassVar[Mapping[str, str]] = {"TELEGRAM_DIRECT": "open"}
    tells_deletions = False
    recalls = False
    finds = False
    stops_soon = False
    threads = False
    shows_question = False
    files_at_once = 1
    blind = 1
    faults = (
        limited(1),
        Rule("status", path=WRITES, status=500, chance=0.008, times=None),
        Rule("status", path=WRITES, status=502, chance=0.006, times=None),
        Rule("reset", path=WRITES, chance=0.008, times=None),
        Rule("slow", path=WRITES, chance=0.02, times=None, seconds=0.4),
        Rule("status", path=r"^/(getUpdates|getFile|answer)", status=502, chance=0.02, times=None),
        Rule("reset", path=r"^/getUpdates", chance=0.02, times=None),
        Rule("reset", path=r"^/getUpdates", chance=0.02, times=None, moment="after"),
    )
    mishaps: ClassVar[Mapping[str, int]] = {"drop": 1}

    def __init__(self, sky: Sky) -> None:
        given = SimulatorConfig(round_trip=sky.round_trip, state=sky.state, seed=sky.seed, conflict_delay=0.2)
        if sky.wide:
            many = (1000, 1.0)
            given = SimulatorConfig(
                round_trip=sky.round_trip, state=sky.state, seed=sky.seed, conflict_delay=0.2,
                private_limit=many, group_limit=many, overall_limit=many,
            )  # fmt: skip
        self.simulator = self.telegram = Simulator(given)
        self._asked: dict[str, Said] = {}

    def settings(self) -> dict[str, str]:
        telegram = self.telegram
        return {
            "TELEGRAM_TOKEN": telegram.config.token,
            "TELEGRAM_API_URL": telegram.api_url,
            "TELEGRAM_FILE_URL": telegram.file_url,
        }

    def secrets(self) -> list[str]:
        return [self.telegram.config.token]

    @property
    def connected(self) -> bool:
        return bool(self.telegram.stats()["polling"])

    async def lost(self) -> None:
        # A poll that nobody waits for any more is open until its time is over.
        await self.telegram.drop()

    @property
    def quiet(self) -> bool:
        return not self.telegram.stats()["waiting"]

    async def mishap(self, act: str, dice: random.Random) -> None:
        await self.telegram.drop()

    # people

    async def person(self, name: str) -> None:
        await self.telegram.add_user(name)

    async def room(self, name: str) -> None:
        await self.telegram.add_chat(name)

    async def ask(self, by: str, text: str, where: str = WHERE, *, direct: bool = False, files: Sequence[Json] = ()) -> Said:
        said = text if direct else f"@{BOT_NAME} {text}"
        return self._said(await self.telegram.say(by, where, said, direct=direct, attachments=files))

    async def go_on(self, by: str, place: str, text: str, *, files: Sequence[Json] = ()) -> Said:
        said = text if int(place) > 0 else f"@{BOT_NAME} {text}"
        return self._said(await self.telegram.say(by, place, said, attachments=files))

    async def say(self, by: str, text: str, where: str = WHERE) -> str:
        return self._said(await self.telegram.say(by, where, text)).key

    def _said(self, said: Json) -> Said:
        return Said(said["id"], f"telegram:{said['chat']}/{said['message_id']}", str(said["chat"]))

    async def ask_by_command(self, by: str, where: str, text: str) -> str:
        said = self._said(await self.telegram.call(by, "ask", where, text))
        self._asked[said.key] = said
        return said.key

    def asked_by_command(self, key: str) -> Said | None:
        return self._asked[key]

    async def command(self, by: str, place: str, name: str, value: str = "") -> str:
        where = f"@{by}" if int(place) > 0 else place
        return self._said(await self.telegram.call(by, name, where, value)).key

    async def press(self, by: str, message: str, button: str) -> str:
        return f"telegram:query:{(await self.telegram.press(by, message, button))['id']}"

    def spell(self, command: str, place: str) -> str:
        return f"/{command}" if int(place) > 0 else f"/{command}@{BOT_NAME}"

    def pressed(self, key: str) -> tuple[str, int]:
        query = self.telegram.query(key.rpartition(":")[2])
        chat = self.telegram.messages(str(query["chat"]))
        return str(query["chat"]), 1 + max(self.number(each["id"]) for each in chat if each["created"] <= query["created"])

    async def edit(self, message: str, text: str) -> None:
        mentioned = f"@{BOT_NAME}" in self.telegram.message(message)["content"]
        await self.telegram.edit(message, f"@{BOT_NAME} {text}" if mentioned else text)

    # what can be seen

    def message(self, key: str) -> str:
        return key.partition(":")[2].replace("/", ":")

    def number(self, message: str) -> int:
        # A press comes between two messages.
        return 2 * int(message.rpartition(":")[2])

    def messages(self, place: str) -> list[Shown]:
        own = [each for each in self.telegram.messages(place) if each["author"] == BOT_NAME and each["service"] is None]
        return [self._shown(each) for each in own]

    def _shown(self, view: Json) -> Shown:
        return Shown(
            id=view["id"],
            number=self.number(view["id"]),
            text=written(view["content"], view["entities"]),
            buttons=view["buttons"],
            files=[(each["name"], each["id"]) for each in view["attachments"]],
            history=[each["content"] for each in view["history"]],
            deleted=view["deleted"],
            sort="reply",
        )

    def places(self) -> list[str]:
        return [str(each["id"]) for each in self.telegram.everything()["chats"]]

    def told(self, by: str, place: str, after: str) -> list[str]:
        return [each.text for each in self.answers(place) if each.number > self.number(after)]

    def file(self, name: str) -> bytes:
        return self.telegram.world.files.read(name) or b""

    def signs(self, message: str) -> int:
        return sum(self.telegram.message(message)["reactions"].values())

    def commands_open(self) -> bool:
        return any(each["answer"] is None for each in self.telegram.queries())


class TelegramHook(Telegram):
    """The same where updates are posted to the server."""

    name = "telegram-webhook"

    def __init__(self, sky: Sky) -> None:
        super().__init__(sky)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self._port: int = free.getsockname()[1]

    def settings(self) -> dict[str, str]:
        return super().settings() | {
            "TELEGRAM_EVENTS": "webhook",
            "TELEGRAM_WEBHOOK_URL": f"http://127.0.0.1:{self._port}/telegram/webhook",
            "TELEGRAM_WEBHOOK_SECRET": "a-word-of-our-own",
            "HTTP_PORT": str(self._port),
        }

    @property
    def connected(self) -> bool:
        return bool(self.telegram.world.state.webhook.url)

    async def lost(self) -> None:
        # It goes on trying until somebody tells it otherwise; the next server tells it where to post at its start.
        self.telegram.webhooks.set(Webhook())


def written(text: str, entities: Sequence[Json]) -> str:
    """The text with its entities as Markdown. Offsets are in UTF-16 units, which all that is said here has one of a sign."""
    signs = {
        "bold": ("**", "**"), "italic": ("*", "*"), "code": ("`", "`"), "strikethrough": ("~~", "~~"),
    }  # fmt: skip
    marks: list[tuple[int, int, str]] = []
    for each in entities:
        start, end = each["offset"], each["offset"] + each["length"]
        match each["type"]:
            case "text_link":
                before, after = "[", f"](<{each['url']}>)"
            case "pre":
                before, after = f"```{each.get('language', '')}\n", "\n```"
            case kind:
                before, after = signs.get(kind, ("", ""))
        marks += [(start, 1, before), (end, 0, after)]
    for at, _, mark in sorted(marks, reverse=True):
        text = text[:at] + mark + text[at:]
    return text
