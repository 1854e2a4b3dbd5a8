"""What the conformance suite of adapters needs of a platform: a simulator with an adapter on it."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Literal, Protocol

import pytest

from shared.chat import Adapter, Channel, Connected, Deliver, Event, Message, Target, Threads

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

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.messages]

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(10), self._changed:
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
        async with asyncio.timeout(10):
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
