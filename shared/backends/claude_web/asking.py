"""One question, from the prompt to the end of its answer."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing

import structlog

from shared.backends import Answer, Delta, Finished, Made, Prompt, Retrying, Thinking
from shared.claude_web import (
    APIError,
    ClaudeClient,
    ClaudeWebAPIError,
    ConversationNotFoundError,
    Message,
    MessageLimit,
    QuotaExceededError,
    UploadedFile,
)
from shared.errors import BrokenOff, Unavailable
from shared.files.blobs import Blobs

from . import estimate, failures, made, models, place
from .attached import Uploads, files_of
from .config import ClaudeWebConfig
from .line import Line, Spot
from .reader import CUT, Reader, stop_of
from .words import fit, words

log = structlog.get_logger(__name__)

CONFLICTS = 4
"""How often the place of a question is looked at anew, because claude.ai has it otherwise than expected."""

# Seconds; doubles with each try. As anthropic 2.10.0, _constants.py, but with full jitter.
_FIRST_DELAY = 0.5
_LONGEST_DELAY = 8.0


class Question:
    """One attempt at one turn. The conversation has to be held."""

    def __init__(
        self,
        prompt: Prompt,
        client: ClaudeClient,
        blobs: Blobs,
        config: ClaudeWebConfig,
        *,
        uniform: Callable[[float, float], float],
        told: Callable[[MessageLimit], None],
    ) -> None:
        """`told` is given the account's message limit."""
        self._prompt = prompt
        self._client = client
        self._blobs = blobs
        self._config = config
        self._uniform = uniform
        self._told = told
        self._model = models.named(prompt.model or config.model)
        self._line = Line(prompt)
        self._uploads = Uploads(client, blobs)
        self._reader = self._new_reader()
        self._tries = self._conflicts = 0

    async def once(self) -> AsyncGenerator[Answer]:
        """Make one try. Raises the client's errors: `again` says what to do then."""
        self._reader = self._new_reader()
        if self._line.unsure and (found := await self._look()) is not None:
            log.info("an answer that was there already is taken", turn=self._prompt.turn, message=found.uuid)
            async for answer in self._adopted(found):
                yield answer
            return
        spot = self._line.spot()
        async with aclosing(self._put(spot)) as answers:
            async for answer in answers:
                yield answer
        async with aclosing(self._end(spot)) as answers:
            async for answer in answers:
                yield answer

    def again(self, error: ClaudeWebAPIError) -> Retrying | None:
        """Say when the next try is; None for at once. Raises the failure if there is to be none."""
        if not self._reader.began and self._replaced(error):
            self._conflicts += 1
            if self._conflicts <= CONFLICTS and not self._line.gone:
                return None
            raise Unavailable(f"{failures.describe(error)}; the conversation cannot be found or made") from None
        if self._reader.spoken:
            raise failures.failure(error, began=True) from None
        wait = self._wait(error)
        self._tries += 1
        self._line.next()
        return Retrying(wait, failures.describe(error))

    def _replaced(self, error: ClaudeWebAPIError) -> bool:
        """Whether claude.ai has the conversation otherwise than expected; the next try reckons with it."""
        if isinstance(error, ConversationNotFoundError):
            self._line.missing()
            return True
        if type(error) is not APIError:
            return False
        if error.status_code == 409 or (error.status_code == 400 and "could not be created" in str(error)):
            self._line.taken()
            return True
        return error.status_code == 400 and self._line.doubt()

    def _wait(self, error: ClaudeWebAPIError) -> float:
        """Seconds until the next try. Raises the failure if there is to be none."""
        began = self._reader.began
        asked = error.retry_after if isinstance(error, QuotaExceededError) else None
        if asked is not None and asked > self._config.longest_wait:
            raise failures.failure(error, began=began) from None
        if self._tries >= self._config.retries or (asked is None and not failures.passing(error)):
            raise failures.failure(error, began=began) from None
        return (asked or 0.0) + self._uniform(0.0, min(_LONGEST_DELAY, _FIRST_DELAY * 2**self._tries))

    async def _look(self) -> Message | None:
        """Read the conversation; gives an answer that is there already. What is being made for nobody is stopped."""
        while True:
            conversation = self._line.conversation
            try:
                tree = await self._client.read_tree(conversation)
            except ConversationNotFoundError:
                self._line.missing()
                if self._line.unsure and not self._line.gone:
                    continue
                return None
            found = self._line.read(tree)
            if found is None and self._line.running(tree):
                await self._client.stop_response(conversation)
            return found

    async def _put(self, spot: Spot) -> AsyncGenerator[Answer]:
        """Put the question and give what comes until the answer's last state."""
        prompt, create = self._prompt, spot.create
        files = files_of([*spot.rest, *prompt.ask])
        if create and any(file.kind != "text" for file in files):
            # Files go into a conversation that exists. One that was there already is just as good.
            await self._client.ensure_conversation(spot.conversation)
            create = False
        brought = await self._uploads.bring(spot.conversation, files)
        said = words(spot.rest, prompt.ask, brought.notes)
        uploaded: Sequence[UploadedFile] = brought.uploaded
        states = self._client.complete(
            spot.conversation,
            said.text,
            parent=spot.parent,
            create=create,
            ids=spot.ids,
            model=self._model,
            system_prompt=fit(prompt.system) if prompt.system else None,
            files=uploaded,
            attachments=[*said.attachments, *brought.texts],
        )
        async with aclosing(states):
            async for state in states:
                for answer in self._reader.read(state):
                    yield answer

    async def _end(self, spot: Spot) -> AsyncGenerator[Answer]:
        """What comes after the last word: files that were made, and the end."""
        reader = self._reader
        if reader.limit is not None:
            self._told(reader.limit)
        if reader.reason in CUT:
            raise BrokenOff(f"claude_web: the answer was ended at claude.ai ({reader.reason})")
        files: list[Made] = []
        if reader.worked:
            yield Thinking()
            worked = await self._worked(spot.conversation, reader.message)
            for each in self._wanted(made.places(worked, reader.text)):
                if (got := await made.fetch(self._client, self._blobs, self._config, spot.conversation, each)) is not None:
                    files.append(got)
                yield Thinking()
        yield self._finished(spot.conversation, spot.generation, reader.message, reader.text, reader.reason, files)

    async def _adopted(self, message: Message) -> AsyncGenerator[Answer]:
        """An answer that claude.ai has already, in place of a new one."""
        spot = self._line.spot()
        if message.text:
            yield Delta(message.text)
        wanted = self._wanted(made.places(made.worked(message.raw), message.text))
        fetched = [await made.fetch(self._client, self._blobs, self._config, spot.conversation, each) for each in wanted]
        files = [got for got in fetched if got is not None]
        yield self._finished(spot.conversation, spot.generation, message.uuid, message.text, message.stop_reason, files)

    def _finished(
        self, conversation: str, generation: int, message: str, text: str, reason: str | None, files: Sequence[Made]
    ) -> Finished:
        stop = stop_of(reason)
        head = place.Head(conversation, generation, message, place.seen(self._prompt, text))
        return Finished(
            text,
            stop,
            estimate.usage(self._model, self._prompt, text),
            # What was refused has no place in a conversation that goes on.
            blocks=None if stop == "refusal" else [head.block()],
            files=files,
        )

    async def _worked(self, conversation: str, message: str) -> Sequence[str]:
        """What the tools of an answer were given and gave back; nothing if it cannot be read."""
        try:
            found = (await self._client.read_tree(conversation)).messages.get(message)
        except ClaudeWebAPIError as error:
            log.info("an answer's tools could not be looked at", detail=failures.describe(error))
            return ()
        return () if found is None else list(made.worked(found.raw))

    def _wanted(self, places: Sequence[str]) -> Sequence[str]:
        most = self._config.made_files
        if len(places) > most:
            log.warning("the model has made more files than are fetched", files=len(places), most=most)
        return places[:most]

    def _new_reader(self) -> Reader:
        return Reader(estimate.usage(self._model, self._prompt, ""))
