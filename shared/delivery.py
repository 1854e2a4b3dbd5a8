"""A settled answer on its way to people: the text, its files, and what is said where it cannot be shown."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count

import structlog

from shared import sentences
from shared.abilities import Uploads
from shared.chat import Adapter, File
from shared.commands import Spells
from shared.ending import shown
from shared.errors import Failure, Forbidden, Gone, RateLimited, Refused, StoreUnusable, Unavailable
from shared.files.material import safe_name
from shared.folding import Code, Folded, fold
from shared.gathering import plain_name
from shared.governor import Grade
from shared.log import fault
from shared.means import Means
from shared.opening import part_key
from shared.reply import FIRST_PAUSE, Reply
from shared.store import Final, Work

log = structlog.get_logger(__name__)

TRIES = 4
"""How often something is tried that fails in a way that nobody has foreseen, or a sentence of our own that is not an answer."""


async def deliver(work: Work, adapter: Adapter, reply: Reply, final: Final, means: Means) -> bool:
    """Show what was settled and end the turn; True if its question has changed meanwhile, so that it is to be asked again."""
    final = _spelt(final, work, adapter)
    failed = True
    for tried in count(1):
        try:
            await _show(adapter, reply, final, means)
            failed = False
        except Gone as failure:
            await _nowhere(work, failure, means)
        except Refused as failure:
            log.error("the platform does not take the answer", turn=work.turn, channel=work.place.id, detail=failure.detail)
            if not isinstance(failure, Forbidden) or work.place.id != work.target.channel.id:
                await _say(work, adapter, sentences.NOT_SHOWN, means)
        except StoreUnusable:
            raise
        except Exception as error:
            # A fault of ours or of an adapter: it may pass; if not, a person must not be left without a word.
            log.critical("showing failed by a fault of ours", turn=work.turn, tried=tried, fault=fault(error))
            if tried < TRIES:
                await asyncio.sleep(FIRST_PAUSE * 2**tried)
                continue
            await _say(work, adapter, sentences.FAULT, means)
        break
    return await means.insist(lambda: means.store.delivered(work.turn, failed=failed))


def _spelt(final: Final, work: Work, adapter: Adapter) -> Final:
    """With the commands in our own sentences as people give them where the conversation is; an answer is no text of ours."""

    def spell(name: str, there: bool) -> str:
        return adapter.spell(name, work.place, there=there) if isinstance(adapter, Spells) else f"/{name}"

    note = sentences.spelt(final.note, spell)
    return replace(final, note=note, text=sentences.spelt(final.text, spell) if work.kind == "notice" else final.text)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How a final is shown: with its long code folded into the first of the files, or whole.

    A None stands for a file that is not shown, so that the others keep their places; `lacking` are sentences about those made.
    """

    folded: Folded
    codes: Sequence[File | None]
    made: Sequence[File | None]
    lacking: Sequence[str]


async def _show(adapter: Adapter, reply: Reply, final: Final, means: Means) -> None:
    if not final.text.strip() and not final.note and not final.files and not reply.stands:
        return
    plan = await _plan(adapter, reply, final, means)
    refused = await _finish(reply, final, plan)
    if not refused:
        return
    if any(nth < len(plan.codes) for nth in refused):
        # What was to be in a file is shown after all.
        plan = replace(plan, folded=Folded(final.text))
    lost = {nth - len(plan.codes) for nth in refused}
    lacking = [*plan.lacking, *(_lacking(final, nth) for nth in sorted(lost) if nth >= 0)]
    made = [None if nth in lost else file for nth, file in enumerate(plan.made)]
    await _finish(reply, final, replace(plan, made=made, lacking=lacking))


async def _finish(reply: Reply, final: Final, plan: _Plan) -> frozenset[int]:
    note = " ".join(filter(None, [final.note, *plan.lacking]))
    codes = plan.codes if plan.folded.codes else [None for _ in plan.codes]
    text = shown(plan.folded.text, note, final.thoughts)
    return await reply.finish(text, buttons=final.buttons, files=[*codes, *plan.made])


async def _plan(adapter: Adapter, reply: Reply, final: Final, means: Means) -> _Plan:
    whole = Folded(final.text)
    if not isinstance(adapter, Uploads):
        return _Plan(whole, (), [None for _ in final.files], [_lacking(final, nth) for nth in range(len(final.files))])
    folded = fold(final.text, means.settings.fold)
    if not folded.codes and not final.files:
        return _Plan(whole, (), (), ())
    takes = adapter.takes(await reply.place())
    codes = await _codes(folded.codes, takes, means)
    made = [
        File(safe_name(file.name), file.media_type, path, file.size) if file.size <= takes and path.exists() else None
        for file in final.files
        for path in [means.blobs.path(file.blob)]
    ]
    lacking = [_lacking(final, nth) for nth, file in enumerate(made) if file is None]
    return _Plan(folded, codes, made, lacking) if codes else _Plan(whole, [None for _ in folded.codes], made, lacking)


async def _codes(codes: Sequence[Code], takes: int, means: Means) -> list[File]:
    """The files of the folded code; none if one of them cannot be shown."""
    files: list[File] = []
    for code in codes:
        data = code.text.encode(errors="replace")
        try:
            blob = await means.blobs.put_bytes(data)
        except Failure as failure:
            log.warning("code stays in the text", detail=failure.detail)
            return []
        files.append(File(code.name, "text/plain", means.blobs.path(blob.digest), blob.size))
    return files if all(file.size <= takes for file in files) else []


def _lacking(final: Final, nth: int) -> str:
    return sentences.not_shown(plain_name(final.files[nth].name))


async def _nowhere(work: Work, failure: Gone, means: Means) -> None:
    """The channel is not there any more: its conversation ends, and with it every turn that waits in it."""
    log.warning("nowhere to answer", turn=work.turn, channel=work.place.id, detail=failure.detail)
    await means.insist(lambda: means.store.leave(work.platform, channel=work.place.id))


async def _say(work: Work, adapter: Adapter, sentence: str, means: Means) -> None:
    """A sentence instead of the reply, in the channel that was asked in; if it cannot be said there is only the log."""
    for tried in range(1, TRIES + 1):
        try:
            async with means.governor.permit(adapter.limits(work.target, "post"), Grade.NOTICE):
                await adapter.post(work.target, sentence, key=part_key(work, -1), silent=True)
        except (Unavailable, RateLimited) as failure:
            log.warning("could not say so yet", turn=work.turn, detail=failure.detail)
            await asyncio.sleep(FIRST_PAUSE * 2**tried)
        except Exception as error:
            # Whatever it is: this was the last resort.
            log.warning("could not say so", turn=work.turn, fault=fault(error))
            return
        else:
            return
