"""A conversation that remembers where it stands."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

from .api import WebApi
from .completions import Ask, Completions
from .constants import DEFAULT_MODEL
from .errors import BlockedError, ClaudeWebAPIError, NotInitialisedError
from .files import File, FileInput, UploadedFile, loaded
from .models import Candidate, Metadata, ModelOutput, TurnIds, uuid_of
from .payload import TextAttachment
from .tree import Message


class ChatSession:
    """One conversation: each message follows the answer before it. Made by `ClaudeClient.start_chat`.

    Messages that are sent at the same time are answered one after the other, in the order in which they were sent. A
    message that fails or is left leaves the session where it was: the next one follows the last whole answer.
    """

    def __init__(
        self,
        api: WebApi,
        completions: Completions,
        conversation_id: str,
        *,
        parent: str | None = None,
        created: bool | None = False,
        model: str | None = None,
        system_prompt: str | None = None,
    ) -> None:
        self._api = api
        self._completions = completions
        self._cid = conversation_id
        self._parent = parent
        self._created = created
        self._model = model
        self._system_prompt = system_prompt
        self._history: list[Message] = []
        self._question: Message | None = None
        self._last: ModelOutput | None = None

    @property
    def cid(self) -> str:
        """The conversation's uuid, chosen here and the same from the start."""
        return self._cid

    @property
    def metadata(self) -> Metadata:
        """All that a later process needs for `start_chat(metadata=...)`; it can be written as JSON."""
        saved = Metadata(conversation_id=self._cid, parent_message_uuid=self._parent, created=self._created)
        if self._model is not None:
            saved["model"] = str(self._model)
        if self._system_prompt is not None:
            saved["system_prompt"] = self._system_prompt
        return saved

    @property
    def history(self) -> Sequence[Message]:
        """What was said on the way to the next message, as far as this session knows: see `load_history`."""
        return tuple(self._history)

    async def load_history(self) -> Sequence[Message]:
        """Read the history from claude.ai, which a resumed session does not know by itself."""
        async with self._completions.hold(self._cid):
            tree = await self._api.tree(self._cid)
            self._created = True
            self._history = list(tree.path(self._parent)) if self._parent else []
        return self.history

    async def send_message(
        self,
        prompt: str,
        files: Sequence[FileInput] | None = None,
        *,
        attachments: Sequence[TextAttachment] = (),
        model: str | None = None,
        system_prompt: str | None = None,
    ) -> ModelOutput:
        """Send a message and wait for the whole answer. Raises every error of the tree in `errors`.

        `files` are uploaded before; a path that cannot be read raises OSError, and nothing is sent. `model` and
        `system_prompt` count for this message alone; without them the session's own do.
        """
        stream = self.send_message_stream(prompt, files, attachments=attachments, model=model, system_prompt=system_prompt)
        return await _last(stream)

    async def send_message_stream(
        self,
        prompt: str,
        files: Sequence[FileInput] | None = None,
        *,
        attachments: Sequence[TextAttachment] = (),
        model: str | None = None,
        system_prompt: str | None = None,
    ) -> AsyncGenerator[ModelOutput]:
        """Send a message and give the answer's states as they come; the last one is whole.

        Leaving early stops the answer. A stream that is left but kept in a variable has to be closed with `aclose()`
        before the next message. Otherwise as `send_message`.
        """
        read = await loaded(files or ())
        async with self._completions.hold(self._cid) as hold:
            await self._settle()
            uploaded = [await self._upload(file) for file in read]
            ask = Ask(
                conversation_id=self._cid,
                prompt=prompt,
                parent=self._parent,
                create=not self._created,
                model=model or self._model or DEFAULT_MODEL,
                system_prompt=self._system_prompt if system_prompt is None else system_prompt,
                files=[file.uuid for file in uploaded],
                attachments=attachments,
            )
            question = Message(ask.ids.human, self._parent, "human", prompt)
            async with aclosing(self._guarded(self._completions.stream(ask, hold))) as states:
                async for state in states:
                    if state.whole:
                        self._history.append(question)
                        self._question = question
                        self._accept(state)
                    yield state

    async def retry(self, *, model: str | None = None, system_prompt: str | None = None) -> ModelOutput:
        """Let the last question be answered once more. The new answer is one more candidate, and the one to go on from.

        Raises RuntimeError if this session has had no answer yet.
        """
        async with self._completions.hold(self._cid) as hold:
            question, before = self._question, self._last
            if question is None or before is None:
                raise RuntimeError("there is no answer yet that could be given once more")
            ask = Ask(
                conversation_id=self._cid,
                prompt="",
                again=question.uuid,
                ids=replace(TurnIds.new(), human=question.uuid),
                model=model or self._model or DEFAULT_MODEL,
                system_prompt=self._system_prompt if system_prompt is None else system_prompt,
            )
            output = await _last(self._completions.stream(ask, hold))
            fresh = [candidate.at(len(before.candidates) + n) for n, candidate in enumerate(output.candidates)]
            output = replace(output, candidates=(*before.candidates, *fresh), chosen=fresh[0].index)
            self._history.pop()
            self._accept(output)
            return output

    def choose_candidate(self, index: int) -> Candidate:
        """Go on from this one of the last answer's candidates, 0 being the first: the next message names it as its parent.

        Raises RuntimeError if this session has had no answer yet, IndexError if there is no such candidate.
        """
        if self._last is None:
            raise RuntimeError("there is no answer yet whose candidates could be chosen from")
        if not 0 <= index < len(self._last.candidates):
            raise IndexError(f"the last answer has {len(self._last.candidates)} candidates, and none with index {index}")
        self._history.pop()
        self._accept(replace(self._last, chosen=index))
        return self._last.candidates[index]

    async def delete(self) -> None:
        """Delete the conversation. A further message begins it anew, without its history."""
        async with self._completions.hold(self._cid):
            await self._api.delete(self._cid)
            self._created, self._parent = False, None
            self._history.clear()
            self._question = self._last = None

    async def _settle(self) -> None:
        """Find out whether the conversation exists, if a message that failed has left that open."""
        if self._created is None:
            self._created = await self._api.exists(self._cid)

    async def _upload(self, file: File | UploadedFile) -> UploadedFile:
        if isinstance(file, UploadedFile):
            return file
        if not self._created:
            await self._api.create(self._cid)
            self._created = True
        return await self._api.upload(self._cid, file)

    async def _guarded(self, states: AsyncGenerator[ModelOutput]) -> AsyncGenerator[ModelOutput]:
        """Keep track of whether the conversation has come to exist: a first message that breaks off leaves that open."""
        created = self._created
        if not created:
            self._created = None
        try:
            async with aclosing(states):
                async for state in states:
                    if state.whole:
                        self._created = True
                    yield state
        except ClaudeWebAPIError as error:
            if not created and _refused(error):
                self._created = False
            raise

    def _accept(self, output: ModelOutput) -> None:
        self._last = output
        self._parent = output.message_uuid
        self._history.append(Message(output.message_uuid, output.human_uuid, "assistant", output.text, output.stop_reason))


async def _last(states: AsyncGenerator[ModelOutput]) -> ModelOutput:
    last: ModelOutput | None = None
    async with aclosing(states):
        async for state in states:
            last = state
    if last is None:
        raise AssertionError("a stream of states ends with a whole one or with an error")
    return last


def _refused(error: ClaudeWebAPIError) -> bool:
    """Whether a first message has certainly not made its conversation. 409: the conversation is there already."""
    if isinstance(error, BlockedError | NotInitialisedError):
        return True
    return error.status_code is not None and 400 <= error.status_code < 500 and error.status_code != 409


def resumed(metadata: Mapping[str, object]) -> tuple[str, str | None]:
    """Read the conversation's uuid and the answer to go on from. Raises ValueError if there are none such."""
    conversation, parent = metadata.get("conversation_id"), metadata.get("parent_message_uuid")
    if not isinstance(conversation, str) or not (parent is None or isinstance(parent, str)):
        raise ValueError("the metadata names no conversation")
    return uuid_of(conversation), None if parent is None else uuid_of(parent)
