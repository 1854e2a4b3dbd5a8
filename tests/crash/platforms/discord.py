"""Discord: an answer stands in a thread on its question, or in a direct chat."""

import random
from collections.abc import Mapping, Sequence
from typing import ClassVar

from sandbox.discord import Simulator, SimulatorConfig
from sandbox.discord.model import COMMAND, LOADING
from sandbox.faults import Rule
from tests.crash.platforms.base import BOT, WHERE, Json, Platform, Said, Shown, Sky, Sort

THREAD_BEGINS = 21
"""Message type THREAD_STARTER_MESSAGE (Discord developer docs, Message Types): the platform's own sign, no answer."""
ASKED = 20
"""Message type CHAT_INPUT_COMMAND (Discord developer docs, Message Types): the question of an /ask."""

CHANNELS = r"^/channels/"
WRITES = r"^/channels/\d+/messages"
OPTIONS = {"ask": "question", "model": "name"}


def limited(seconds: float, *, whole: bool = False) -> Rule:
    """A 429 that the simulator's own limits would not give."""
    headers = {"Retry-After": str(int(seconds + 0.999)), "Via": "1.1 simulator"}
    headers |= {"X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"} if whole else {"X-RateLimit-Scope": "shared"}
    body = {"message": "You are being rate limited.", "retry_after": seconds, "global": whole}
    chance = 0.001 if whole else 0.01
    return Rule("status", path=WRITES, status=429, headers=headers, body=body, chance=chance, times=None, name="429")


class Discord(Platform):
    """The simulated Discord."""

    name = "discord"
    calls = r"/channels/"
    acts = r"/channels/|/interactions/|/webhooks/|/attachments/"
    writes = CHANNELS
    posts = r"/channels/\d+/messages$"
    edits = r"/channels/\d+/messages/\d+$"
    direct_open: ClassVar[Mapping[str, str]] = {"DISCORD_DIRECT": "open"}
    once = ("press", "edit", "delete", "command", "ask")
    faults = (
        limited(0.7),
        limited(0.3, whole=True),
        Rule("status", path=CHANNELS, status=500, chance=0.008, times=None),
        Rule("status", path=CHANNELS, status=500, chance=0.006, times=None, moment="after"),
        Rule("status", path=CHANNELS, status=503, chance=0.006, times=None),
        Rule("reset", path=CHANNELS, chance=0.008, times=None),
        Rule("reset", path=CHANNELS, chance=0.008, times=None, moment="after"),
        Rule("slow", path=CHANNELS, chance=0.02, times=None, seconds=0.4),
    )
    mishaps: ClassVar[Mapping[str, int]] = {"drop": 5, "reconnect": 4, "duplicate": 8, "pause": 2, "close": 2, "forget": 2}
    scarce = ("forget",)

    def __init__(self, sky: Sky) -> None:
        given = SimulatorConfig(round_trip=sky.round_trip, state=sky.state, seed=sky.seed)
        if sky.wide:
            given = SimulatorConfig(
                round_trip=sky.round_trip, state=sky.state, seed=sky.seed, channel_limit=(50, 5.0), delete_limit=(50, 1.0),
                typing_limit=(50, 5.0), thread_limit=(100, 10.0), history_limit=(100, 5.0), other_limit=(200, 5.0),
                global_limit=(500, 1.0), reaction_limit=(10, 0.25), webhook_limit=(50, 2.0),
            )  # fmt: skip
        self.simulator = self.discord = Simulator(given)

    def settings(self) -> dict[str, str]:
        return {
            "DISCORD_TOKEN": self.discord.config.token,
            "DISCORD_API_URL": self.discord.api_url,
            "DISCORD_GATEWAY_URL": self.discord.gateway_url,
        }

    def secrets(self) -> list[str]:
        return [self.discord.config.token]

    @property
    def connected(self) -> bool:
        return bool(self.discord.stats()["connected"])

    async def mishap(self, act: str, dice: random.Random) -> None:
        match act:
            case "drop":
                await self.discord.drop()
            case "reconnect":
                await self.discord.reconnect()
            case "duplicate":
                await self.discord.duplicate(dice.randint(1, 5))
            case "pause":
                await self.discord.invalidate(resumable=True)
            case "close":
                await self.discord.close_gateway(4000)
            case _:
                await self.discord.forget_sessions()
                await self.discord.drop()

    # people

    async def person(self, name: str) -> None:
        await self.discord.add_user(name)

    async def room(self, name: str) -> None:
        await self.discord.add_channel(name)

    async def ask(self, by: str, text: str, where: str = WHERE, *, direct: bool = False, files: Sequence[Json] = ()) -> Said:
        said = await self.discord.say(by, where, text if direct else f"@threadline {text}", direct=direct, attachments=files)
        return self._said(said, said["channel"] if direct else said["id"])

    async def go_on(self, by: str, place: str, text: str, *, files: Sequence[Json] = ()) -> Said:
        return self._said(await self.discord.say(by, place, text, attachments=files), place)

    async def say(self, by: str, text: str, where: str = WHERE) -> str:
        return f"discord:{(await self.discord.say(by, where, text))['id']}"

    def _said(self, said: Json, place: str) -> Said:
        return Said(said["id"], f"discord:{said['id']}", place)

    async def ask_by_command(self, by: str, where: str, text: str) -> str:
        return await self.command(by, where, "ask", text)

    def asked_by_command(self, key: str) -> Said | None:
        shown = self.discord.interaction(self.message(key))["message"]
        return None if shown is None else Said(shown, f"discord:{shown}", shown)

    async def command(self, by: str, place: str, name: str, value: str = "") -> str:
        view = await self.discord.call(by, name, place, {OPTIONS[name]: value} if value else {})
        return f"discord:{view['id']}"

    def open(self, place: str) -> bool:
        return self.discord.world.channel(int(place)) is not None

    def offers(self, command: str) -> bool:
        # Commands are registered once, some time after the connection is there.
        return any(each["name"] == command for each in self.discord.commands("user1", WHERE))

    def pressed(self, key: str) -> tuple[str, int]:
        number = self.message(key)
        return self.discord.interaction(number)["channel"], int(number)

    async def edit(self, message: str, text: str) -> None:
        direct = self.discord.message(message)["content"].startswith("<@") is False
        await self.discord.edit(message, text if direct else f"@threadline {text}")

    # what can be seen

    def message(self, key: str) -> str:
        return key.partition(":")[2]

    def number(self, message: str) -> int:
        return int(message)

    def messages(self, place: str) -> list[Shown]:
        if self.discord.world.channel(int(place) if place.isdigit() else self._channel(place)) is None:
            return []
        own = [each for each in self.discord.messages(place) if each["author"] == BOT and each["type"] != THREAD_BEGINS]
        return [_shown(each) for each in own]

    def _channel(self, name: str) -> int:
        return next(int(each["id"]) for each in self.discord.everything()["channels"] if each["name"] == name)

    def places(self) -> list[str]:
        return [each["id"] for each in self.discord.everything()["channels"]]

    def told(self, by: str, place: str, after: str) -> list[str]:
        return [each["text"] for each in self.discord.sees(by, place) if each["author"] == BOT]

    def file(self, name: str) -> bytes:
        return self.discord.world.files.read(int(name)) or b""

    def signs(self, message: str) -> int:
        return sum(len(each) for each in self.discord.message(message)["reactions"].values())

    def commands_answered(self) -> list[tuple[str, str, int]]:
        answers = [
            str(each.interaction)
            for each in self.discord.world.state.messages.values()
            if each.interaction is not None and each.deleted is None and not each.flags & LOADING
        ]
        given = [each for each in self.discord.interactions() if each["type"] == COMMAND and each["name"] != "ask"]
        return [(f"discord:{each['id']}", each["name"], answers.count(each["id"])) for each in given]

    def commands_open(self) -> bool:
        return any(each["answered"] is None and each["shown"] is None for each in self.discord.interactions())


def _shown(view: Json) -> Shown:
    told: Sort = "asked" if view["type"] == ASKED else "reply" if view["interaction"] is None else "told"
    return Shown(
        id=view["id"],
        number=int(view["id"]),
        text=view["content"],
        buttons=view["buttons"],
        files=[(each["filename"], each["id"]) for each in view["attachments"]],
        history=[each["content"] for each in view["history"]],
        deleted=view["deleted"],
        sort=told,
    )
