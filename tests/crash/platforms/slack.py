"""Slack: an answer stands in a thread on its question, in channels as in direct chats.

A place is a thread, `C1/1700000000.000100`, or a channel, `C1`, by its id or its name.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import ClassVar

from sandbox.faults import Rule
from sandbox.slack import Simulator, SimulatorConfig
from sandbox.slack.defaults import BOT as BOT_ID
from sandbox.slack.ids import ts_number
from tests.crash.platforms.base import BOT, WHERE, Json, Platform, Said, Shown, Sky, Sort

WRITES = r"^/chat\."
SHOWS = r"^/(chat|files|reactions)\."
REFUSED = {"ok": False, "error": "ratelimited"}
QUESTION = "threadline_question"
"""The type of the metadata of a message that shows the question of an /ask."""


def limited(seconds: int) -> Rule:
    """A 429 that the simulator's own limits would not give (docs.slack.dev, Rate limits)."""
    headers = {"Retry-After": str(seconds)}
    return Rule("status", path=WRITES, status=429, headers=headers, body=REFUSED, chance=0.01, times=None, name="429")


class Slack(Platform):
    """The simulated Slack, by Socket Mode, where answers grow by edits.

    What is not acknowledged comes again after 0, 2 and 4 s; Slack takes minutes.
    """

    name = "slack"
    calls = r"^/(chat|assistant|agents|conversations\.info)"
    acts = r"^/(chat|assistant|agents|conversations|reactions|files|responses|users)"
    writes = SHOWS
    posts = r"^/chat\.postMessage$"
    edits = r"^/chat\.update$"
    refusal = REFUSED
    direct_open: ClassVar[Mapping[str, str]] = {"SLACK_DIRECT": "open"}
    once = ("press", "ask")
    blind = 1
    names_channels = False
    doubles_asides = True
    faults = (
        limited(1),
        Rule("status", path=SHOWS, status=500, chance=0.008, times=None),
        Rule("status", path=SHOWS, status=500, chance=0.006, times=None, moment="after"),
        Rule("status", path=SHOWS, status=503, chance=0.006, times=None),
        Rule("reset", path=SHOWS, chance=0.008, times=None),
        Rule("reset", path=SHOWS, chance=0.008, times=None, moment="after"),
        Rule("slow", path=SHOWS, chance=0.02, times=None, seconds=0.4),
        Rule("status", path=r"^/(conversations|users|files)", status=500, chance=0.02, times=None),
        Rule("reset", path=r"^/(conversations|users|files)", chance=0.02, times=None),
    )
    # No connection goes deaf while another hears: what it loses comes seconds later, and Slack promises no order.
    mishaps: ClassVar[Mapping[str, int]] = {"drop": 4, "refresh": 5, "duplicate": 8, "lose": 4}
    ask_command = False
    streams = "off"

    def __init__(self, sky: Sky) -> None:
        given = SimulatorConfig(round_trip=sky.round_trip, state=sky.state, seed=sky.seed, retry_delays=(0.0, 2.0, 4.0))
        if sky.wide:
            many = (1000, 1.0)
            given = replace(given, post_limit=many, team_post_limit=many, tier2=many, tier3=many, tier4=many, special_limit=many)
        self.simulator = self.slack = Simulator(given)

    def settings(self) -> dict[str, str]:
        config = self.slack.config
        tokens = {"SLACK_BOT_TOKEN": config.token, "SLACK_APP_TOKEN": config.app_token}
        return tokens | {"SLACK_API_URL": self.slack.api_url, "SLACK_STREAMS": self.streams}

    def secrets(self) -> list[str]:
        return [self.slack.config.token, self.slack.config.app_token]

    @property
    def connected(self) -> bool:
        return bool(self.slack.stats()["connected"])

    @property
    def quiet(self) -> bool:
        return not self.slack.stats()["on_their_way"]

    async def mishap(self, act: str, dice: random.Random) -> None:
        match act:
            case "drop":
                await self.slack.drop()
            case "refresh":
                await self.slack.disconnect(count=dice.choice((1, None)))
            case "duplicate":
                await self.slack.duplicate(dice.randint(1, 5))
            case _:
                await self.slack.lose_acks(dice.randint(1, 3))

    # people

    async def person(self, name: str) -> None:
        await self.slack.add_user(name)

    async def room(self, name: str) -> None:
        await self.slack.add_channel(name)

    async def ask(self, by: str, text: str, where: str = WHERE, *, direct: bool = False, files: Sequence[Json] = ()) -> Said:
        said = await self.slack.say(by, where, text if direct else f"@threadline {text}", direct=direct, attachments=files)
        return self._said(said, f"{said['channel']}/{said['ts']}")

    async def go_on(self, by: str, place: str, text: str, *, files: Sequence[Json] = ()) -> Said:
        channel, _, root = place.partition("/")
        return self._said(await self.slack.say(by, channel, text, thread=root, attachments=files), place)

    async def say(self, by: str, text: str, where: str = WHERE) -> str:
        said = await self.slack.say(by, where, text)
        return self._said(said, "").key

    def _said(self, said: Json, place: str) -> Said:
        return Said(said["ts"], f"slack:{said['channel']}/{said['ts']}", place)

    async def ask_by_command(self, by: str, where: str, text: str) -> str:
        return f"slack:{(await self.slack.call(by, 'ask', where, text))['id']}"

    def asked_by_command(self, key: str) -> Said | None:
        trigger = self.slack.trigger(self.message(key))
        for each in self.slack.messages(trigger["channel"]):
            given: Json = each["metadata"] or {}
            if given.get("event_type") == QUESTION and given["event_payload"]["key"] == key:
                return self._said(each, f"{each['channel']}/{each['ts']}")
        return None

    async def command(self, by: str, place: str, name: str, value: str = "") -> str:
        # In threads Slack has no commands: there they are written, after a mention.
        return (await self.go_on(by, place, f"@threadline /{name} {value}".strip())).key

    async def aside(self, by: str, place: str, name: str, value: str = "") -> str:
        given = await self.slack.call(by, "threadline", place.partition("/")[0], f"{name} {value}".strip())
        return f"slack:{given['id']}"

    def spell(self, command: str, place: str) -> str:
        return f"@threadline /{command}" if "/" in place else f"/threadline {command}"

    def pressed(self, key: str) -> tuple[str, int]:
        trigger = self.slack.trigger(self.message(key))
        where = f"{trigger['channel']}/{trigger['thread']}" if trigger["thread"] else trigger["channel"]
        return where, int(trigger["created"] * 1e6)

    async def edit(self, message: str, text: str) -> None:
        mentioned = BOT_ID in self.slack.message(message)["text"]
        await self.slack.edit(message, f"@threadline {text}" if mentioned else text)

    # what can be seen

    def message(self, key: str) -> str:
        return key.partition(":")[2].rpartition("/")[2]

    def number(self, message: str) -> int:
        return ts_number(message)

    def messages(self, place: str) -> list[Shown]:
        channel, _, root = place.partition("/")
        own = [each for each in self.slack.messages(channel) if each["author"] == BOT and each["thread"] == (root or None)]
        return [_shown(each) for each in own]

    def places(self) -> list[str]:
        channels = [each["id"] for each in self.slack.everything()["channels"]]
        threads = {
            f"{channel}/{each['thread']}"
            for channel in channels
            for each in self.slack.messages(channel)
            if each["author"] == BOT and each["thread"]
        }
        return [*channels, *sorted(threads)]

    def told(self, by: str, place: str, after: str) -> list[str]:
        channel, _, root = place.partition("/")
        return [each["text"] for each in self.slack.sees(by, channel, root or None) if each["author"] == BOT]

    def file(self, name: str) -> bytes:
        return self.slack.world.files.read(name) or b""

    def signs(self, message: str) -> int:
        return sum(len(each) for each in self.slack.message(message)["reactions"].values())

    def commands_answered(self) -> list[tuple[str, str, int]]:
        answers = [each.trigger for each in self.slack.world.state.messages.values() if each.trigger and each.deleted is None]
        given = [each for each in self.slack.triggers() if each["kind"] == "command"]
        return [(f"slack:{each['id']}", each["name"], answers.count(each["id"])) for each in given]

    def commands_open(self) -> bool:
        return any(each["outcome"] is None for each in self.slack.triggers())


class SlackStreams(Slack):
    """The same where answers are written bit by bit."""

    name = "slack-streams"
    posts = r"^/chat\.(postMessage|startStream)$"
    edits = r"^/chat\.(update|appendStream|stopStream)$"
    stop_button = stops_soon = False
    # Those in which an answer is written while the server dies, or is written over.
    scenes = ("code", "waiting", "retry", "edit-running", "edit-ended", "delete")
    streams = "on"


def _shown(view: Json) -> Shown:
    metadata: Json = view["metadata"] or {}
    asked = metadata.get("event_type") == QUESTION
    sort: Sort = "asked" if asked else "told" if view["trigger"] else "reply"
    return Shown(
        id=view["ts"],
        number=ts_number(view["ts"]),
        text=view["content"],
        buttons=view["buttons"],
        files=[(each["name"], each["id"]) for each in view["attachments"]],
        history=[each["content"] for each in view["history"]],
        deleted=view["deleted"],
        sort=sort,
    )
