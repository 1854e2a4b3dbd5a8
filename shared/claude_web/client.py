"""The client: one account of claude.ai."""

import os
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from .api import WebApi
from .breaker import Breaker
from .chat import ChatSession, resumed
from .completions import Ask, Completions
from .constants import BASE_URL, DEFAULT_MODEL, TOOLS
from .files import FileInput, UploadedFile, loaded
from .idle import Later, on_the_loop
from .models import Metadata, ModelOutput, TurnIds, uuid_of
from .payload import Place, TextAttachment
from .transport import Timeouts, Transport
from .tree import ConversationTree


class ClaudeClient:
    """Asks Claude as the web app at claude.ai does, with one's own account.

    Unofficial, undocumented, and not supported by Anthropic, whose consumer terms allow automated access to claude.ai only
    where they say so: whoever uses this answers for it. Every method raises the errors of the tree in `errors`.
    """

    def __init__(
        self,
        session_key: str,
        organization_id: str | None = None,
        *,
        proxy: str | None = None,
        base_url: str = BASE_URL,
        timeouts: Timeouts | None = None,
        place: Place | None = None,
        tools: Sequence[Mapping[str, Any]] = TOOLS,
        breaker: Breaker | None = None,
        later: Later = on_the_loop,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        grace: float = 5.0,
    ) -> None:
        """Make a client; nothing is sent yet.

        `session_key`: the value of the cookie `sessionKey`. `organization_id`: a uuid; without it the account's first
        organisation that can chat is taken. `proxy`: an http or https address, with user and password if it asks for
        them. `tools`: what Claude may use; `()` for none. `later` puts off the idle close; `now` is the time, aware, from which
        the end of a limit is counted; `grace`, in seconds, is how long a task may wait for a stream of its own. Raises
        AuthenticationError for a key that no cookie can carry, ValueError for a wrong address or uuid.
        """
        self._transport = Transport(
            session_key, base_url=base_url, proxy=proxy, timeouts=timeouts, breaker=breaker, later=later, now=now
        )
        if organization_id is not None:
            self._transport.organization = uuid_of(organization_id)
        self._api = WebApi(self._transport)
        self._completions = Completions(self._transport, self._api, place=place, tools=tools, grace=grace)

    def __repr__(self) -> str:
        return f"ClaudeClient(organization_id={self.organization_id!r})"

    async def __aenter__(self) -> Self:
        await self.init()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.close()

    async def init(self, timeout: float | None = None, auto_close: bool = False, close_delay: float = 300.0) -> None:
        """Open the client, and find the organisation if none was given. May be called again, also after `close`.

        `timeout`: seconds for each short call (default 30). `auto_close`: close the HTTP session once nothing was asked for
        `close_delay` seconds, above 0; never while something is under way; the next call opens a new one by itself.
        """
        if close_delay <= 0 or (timeout is not None and timeout <= 0):
            raise ValueError("timeout and close_delay are above 0")
        timeouts = self._transport.timeouts
        timeouts = timeouts if timeout is None else replace(timeouts, call=timeout)
        self._transport.start(timeouts, close_delay if auto_close else None)
        try:
            await self._api.path()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close the HTTP session. May be called twice. Requests under way end with NetworkError."""
        await self._completions.close()
        await self._transport.close()

    @property
    def organization_id(self) -> str | None:
        """The organisation's uuid; None before it was found."""
        return self._transport.organization

    @property
    def connected(self) -> bool:
        """Whether there is an HTTP session at the moment; none before the first call and after an idle close."""
        return self._transport.connected

    async def generate_content(
        self,
        prompt: str,
        files: Sequence[FileInput] | None = None,
        *,
        attachments: Sequence[TextAttachment] = (),
        model: str | None = None,
        system_prompt: str | None = None,
    ) -> ModelOutput:
        """Ask one question in a conversation of its own, and wait for the whole answer. The conversation stays in the account.

        `files`: local paths, bytes, binary handles, `File` or `UploadedFile`. A text is always a path: never give one
        that a stranger wrote. `model`: a `Model` or any model's name.
        """
        chat = self.start_chat(model=model, system_prompt=system_prompt)
        return await chat.send_message(prompt, files, attachments=attachments)

    async def generate_content_stream(
        self,
        prompt: str,
        files: Sequence[FileInput] | None = None,
        *,
        attachments: Sequence[TextAttachment] = (),
        model: str | None = None,
        system_prompt: str | None = None,
    ) -> AsyncGenerator[ModelOutput]:
        """Ask one question and give the answer's states as they come; the last one is whole. See `generate_content`."""
        chat = self.start_chat(model=model, system_prompt=system_prompt)
        async with aclosing(chat.send_message_stream(prompt, files, attachments=attachments)) as states:
            async for state in states:
                yield state

    def start_chat(
        self,
        *,
        model: str | None = None,
        system_prompt: str | None = None,
        metadata: Metadata | Mapping[str, object] | None = None,
        conversation_id: UUID | str | None = None,
    ) -> ChatSession:
        """Begin a conversation, or go on with the one that `metadata` tells of. Nothing is sent yet.

        `conversation_id`: the uuid for a new conversation, random by default. `model` and `system_prompt` hold for every
        message, and go before those in `metadata`. Raises ValueError for what is no uuid.
        """
        if metadata is None:
            cid = str(TurnIds.new().human) if conversation_id is None else uuid_of(conversation_id)
            return ChatSession(self._api, self._completions, cid, model=model, system_prompt=system_prompt)
        cid, parent = resumed(metadata)
        kept_model, kept_prompt = metadata.get("model"), metadata.get("system_prompt")
        return ChatSession(
            self._api,
            self._completions,
            cid,
            parent=parent,
            # Saved before its first answer: that may have come to claude.ai and not to us.
            created=True if parent is not None else None,
            model=model or (kept_model if isinstance(kept_model, str) else None),
            system_prompt=(kept_prompt if isinstance(kept_prompt, str) else None) if system_prompt is None else system_prompt,
        )

    async def complete(
        self,
        conversation_id: UUID | str,
        prompt: str,
        *,
        parent: UUID | str | None = None,
        create: bool = False,
        ids: TurnIds | None = None,
        model: str | None = None,
        system_prompt: str | None = None,
        files: Sequence[UploadedFile] = (),
        attachments: Sequence[TextAttachment] = (),
    ) -> AsyncGenerator[ModelOutput]:
        """Ask with every uuid of one's own choice, and give the answer's states; the last one is whole.

        `create`: the call creates the conversation; one that is there already is refused with an APIError of status 409.
        `parent`: the answer that the question follows, None for a first one; an earlier one makes a branch. `ids`: what
        the question and its answer are called, so that `read_tree` can tell after a crash whether they are there.
        """
        ask = Ask(
            conversation_id=uuid_of(conversation_id),
            prompt=prompt,
            parent=None if parent is None else uuid_of(parent),
            create=create,
            ids=ids or TurnIds.new(),
            model=model or DEFAULT_MODEL,
            system_prompt=system_prompt,
            files=[file.uuid for file in files],
            attachments=attachments,
        )
        async with (
            self._completions.hold(ask.conversation_id) as hold,
            aclosing(self._completions.stream(ask, hold)) as states,
        ):
            async for state in states:
                yield state

    async def list_conversations(self) -> list[dict[str, Any]]:
        """List the account's conversations, as claude.ai gives them: `uuid`, `name` and more."""
        return await self._api.conversations()

    async def get_conversation(self, conversation_id: UUID | str) -> dict[str, Any]:
        """Read a conversation with the messages of all its branches, in claude.ai's own form."""
        return await self._api.conversation(conversation_id)

    async def read_tree(self, conversation_id: UUID | str) -> ConversationTree:
        """Read a conversation with the messages of all its branches."""
        return await self._api.tree(conversation_id)

    async def ensure_conversation(self, conversation_id: UUID | str, name: str = "") -> bool:
        """Create a conversation under this uuid; False if it was there already."""
        return await self._api.create(conversation_id, name)

    async def rename_conversation(self, conversation_id: UUID | str, name: str) -> None:
        """Give a conversation a new name."""
        await self._api.change(conversation_id, {"name": name})

    async def update_conversation_settings(self, conversation_id: UUID | str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Change a conversation's fields, in claude.ai's own form; gives the conversation."""
        return await self._api.change(conversation_id, settings)

    async def delete_conversation(self, conversation_id: UUID | str) -> None:
        """Delete a conversation with all its messages."""
        await self._api.delete(conversation_id)

    async def stop_response(self, conversation_id: UUID | str) -> bool:
        """Stop the answer that is being made; False if there is no such conversation."""
        return await self._api.stop(conversation_id)

    async def get_organizations(self) -> list[dict[str, Any]]:
        """List the account's organisations: `uuid`, `name`, `capabilities` and more."""
        return await self._api.organizations()

    async def upload_file(self, conversation_id: UUID | str, file: FileInput) -> UploadedFile:
        """Upload a file into a conversation that exists. Raises FileUploadError if it is not taken."""
        (read,) = await loaded([file])
        return read if isinstance(read, UploadedFile) else await self._api.upload(conversation_id, read)

    async def download_file(self, conversation_id: UUID | str, name: str, dest: str | os.PathLike[str] = ".") -> Path:
        """Save a file that Claude made into the folder `dest`, which is made if it is missing; gives its path.

        `name`: the file's name, or its absolute path in the sandbox. A file of that name in `dest` is replaced. Raises
        FileDownloadError if there is none, OSError if it cannot be written, ValueError if it is no file name.
        """
        return await self._api.save(conversation_id, name, dest)

    def open_file(self, conversation_id: UUID | str, name: str) -> AsyncGenerator[bytes]:
        """Give a file that Claude made, in pieces of at most 64 KiB. Raises as `download_file`."""
        return self._api.download(conversation_id, name)
