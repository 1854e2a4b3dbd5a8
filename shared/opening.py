"""Where the reply of a turn goes, and what it is made with."""

import asyncio
import hashlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import structlog

from shared.abilities import Threads, Uploads
from shared.chat import Adapter, ChannelId, MessageId, Target
from shared.ending import stop_button
from shared.errors import RateLimited, Refused, Unavailable
from shared.folding import fold
from shared.governor import Grade
from shared.means import Means
from shared.parts import PartKind
from shared.reply import FIRST_PAUSE, LONGEST_PAUSE, Reply
from shared.steps import Slot
from shared.store import Part, Work

log = structlog.get_logger(__name__)


def make_reply(work: Work, adapter: Adapter, means: Means, *, lost: Callable[[], None]) -> Reply:
    """The reply of a turn, with the parts that an earlier attempt has noted. `lost` as for `Reply`."""
    settings = means.settings
    folds = settings.fold > 0 and isinstance(adapter, Uploads)
    return Reply(
        adapter,
        means.governor,
        _Ledger(means, work.turn),
        place=_place(work, adapter, means),
        key=lambda ordinal, kind: part_key(work, ordinal, kind),
        after=work.messages[-1].id if work.messages else work.target.reply_to,
        slots=[_slot(part, work) for part in work.parts if part.kind == "text"],
        files={part.ordinal: _slot(part, work) for part in work.parts if part.kind == "file"},
        growing=() if work.kind == "notice" else (stop_button(work.turn),),
        shape=(lambda text: fold(text, settings.fold).text) if folds else None,
        silent=work.kind == "notice",
        hold_sentence=settings.hold_sentence,
        lost=lost,
    )


def part_key(work: Work, ordinal: int, kind: PartKind = "text") -> str:
    """The same for a part in every attempt that follows a crash, and after every restart, and of no other part: 24 characters.

    The message that is answered is in it, since the numbers of turns begin anew with a new database. So is how often the question
    was asked anew: a part that was taken away then is another than the one that comes in its place.
    """
    asked = work.messages[0].id if work.messages else f"{work.target.channel.id}/{work.queued_at.isoformat()}"
    anew = _anew(work)
    which = f"{ordinal}" if kind == "text" else f"{kind}{ordinal}"
    name = f"{asked}/{work.turn}/{which}" + (f"/{anew}" if anew else "")
    return hashlib.blake2b(name.encode(), digest_size=12).hexdigest()


def _anew(work: Work) -> int:
    """How often the question was asked anew: attempts are counted from the last time on, tries never stop."""
    return work.tries - work.attempts


def _slot(part: Part, work: Work) -> Slot:
    old = part.message is not None and _anew(work) > 0
    return Slot(part.message, unsure=part.message is None, old=old, begun=part.begun_at)


async def _place(work: Work, adapter: Adapter, means: Means) -> Target:
    """Where the reply goes; a thread is opened while the model is being asked."""
    if work.kind == "notice" or work.place.id == work.target.channel.id or not isinstance(adapter, Threads):
        return work.target
    if work.parts:
        # Where an earlier attempt has begun it has to be ended, whatever may be opened by now.
        begun = work.parts[0].channel
        return work.target if begun == work.target.channel.id else replace(work.target, channel=work.place, reply_to=None)
    pause = FIRST_PAUSE
    while True:
        try:
            async with means.governor.permit(adapter.limits(work.target, "open"), Grade.NOTICE):
                return await adapter.open(work.target, work.messages[0].text)
        except RateLimited as failure:
            log.info("thread waits", turn=work.turn, detail=failure.detail, retry_after=failure.retry_after)
        except Unavailable as failure:
            log.warning("thread not opened yet", turn=work.turn, detail=failure.detail)
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE)
        except Refused as failure:
            log.warning("no thread here; answering in the channel", turn=work.turn, detail=failure.detail)
            return work.target


class _Ledger:
    """The parts of one turn in the store."""

    def __init__(self, means: Means, turn: int) -> None:
        self._means = means
        self._store = means.store
        self._turn = turn

    def looking(self) -> AbstractAsyncContextManager[object]:
        return self._means.looking

    async def sending(self, ordinal: int, channel: ChannelId, kind: PartKind) -> None:
        await self._means.insist(lambda: self._store.sending(self._turn, ordinal, channel, kind=kind))

    async def shown(self, ordinal: int, message: MessageId, kind: PartKind) -> None:
        await self._means.insist(lambda: self._store.shown(self._turn, ordinal, message, kind=kind))

    async def dropped(self, ordinal: int, kind: PartKind) -> None:
        await self._means.insist(lambda: self._store.dropped(self._turn, ordinal, kind=kind))

    async def known(self, channel: ChannelId) -> frozenset[MessageId]:
        return await self._means.insist(lambda: self._store.ours(channel))
