"""What the rigs of all platforms have in common: a simulator in whose channel #general people talk to the bot."""

import base64
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import ClassVar, Generic, Protocol, TypeVar

from sandbox.calls import CallLog
from sandbox.downloads import Spoil as SpoiltDownload
from sandbox.faults import Action, Rule
from sandbox.values import Json
from shared.chat import Channel, Target
from tests.conformance.adapter_rig import Break, Refusal, Spoil

T = TypeVar("T")


class Simulated(Protocol):
    """What the simulators of all platforms can do."""

    @property
    def calls(self) -> CallLog: ...

    async def wait_for(self, predicate: Callable[[], T | None], timeout: float = 5.0) -> T: ...

    async def fault(self, rule: Rule) -> int: ...

    async def spoil(self, spoil: SpoiltDownload) -> None: ...

    async def say(self, by: str, where: str, text: str, *, attachments: Sequence[Json] = ()) -> Json: ...

    async def press(self, by: str, message: str, button: str) -> Json: ...

    async def edit(self, message: str, text: str) -> Json: ...

    async def delete(self, message: str) -> Json: ...


S = TypeVar("S", bound=Simulated)


class PlatformRig(ABC, Generic[S]):
    """The part of a rig of the conformance suite that is the same on every platform."""

    mention: ClassVar[str] = "@threadline"
    """What people write to say something to the bot."""
    other_bot: ClassVar[str] = "otherbot"
    """The name of a bot that is not ours."""
    key: ClassVar[str] = "id"
    """The field of a message by which the simulator knows it."""
    showing: ClassVar[str]
    """The path of the calls that show something, as a regular expression."""
    outage: ClassVar[Rule]
    """The service answers such a call that it is unavailable."""
    long_wait: ClassVar[Rule]
    """The service answers such a call that it is to come again after more than a minute."""
    cuts: ClassVar[int] = 1
    """How many downloads of a file are cut when it is to be cut."""

    def __init__(self, simulator: S) -> None:
        self.simulator = simulator
        self.said = ""
        """What was said to the bot last, as the simulator names it."""

    async def utter(self, text: str, *, to_bot: bool, by_bot: bool) -> str:
        """Let somebody say something in the channel; the message as the simulator names it."""
        by = self.other_bot if by_bot else "user1"
        said = await self.simulator.say(by, "general", f"{self.mention} {text}" if to_bot else text)
        if to_bot and not by_bot:
            self.said = said[self.key]
        return said[self.key]

    @abstractmethod
    def own(self, channel: Channel) -> list[Json]:
        """The bot's messages in a channel that are not deleted, oldest first."""

    def shown(self, channel: Channel) -> list[str]:
        return [each["content"] for each in self.own(channel)]

    # what goes wrong

    async def break_next(self, how: Break) -> None:
        rules = {
            "error": self.outage,
            "reset before": Rule("reset", path=self.showing),
            "reset after": Rule("reset", path=self.showing, moment="after"),
        }
        await self.simulator.fault(rules[how])

    async def refuse(self, how: Refusal, target: Target) -> None:
        if how == "rate limit":
            await self.simulator.fault(self.long_wait)
        elif how == "message gone":
            await self.simulator.delete(self.own(target.channel)[-1][self.key])
        elif how == "channel gone":
            await self.remove(target.channel)
        else:
            await self.forbid(target.channel)

    @abstractmethod
    async def remove(self, channel: Channel) -> None:
        """Let the channel be there no more for the bot."""

    @abstractmethod
    async def forbid(self, channel: Channel) -> None:
        """Take away the permission to write in the channel."""

    async def hang_next(self) -> None:
        await self.simulator.fault(Rule("hang", path=self.showing))

    async def hanging(self) -> None:
        await self.struck("hang")

    async def struck(self, action: Action, path: str | None = None) -> None:
        """Return when a fault has struck a call, one that shows something if no path is given."""
        calls, wanted = self.simulator.calls, re.compile(self.showing if path is None else path)
        await self.simulator.wait_for(
            lambda: any((call.fault or "").startswith(action) and wanted.search(call.path) for call in calls)
        )

    # buttons and changes

    def buttons(self, channel: Channel) -> list[list[str]]:
        return [each["buttons"] for each in self.own(channel)]

    async def press(self, channel: Channel, label: str) -> None:
        message = next(each[self.key] for each in reversed(self.own(channel)) if label in each["buttons"])
        await self.simulator.press("user1", message, label)

    async def change(self, text: str) -> None:
        await self.simulator.edit(self.said, f"{self.mention} {text}")

    async def take_back(self) -> None:
        await self.simulator.delete(self.said)

    # files

    async def attach(self, text: str, name: str, data: bytes) -> None:
        file = {"name": name, "content_base64": base64.b64encode(data).decode()}
        said = await self.simulator.say("user1", "general", f"{self.mention} {text}", attachments=[file])
        self.said = said[self.key]

    async def spoil(self, how: Spoil) -> None:
        if how == "gone":
            await self.lose_file()
        elif how == "cut":
            await self.simulator.spoil(SpoiltDownload("cut", after=1000, times=self.cuts))
        else:
            await self.simulator.spoil(SpoiltDownload("redirect", location="https://example.org/data.bin"))

    @abstractmethod
    async def lose_file(self) -> None:
        """Let the file of what was said last be there no more."""
