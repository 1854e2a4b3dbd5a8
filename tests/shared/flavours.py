"""More flavours of the odd platform, for what only some platforms can do."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace

from shared.chat import Button, Channel, ChannelId, Deliver, Event, File, Message, MessageId, Seen, Target
from shared.errors import Refused, TooLarge, Unavailable
from tests.odd.platform import FindingAdapter, OddAdapter, channel, message
from tests.odd.service import Service

THREAD = Channel(ChannelId("odd:thread"), "thread", parent=channel("hall").id, space="odd:house")


class ThreadingAdapter(OddAdapter):
    """Every answer to the hall belongs into the one thread that there is."""

    async def run(self, deliver: Deliver) -> None:
        async def threaded(event: Event) -> None:
            await deliver(replace(event, thread=THREAD) if isinstance(event, Message) else event)

        await super().run(threaded)

    async def open(self, target: Target, title: str) -> Target:
        await self._call(target, lambda board: self._service.open(board, title))
        return Target(THREAD)


class RecallingAdapter(OddAdapter):
    """Can read the past of its boards."""

    unreadable = 0
    """How many readings fail before one goes well."""

    def behind(self, seen: Seen) -> Sequence[Channel]:
        return [channel(board) for board, there in self._service.boards.items() if there.notes]

    async def missed(self, place: Channel, seen: Seen) -> AsyncIterator[Message]:
        board = place.id.partition(":")[2]
        newest = seen.newest.get(place.id)
        for note in await self._call(Target(place), self._service.read):
            if note.writer == "bot" or (newest and note.number <= int(newest.partition(":")[2])):
                continue
            if newest is None and note.at <= seen.since:
                continue
            if self.unreadable:
                self.unreadable -= 1
                raise Unavailable("the past is dim")
            yield replace(message(board, note), recalled=True)


class AbleAdapter(FindingAdapter):
    """Has buttons, shows files and leaves signs."""

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self.labels: dict[str, str] = {}
        """What stood on the buttons, by their ids."""

    refuses_files = False
    """Whether every file is refused, though it would be small enough."""

    def _pressable(self, buttons: Sequence[Button]) -> tuple[str, ...]:
        self.labels |= {button.id: button.label for button in buttons}
        return tuple(button.id for button in buttons)

    def takes(self, target: Target) -> int:
        return self._service.largest

    async def upload(self, target: Target, file: File, *, key: str, silent: bool = False) -> MessageId:
        if file.size > self._service.largest:
            raise TooLarge(f"{file.size} bytes")
        if self.refuses_files:
            raise Refused("no files of yours")
        data = file.path.read_bytes()
        number = await self._call(target, lambda board: self._service.put(board, file.name, data, key, silent))
        return MessageId(f"odd:{number}")

    async def react(self, target: Target, message: MessageId, *, seen: bool) -> None:
        number = int(message.partition(":")[2])
        await self._call(target, lambda board: self._service.sign(board, number, seen))
