"""The platforms of the bench, each a simulator in another process: who writes what where, and what can be read of it."""

import re
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import aiohttp

Json = dict[str, Any]
THREAD_BEGINS = 21
"""Message type THREAD_STARTER_MESSAGE (Discord developer docs, Message Types)."""
TOKEN = "demo-token"


class Far:
    """The control API of a simulator in another process."""

    def __init__(self, session: aiohttp.ClientSession, base: str) -> None:
        self._session = session
        self._base = base

    async def get(self, what: str, **query: str | int) -> Any:
        """What `GET /control/{what}` answers."""
        async with self._session.get(f"{self._base}/{what}", params=query) as response:
            response.raise_for_status()
            return await response.json()

    async def post(self, what: str, **body: Any) -> Any:
        """What `POST /control/{what}` answers."""
        async with self._session.post(f"{self._base}/{what}", json=body) as response:
            response.raise_for_status()
            return await response.json()


@dataclass(frozen=True, slots=True)
class Said:
    """What was written: what names it in the simulator's log of events, and where its answer will stand."""

    event: str
    place: str


class Site(ABC):
    """One platform. A channel is where a conversation begins, a place where its answers stand."""

    name: ClassVar[str]
    module: ClassVar[str]
    arguments: Sequence[str] = ()
    """Of its simulator, beside the round trip."""

    @abstractmethod
    def settings(self, addresses: Mapping[str, str]) -> dict[str, str]:
        """What the server has to be told to find it."""

    @abstractmethod
    def connected(self, stats: Json) -> bool:
        """Whether the server hears it."""

    @abstractmethod
    async def channels(self, chat: Far, count: int) -> list[str]:
        """So many channels."""

    @abstractmethod
    async def ask(self, chat: Far, person: str, channel: str, text: str) -> Said:
        """Begin a conversation."""

    @abstractmethod
    async def go_on(self, chat: Far, person: str, said: Said, text: str) -> Said:
        """Go on with it."""

    @abstractmethod
    async def left(self, chat: Far, said: Sequence[Said]) -> Mapping[str, float]:
        """When the event of each left the simulator, as far as known, by its name, in seconds of the monotonic clock."""

    @abstractmethod
    async def shown(self, chat: Far, place: str) -> list[Json]:
        """The messages of the bot that stand in a place."""

    @abstractmethod
    def where(self, call: Json) -> str | None:
        """The place in which a call shows something."""


class Discord(Site):
    """A thread for each conversation."""

    name = "discord"
    module = "sandbox.discord"
    _path = re.compile(r"/channels/(\d+)/messages(?:/\d+)?$")

    def settings(self, addresses: Mapping[str, str]) -> dict[str, str]:
        gateway = addresses["gateway"]
        return {"DISCORD_TOKEN": TOKEN, "DISCORD_API_URL": addresses["api"], "DISCORD_GATEWAY_URL": gateway}

    def connected(self, stats: Json) -> bool:
        return bool(stats["connected"])

    async def channels(self, chat: Far, count: int) -> list[str]:
        made = [await chat.post("add_channel", name=f"channel{number}") for number in range(1, count)]
        return ["general", *(each["id"] for each in made)]

    async def ask(self, chat: Far, person: str, channel: str, text: str) -> Said:
        said = await chat.post("say", **{"as": person, "in": channel, "text": f"@threadline {text}"})
        return Said(said["id"], said["id"])  # a thread on a message has the message's id

    async def go_on(self, chat: Far, person: str, said: Said, text: str) -> Said:
        view = await chat.post("say", **{"as": person, "in": said.place, "text": text})
        return Said(view["id"], said.place)

    async def left(self, chat: Far, said: Sequence[Said]) -> Mapping[str, float]:
        return {each["id"]: each["mono"] for each in await chat.get("dispatches") if each["event"] == "MESSAGE_CREATE"}

    async def shown(self, chat: Far, place: str) -> list[Json]:
        found = await chat.get("messages", channel=place)
        own = [each for each in found if each["author"] == "threadline" and not each["deleted"]]
        return [each for each in own if each["type"] != THREAD_BEGINS]

    def where(self, call: Json) -> str | None:
        found = self._path.search(call["path"])
        return found[1] if found else None


class Slack(Site):
    """A thread for each conversation, each in a channel of its own."""

    name = "slack"
    module = "sandbox.slack"
    arguments = ("--token", "xoxb-bench", "--app-token", "xapp-bench")

    def settings(self, addresses: Mapping[str, str]) -> dict[str, str]:
        return {"SLACK_BOT_TOKEN": "xoxb-bench", "SLACK_APP_TOKEN": "xapp-bench", "SLACK_API_URL": addresses["api"]}

    def connected(self, stats: Json) -> bool:
        return bool(stats["connected"])

    async def channels(self, chat: Far, count: int) -> list[str]:
        return [(await chat.post("add_channel", name=f"channel{number}"))["id"] for number in range(count)]

    async def ask(self, chat: Far, person: str, channel: str, text: str) -> Said:
        said = await chat.post("say", **{"as": person, "in": channel, "text": f"@threadline {text}"})
        return Said(said["ts"], f"{channel}/{said['ts']}")

    async def go_on(self, chat: Far, person: str, said: Said, text: str) -> Said:
        channel, _, root = said.place.partition("/")
        view = await chat.post("say", **{"as": person, "in": channel, "text": text, "thread": root})
        return Said(view["ts"], said.place)

    async def left(self, chat: Far, said: Sequence[Said]) -> Mapping[str, float]:
        sent = [each for each in await chat.get("deliveries") if each["name"] in ("app_mention", "message")]
        return {each["ts"]: each["left"] for each in reversed(sent) if each["ts"]}

    async def shown(self, chat: Far, place: str) -> list[Json]:
        channel, _, root = place.partition("/")
        found = await chat.get("messages", channel=channel, thread=root)
        return [each for each in found if each["author"] == "threadline" and not each["deleted"]]

    def where(self, call: Json) -> str | None:
        # A channel has one conversation here.
        body: Json = call["body"] or {}
        return str(body["channel"]) if call["path"].startswith("/chat.") and "channel" in body else None


@dataclass
class Telegram(Site):
    """A chat for each conversation: a private one, or a group."""

    private: bool
    asked: list[str] = field(default_factory=list[str])
    people: dict[str, str] = field(default_factory=dict[str, str])
    """Who writes in each chat, where that is private."""
    name: ClassVar[str] = "telegram"
    module: ClassVar[str] = "sandbox.telegram"
    token: ClassVar[str] = "7000000001:AAbench_token_of_the_simulated_bot0"
    arguments: Sequence[str] = ("--token", token)

    def settings(self, addresses: Mapping[str, str]) -> dict[str, str]:
        urls = {"TELEGRAM_API_URL": addresses["api"], "TELEGRAM_FILE_URL": addresses["file"]}
        return {"TELEGRAM_TOKEN": self.token, "TELEGRAM_DIRECT": "open", **urls}

    def connected(self, stats: Json) -> bool:
        return bool(stats["polling"])

    async def channels(self, chat: Far, count: int) -> list[str]:
        if not self.private:
            return [str((await chat.post("add_chat", name=f"group{number}"))["id"]) for number in range(count)]
        return [f"@{(await chat.post('add_user', name=f'guest{number}'))['name']}" for number in range(count)]

    async def ask(self, chat: Far, person: str, channel: str, text: str) -> Said:
        by = self.people.get(channel, channel.removeprefix("@")) if self.private else person
        written = text if self.private else f"@threadline_bot {text}"
        view = await chat.post("say", **{"as": by, "in": channel, "text": written})
        self.asked.append(view["id"])
        place = str(view["chat"])
        self.people[place] = by
        return Said(view["id"], place)

    async def go_on(self, chat: Far, person: str, said: Said, text: str) -> Said:
        return await self.ask(chat, person, said.place, text)

    async def left(self, chat: Far, said: Sequence[Said]) -> Mapping[str, float]:
        # An update names no message, but they leave in the order in which they were made; before them come those of new groups.
        sent = {each["update"]: each["at"] for each in reversed(await chat.get("deliveries")) if each["kind"] == "message"}
        mine = sorted(sent)[-len(self.asked) :]
        return dict(zip(self.asked, (sent[update] for update in mine), strict=len(mine) == len(self.asked)))

    async def shown(self, chat: Far, place: str) -> list[Json]:
        found = await chat.get("messages", chat=place)
        return [each for each in found if each["author"] == "threadline_bot" and not each["deleted"] and not each["service"]]

    def where(self, call: Json) -> str | None:
        body: Json = call["body"] or {}
        return str(body["chat_id"]) if re.match(r"/(send|edit)Message", call["path"]) and "chat_id" in body else None
