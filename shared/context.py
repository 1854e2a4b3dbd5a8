"""What is asked in one attempt: the choices that hold, the history, and both kept within the model's window.

How large a prompt is gets estimated by its characters; only one that comes near the window is counted. One that would leave no
room has the older half of its turns summed up by the model itself, once: after that its beginning stays the same again, which
is what a backend's cache needs. Where that fails the older half is left out this time. Models that do this themselves are left
to it.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import structlog

from shared import costs, sentences, transcript
from shared.asking import Asking
from shared.backends import Blocks, Counts, Loads, Model, Models, Prompt, Said, Usage
from shared.errors import Failure, Misconfigured
from shared.files.material import Material
from shared.gathering import kept_still
from shared.means import Means
from shared.store import Asked, Exchange, Past, Work

log = structlog.get_logger(__name__)

SMALL = 20_000
"""Tokens that every model has room for: nothing more is looked at below."""

NEAR, FULL = 0.70, 0.85
"""Parts of the room for what is asked: from the first on it is counted, from the second on it is too much."""

CHARACTERS = 3
"""Characters to a token, rather too few: English has about 4."""

IMAGE, PAGE = 1_600, 3_000
"""Tokens of an image of the largest size that is sent, and of a PDF's page (Anthropic docs: vision, PDF support)."""

ASK = (
    "Sum up our conversation so far, for yourself: it will be put in place of these messages. Keep every fact, name, number, "
    "decision, wish and open question that may matter later, and who said it. Write only the summary."
)


@dataclass(frozen=True, slots=True)
class Built:
    """A prompt, sentences about it for the people who asked, and what it took to build it."""

    prompt: Prompt
    notes: Sequence[str] = ()
    usage: Usage | None = None


Used = Callable[[], Usage | None]
"""What something under way has used up so far."""


async def build(work: Work, messages: Sequence[Asked], means: Means, *, watch: Callable[[Used], None]) -> Built:
    """The prompt of this attempt; `messages` are the turn's, with their files looked at.

    `watch` is told how to ask what this has used up, should it be broken off.
    """
    making, past = await _begin(work, messages, means, watch)
    prompt = making.prompt(past.exchanges, past.summary)
    notes = [sentences.LEFT_OUT] if past.shortened and _first(means.shortened, prompt.conversation) else []
    if (size := _size(prompt)) < SMALL:
        return Built(prompt, notes)
    fitted = await making.fit(past, prompt, size)
    return replace(fitted, notes=[*notes, *(note for note in fitted.notes if note not in notes)])


async def guess(work: Work, means: Means) -> Usage:
    """What an attempt at this turn may have used up of which nothing is known."""
    making, past = await _begin(work, work.messages, means, lambda used: None)
    if isinstance(means.backend, Loads):
        # After a crash this is the first thing that a backend is asked; without it there are no prices.
        with suppress(Misconfigured):
            await means.backend.load()
    return costs.unknown(means.backend, making.prompt(past.exchanges, past.summary))


async def _begin(work: Work, messages: Sequence[Asked], means: Means, watch: Callable[[Used], None]) -> "tuple[_Making, Past]":
    conversation = work.conversation
    if conversation is None:
        raise RuntimeError(f"turn {work.turn} asks without a conversation")
    settings = means.settings
    chosen = await means.insist(lambda: means.choices.of(work.platform, work.place, conversation))
    past = await means.insist(
        lambda: means.store.history(
            conversation, before=work.turn, turns=settings.history_turns, characters=settings.history_characters
        )
    )
    values = {name: choice.value for name, choice in chosen.items()}
    return _Making(conversation, work, messages, means, values, watch), past


class _Making:
    """The prompt of one attempt while it is being made."""

    def __init__(
        self,
        conversation: UUID,
        work: Work,
        messages: Sequence[Asked],
        means: Means,
        values: Mapping[str, str],
        watch: Callable[[Used], None],
    ) -> None:
        self._conversation = conversation
        self._work = work
        self._messages = messages
        self._means = means
        self._values = values
        self._watch = watch

    def prompt(self, exchanges: Sequence[Exchange], summary: str | None) -> Prompt:
        work, means, values = self._work, self._means, self._values
        return Prompt(
            conversation=self._conversation,
            turn=work.turn,
            attempt=work.tries,
            crashes=max(0, work.attempts - 1),
            history=transcript.history(work.place, exchanges, means.backend.name, summary=summary, there=self._there),
            ask=transcript.asked(work.place, self._messages, exchanges, there=self._there),
            system=transcript.system(means.settings.system, work.place, values.get("system", "")),
            model=values.get("model") or None,
            effort=values.get("effort") or None,
        )

    def _there(self, material: Material) -> bool:
        return kept_still(material, self._means.blobs)

    async def fit(self, past: Past, prompt: Prompt, size: int) -> Built:
        """The prompt, or a shorter one if it is too much for its model."""
        model = await self._model(prompt)
        if model is None:
            return Built(prompt)
        room = model.window - min(model.output, model.window // 4)
        if size >= NEAR * room:
            size = await self._count(prompt, size)
        if size < FULL * room or model.condenses or len(past.exchanges) < 2:
            return Built(prompt)
        scale = size / _size(prompt)
        half = len(past.exchanges) // 2
        older, newer = past.exchanges[:half], past.exchanges[half:]
        text, usage = await self._summary(older, past.summary)
        if text:
            upto = older[-1].turn
            await self._means.insist(lambda: self._means.store.summarise(self._work.turn, upto, text))
        notes = [sentences.SUMMED_UP if text else sentences.LEFT_OUT]
        shorter = self.prompt(newer, text or past.summary)
        while scale * _size(shorter) > FULL * room and len(newer) > 1:
            newer = newer[len(newer) // 2 :]
            shorter = self.prompt(newer, text or past.summary)
            if sentences.LEFT_OUT not in notes:
                notes.append(sentences.LEFT_OUT)
        return Built(shorter, notes, usage)

    async def _model(self, prompt: Prompt) -> Model | None:
        backend = self._means.backend
        if not isinstance(backend, Models):
            return None
        try:
            name = prompt.model
            return await backend.model(name) if name else next(iter(await backend.models()), None)
        except Failure as failure:
            # Whoever asks for a model that is not there is told so when it is asked.
            log.info("the model is not known", model=prompt.model, detail=failure.detail)
            return None

    async def _count(self, prompt: Prompt, estimate: int) -> int:
        backend = self._means.backend
        if not isinstance(backend, Counts):
            return estimate
        try:
            async with asyncio.timeout(self._means.settings.patience.silence):
                return await backend.count(prompt)
        except (Failure, TimeoutError) as failure:
            log.warning("prompt not counted", detail=failure.detail if isinstance(failure, Failure) else "it took too long")
            return estimate

    async def _summary(self, older: Sequence[Exchange], before: str | None) -> tuple[str, Usage | None]:
        """What the model makes of the older turns, and what that took; no text if it makes nothing of them."""
        bare = self.prompt(older, before)
        prompt = replace(bare, ask=[Said("user", ASK)])
        log.info("summing up", turn=self._work.turn, conversation=str(prompt.conversation), turns=len(older))
        asking = Asking(self._means.backend, prompt, self._means.settings.patience, show=_nobody)
        self._watch(asking.used)
        final = await asking.run()
        if final.outcome != "done" or final.stop not in ("end", "stop_sequence"):
            log.warning("not summed up", turn=self._work.turn, failure=final.failure, detail=final.detail, stop=final.stop)
            return "", final.usage
        return final.text.strip(), final.usage


def _nobody(text: str, *, status: str = "") -> None:
    """Nobody sees a summary being written."""


def _first(told: set[UUID], conversation: UUID) -> bool:
    """Whether this is the first time for a conversation since the server was started."""
    if conversation in told:
        return False
    told.add(conversation)
    return True


def _size(prompt: Prompt) -> int:
    """About how many tokens a prompt takes in."""
    said = [*prompt.history, *prompt.ask]
    characters = len(prompt.system or "") + sum(
        # A backend's blocks may hold more than the text, or none of it.
        max(len(line.text), _characters(line.blocks or ()))
        for line in said
    )
    return characters // CHARACTERS + sum(_file(material) for line in said for material in line.files)


def _file(material: Material) -> int:
    match material.kind:
        case "image":
            return IMAGE
        case "pdf":
            return PAGE * max(1, material.pages)
        case "text":
            return len(material.text) // CHARACTERS


def _characters(blocks: Blocks) -> int:
    """The characters of everything in native blocks."""
    left: list[Any] = [*blocks]
    found = 0
    while left:
        value = left.pop()
        if isinstance(value, str):
            found += len(value)
        elif isinstance(value, Mapping):
            left += value.values()
        elif isinstance(value, Sequence):
            left += value
    return found
