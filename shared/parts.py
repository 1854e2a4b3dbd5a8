"""The parts of one reply: the calls that show them, and the notes of it in the ledger.

A part is noted before its post begins and after it has returned. Where that leaves it open whether a part was shown (after a
crash, a lost connection), the platform is asked if it can tell; the key makes a repeat harmless where it can.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from typing import Literal, Protocol

import structlog

from shared.abilities import Drafts, Finds, Streams, Uploads
from shared.chat import Adapter, ChannelId, MessageId, Target
from shared.errors import Gone, RateLimited, Refused, Stranded, Unavailable
from shared.steps import Slot, Step

log = structlog.get_logger(__name__)

CLOCKS_APART = timedelta(minutes=1)
"""How far the platform's clock may be behind ours."""

PartKind = Literal["text", "file"]


class Ledger(Protocol):
    """Where the parts of one turn are noted."""

    async def sending(self, ordinal: int, channel: ChannelId, kind: PartKind) -> None:
        """The post of this part is about to begin."""
        ...

    async def shown(self, ordinal: int, message: MessageId, kind: PartKind) -> None:
        """This part is this message."""
        ...

    async def dropped(self, ordinal: int, kind: PartKind) -> None:
        """This part is no longer shown."""
        ...

    async def known(self, channel: ChannelId) -> frozenset[MessageId]:
        """Messages of ours there that are parts of some turn."""
        ...

    def looking(self) -> AbstractAsyncContextManager[object]:
        """Held while a lost post is looked for and noted, so that no two replies take the same message for theirs."""
        ...


class Parts:
    """What is shown of a reply. `texts` are in their order; of `files` some may have been left out."""

    def __init__(
        self,
        adapter: Adapter,
        ledger: Ledger,
        *,
        key: Callable[[int, PartKind], str],
        after: MessageId | None,
        texts: Sequence[Slot],
        files: Mapping[int, Slot],
        silent: bool,
        lost: Callable[[], None] | None,
    ) -> None:
        """As `shared.reply.Reply`."""
        self._adapter = adapter
        self._ledger = ledger
        self._key = key
        self._after = after
        self._silent = silent
        self._lost = lost
        self.texts = list(texts)
        self.files = dict(files)
        self.drafted = ""
        """What a draft shows of the part that comes next."""

    def owns(self, message: MessageId) -> bool:
        """Whether this message is one of the parts."""
        return any(slot.message == message for slot in (*self.texts, *self.files.values()))

    @property
    def shown(self) -> bool:
        """Whether there is a part that may be seen."""
        return any(not slot.gone for slot in (*self.texts, *self.files.values()))

    async def take(self, target: Target, step: Step) -> None:
        """Make one call and note what came of it."""
        match step.act:
            case "post" | "begin":
                await self._post(target, step)
            case "extend" | "finish":
                await self._go_on(target, step)
            case "draft":
                await self._draft(target, step)
            case "upload":
                await self._upload(target, step)
            case "edit":
                await self._edit(target, step)
            case _ if step.of_file:
                await self._delete_file(target, step.ordinal)
            case _:
                await self._delete_text(target, step.ordinal)

    async def _post(self, target: Target, step: Step) -> None:
        ordinal = step.ordinal
        if ordinal == len(self.texts):
            await self._ledger.sending(ordinal, target.channel.id, "text")
            self.texts.append(Slot())
        slot = self.texts[ordinal]
        if slot.unsure and (found := await self._found(target, slot, ordinal, "text")):
            self.texts[ordinal] = Slot(found)
            return
        slot.unsure = True
        try:
            message = await self._shown(target, step)
        except (RateLimited, Refused):
            slot.unsure = False
            raise
        self.texts[ordinal] = Slot(message, step.text, step.buttons, streams=step.act == "begin")
        self.drafted = ""
        await self._ledger.shown(ordinal, message, "text")

    async def _shown(self, target: Target, step: Step) -> MessageId:
        """The new message of a text."""
        adapter, key = self._adapter, self._key(step.ordinal, "text")
        if step.act == "begin" and isinstance(adapter, Streams):
            return await adapter.begin(target, step.text, key=key)
        return await adapter.post(target, step.text, key=key, buttons=step.buttons, silent=self._silent)

    async def _go_on(self, target: Target, step: Step) -> None:
        """Write more of a stream, or end it."""
        slot, adapter = self.texts[step.ordinal], self._adapter
        if slot.message is None or not isinstance(adapter, Streams):
            raise RuntimeError("there is no stream to go on with")
        try:
            if step.act == "extend":
                await adapter.extend(target, slot.message, step.text)
            else:
                key = self._key(step.ordinal, "text")
                await adapter.finish(target, slot.message, step.text, key=key, buttons=step.buttons)
        except Gone as failure:
            self._lose(slot, failure)
        except (Refused, Unavailable) as failure:
            if step.act == "finish":
                raise
            # It is not known what shows, or it grows no further: it is finished next, and then changed by edits.
            log.info("stream torn", message=slot.message, detail=failure.detail)
            slot.text = None
        else:
            slot.text, slot.buttons, slot.streams = step.text, step.buttons, step.act == "extend"

    async def _draft(self, target: Target, step: Step) -> None:
        if isinstance(self._adapter, Drafts):
            await self._adapter.draft(target, step.text, key=self._key(step.ordinal, "text"))
        self.drafted = step.text

    async def _upload(self, target: Target, step: Step) -> None:
        ordinal, file, adapter = step.ordinal, step.file, self._adapter
        if file is None or not isinstance(adapter, Uploads):
            raise RuntimeError("there is nothing to upload, or nowhere")
        if ordinal not in self.files:
            await self._ledger.sending(ordinal, target.channel.id, "file")
            self.files[ordinal] = Slot()
        slot = self.files[ordinal]
        if slot.unsure and (found := await self._found(target, slot, ordinal, "file")):
            self.files[ordinal] = Slot(found)
            return
        slot.unsure = True
        try:
            message = await adapter.upload(target, file, key=self._key(ordinal, "file"), silent=self._silent)
        except RateLimited:
            slot.unsure = False
            raise
        except Refused:
            # It was not shown, and will not be.
            await self._ledger.dropped(ordinal, "file")
            del self.files[ordinal]
            raise
        self.files[ordinal] = Slot(message)
        await self._ledger.shown(ordinal, message, "file")

    async def _found(self, target: Target, slot: Slot, ordinal: int, kind: PartKind) -> MessageId | None:
        """The message of a post whose end is not known, if it took effect."""
        if not isinstance(self._adapter, Finds):
            return None
        async with self._ledger.looking():
            known = await self._ledger.known(target.channel.id)
            try:
                message = await self._adapter.find(
                    target,
                    self._key(ordinal, kind),
                    self._before(ordinal, kind),
                    since=slot.begun - CLOCKS_APART,
                    known=known,
                    silent=self._silent,
                )
            except Refused as failure:
                # We may not read here: only the key is left to keep the repeat from showing twice.
                log.warning("cannot look for the message", detail=failure.detail)
                return None
            if message is not None:
                await self._ledger.shown(ordinal, message, kind)
            return message

    def _before(self, ordinal: int, kind: PartKind) -> MessageId | None:
        """The newest message known to be older than this part; a file comes after the first text at least."""
        ids = [slot.message for slot in (self.texts[:ordinal] if kind == "text" else self.texts[:1]) if slot.message]
        return ids[-1] if ids else self._after

    async def _edit(self, target: Target, step: Step) -> None:
        slot = self.texts[step.ordinal]
        if slot.message is None:
            raise RuntimeError("a part that is not shown cannot be edited")
        try:
            await self._adapter.edit(target, slot.message, step.text, buttons=step.buttons)
        except Gone as failure:
            if slot.old or isinstance(failure, Stranded):
                # The answer before was taken away, and the new one was asked for all the same; or nobody took anything away.
                await self._ledger.sending(step.ordinal, target.channel.id, "text")
                self.texts[step.ordinal] = Slot()
                return
            self._lose(slot, failure)
        else:
            slot.text, slot.buttons, slot.old = step.text, step.buttons, False

    def _lose(self, slot: Slot, failure: Gone) -> None:
        """Somebody took our message away: that is a stop, and it is not shown again."""
        log.info("part deleted by others", message=slot.message, detail=failure.detail)
        slot.gone = True
        if self._lost:
            self._lost()

    async def _delete_text(self, target: Target, ordinal: int) -> None:
        slot = self.texts[ordinal]
        await self._take_away(target, slot, ordinal, "text")
        self.texts.pop()
        await self._ledger.dropped(ordinal, "text")

    async def _delete_file(self, target: Target, ordinal: int) -> None:
        await self._take_away(target, self.files[ordinal], ordinal, "file")
        del self.files[ordinal]
        await self._ledger.dropped(ordinal, "file")

    async def _take_away(self, target: Target, slot: Slot, ordinal: int, kind: PartKind) -> None:
        if slot.unsure:
            # Not to be found, or this platform cannot tell: as far as anybody knows it was never shown.
            slot.message = await self._found(target, slot, ordinal, kind)
            slot.unsure = False
        if slot.message and not slot.gone:
            await self._adapter.delete(target, slot.message)
