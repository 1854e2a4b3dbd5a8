"""A simulated Discord with the adapter on it."""

from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from bots.discord.adapter import DiscordAdapter
from bots.discord.config import DiscordConfig
from bots.discord.convert import snowflake
from sandbox.discord import Simulator, SimulatorConfig
from sandbox.discord.defaults import BOT, HELPERS, PEOPLE
from sandbox.faults import Rule
from shared.chat import Attachment, Channel
from tests.bots.rigging import PlatformRig

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


def told_to_wait(seconds: float, *, path: str = MESSAGES, scope: str = "user") -> Rule:
    """A 429 as Discord sends it (developer docs, Rate Limits); without `Via` the library takes it for Cloudflare's."""
    headers = {"Via": "1.1 google", "Retry-After": str(seconds), "X-RateLimit-Scope": scope}
    body = {"message": "You are being rate limited.", "retry_after": seconds, "global": scope == "global"}
    return Rule("status", path=path, status=429, headers=headers, body=body)


class DiscordRig(PlatformRig[Simulator]):
    """The rig of the conformance suite. People talk in #general."""

    folder = "discord"
    idempotent = True
    showing = MESSAGES
    outage = Rule("status", path=MESSAGES, status=503)
    long_wait = told_to_wait(61.5)
    hostile = f"@everyone @here <@{PEOPLE['user1'][0]}> <@&{HELPERS}>"

    def __init__(self, simulator: Simulator, adapter: DiscordAdapter) -> None:
        super().__init__(simulator)
        self.adapter = adapter

    async def say(self, text: str, *, to_bot: bool = True, by_bot: bool = False, twice: bool = False) -> None:
        if twice:
            await self.simulator.duplicate(1)
        await self.utter(text, to_bot=to_bot, by_bot=by_bot)

    def own(self, channel: Channel) -> list[dict[str, Any]]:
        """The bot's messages in a channel that are not deleted, without those of the system."""
        number = snowflake(channel.id)
        if self.simulator.world.channel(number) is None:
            return []
        messages = self.simulator.messages(str(number))
        return [each for each in messages if each["author_id"] == str(BOT) and not each["deleted"] and each["type"] in (0, 19)]

    def silent(self, channel: Channel) -> list[bool]:
        return [bool(each["flags"] & 1 << 12) for each in self.own(channel)]

    def pinged(self) -> int:
        count = 0
        for message in self.simulator.world.state.messages.values():
            if message.author == BOT:
                count += len(message.pings.users) + len(message.pings.roles) + message.pings.everyone
        return count

    async def remove(self, channel: Channel) -> None:
        await self.simulator.delete_channel(str(snowflake(channel.id)))

    async def forbid(self, channel: Channel) -> None:
        await self.simulator.permissions("general", deny=["SEND_MESSAGES", "SEND_MESSAGES_IN_THREADS"])

    async def new_session(self) -> None:
        await self.simulator.invalidate()

    async def forbid_threads(self) -> None:
        await self.simulator.permissions("general", deny=["CREATE_PUBLIC_THREADS"])

    # changes

    async def preview(self) -> None:
        await self.simulator.unfurl(self.said)

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

    async def lose_file(self) -> None:
        await self.simulator.delete(self.said)

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
