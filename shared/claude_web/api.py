"""The calls of the web API that are not answers: organisations, conversations, files."""

import asyncio
import os
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, cast
from uuid import UUID, uuid4

import aiohttp

from . import payload
from .errors import (
    APIError,
    ConversationNotFoundError,
    FileDownloadError,
    FileUploadError,
    ProtocolError,
)
from .files import File, UploadedFile, local_name, media_type_of, server_path
from .models import uuid_of
from .transport import Transport
from .tree import ConversationTree

# Seconds. Stopping is a courtesy: it must not hold up a program that ends.
_STOP = 10.0

_PIECE = 64 * 1024


class WebApi:
    """One method per call, over one transport. Each raises the errors of the tree in `errors`.

    Conversation ids are uuids; a text that is none raises ValueError.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def organizations(self) -> list[dict[str, Any]]:
        """List the account's organisations: `uuid`, `name`, `capabilities` and more."""
        return _objects(await self._transport.call("GET", "/api/organizations"))

    async def find_organization(self) -> str:
        """Give the uuid of the first organisation that can chat. Raises APIError if there is none."""
        for organization in await self.organizations():
            uuid, able = organization.get("uuid"), organization.get("capabilities")
            if isinstance(uuid, str) and (not isinstance(able, list) or "chat" in able):
                return uuid
        raise APIError("the account has no organisation that can chat")

    async def conversations(self) -> list[dict[str, Any]]:
        """List the conversations: `uuid`, `name` and more."""
        return _objects(await self._transport.call("GET", await self.path()))

    async def conversation(self, conversation_id: UUID | str) -> dict[str, Any]:
        """Read a conversation with every message of every branch, in claude.ai's own form."""
        params = {"tree": "True", "rendering_mode": "messages", "render_all_tools": "true", "consistency": "strong"}
        return _object(await self._transport.call("GET", await self.path(conversation_id), params=params))

    async def tree(self, conversation_id: UUID | str) -> ConversationTree:
        """Read a conversation with every message of every branch."""
        return ConversationTree.of(await self.conversation(conversation_id))

    async def exists(self, conversation_id: UUID | str) -> bool:
        """Say whether claude.ai has the conversation."""
        try:
            await self._transport.call("GET", await self.path(conversation_id))
        except ConversationNotFoundError:
            return False
        return True

    async def create(self, conversation_id: UUID | str, name: str = "") -> bool:
        """Create a conversation under a uuid of one's own; False if it was there already."""
        body = payload.creation(uuid_of(conversation_id), name)
        try:
            await self._transport.call("POST", await self.path(), body=body)
        except APIError as error:
            if error.status_code == 409 or (error.status_code == 400 and "could not be created" in str(error)):
                return False
            raise
        return True

    async def change(self, conversation_id: UUID | str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Change a conversation's settings, its `name` for instance; gives the conversation."""
        return _object(await self._transport.call("PUT", await self.path(conversation_id), body=dict(settings)))

    async def delete(self, conversation_id: UUID | str) -> None:
        """Delete a conversation with all its messages."""
        path = await self.path(conversation_id)
        async with self._transport.request("DELETE", path, timeout=self._transport.timeouts.of(self._transport.timeouts.call)):
            pass

    async def stop(self, conversation_id: UUID | str) -> bool:
        """Stop the answer that is being made; False if there is no such conversation."""
        path = await self.path(conversation_id, "stop_response")
        try:
            async with self._transport.request("POST", path, timeout=self._transport.timeouts.of(_STOP)):
                return True
        except ConversationNotFoundError:
            return False

    async def upload(self, conversation_id: UUID | str, file: File) -> UploadedFile:
        """Upload a file into a conversation that exists. Raises FileUploadError if claude.ai does not take it."""
        form = aiohttp.FormData()
        # Bytes would be written in one piece, before anything else could be done.
        form.add_field("file", BytesIO(file.data), filename=file.name, content_type=media_type_of(file))
        path = await self.path(conversation_id, "wiggle/upload-file", kind="conversations")
        timeout = self._transport.timeouts.of(self._transport.timeouts.transfer)
        try:
            async with self._transport.request("POST", path, timeout=timeout, form=form) as response:
                answer = _object(await _json(response))
        except APIError as error:
            if type(error) is not APIError:
                raise
            raise FileUploadError(f"{file.name}: {error}", status_code=error.status_code, kind=error.kind) from None
        uuid = answer.get("file_uuid") or answer.get("id")
        if not isinstance(uuid, str):
            raise FileUploadError(f"{file.name}: the upload was answered without a uuid")
        return UploadedFile(uuid, file.name)

    async def download(self, conversation_id: UUID | str, name: str) -> AsyncGenerator[bytes]:
        """Fetch a file from the conversation's sandbox, piece by piece. `name`: a result's name, or an absolute path there.

        Raises FileDownloadError if there is no such file.
        """
        path = await self.path(conversation_id, "wiggle/download-file", kind="conversations")
        params = {"path": server_path(name)}
        timeout = self._transport.timeouts.of(self._transport.timeouts.transfer)
        try:
            async with self._transport.request("GET", path, timeout=timeout, params=params, accept="*/*") as response:
                async for piece in response.content.iter_chunked(_PIECE):
                    yield piece
        except (ConversationNotFoundError, APIError) as error:
            if isinstance(error, APIError) and type(error) is not APIError:
                raise
            raise FileDownloadError(f"{local_name(name)}: {error}", status_code=error.status_code) from None

    async def save(self, conversation_id: UUID | str, name: str, dest: str | os.PathLike[str]) -> Path:
        """Fetch a file into the folder `dest`, made if it is missing, under its own name; gives its path.

        A file of that name is replaced, in one step and only by a whole one. Raises OSError if it cannot be written.
        """
        target = Path(dest) / local_name(name)
        part = target.with_name(f".{uuid4()}.part")
        # Not in a thread: cancelled, it would leave the file behind.
        with _begun(part) as handle:
            async with aclosing(self.download(conversation_id, name)) as pieces:
                async for piece in pieces:
                    await asyncio.to_thread(handle.write, piece)
            handle.close()
            os.replace(part, target)
        return target

    async def path(self, conversation_id: UUID | str | None = None, act: str = "", *, kind: str = "chat_conversations") -> str:
        """Build a path in the organisation, which is looked for first if it is not known."""
        if self._transport.organization is None:
            self._transport.organization = uuid_of(await self.find_organization())
        parts = ["/api/organizations", self._transport.organization, kind]
        if conversation_id is not None:
            parts.append(uuid_of(conversation_id))
        return "/".join([*parts, act] if act else parts)


@contextmanager
def _begun(part: Path) -> Generator[BinaryIO]:
    """A new file that is gone afterwards unless it was renamed."""
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        with part.open("xb") as handle:
            yield handle
    finally:
        part.unlink(missing_ok=True)


async def _json(response: aiohttp.ClientResponse) -> object:
    try:
        return await response.json(content_type=None)
    except ValueError:
        raise ProtocolError("an answer that is not JSON", status_code=response.status) from None


def _object(value: object) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ProtocolError("an answer that is not a JSON object")
    return cast("dict[str, Any]", value)


def _objects(value: object) -> list[dict[str, Any]]:
    if not isinstance(value, list):
        raise ProtocolError("an answer that is not a JSON list")
    return [_object(item) for item in cast("list[object]", value)]
