"""A simulated Slack with the adapter on it."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from aiohttp import web

from bots.assembly import SLACK_PATH
from bots.hooks import bind, taking
from bots.slack.adapter import SlackAdapter
from bots.slack.config import SlackConfig
from bots.slack.names import place_of
from sandbox.faults import Rule
from sandbox.slack import Simulator, SimulatorConfig
from sandbox.slack.defaults import BOT, PEOPLE
from shared.chat import Attachment, Channel
from tests.bots.rigging import PlatformRig

ROOMY = SimulatorConfig(
    post_limit=(1000, 1.0),
    team_post_limit=(1000, 1.0),
    tier2=(1000, 1.0),
    tier3=(1000, 1.0),
    tier4=(1000, 1.0),
    special_limit=(1000, 1.0),
    retry_delays=(0.0, 0.05, 0.05),
)
"""Limits so wide that nothing is refused; tests of limits set their own."""

SHOWING = r"/chat\.(postMessage|update|startStream|appendStream|stopStream)$"


def told_to_wait(seconds: int, *, path: str = SHOWING) -> Rule:
    """A 429 as Slack sends it (docs.slack.dev, Rate limits)."""
    body = {"ok": False, "error": "ratelimited"}
    return Rule("status", path=path, status=429, headers={"Retry-After": str(seconds)}, body=body)


class SlackRig(PlatformRig[Simulator]):
    """The rig of the conformance suite. People talk in #general."""

    folder = "slack"
    idempotent = False
    key = "ts"
    showing = SHOWING
    outage = Rule("status", path=SHOWING, status=503)
    long_wait = told_to_wait(61)
    hostile = f"<!channel> <!here|here> <@{PEOPLE['user1'][0]}> <!subteam^S0TEAM> @everyone"

    def __init__(self, simulator: Simulator, config: SlackConfig, posted: "Posted | None" = None) -> None:
        super().__init__(simulator)
        self.config = config
        self.adapter = SlackAdapter(config)
        self.posted = posted
        if posted is not None:
            posted.adapter = self.adapter

    def again(self) -> "SlackRig":
        """The same with another adapter, which remembers nothing."""
        return SlackRig(self.simulator, self.config, self.posted)

    async def say(self, text: str, *, to_bot: bool = True, by_bot: bool = False, twice: bool = False) -> None:
        if twice:
            await self.simulator.duplicate(2)
        said = await self.utter(text, to_bot=to_bot, by_bot=by_bot)
        if self.posted is None and not self.adapter.health().connected:
            # Where nobody listens, Slack gives it up before anybody does again.
            await self.simulator.wait_for(lambda: not self.simulator.delivery.busy or self._on_its_way(said))

    def _on_its_way(self, said: str) -> bool:
        """Whether a connection has something of a message that it has not answered yet."""
        tries = [each for each in self.simulator.delivery.sent if each.ts == said]
        return bool(self.simulator.sockets.open) and any(each.outcome is None and each.link is not None for each in tries)

    def own(self, channel: Channel) -> list[dict[str, Any]]:
        """The bot's messages in a channel or thread that are not deleted."""
        place = place_of(channel.id)
        if self.simulator.world.channel(place.channel) is None:
            return []
        found = [each for each in self.simulator.messages(place.channel) if each["author_id"] == BOT and not each["deleted"]]
        return [each for each in found if each["thread"] == place.root]

    def silent(self, channel: Channel) -> list[bool]:
        return []

    def pinged(self) -> int:
        count = 0
        for message in self.simulator.world.state.messages.values():
            if message.user == BOT:
                count += len(message.pings.users) + len(message.pings.groups) + message.pings.everyone
        return count

    async def remove(self, channel: Channel) -> None:
        await self.simulator.delete_channel(place_of(channel.id).channel)

    async def forbid(self, channel: Channel) -> None:
        await self.simulator.read_only(place_of(channel.id).channel)

    async def new_session(self) -> None:
        if self.posted is None:
            await self.simulator.drop()
        else:
            await self._outage()

    async def _outage(self) -> None:
        """Let Slack not reach us until it has tried twice."""
        simulator = self.simulator
        there, simulator.posting.url = simulator.posting.url, "http://127.0.0.1:9/nobody"
        number = await simulator.emit({"type": "app_home_opened", "user": PEOPLE["user1"][0], "tab": "home", "channel": "D1"})
        await simulator.wait_for(
            lambda: any(each.id == number and each.attempt and each.outcome for each in simulator.delivery.sent)
        )
        simulator.posting.url = there

    async def forbid_threads(self) -> None:
        await self.simulator.read_only("general")

    # streams

    def another(self) -> SlackAdapter:
        return SlackAdapter(self.config)

    async def run_out(self) -> None:
        await self.simulator.expire_streams()

    # changes

    async def preview(self) -> None:
        await self.simulator.unfurl(self.said)

    # files and signs

    async def lose_file(self) -> None:
        await self.simulator.delete_file(self.simulator.message(self.said)["attachments"][0]["id"])

    def elsewhere(self) -> Attachment:
        file = self.simulator.attached(PEOPLE["user1"][0], {"name": "data.bin", "mode": "external"})
        return Attachment(ref=file, name="data.bin", media_type="application/octet-stream", size=0)

    def files(self, channel: Channel) -> list[tuple[str, bytes]]:
        given = [file for each in self.own(channel) for file in each["attachments"]]
        return [(each["name"], self.simulator.world.files.read(each["id"]) or b"") for each in given]

    def signs(self) -> int:
        return sum(BOT in users for users in self.simulator.world.state.messages[self.said].reactions.values())

    async def forbid_signs(self) -> None:
        await self.simulator.set_scopes(remove=["reactions:write"])


class Posted:
    """What Slack posts goes to the adapter that was made last."""

    adapter: SlackAdapter | None = None

    async def hook(self, request: web.Request) -> web.Response:
        assert self.adapter is not None
        return await self.adapter.hook(request)


@asynccontextmanager
async def http_rig(settings: SimulatorConfig = ROOMY, **config: Any) -> AsyncGenerator[SlackRig]:
    """As `slack_rig`, with Slack posting to the server's own HTTP part."""
    posted, bound = Posted(), bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}{SLACK_PATH}"
    given = {"events": "http", "signing_secret": settings.signing_secret, "app_token": ""} | config
    async with taking({SLACK_PATH: posted}, bound), slack_rig(replace(settings, request_url=url), **given) as rig:
        yield SlackRig(rig.simulator, rig.config, posted)


@asynccontextmanager
async def slack_rig(settings: SimulatorConfig = ROOMY, **config: Any) -> AsyncGenerator[SlackRig]:
    """A rig whose adapter waits for nothing that it need not wait for. `config` changes the adapter's."""
    async with Simulator(settings) as simulator:
        quick = SlackConfig(
            bot_token=settings.token, app_token=settings.app_token, api_url=simulator.api_url, retry_wait=0.01, settle=0.03
        )
        yield SlackRig(simulator, replace(quick, **config))
