"""A platform with what replies on it need, and a ledger in memory."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from shared.chat import Button, ChannelId, MessageId, Target
from shared.governor import Governor
from shared.parts import PartKind
from shared.reply import Reply
from shared.steps import Slot
from tests.odd.platform import OddAdapter, channel
from tests.odd.service import Service
from tests.shared.jumping import now

Adapting = TypeVar("Adapting", bound=OddAdapter)
HALL = Target(channel("hall"))


@dataclass
class Notes:
    """A ledger in memory."""

    calls: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    others: frozenset[MessageId] = frozenset()

    async def sending(self, ordinal: int, channel: ChannelId, kind: PartKind) -> None:
        self._note("sending", ordinal, kind)

    async def shown(self, ordinal: int, message: MessageId, kind: PartKind) -> None:
        self._note("shown", ordinal, kind)

    async def dropped(self, ordinal: int, kind: PartKind) -> None:
        self._note("dropped", ordinal, kind)

    def _note(self, what: str, ordinal: int, kind: PartKind) -> None:
        self.calls.append((what if kind == "text" else f"{what} file", ordinal))

    async def known(self, channel: ChannelId) -> frozenset[MessageId]:
        return self.others

    def looking(self) -> AbstractAsyncContextManager[object]:
        return nullcontext()


@dataclass
class Desk(Generic[Adapting]):
    """A platform, and what replies on it need."""

    service: Service
    adapter: Adapting
    governor: Governor
    notes: Notes = field(default_factory=Notes)
    lost: int = 0

    def reply(
        self,
        *,
        slots: Sequence[Slot] = (),
        files: Mapping[int, Slot] | None = None,
        growing: Sequence[Button] = (),
        silent: bool = False,
        hold_sentence: bool = False,
    ) -> Reply:
        async def place() -> Target:
            return HALL

        def lose() -> None:
            self.lost += 1

        return Reply(
            self.adapter, self.governor, self.notes, place=place(), after=None,
            key=lambda ordinal, kind: f"{kind[0]}{ordinal}", slots=slots, files=files, growing=growing,
            silent=silent, hold_sentence=hold_sentence, lost=lose,
        )  # fmt: skip

    def calls(self) -> list[tuple[str, str]]:
        return self.service.asked("post", "edit", "delete", "read", "upload")

    def hold(self, text: str) -> asyncio.Event:
        """Keep the call that shows this text on the wire until the event is set."""
        held = asyncio.Event()
        self.service.before.append(lambda act, shown: held if shown == text else None)
        return held


@asynccontextmanager
async def desk(
    adapter: Callable[[Service], Adapting], *, longest: int = 40, calls: int = 1000, seconds: float = 1.0
) -> AsyncGenerator[Desk[Adapting]]:
    service = Service(calls=calls, seconds=seconds, longest=longest, clock=now)
    built = adapter(service)

    async def deaf(event: object) -> None:
        """Hears nothing."""

    running = asyncio.create_task(built.run(deaf))
    await asyncio.sleep(0)
    try:
        yield Desk(service, built, Governor(clock=now))
    finally:
        running.cancel()
        await asyncio.wait([running])
