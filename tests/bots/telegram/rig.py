"""A simulated Telegram with the adapter on it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from bots.telegram.adapter import TelegramAdapter
from bots.telegram.config import TelegramConfig
from bots.telegram.names import place_of
from sandbox.faults import Rule
from sandbox.telegram import Simulator, SimulatorConfig, lookup
from sandbox.telegram.defaults import BOT, BOT_NAME
from sandbox.telegram.payloads import message_json
from shared.chat import Attachment, Channel
from tests.bots.rigging import PlatformRig

ROOMY = SimulatorConfig(
    private_limit=(1000, 1.0),
    group_limit=(1000, 1.0),
    overall_limit=(1000, 1.0),
    conflict_delay=0.0,
    webhook_delay=0.01,
)
"""Limits so wide that nothing is refused; tests of limits set their own."""

SHOWING = r"/(sendMessage|editMessageText)$"
ME = f"@{BOT_NAME}"


def told_to_wait(seconds: int, *, path: str = SHOWING) -> Rule:
    """A 429 as Telegram sends it (core.telegram.org/bots/api, ResponseParameters)."""
    body = {"ok": False, "error_code": 429, "description": f"Too Many Requests: retry after {seconds}"}
    return Rule("status", path=path, status=429, body=body | {"parameters": {"retry_after": seconds}})


def refused_with(problem: str, *, path: str, status: int = 400, times: int | None = 1) -> Rule:
    """A refusal as Telegram sends it (core.telegram.org/bots/api, Making requests)."""
    body = {"ok": False, "error_code": status, "description": f"Bad Request: {problem}"}
    return Rule("status", path=path, status=status, body=body, times=times)


class TelegramRig(PlatformRig[Simulator]):
    """The rig of the conformance suite. People talk in the supergroup "general"."""

    folder = "telegram"
    idempotent = False
    mention = ME
    other_bot = "other_bot"
    showing = SHOWING
    outage = Rule("status", path=SHOWING, status=502, body="<html>Bad Gateway</html>")
    long_wait = told_to_wait(61)
    cuts = 10
    hostile = "@user1 (@user2) @everyone <b>@user3</b> tg://user?id=5000000001"

    def __init__(self, simulator: Simulator, config: TelegramConfig) -> None:
        super().__init__(simulator)
        self.config = config
        self.adapter = TelegramAdapter(config)

    def again(self) -> "TelegramRig":
        """The same with another adapter, which remembers nothing."""
        return TelegramRig(self.simulator, self.config)

    async def say(self, text: str, *, to_bot: bool = True, by_bot: bool = False, twice: bool = False) -> None:
        said = await self.utter(text, to_bot=to_bot, by_bot=by_bot)
        if twice:
            await self.repeat(said)

    async def repeat(self, message: str) -> None:
        """Tell of a message again, as after an update that was not confirmed."""
        world = self.simulator.world
        found = lookup.message(world, message)
        await self.simulator.emit("message", message_json(world, found), found.chat)

    def own(self, channel: Channel) -> list[dict[str, Any]]:
        """The bot's messages in a chat or a topic that are not deleted."""
        place = place_of(channel.id)
        found = [each for each in self.simulator.messages(str(place.chat)) if each["author_id"] == BOT and not each["deleted"]]
        return [each for each in found if each["topic"] == place.topic and not each["service"]]

    def shown(self, channel: Channel) -> list[str]:
        return [each["content"] for each in self.own(channel) if not each["attachments"]]

    def silent(self, channel: Channel) -> list[bool]:
        return [each["silent"] for each in self.own(channel)]

    def pinged(self) -> int:
        """How many names in the bot's messages notify somebody, in all that they ever showed."""
        count = 0
        for message in self.simulator.world.state.messages.values():
            if message.sender == BOT:
                count += sum(each["type"] in ("mention", "text_mention") for each in message.entities)
        return count

    async def remove(self, channel: Channel) -> None:
        await self.simulator.remove_bot(str(place_of(channel.id).chat))

    async def forbid(self, channel: Channel) -> None:
        await self.simulator.mute(str(place_of(channel.id).chat))

    async def new_session(self) -> None:
        """Telegram has no sessions: one begins anew when a poll was cut."""
        await self.simulator.wait_for(lambda: self.simulator.updates.polling)
        await self.simulator.drop()

    async def forbid_threads(self) -> None:
        raise AssertionError("a bot opens no threads here")

    # changes

    async def preview(self) -> None:
        """An update that tells of a message as it was (core.telegram.org/bots/api, Update: edited_message)."""
        world = self.simulator.world
        world.edit(lookup.message(world, self.said), hidden=True)

    # files and signs

    async def lose_file(self) -> None:
        await self.simulator.fault(refused_with("wrong file_id or the file is temporarily unavailable", path="/getFile$"))

    def elsewhere(self) -> Attachment:
        """A file of which the server says that it lies there."""
        address = self.simulator.file_url.replace("127.0.0.1", "localhost")
        found = {"file_id": "F1", "file_unique_id": "U1", "file_path": f"{address}/data.bin"}
        self.simulator.faults.set(Rule("status", path="/getFile$", status=200, body={"ok": True, "result": found}))
        return Attachment(ref="F1", name="data.bin", media_type="application/octet-stream", size=0)

    def files(self, channel: Channel) -> list[tuple[str, bytes]]:
        given = [file for each in self.own(channel) for file in each["attachments"]]
        return [(each["name"], self.simulator.world.files.read(each["id"]) or b"") for each in given]

    def signs(self) -> int:
        return len(lookup.message(self.simulator.world, self.said).reactions.get(BOT, []))

    async def forbid_signs(self) -> None:
        await self.simulator.fault(refused_with("REACTION_INVALID", path="/setMessageReaction$"))


@asynccontextmanager
async def telegram_rig(settings: SimulatorConfig = ROOMY, **config: Any) -> AsyncGenerator[TelegramRig]:
    """A rig whose adapter waits for nothing that it need not wait for. `config` changes the adapter's."""
    async with Simulator(settings) as simulator:
        quick = TelegramConfig(
            token=settings.token, api_url=simulator.api_url, file_url=simulator.file_url, retry_wait=0.01, call_timeout=5.0
        )
        yield TelegramRig(simulator, replace(quick, **config))
