"""One growing answer on a platform: what shows while it grows, and what stands in the end.

The newest text is kept in one slot: deltas never wait for the platform, and a slow platform skips states instead of lagging. One
call at a time is under way for a reply, always the first that is missing: so a part has its closing text before its successor
is posted. The final text is another class of traffic: it waits for a preview that is already on the wire, overtakes one that is
not, and is tried until it is shown or the place is gone. Files come after the text.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial

import structlog

from shared.abilities import Drafts, Grows
from shared.chat import Adapter, Button, File, MessageId, Target
from shared.errors import Failure, Gone, RateLimited, Refused, Unavailable
from shared.governor import Governor, Grade
from shared.growth import Growth
from shared.parts import Ledger, PartKind, Parts
from shared.steps import Slot, Step, Wanted, next_file, next_step

log = structlog.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
"""Seconds between tries of a call that the platform cannot take just now; doubled each time."""

STATUS_AFTER = 2.0
"""Seconds without a text after which a status is posted alone."""

PRESSABLE_AFTER = 2.0
"""Seconds after its first call in which a reply that grows no further gets its buttons by a call of their own."""

UPLOADS = 5
"""How often a file is tried before it counts as refused: the turns that wait behind it are worth more."""

STARTS_PAUSE = 1.0
"""Seconds until it is looked again whether a stream may be begun that could not be ended at once."""

FINISH_SECONDS = 1.0
"""How long the end of a stream may take where the reply is left as it is: less than a turn has that is given back."""


class Reply:
    """The reply of one turn. `show` as text comes, then `finish` once, or `leave` to stop where it is."""

    def __init__(
        self,
        adapter: Adapter,
        governor: Governor,
        ledger: Ledger,
        *,
        place: Awaitable[Target],
        key: Callable[[int, PartKind], str],
        after: MessageId | None,
        slots: Sequence[Slot] = (),
        files: Mapping[int, Slot] | None = None,
        growing: Sequence[Button] = (),
        shape: Callable[[str], str] | None = None,
        silent: bool = False,
        hold_sentence: bool = False,
        lost: Callable[[], None] | None = None,
    ) -> None:
        """`place` is awaited before the first call. `after` is the newest message known to be older than the reply.

        `slots` and `files` are the parts noted by an earlier attempt. `growing` stands under the last part while the reply grows,
        from its second call on, or 2 seconds after the first one. `shape` makes of a growing text what is shown of it. `lost` is
        called when a message of ours turns out to be deleted.
        """
        self._adapter = adapter
        self._governor = governor
        self._place = asyncio.ensure_future(place)
        self._parts = Parts(adapter, ledger, key=key, after=after, texts=slots, files=files or {}, silent=silent, lost=lost)
        self._growing = tuple(growing)
        self._make_growth = partial(Growth, adapter, buttons=growing, shape=shape, hold_sentence=hold_sentence)
        self._silent = silent
        self._lost = lost
        self._text = ""
        self._status = ""
        self._began = asyncio.get_running_loop().time()
        self._status_timer: asyncio.TimerHandle | None = None
        self._status_due = False
        self._pressable_timer: asyncio.TimerHandle | None = None
        self._pressable = False
        self._worded = False
        self._growth: Growth | None = None
        self._streaming: ExitStack | None = None
        self._stream_began = self._began
        self._again_timer: asyncio.TimerHandle | None = None
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
        return self._parts.owns(message)

    @property
    def stands(self) -> bool:
        """Whether a part of this or an earlier attempt may be seen."""
        return self._parts.shown

    def show(self, text: str, *, status: str = "") -> None:
        """The whole text so far, and a line on what is being done, shown below it where there is room. Never waits."""
        self._text = text
        self._status = status
        if not text and status and self._status_timer is None:
            self._status_timer = asyncio.get_running_loop().call_at(self._began + STATUS_AFTER, self._let_status)
        self._wake()

    async def finish(self, text: str, *, buttons: Sequence[Button] = (), files: Sequence[File | None] = ()) -> frozenset[int]:
        """Show this and nothing else, however long it takes; an empty text takes away what stands. May be called again.

        A None among the files keeps the place of one that is not to be shown. Returns the places of those that the platform did
        not take. Raises `Gone` if the channel is no longer there, and `Refused` if the platform does not take the text.
        """
        await self._end_previews()
        try:
            target = await self._ready()
            wanted = [Wanted(part) for part in self._known_growth.parts(text)]
            if wanted:
                wanted[-1] = Wanted(wanted[-1].text, tuple(buttons))
            await self._insist(target, lambda: next_step(self._parts.texts, wanted, final=True))
            return await self._show_files(target, files) if files or self._parts.files else frozenset()
        finally:
            self._stream_over()
            self._live.close()

    async def withdraw_files(self) -> None:
        """Take the files of an earlier attempt away. Raises as `finish`."""
        if self._parts.files:
            await self._end_previews()
            await self._show_files(await self._ready(), ())

    async def _show_files(self, target: Target, files: Sequence[File | None]) -> frozenset[int]:
        left = list(files)
        for ordinal in range(len(left)):
            tried = 0
            while True:
                step = next_file(self._parts.files, left[: ordinal + 1])
                if step is None or step.act != "upload":
                    break
                try:
                    await self._call(target, step)
                except (Refused, Unavailable) as failure:
                    tried += 1
                    if isinstance(failure, Unavailable) and tried < UPLOADS:
                        log.warning("file not taken yet", detail=failure.detail)
                        await asyncio.sleep(FIRST_PAUSE * 2**tried)
                        continue
                    log.warning("file not taken", detail=failure.detail)
                    left[ordinal] = None
        await self._insist(target, lambda: next_file(self._parts.files, left))
        return frozenset(nth for nth, file in enumerate(files) if file is not None and left[nth] is None)

    async def _insist(self, target: Target, next_call: Callable[[], Step | None]) -> None:
        """Make calls until none is missing."""
        pause = FIRST_PAUSE
        while step := next_call():
            try:
                await self._call(target, step)
                pause = FIRST_PAUSE
            except Unavailable as failure:
                log.warning("final not taken yet", detail=failure.detail, pause=pause)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)

    async def _call(self, target: Target, step: Step) -> None:
        """One call of a final; nothing was done if the platform asks to wait."""
        grade = Grade.NOTICE if self._silent else Grade.FINAL
        try:
            async with self._governor.permit(self._adapter.limits(target, step.act), grade):
                await self._parts.take(target, step)
        except RateLimited as failure:
            log.warning("final waits", detail=failure.detail, retry_after=failure.retry_after)

    async def leave(self) -> None:
        """Stop where it is; a call that is under way is waited for, and a stream is ended if it can be in some seconds."""
        try:
            await self._end_previews()
            await self._end_stream()
        finally:
            self._stream_over()
            self._live.close()
            if not self._place.cancel() and not self._place.cancelled():
                self._place.exception()  # looked at: where the reply would have gone does not matter any more

    async def _end_stream(self) -> None:
        slots = self._parts.texts
        if self._growth is None or not any(slot.streams and slot.text for slot in slots):
            return
        target = await self.place()
        wanted = [Wanted(slot.text or "", whole=True) for slot in slots]
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                while (step := next_step(slots, wanted, final=False)) and step.act == "finish":
                    await self._call(target, step)
        except (Failure, TimeoutError) as failure:
            # The next edit of that message ends the stream.
            log.info("stream not ended", fault=type(failure).__name__)

    async def _ready(self) -> Target:
        target = await self.place()
        if self._growth is None:
            self._growth = self._make_growth(target)
            self._live.enter_context(self._governor.live(self._adapter.limits(target, "edit")))
        return target

    @property
    def _known_growth(self) -> Growth:
        if self._growth is None:
            raise RuntimeError("the place of the reply is not known yet")
        return self._growth

    async def _preview(self) -> None:
        """Show the newest text as often as the governor lets it, until cancelled or refused. Previews may be dropped."""
        pause = FIRST_PAUSE
        try:
            target = await self._ready()
            if isinstance(self._adapter, Grows) and not self._adapter.grows(target):
                return
            while not self._closing:
                await self._changed.wait()
                self._changed.clear()
                if (step := self._preview_step()) is None:
                    continue
                if step.act == "begin" and not self._may_begin(target):
                    # Until then nothing shows; the final needs no stream.
                    self._look_again(STARTS_PAUSE)
                    continue
                try:
                    await self._show_step(target, step)
                    pause = FIRST_PAUSE
                except RateLimited as failure:
                    log.info("preview waits", detail=failure.detail, retry_after=failure.retry_after)
                except Unavailable as failure:
                    log.info("preview dropped", detail=failure.detail)
                    if self._closing:
                        return
                    await asyncio.sleep(pause)
                    pause = min(2 * pause, LONGEST_PAUSE)
                if self._preview_step():
                    self._changed.set()
        except Failure as failure:
            # The final tries again, and says what cannot be done.
            log.warning("previews ended", detail=failure.detail)
            if isinstance(failure, Gone) and self._lost:
                self._lost()

    async def _show_step(self, target: Target, step: Step) -> None:
        """One call of a preview, of the newest text by then."""
        weighty = step.act == "finish" or (self._worded and not self.begun)
        async with self._governor.permit(self._adapter.limits(target, step.act), Grade.NOTICE if weighty else Grade.PREVIEW):
            # What waited is stale by now: show the newest.
            newest = self._preview_step()
            if newest is not None and newest.act == step.act:
                step = newest
            worded = self._worded
            self._calling = True
            try:
                await self._parts.take(target, step)
            finally:
                self._calling = False
        self.begun = self.begun or worded
        if self._pressable_timer is None and self._growing:
            self._pressable_timer = asyncio.get_running_loop().call_later(PRESSABLE_AFTER, self._let_press)
        self._note(step)

    def _may_begin(self, target: Target) -> bool:
        """Whether a stream may be begun: only if it could be ended at once. That permit is kept for it from now on."""
        limits = self._adapter.limits(target, "finish")
        if self._streaming is None and self._governor.has_room(limits):
            self._streaming = ExitStack()
            self._streaming.enter_context(self._governor.live(limits))
        return self._streaming is not None

    def _stream_over(self) -> None:
        if self._streaming is not None:
            self._streaming.close()
            self._streaming = None

    def _note(self, step: Step) -> None:
        """What a call means for those to come."""
        if step.act == "begin":
            self._begun_stream(step.ordinal)
        elif step.act == "finish":
            self._stream_over()
        elif step.act == "draft" and isinstance(self._adapter, Drafts):
            self._look_again(self._adapter.draft_seconds)

    def _begun_stream(self, ordinal: int) -> None:
        growth = self._known_growth
        growth.look()
        if growth.lifetime is not None:
            self._stream_began = asyncio.get_running_loop().time()
            self._look_again(growth.lifetime)
        else:
            # The try has shown that there are no streams: the platform posted instead.
            self._parts.texts[ordinal].streams = False
            self._stream_over()

    def _preview_step(self) -> Step | None:
        growth, slots = self._known_growth, self._parts.texts
        wanted, self._worded = growth.wanted(
            self._text,
            slots,
            status=self._status,
            alone=self._status_due,
            begun=self.begun,
            age=asyncio.get_running_loop().time() - self._stream_began,
        )
        drafted = self._parts.drafted
        return next_step(slots, wanted, final=False, pressable=self._pressable, way=growth.way, drafted=drafted)

    def _look_again(self, seconds: float) -> None:
        """Look again after so many seconds, also if there is no more text."""
        if self._again_timer:
            self._again_timer.cancel()
        self._again_timer = asyncio.get_running_loop().call_later(seconds, self._let_again)

    def _let_again(self) -> None:
        self._parts.drafted = ""
        self._wake()

    def _let_status(self) -> None:
        self._status_due = True
        self._wake()

    def _let_press(self) -> None:
        self._pressable = True
        self._wake()

    def _wake(self) -> None:
        self._changed.set()
        if self._previews is None and not self._closing:
            self._previews = asyncio.create_task(self._preview())

    async def _end_previews(self) -> None:
        """What is on the wire has to land before anything newer; what only waits is given up."""
        self._closing = True
        for timer in (self._status_timer, self._pressable_timer, self._again_timer):
            if timer:
                timer.cancel()
        if task := self._previews:
            self._previews = None
            if not self._calling:
                task.cancel()
            await asyncio.wait([task])
