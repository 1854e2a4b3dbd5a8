"""Flavours of the odd platform that show a growing text in other ways than by edits: bit by bit, and as drafts."""

from collections.abc import Awaitable, Callable, Sequence

from shared.chat import Button, MessageId, Target
from shared.errors import Refused
from tests.odd.platform import FindingAdapter, OddAdapter
from tests.odd.service import Service, Shut, StillOpen


class StreamingAdapter(FindingAdapter):
    """Writes notes bit by bit."""

    seconds = 100.0

    def __init__(self, service: Service) -> None:
        super().__init__(service)
        self._written: dict[MessageId, str] = {}
        """What each open note shows for certain."""
        self.labels: dict[str, str] = {}

    def lifetime(self, target: Target) -> float | None:
        return None if target.private else self.seconds

    async def begin(self, target: Target, markdown: str, *, key: str) -> MessageId:
        number = await self._call(target, lambda board: self._service.begin(board, markdown, key))
        message = MessageId(f"odd:{number}")
        self._written[message] = markdown
        return message

    async def extend(self, target: Target, message: MessageId, markdown: str) -> None:
        shown = self._written.pop(message, None)
        if shown is None or not markdown.startswith(shown):
            raise Refused("it cannot be gone on with")
        await self._append(target, message, markdown[len(shown) :])
        self._written[message] = markdown

    async def finish(
        self, target: Target, message: MessageId, markdown: str, *, key: str, buttons: Sequence[Button] = ()
    ) -> None:
        shown = self._written.pop(message, None)
        if shown is not None and markdown.startswith(shown):
            try:
                await self._append(target, message, markdown[len(shown) :], last=True, buttons=buttons)
            except Refused:
                pass
            else:
                return
        await self.edit(target, message, markdown, buttons=buttons)

    async def edit(self, target: Target, message: MessageId, markdown: str, *, buttons: Sequence[Button] = ()) -> None:
        await self._ended(target, message, lambda: super(StreamingAdapter, self).edit(target, message, markdown, buttons=buttons))

    async def delete(self, target: Target, message: MessageId) -> None:
        await self._ended(target, message, lambda: super(StreamingAdapter, self).delete(target, message))

    async def _ended(self, target: Target, message: MessageId, act: Callable[[], Awaitable[None]]) -> None:
        try:
            await act()
        except StillOpen:
            await self._append(target, message, "", last=True)
            await act()

    async def _append(
        self, target: Target, message: MessageId, more: str, *, last: bool = False, buttons: Sequence[Button] = ()
    ) -> None:
        number, ids = int(message.partition(":")[2]), self._pressable(buttons)
        try:
            await self._call(target, lambda board: self._service.append(board, number, more, last=last, buttons=ids))
        except Shut as shut:
            raise Refused(str(shut)) from None

    def _pressable(self, buttons: Sequence[Button]) -> tuple[str, ...]:
        self.labels |= {button.id: button.label for button in buttons}
        return tuple(button.id for button in buttons)


class DraftingAdapter(OddAdapter):
    """Shows drafts of what is to come."""

    draft_seconds = 20.0

    def drafts(self, target: Target) -> bool:
        return True

    async def draft(self, target: Target, markdown: str, *, key: str) -> None:
        await self._call(target, lambda board: self._service.draft(board, markdown))
