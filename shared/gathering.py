"""The files of a question: fetched, kept, made fit for the model. What is left out is told.

A fetch that fails in a way that may pass (`Unavailable`, `RateLimited`) is tried up to three times within a minute. What a file
turned out to be is stored, so that no later attempt fetches it again; what could not be fetched is tried anew then.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from shared import sentences
from shared.chat import Adapter, Attachment
from shared.errors import Failure, Forbidden, Gone, RateLimited, TooLarge, Unavailable
from shared.files.blobs import Blob, Blobs
from shared.files.material import Material, prepare, safe_name
from shared.files.unfit import Unfit
from shared.harmless import plain
from shared.means import FileLimits, Means
from shared.store import Asked, Kept, Work

log = structlog.get_logger(__name__)

AT_ONCE = 3
"""How many files of a turn are fetched at a time."""

DEADLINE = 60.0
"""Seconds for one file, from the first try to the last byte."""

TRIES = 3
FIRST_PAUSE = 1.0
"""Seconds between two tries; doubled each time, longer where the platform asks for it."""

PASSING = frozenset({"unreachable", "count", "together"})
"""Problems that are not those of the file itself: they are not stored."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """The messages with what became of their files, a sentence for each that is left out, and whether anything can be asked."""

    messages: Sequence[Asked]
    omitted: Sequence[str] = ()
    askable: bool = True


@dataclass(frozen=True, slots=True)
class _Found:
    """A file of a turn and what becomes of it in this attempt."""

    ordinal: int
    kept: Kept
    result: Material | str | None


async def gather(work: Work, adapter: Adapter, means: Means) -> Gathered:
    """Look at every file of the turn that was not looked at yet. Nothing is done for a turn without files."""
    if not any(message.files for message in work.messages):
        return Gathered(work.messages)
    found = [_Found(message.ordinal, kept, _known(kept, means.blobs)) for message in work.messages for kept in message.files]
    found = _limited(found, means.settings.files)
    places = asyncio.Semaphore(AT_ONCE)

    async def look(one: _Found) -> _Found:
        if one.result is not None:
            return one
        async with places:
            return replace(one, result=await _result(one.kept.attachment, adapter, means))

    async with asyncio.TaskGroup() as tasks:
        looking = [tasks.create_task(look(one)) for one in found]
    done: dict[tuple[int, int], Material | str | None] = {}
    for one in (task.result() for task in looking):
        done[one.ordinal, one.kept.nth] = one.result
        await _store(work.turn, one, means)
    messages = [
        replace(message, files=tuple(_with(kept, done[message.ordinal, kept.nth]) for kept in message.files))
        for message in work.messages
    ]
    omitted = [
        sentences.unread(plain_name(kept.attachment.name), kept.problem)
        for message in messages
        for kept in message.files
        if kept.problem
    ]
    return Gathered(messages, omitted, any(_askable(message) for message in messages))


def plain_name(name: str) -> str:
    """The name of a file as it can stand in a sentence."""
    return plain(safe_name(name), 60)


def kept_still(material: Material, blobs: Blobs) -> bool:
    """Whether the bytes are there. One look at the disk where there are any."""
    return not material.digest or blobs.path(material.digest).exists()


def _known(kept: Kept, blobs: Blobs) -> Material | str | None:
    if kept.material and kept_still(kept.material, blobs):
        return kept.material
    return None if kept.material else kept.problem


def _limited(found: Sequence[_Found], limits: FileLimits) -> list[_Found]:
    """What is too many or too much is left out before anything is fetched; the first ones stay."""
    left, result = limits.together, list[_Found]()
    for nth, one in enumerate(found):
        if one.result is None:
            claimed = one.kept.attachment.size or limits.each
            if nth >= limits.count:
                one = replace(one, result="count")
            elif claimed > limits.each:
                one = replace(one, result=f"size {limits.each}")
            elif claimed > left:
                one = replace(one, result="together")
            else:
                left -= claimed
        result.append(one)
    return result


async def _store(turn: int, one: _Found, means: Means) -> None:
    result = one.result
    if result is None or result in (*PASSING, one.kept.material, one.kept.problem):
        return
    await means.insist(lambda: means.store.attached(turn, one.ordinal, one.kept.nth, result))


async def _result(attachment: Attachment, adapter: Adapter, means: Means) -> Material | str:
    """The file as the model gets it, or the problem with it."""
    try:
        async with asyncio.timeout(DEADLINE):
            blob = await _fetched(attachment, adapter, means)
            return await prepare(means.blobs, blob, name=attachment.name, media_type=attachment.media_type)
    except Unfit as unfit:
        return unfit.reason
    except TooLarge as failure:
        # Where neither the platform nor we have that limit, it has more than was said of it.
        most = failure.most or (0 if attachment.size else means.settings.files.each)
        return f"size {most}" if most else "size"
    except Gone:
        return "gone"
    except Forbidden:
        return "forbidden"
    except (Failure, TimeoutError) as failure:
        log.warning("file not fetched", detail=failure.detail if isinstance(failure, Failure) else "it took too long")
        return "unreachable"


async def _fetched(attachment: Attachment, adapter: Adapter, means: Means) -> Blob:
    # What a platform tells of the size is what was reserved; where it does not, only the limit is known.
    most = min(attachment.size or means.settings.files.each, means.settings.files.each)
    pause = FIRST_PAUSE
    for _ in range(TRIES - 1):
        try:
            return await _once(attachment, adapter, means.blobs, most)
        except RateLimited as failure:
            log.info("file waits", detail=failure.detail, retry_after=failure.retry_after)
            await asyncio.sleep(max(pause, failure.retry_after))
        except Unavailable as failure:
            log.info("file not fetched yet", detail=failure.detail)
            await asyncio.sleep(pause)
        pause *= 2
    return await _once(attachment, adapter, means.blobs, most)


async def _once(attachment: Attachment, adapter: Adapter, blobs: Blobs, most: int) -> Blob:
    return await blobs.put(adapter.fetch(attachment), most=most)


def _with(kept: Kept, result: Material | str | None) -> Kept:
    if isinstance(result, Material):
        return replace(kept, material=result, problem=None)
    return replace(kept, material=None, problem=result)


def _askable(message: Asked) -> bool:
    return bool(message.text.strip()) or message.quoted is not None or any(kept.material for kept in message.files)
