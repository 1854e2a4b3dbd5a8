"""What the conformance suite of adapters needs of a platform: a simulator with an adapter on it."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from typing import Literal, Protocol, TypeVar, runtime_checkable

import pytest

from shared.abilities import Threads
from shared.chat import Adapter, Attachment, Channel, Connected, Deliver, Event, Message, Target

E = TypeVar("E", bound=Event)

Break = Literal["error", "reset before", "reset after"]
"""The service answers that it is unavailable; the connection is cut before, or after, the call has taken effect."""

Refusal = Literal["rate limit", "message gone", "channel gone", "forbidden"]


class Rig(Protocol):
    """A simulated platform with one channel and one adapter. All waiting inside is for events."""

    @property
    def adapter(self) -> Adapter:
        """The adapter under test; the suite runs it."""
        ...

    @property
    def folder(self) -> str:
        """The name of the adapter's folder under `bots/`, or of what stands for it."""
        ...

    @property
    def idempotent(self) -> bool:
        """Whether a post repeated with its key shows once."""
        ...

    @property
    def hostile(self) -> str:
        """A text that would ping people, roles or everybody if it were shown as it is."""
        ...

    async def say(self, text: str, *, to_bot: bool = True, by_bot: bool = False, twice: bool = False) -> None:
        """Let somebody say something in the channel; `twice` delivers the event two times."""
        ...

    def shown(self, channel: Channel) -> list[str]:
        """What the bot's messages in a channel show now, oldest first, as people would copy it."""
        ...

    def pinged(self) -> int:
        """How many pings the bot has caused."""
        ...

    def silent(self, channel: Channel) -> list[bool]:
        """For each message of `shown`, whether it notified nobody. Empty where the platform knows no such thing."""
        ...

    async def break_next(self, how: Break) -> None:
        """Let the next call that shows something go wrong once."""
        ...

    async def refuse(self, how: Refusal, target: Target) -> None:
        """Make calls in the target fail: told to wait for long, its newest message or itself deleted, permission lost."""
        ...

    async def hang_next(self) -> None:
        """Leave the next call that shows something without an answer."""
        ...

    async def hanging(self) -> None:
        """Return when such a call has come."""
        ...

    async def new_session(self) -> None:
        """Make the platform end the adapter's session, so that it has to begin a new one."""
        ...

    async def forbid_threads(self) -> None:
        """Take away the permission to open threads. Called only where the adapter has `Threads`."""
        ...


Spoil = Literal["cut", "redirect", "gone"]
"""The connection is cut in the middle of the file; the file is said to be on another host; it is there no more."""


@runtime_checkable
class Presses(Protocol):
    """A rig on whose platform messages have buttons."""

    def buttons(self, channel: Channel) -> list[list[str]]:
        """For each message of `shown`, the labels of its buttons."""
        ...

    async def press(self, channel: Channel, label: str) -> None:
        """Somebody presses the button with this label under the newest message of the bot that has one."""
        ...


@runtime_checkable
class Changes(Protocol):
    """A rig on whose platform people can change and take back what they said. All is about the last thing said to the bot."""

    async def change(self, text: str) -> None:
        """They change it to this, said to the bot as before."""
        ...

    async def preview(self) -> None:
        """The platform changes it in a way that is nobody's doing."""
        ...

    async def take_back(self) -> None:
        """They delete it."""
        ...


@runtime_checkable
class Commands(Protocol):
    """A rig on whose platform commands can be given in another way than as text."""

    async def command(self, name: str, options: Mapping[str, str]) -> None:
        """Somebody gives a command in the channel. Raises if the platform does not offer it."""
        ...

    def read(self, *, others: bool = False) -> list[str]:
        """What the person who gives commands, or somebody else, reads of the bot in the channel, oldest first.

        Signs of the platform's that an answer is awaited, and questions that it shows again, are left out.
        """
        ...

    async def expire(self) -> None:
        """The time in which the commands given so far can be answered is over."""
        ...

    async def offered(self, names: Collection[str]) -> int:
        """Wait until the platform offers just these commands; how often they have been registered since the beginning."""
        ...

    async def suggested(self, name: str, option: str, text: str) -> list[str]:
        """The values that a person is offered while they write `text` into an option."""
        ...


@runtime_checkable
class Attaches(Protocol):
    """A rig on whose platform people can attach files."""

    async def attach(self, text: str, name: str, data: bytes) -> None:
        """Somebody says something to the bot with a file."""
        ...

    async def spoil(self, how: Spoil) -> None:
        """Let it go wrong when the file is fetched next."""
        ...

    def elsewhere(self) -> Attachment:
        """A file whose address is on a host that is not the platform's, where something would answer."""
        ...


@runtime_checkable
class Holds(Protocol):
    """A rig that knows the files and the signs that the bot shows."""

    def files(self, channel: Channel) -> list[tuple[str, bytes]]:
        """Names and bytes of the files that the bot shows in a channel, oldest first."""
        ...

    def signs(self) -> int:
        """How many signs of the bot are on what was last said to it."""
        ...

    async def forbid_signs(self) -> None:
        """Take away the permission to leave signs."""
        ...


class Heard:
    """What the adapter delivered, in order, and a way to wait for it."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self._changed = asyncio.Condition()

    async def __call__(self, event: Event) -> None:
        async with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    @property
    def messages(self) -> list[Message]:
        """What people wrote."""
        return [event for event in self.events if isinstance(event, Message) and not event.author.is_bot]

    @property
    def of_bots(self) -> list[Message]:
        """What bots wrote, ours included."""
        return [event for event in self.events if isinstance(event, Message) and event.author.is_bot]

    def of(self, kind: type[E]) -> list[E]:
        """The events of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    async def one(self, kind: type[E], count: int = 1) -> E:
        """The event number `count` of a kind, waited for."""
        await self.until(lambda: len(self.of(kind)) >= count)
        return self.of(kind)[count - 1]

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.messages]

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(60), self._changed:
            await self._changed.wait_for(reached)

    async def message(self, count: int = 1) -> Message:
        """The message number `count`, waited for."""
        await self.until(lambda: len(self.messages) >= count)
        return self.messages[count - 1]

    async def connected(self, count: int = 1) -> None:
        await self.until(lambda: sum(isinstance(event, Connected) for event in self.events) >= count)


@asynccontextmanager
async def running(adapter: Adapter, deliver: Deliver) -> AsyncGenerator[asyncio.Task[None]]:
    """Run the adapter, and end it."""
    task = asyncio.create_task(adapter.run(deliver))
    try:
        yield task
    finally:
        task.cancel()
        async with asyncio.timeout(60):
            await asyncio.wait([task])
    if not task.cancelled():
        task.result()


@asynccontextmanager
async def listening(adapter: Adapter) -> AsyncGenerator[Heard]:
    """Run the adapter and collect what it delivers, from the first connection on."""
    heard = Heard()
    async with running(adapter, heard) as task:
        waiting = asyncio.ensure_future(heard.connected())
        await asyncio.wait([waiting, task], return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            waiting.cancel()
            task.result()
        await waiting
        yield heard


async def asked(rig: Rig, heard: Heard, text: str = "hello") -> Message:
    """Somebody says something to the bot; the message as it was heard."""
    count = len(heard.messages) + 1
    await rig.say(text)
    return await heard.message(count)


async def answering(rig: Rig, message: Message) -> Target:
    """Where the answer to a message goes: the thread, where one would be opened."""
    adapter = rig.adapter
    if message.thread is not None and isinstance(adapter, Threads):
        return await adapter.open(message.target, message.text)
    return message.target


def need(able: bool, otherwise: str) -> None:
    if not able:
        pytest.skip(otherwise)
