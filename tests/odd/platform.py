"""The odd platform's adapter: it has only what an adapter must have. A second flavour can find what it has posted."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Sequence
from datetime import datetime
from typing import TypeVar

from shared.chat import (
    Act,
    Attachment,
    Author,
    AuthorId,
    Button,
    Channel,
    ChannelId,
    Connected,
    Deleted,
    Deliver,
    Event,
    Health,
    Left,
    Limit,
    Message,
    MessageId,
    Pressed,
    Target,
)
from shared.errors import Forbidden, Gone, RateLimited, Refused, Unavailable
from tests.odd.service import Happened, Missing, NotAllowed, Note, Service, TooMuch, Torn, Wait

T = TypeVar("T")
CALL = "bot, "
"""How people call the bot."""


def channel(board: str) -> Channel:
    return Channel(ChannelId(f"odd:{board}"), "group", space="odd:house")


class OddAdapter:
    """Not idempotent, no threads, no past, no finding; a post that was torn is never repeated by itself."""

    name = "odd"
    busy_seconds = 1.0

    def __init__(self, service: Service) -> None:
        self._service = service
        self._ear: asyncio.Queue[Happened] | None = None
        self._blocked: dict[str, float] = {}

    async def run(self, deliver: Deliver) -> None:
        self._ear = ear = self._service.listen()
        try:
            while True:
                if (event := _event(await ear.get())) is not None:
                    await self._bring(deliver, event)
                ear.task_done()
        finally:
            self._service.deafen(ear)
            self._ear = None

    async def _bring(self, deliver: Deliver, event: Event) -> None:
        """As often as it takes: nobody could read it again here."""
        while True:
            try:
                return await deliver(event)
            except Unavailable:
                await asyncio.sleep(1.0)

    def fits(self, target: Target, markdown: str) -> bool:
        return len(_written(markdown).encode()) <= self._service.longest

    def limits(self, target: Target, act: Act) -> Sequence[Limit]:
        board = _board(target)
        left = max(0.0, self._blocked.get(board, 0.0) - self._service.clock())
        return [Limit(f"odd:{board}", self._service.calls, self._service.seconds, blocked=left)]

    async def post(
        self, target: Target, markdown: str, *, key: str, buttons: Sequence[Button] = (), silent: bool = False
    ) -> MessageId:
        text, ids = _written(markdown), self._pressable(buttons)
        number = await self._call(target, lambda board: self._service.post(board, text, key, silent, ids))
        return MessageId(f"odd:{number}")

    async def edit(self, target: Target, message: MessageId, markdown: str, *, buttons: Sequence[Button] = ()) -> None:
        text, ids = _written(markdown), self._pressable(buttons)
        for last in (False, False, True):
            try:
                await self._call(target, lambda board: self._service.change(board, _number(message), text, ids))
            except Unavailable:
                # To change a note twice is the same as once.
                if last or self._ear is None:
                    raise
            else:
                return

    async def delete(self, target: Target, message: MessageId) -> None:
        try:
            await self._call(target, lambda board: self._service.take_away(board, _number(message)))
        except Gone:
            return

    def _pressable(self, buttons: Sequence[Button]) -> tuple[str, ...]:
        """There are no buttons here."""
        return ()

    async def fetch(self, attachment: Attachment) -> AsyncIterator[bytes]:
        try:
            async for piece in self._service.get(attachment.ref):
                yield piece
        except Wait as wait:
            raise RateLimited("too many calls", wait.seconds) from None
        except Missing as missing:
            raise Gone(str(missing)) from None
        except Torn as torn:
            raise Unavailable(str(torn)) from None

    async def busy(self, target: Target, label: str | None) -> None:
        if label is not None:
            await self._call(target, self._service.wave)

    def spell(self, command: str, place: Channel, *, there: bool = False) -> str:
        return f"{CALL}{command}!"

    def health(self) -> Health:
        return Health(self._ear is not None)

    def forgive(self) -> None:
        """Forget that we were told to wait, as a new process does."""
        self._blocked.clear()

    async def _call(self, target: Target, call: Callable[[str], Awaitable[T]]) -> T:
        board = _board(target)
        if self._ear is None:
            raise Unavailable("not connected")
        try:
            return await call(board)
        except Wait as wait:
            self._blocked[board] = self._service.clock() + wait.seconds
            raise RateLimited("too many calls", wait.seconds) from None
        except Missing as missing:
            raise Gone(str(missing)) from None
        except NotAllowed as no:
            raise Forbidden(str(no)) from None
        except TooMuch as much:
            raise Refused(str(much)) from None
        except Torn as torn:
            raise Unavailable(str(torn)) from None


class FindingAdapter(OddAdapter):
    """As the other, but it can read the key back."""

    async def find(
        self,
        target: Target,
        key: str,
        after: MessageId | None,
        *,
        since: datetime,
        known: Collection[MessageId],
        silent: bool,
    ) -> MessageId | None:
        newest = 0 if after is None else _number(after)
        for note in await self._call(target, self._service.read):
            if note.writer == "bot" and note.tag == key and note.number > newest and note.at >= since:
                return MessageId(f"odd:{note.number}")
        return None


def _event(what: Happened) -> Event | None:
    match what:
        case Happened("session"):
            return Connected()
        case Happened("removed", board, number=number):
            return Deleted(channel=channel(board).id, message=MessageId(f"odd:{number}"))
        case Happened("closed", board):
            return Left(channel=channel(board).id)
        case Happened("pressed", board, Note() as note, number, who, button):
            return Pressed(
                keys=(f"odd:press {number}",),
                target=Target(channel(board), user=AuthorId(f"odd:{who}")),
                author=Author(AuthorId(f"odd:{who}"), who),
                sent_at=note.at,
                button=button,
                message=MessageId(f"odd:{note.number}"),
            )
        case Happened("note", board, Note() as note):
            return message(board, note)
        case _:
            return None


def message(board: str, note: Note) -> Message:
    """A note as a message."""
    by_bot = note.writer.startswith("bot")
    return Message(
        keys=(f"odd:{note.number}",),
        id=MessageId(f"odd:{note.number}"),
        target=Target(channel(board), reply_to=MessageId(f"odd:{note.number}")),
        author=Author(AuthorId(f"odd:{note.writer}"), note.writer, is_bot=by_bot),
        sent_at=note.at,
        text=note.text.removeprefix(CALL),
        addressed=note.text.startswith(CALL) and not by_bot,
    )


def _written(markdown: str) -> str:
    """As the service takes it: two signs of its own would ring bells, and UTF-8 carries no lone surrogates."""
    return re.sub("%%+", "%", markdown).encode(errors="replace").decode()


def _board(target: Target) -> str:
    return target.channel.id.partition(":")[2]


def _number(message: MessageId) -> int:
    return int(message.partition(":")[2])
