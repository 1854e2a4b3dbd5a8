"""A simulated Discord with the adapter on it."""

import base64
import re
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from bots.discord.adapter import DiscordAdapter
from bots.discord.config import DiscordConfig
from bots.discord.convert import snowflake
from sandbox.discord import Simulator, SimulatorConfig
from sandbox.discord.cdn import Spoil as SpoiltDownload
from sandbox.discord.defaults import BOT, HELPERS, PEOPLE
from sandbox.faults import Action, Rule
from shared.chat import Attachment, Channel, Target
from tests.conformance.adapter_rig import Break, Refusal, Spoil

ROOMY = SimulatorConfig(
    channel_limit=(1000, 5.0),
    delete_limit=(1000, 5.0),
    typing_limit=(1000, 5.0),
    thread_limit=(1000, 5.0),
    history_limit=(1000, 5.0),
    other_limit=(1000, 5.0),
    global_limit=(1000, 1.0),
    webhook_limit=(1000, 2.0),
    reaction_limit=(1000, 0.25),
)
"""Limits so wide that the library never sleeps; tests of limits set their own."""

MESSAGES = r"/channels/\d+/messages(/\d+)?$"


class DiscordRig:
    """The rig of the conformance suite. People talk in #general."""

    folder = "discord"
    idempotent = True
    hostile = f"@everyone @here <@{PEOPLE['user1'][0]}> <@&{HELPERS}>"

    def __init__(self, simulator: Simulator, adapter: DiscordAdapter) -> None:
        self.simulator = simulator
        self.adapter = adapter
        self.said = ""
        """The id of what was said to the bot last."""

    async def say(self, text: str, *, to_bot: bool = True, by_bot: bool = False, twice: bool = False) -> None:
        if twice:
            await self.simulator.duplicate(1)
        said = await self.simulator.say("otherbot" if by_bot else "user1", "general", f"@threadline {text}" if to_bot else text)
        if to_bot and not by_bot:
            self.said = said["id"]

    def own(self, channel: Channel) -> list[dict[str, Any]]:
        """The bot's messages in a channel that are not deleted, without those of the system."""
        number = snowflake(channel.id)
        if self.simulator.world.channel(number) is None:
            return []
        messages = self.simulator.messages(str(number))
        return [each for each in messages if each["author_id"] == str(BOT) and not each["deleted"] and each["type"] in (0, 19)]

    def shown(self, channel: Channel) -> list[str]:
        return [each["content"] for each in self.own(channel)]

    def silent(self, channel: Channel) -> list[bool]:
        return [bool(each["flags"] & 1 << 12) for each in self.own(channel)]

    def pinged(self) -> int:
        count = 0
        for message in self.simulator.world.state.messages.values():
            if message.author == BOT:
                count += len(message.pings.users) + len(message.pings.roles) + message.pings.everyone
        return count

    async def break_next(self, how: Break) -> None:
        rules = {
            "error": Rule("status", path=MESSAGES, status=503),
            "reset before": Rule("reset", path=MESSAGES),
            "reset after": Rule("reset", path=MESSAGES, moment="after"),
        }
        await self.simulator.fault(rules[how])

    async def refuse(self, how: Refusal, target: Target) -> None:
        where = str(snowflake(target.channel.id))
        if how == "rate limit":
            await self.simulator.fault(told_to_wait(61.5))
        elif how == "message gone":
            await self.simulator.delete(self.own(target.channel)[-1]["id"])
        elif how == "channel gone":
            await self.simulator.delete_channel(where)
        else:
            await self.simulator.permissions("general", deny=["SEND_MESSAGES", "SEND_MESSAGES_IN_THREADS"])

    async def hang_next(self) -> None:
        await self.simulator.fault(Rule("hang", path=MESSAGES))

    async def hanging(self) -> None:
        await self.struck("hang")

    async def struck(self, action: Action, path: str = MESSAGES) -> None:
        """Return when a fault has struck a call."""
        simulator = self.simulator
        await simulator.wait_for(
            lambda: any((call.fault or "").startswith(action) and re.search(path, call.path) for call in simulator.calls)
        )

    async def new_session(self) -> None:
        await self.simulator.invalidate()

    async def forbid_threads(self) -> None:
        await self.simulator.permissions("general", deny=["CREATE_PUBLIC_THREADS"])

    # buttons and changes

    def buttons(self, channel: Channel) -> list[list[str]]:
        return [each["buttons"] for each in self.own(channel)]

    async def press(self, channel: Channel, label: str) -> None:
        message = next(each["id"] for each in reversed(self.own(channel)) if label in each["buttons"])
        await self.simulator.press("user1", message, label)

    async def change(self, text: str) -> None:
        await self.simulator.edit(self.said, f"@threadline {text}")

    async def preview(self) -> None:
        await self.simulator.unfurl(self.said)

    async def take_back(self) -> None:
        await self.simulator.delete(self.said)

    # commands

    async def command(self, name: str, options: Mapping[str, str]) -> None:
        await self.simulator.call("user1", name, "general", options)

    def read(self, *, others: bool = False) -> list[str]:
        seen = self.simulator.sees("user2" if others else "user1", "general")
        own = [each for each in seen if each["author"] == "threadline" and each["state"] is None]
        return [each["text"] for each in own if not each["text"].startswith(">")]

    async def expire(self) -> None:
        for each in self.simulator.world.state.interactions.values():
            each.created -= 3600

    async def offered(self, names: Collection[str]) -> int:
        def registered() -> bool:
            return {each["name"] for each in self.simulator.commands("user1", "general")} == set(names)

        await self.simulator.wait_for(registered)
        return sum(call.method == "PUT" and call.path.endswith("/commands") for call in self.simulator.calls)

    async def suggested(self, name: str, option: str, text: str) -> list[str]:
        return [each["value"] for each in await self.simulator.autocomplete("user1", name, option, text, "general")]

    # files and signs

    async def attach(self, text: str, name: str, data: bytes) -> None:
        file = {"name": name, "content_base64": base64.b64encode(data).decode()}
        self.said = (await self.simulator.say("user1", "general", f"@threadline {text}", attachments=[file]))["id"]

    async def spoil(self, how: Spoil) -> None:
        if how == "gone":
            await self.simulator.delete(self.said)
        elif how == "cut":
            await self.simulator.spoil(SpoiltDownload("cut", after=1000))
        else:
            await self.simulator.spoil(SpoiltDownload("redirect", location="https://example.org/data.bin"))

    def elsewhere(self) -> Attachment:
        address = self.simulator.message(self.said)["attachments"][0]["url"].replace("127.0.0.1", "localhost")
        return Attachment(ref=address, name="data.bin", media_type="application/octet-stream", size=0)

    def files(self, channel: Channel) -> list[tuple[str, bytes]]:
        given = [file for each in self.own(channel) for file in each["attachments"]]
        return [(each["filename"], self.simulator.world.files.read(int(each["id"])) or b"") for each in given]

    def signs(self) -> int:
        return sum(str(BOT) in users for users in self.simulator.message(self.said)["reactions"].values())

    async def forbid_signs(self) -> None:
        await self.simulator.permissions("general", deny=["ADD_REACTIONS"])


def told_to_wait(seconds: float, *, path: str = MESSAGES, scope: str = "user") -> Rule:
    """A 429 as Discord sends it (developer docs, Rate Limits); without `Via` the library takes it for Cloudflare's."""
    headers = {"Via": "1.1 google", "Retry-After": str(seconds), "X-RateLimit-Scope": scope}
    body = {"message": "You are being rate limited.", "retry_after": seconds, "global": scope == "global"}
    return Rule("status", path=path, status=429, headers=headers, body=body)


@asynccontextmanager
async def discord_rig(settings: SimulatorConfig = ROOMY, **config: Any) -> AsyncGenerator[DiscordRig]:
    """A rig whose adapter waits for nothing that it need not wait for. `config` changes the adapter's."""
    async with Simulator(settings) as simulator:
        quick = DiscordConfig(
            token=settings.token,
            api_url=simulator.api_url,
            gateway_url=simulator.gateway_url,
            files_url=simulator.api_url,
            message_content="on",
            identify_spacing=0.0,
            retry_wait=0.01,
            menu_wait=0.01,
        )
        yield DiscordRig(simulator, DiscordAdapter(replace(quick, **config)))
