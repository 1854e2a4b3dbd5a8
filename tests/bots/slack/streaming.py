"""What the tests of streams share."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

from sandbox.faults import Rule
from sandbox.slack.defaults import CHANNELS, PEOPLE
from shared.chat import Button, Target
from tests.bots.slack.rig import SlackRig
from tests.conformance.adapter_rig import Heard, answering, asked, listening

GENERAL = CHANNELS["general"]
ADA = PEOPLE["user1"][0]
RETRY = (Button("retry/1", "Retry"),)


@asynccontextmanager
async def talking(rig: SlackRig) -> AsyncGenerator[tuple[Target, Heard]]:
    """Where the answer to a question in #general goes."""
    async with listening(rig.adapter) as heard:
        yield await answering(rig, await asked(rig, heard)), heard


async def direct(rig: SlackRig, heard: Heard) -> Target:
    """Where the answer to a question in a direct chat goes."""
    count = len(heard.messages) + 1
    await rig.simulator.say("user1", "", "hello", direct=True)
    return await answering(rig, await heard.message(count))


def saying(method: str, error: str, **more: Any) -> Rule:
    return Rule("status", path=f"/chat.{method}$", status=200, body={"ok": False, "error": error}, **more)


def calls(rig: SlackRig) -> list[str]:
    """The calls that show something, in order."""
    made = [each.path.removeprefix("/chat.") for each in rig.simulator.calls if each.path.startswith("/chat.")]
    return [each for each in made if each != "delete"]


def bodies(rig: SlackRig, method: str) -> list[dict[str, Any]]:
    return [each.body for each in rig.simulator.calls if each.path == f"/chat.{method}"]
