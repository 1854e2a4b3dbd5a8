"""The files that people sent: pictures and PDFs are uploaded into the conversation, texts go along as attachments."""

import mimetypes
from collections.abc import Sequence
from dataclasses import dataclass, field

from shared.backends import Said
from shared.claude_web import ClaudeClient, File, TextAttachment, UploadedFile
from shared.errors import Gone
from shared.files.blobs import Blobs
from shared.files.material import Material

from .words import fit

MOST = 20
"""Files of one message (Claude help center, "Upload files to Claude": 20 files per chat)."""


@dataclass(slots=True)
class Files:
    """What goes beside a message. `notes` say what does not."""

    uploaded: list[UploadedFile] = field(default_factory=list[UploadedFile])
    texts: list[TextAttachment] = field(default_factory=list[TextAttachment])
    notes: list[str] = field(default_factory=list[str])


class Uploads:
    """Uploads files, each once into a conversation, however often the question is asked again."""

    def __init__(self, client: ClaudeClient, blobs: Blobs) -> None:
        self._client = client
        self._blobs = blobs
        self._there: dict[tuple[str, str], UploadedFile] = {}

    async def bring(self, conversation: str, files: Sequence[Material]) -> Files:
        """Bring the newest of these files, oldest first, into a conversation that exists.

        Raises the client's errors, and `Unavailable` if the disk fails.
        """
        brought = Files()
        if len(files) > MOST:
            brought.notes.append("[The oldest files are no longer shown.]")
        for file in files[-MOST:]:
            if file.kind == "text":
                brought.texts.append(TextAttachment(fit(file.name), fit(file.text)))
                continue
            try:
                brought.uploaded.append(await self._upload(conversation, file))
            except Gone:
                brought.notes.append(f"[The file {fit(file.name)} is no longer kept.]")
        return brought

    async def _upload(self, conversation: str, file: Material) -> UploadedFile:
        key = conversation, file.digest
        if (there := self._there.get(key)) is None:
            data = await self._blobs.read(file.digest)
            there = await self._client.upload_file(conversation, File(data, _named(file), file.media_type))
            self._there[key] = there
        return there


def files_of(lines: Sequence[Said]) -> list[Material]:
    """All files of some lines, oldest first."""
    return [file for said in lines for file in said.files]


def _named(file: Material) -> str:
    """The file's name with the ending of what it is now: a picture may have been made into another format."""
    if mimetypes.guess_type(file.name)[0] == file.media_type:
        return fit(file.name)
    return fit(file.name) + (mimetypes.guess_extension(file.media_type) or "")
