"""The odd platform, ready for the conformance suite."""

import asyncio

from shared.chat import Channel, Target
from tests.conformance.adapter_rig import Break, Refusal
from tests.odd.platform import CALL, OddAdapter
from tests.odd.service import Service, Trouble
from tests.shared.flavours import AbleAdapter

TROUBLES: dict[Break, Trouble] = {"error": "broken", "reset before": "torn before", "reset after": "torn after"}


class OddRig:
    folder = "odd"
    idempotent = False
    hostile = "%%all %%"

    def __init__(self, service: Service, adapter: OddAdapter) -> None:
        self.service = service
        self.adapter = adapter
        self._hung = asyncio.Event()

    async def say(self, text: str, *, to_bot: bool = True, by_bot: bool = False, twice: bool = False) -> None:
        note = await self.service.write("hall", "bot2" if by_bot else "ada", f"{CALL}{text}" if to_bot else text)
        if twice:
            self.service.hear_again("hall", note)

    def shown(self, channel: Channel) -> list[str]:
        return self.service.shown(channel.id.partition(":")[2])

    def silent(self, channel: Channel) -> list[bool]:
        return [note.quiet for note in self.service.boards["hall"].notes if note.writer == "bot"]

    def pinged(self) -> int:
        return sum("%%" in text for text in self.service.shown("hall"))

    async def break_next(self, how: Break) -> None:
        self.service.troubles.append(TROUBLES[how])

    async def refuse(self, how: Refusal, target: Target) -> None:
        hall = self.service.boards["hall"]
        if how == "rate limit":
            hall.waits = True
        elif how == "message gone":
            await self.service.remove("hall", [note for note in hall.notes if note.writer == "bot"][-1].number)
        elif how == "channel gone":
            await self.service.close("hall")
        else:
            hall.closed_to_us = True

    async def hang_next(self) -> None:
        def hold(act: str, text: str) -> asyncio.Event:
            self.service.before.remove(hold)
            self._hung.set()
            return asyncio.Event()

        self.service.before.append(hold)

    async def hanging(self) -> None:
        await self._hung.wait()

    async def new_session(self) -> None:
        self.service.new_session()

    async def forbid_threads(self) -> None:
        raise AssertionError("there are no threads here")


class AbleRig(OddRig):
    """The same for the flavour that has buttons, files of ours and signs."""

    def __init__(self, service: Service, adapter: AbleAdapter) -> None:
        super().__init__(service, adapter)
        service.largest = 1_000_000
        self._labels = adapter.labels

    def buttons(self, channel: Channel) -> list[list[str]]:
        return [[self._labels[button] for button in buttons] for buttons in self.service.pressable(_board(channel))]

    async def press(self, channel: Channel, label: str) -> None:
        notes = [note for note in self.service.boards[_board(channel)].notes if note.buttons]
        [button] = [button for button in notes[-1].buttons if self._labels[button] == label]
        await self.service.press(_board(channel), notes[-1].number, "ada", button)

    def files(self, channel: Channel) -> list[tuple[str, bytes]]:
        return [(note.text, note.data) for note in self.service.boards[_board(channel)].notes if note.data is not None]

    def signs(self) -> int:
        return sum(note.seen for note in self.service.boards["hall"].notes)

    async def forbid_signs(self) -> None:
        self.service.boards["hall"].closed_to_us = True


def _board(channel: Channel) -> str:
    return channel.id.partition(":")[2]
