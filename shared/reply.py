"""One growing answer on a platform: its parts, their posts and edits.

The newest text is kept in one slot: deltas never wait for the platform, and a slow platform skips states instead of lagging. One
call at a time is under way for a reply, always the first that is missing: so a part has its closing text before its successor
is posted. The final text is another class of traffic: it waits for a preview that is already on the wire, overtakes one that is
not, and is tried until it is shown or the place is gone.

A part is noted in the ledger before its post begins and after it has returned. Where that leaves it open whether a part was shown
(after a crash, a lost connection), the platform is asked if it can tell; the key makes a repeat harmless where it can.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Protocol

import structlog

from shared.chat import Act, Adapter, ChannelId, Finds, MessageId, Target
from shared.errors import Failure, Gone, RateLimited, Refused, Unavailable
from shared.governor import Governor, Grade
from shared.heal import heal
from shared.split import Splitter

log = structlog.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between tries of a call that the platform cannot take just now; doubled each time."""

CLOCKS_APART = timedelta(minutes=1)
"""How far the platform's clock may be behind ours."""

SENTENCE_ENDS = (".", "!", "?", "…", "。", "\n")


class Ledger(Protocol):
    """Where the parts of one turn are noted."""

    async def sending(self, ordinal: int, channel: ChannelId) -> None:
        """The post of this part is about to begin."""
        ...

    async def shown(self, ordinal: int, message: MessageId) -> None:
        """This part is this message."""
        ...

    async def dropped(self, ordinal: int) -> None:
        """This part is no longer shown."""
        ...

    async def known(self, channel: ChannelId) -> frozenset[MessageId]:
        """Messages of ours there that are parts of some turn."""
        ...

    def looking(self) -> AbstractAsyncContextManager[object]:
        """Held while a lost post is looked for and noted, so that no two replies take the same message for theirs."""
        ...


@dataclass(slots=True)
class Slot:
    """What is known of one part.

    `message` is None while it is not known to be shown, `unsure` then says that it may be; `text` is None if it is not known what
    the message shows; `gone` that somebody took it away. `begun` is when its first post was about to begin.
    """

    message: MessageId | None = None
    text: str | None = None
    unsure: bool = False
    gone: bool = False
    begun: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True, slots=True)
class Step:
    """The next call: `act` on the part `ordinal`."""

    act: Act
    ordinal: int
    text: str = ""


def next_step(slots: Sequence[Slot], wanted: Sequence[str], *, final: bool) -> Step | None:
    """The first call that is missing to show the wanted parts, or None. Parts too many are taken away in the end, last first."""
    for ordinal, text in enumerate(wanted):
        if ordinal >= len(slots) or (slots[ordinal].message is None and not slots[ordinal].gone):
            return Step("post", ordinal, text)
        if slots[ordinal].text != text and not slots[ordinal].gone:
            return Step("edit", ordinal, text)
    if final and len(slots) > len(wanted):
        return Step("delete", len(slots) - 1)
    return None


class Reply:
    """The reply of one turn. `show` as text comes, then `finish` once, or `leave` to stop where it is."""

    def __init__(
        self,
        adapter: Adapter,
        governor: Governor,
        ledger: Ledger,
        *,
        place: Awaitable[Target],
        key: Callable[[int], str],
        after: MessageId | None,
        slots: Sequence[Slot] = (),
        silent: bool = False,
        hold_sentence: bool = False,
        lost: Callable[[], None] | None = None,
    ) -> None:
        """`place` is awaited before the first call. `after` is the newest message known to be older than the reply.

        `slots` are the parts noted by an earlier attempt, `lost` is called when a message of ours turns out to be deleted.
        """
        self._adapter = adapter
        self._governor = governor
        self._ledger = ledger
        self._place = asyncio.ensure_future(place)
        self._key = key
        self._after = after
        self._slots = list(slots)
        self._silent = silent
        self._hold_sentence = hold_sentence
        self._lost = lost
        self._text = ""
        self._splitter: Splitter | None = None
        self._changed = asyncio.Event()
        self._calling = False
        self._closing = False
        self._previews: asyncio.Task[None] | None = None
        self._live = ExitStack()
        self.begun = False
        """Whether text of this attempt shows."""

    async def place(self) -> Target:
        """Where the reply goes, once that is known. Raises `Gone` if the channel is not there."""
        return await asyncio.shield(self._place)

    def owns(self, message: MessageId) -> bool:
        """Whether this message is one of the parts."""
        return any(slot.message == message for slot in self._slots)

    def show(self, text: str) -> None:
        """The whole text so far. Never waits."""
        self._text = text
        self._changed.set()
        if self._previews is None:
            self._previews = asyncio.create_task(self._preview())

    async def finish(self, text: str) -> None:
        """Show this text and nothing else, however long it takes; an empty text takes away what stands.

        Raises `Gone` if the channel is no longer there, and `Refused` if the platform does not take the text.
        """
        await self._end_previews()
        pause = FIRST_PAUSE
        grade = Grade.NOTICE if self._silent else Grade.FINAL
        try:
            target = await self._ready()
            wanted = self._parts(target, text)
            while step := next_step(self._slots, wanted, final=True):
                try:
                    async with self._governor.permit(self._adapter.limits(target, step.act), grade):
                        await self._take(target, step)
                    pause = FIRST_PAUSE
                except RateLimited as failure:
                    log.warning("final waits", detail=failure.detail, retry_after=failure.retry_after)
                except Unavailable as failure:
                    log.warning("final not taken yet", detail=failure.detail, pause=pause)
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            self._live.close()

    async def leave(self) -> None:
        """Stop where it is; a call that is under way is waited for."""
        await self._end_previews()
        if not self._place.cancel() and not self._place.cancelled():
            self._place.exception()  # looked at: where the reply would have gone does not matter any more
        self._live.close()

    async def _ready(self) -> Target:
        target = await self.place()
        if self._splitter is None:
            self._splitter = Splitter(lambda text: self._adapter.fits(target, text))
            self._live.enter_context(self._governor.live(self._adapter.limits(target, "edit")))
        return target

    async def _preview(self) -> None:
        """Show the newest text as often as the governor lets it, until cancelled or refused. Previews may be dropped."""
        pause = FIRST_PAUSE
        try:
            target = await self._ready()
            while not self._closing:
                await self._changed.wait()
                self._changed.clear()
                if (step := self._preview_step(target)) is None:
                    continue
                grade = Grade.PREVIEW if self.begun else Grade.NOTICE
                try:
                    async with self._governor.permit(self._adapter.limits(target, step.act), grade):
                        # What waited is stale by now: show the newest.
                        newest = self._preview_step(target)
                        self._calling = True
                        try:
                            await self._take(target, newest if newest and newest.act == step.act else step)
                        finally:
                            self._calling = False
                    pause = FIRST_PAUSE
                    self.begun = True
                except RateLimited as failure:
                    log.info("preview waits", detail=failure.detail, retry_after=failure.retry_after)
                except Unavailable as failure:
                    log.info("preview dropped", detail=failure.detail)
                    if self._closing:
                        return
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
                if self._preview_step(target):
                    self._changed.set()
        except Failure as failure:
            # The final tries again, and says what cannot be done.
            log.warning("previews ended", detail=failure.detail)
            if isinstance(failure, Gone) and self._lost:
                self._lost()

    def _preview_step(self, target: Target) -> Step | None:
        text = self._text
        if self._hold_sentence and not self.begun and not any(end in text for end in SENTENCE_ENDS):
            return None
        wanted = self._parts(target, text)
        if wanted:
            healed = heal(wanted[-1]).rstrip()
            # Closing open markup may be what no longer fits; the part is then shown as it is.
            wanted[-1] = healed if self._adapter.fits(target, healed) else wanted[-1]
        if wanted and not wanted[-1].strip():
            wanted.pop()
        return next_step(self._slots, wanted, final=False)

    def _parts(self, target: Target, text: str) -> list[str]:
        if self._splitter is None:
            raise RuntimeError("the place of the reply is not known yet")
        return list(self._splitter.parts(text))

    async def _end_previews(self) -> None:
        """What is on the wire has to land before anything newer; what only waits is given up."""
        self._closing = True
        if task := self._previews:
            self._previews = None
            if not self._calling:
                task.cancel()
            await asyncio.wait([task])

    async def _take(self, target: Target, step: Step) -> None:
        """Make one call and note what came of it."""
        match step.act:
            case "post":
                await self._post(target, step.ordinal, step.text)
            case "edit":
                await self._edit(target, step.ordinal, step.text)
            case _:
                await self._delete(target, step.ordinal)

    async def _post(self, target: Target, ordinal: int, text: str) -> None:
        if ordinal == len(self._slots):
            await self._ledger.sending(ordinal, target.channel.id)
            self._slots.append(Slot())
        slot = self._slots[ordinal]
        if slot.unsure and await self._found(target, ordinal):
            return
        slot.unsure = True
        try:
            message = await self._adapter.post(target, text, key=self._key(ordinal), silent=self._silent)
        except (RateLimited, Refused):
            slot.unsure = False
            raise
        await self._note(ordinal, Slot(message, text))

    async def _found(self, target: Target, ordinal: int) -> bool:
        """Whether a post whose end is not known took effect; it is then ours to edit."""
        if not isinstance(self._adapter, Finds):
            return False
        before = [slot.message for slot in self._slots[:ordinal] if slot.message]
        after = before[-1] if before else self._after
        since = self._slots[ordinal].begun - CLOCKS_APART
        async with self._ledger.looking():
            known = await self._ledger.known(target.channel.id)
            try:
                message = await self._adapter.find(
                    target, self._key(ordinal), after, since=since, known=known, silent=self._silent
                )
            except Refused as failure:
                # We may not read here: only the key is left to keep the repeat from showing twice.
                log.warning("cannot look for the message", detail=failure.detail)
                return False
            if message is None:
                return False
            await self._note(ordinal, Slot(message))
        return True

    async def _note(self, ordinal: int, slot: Slot) -> None:
        self._slots[ordinal] = slot
        if slot.message:
            await self._ledger.shown(ordinal, slot.message)

    async def _edit(self, target: Target, ordinal: int, text: str) -> None:
        slot = self._slots[ordinal]
        if slot.message is None:
            raise RuntimeError("a part that is not shown cannot be edited")
        try:
            await self._adapter.edit(target, slot.message, text)
        except Gone as failure:
            # Somebody took our message away: that is a stop, and it is not shown again.
            log.info("part deleted by others", message=slot.message, detail=failure.detail)
            slot.gone = True
            if self._lost:
                self._lost()
        else:
            slot.text = text

    async def _delete(self, target: Target, ordinal: int) -> None:
        if self._slots[ordinal].unsure and not await self._found(target, ordinal):
            # Not to be found, or this platform cannot tell: as far as anybody knows it was never shown.
            self._slots[ordinal].unsure = False
        slot = self._slots.pop(ordinal)
        try:
            if slot.message and not slot.gone:
                await self._adapter.delete(target, slot.message)
        except Failure:
            self._slots.append(slot)
            raise
        await self._ledger.dropped(ordinal)
