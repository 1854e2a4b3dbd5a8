"""Files: into a conversation's sandbox, out of it, and documents turned into text."""

from uuid import uuid4

from aiohttp import BodyPartReader, hdrs, web

from .config import Config
from .errors import refuse
from .gate import CALL
from .model import StoredFile
from .service import Service

WIGGLE = "/api/organizations/{organization}/conversations/{conversation}/wiggle"

_PIECE = 64 * 1024


def routes(service: Service) -> list[web.RouteDef]:
    """List the endpoints, for an application's router."""
    api = Files(service)
    return [
        web.post(f"{WIGGLE}/upload-file", api.upload),
        web.get(f"{WIGGLE}/download-file", api.download),
        web.post("/api/{organization}/upload", api.upload),
        web.post("/api/organizations/{organization}/convert_document", api.convert),
        web.post("/api/convert_document", api.convert),
    ]


class Files:
    """The handlers, over one service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @property
    def _config(self) -> Config:
        return self._service.config

    async def upload(self, request: web.Request) -> web.Response:
        """POST wiggle/upload-file (claude-webapi, captures) or upload (Claude-QoL): one part named `file`.

        A conversation that is not there yet is taken: clewdr uploads before the completion that makes it. The status of
        a file that is too large, 413, is assumed.
        """
        conversation = request.match_info.get("conversation")
        if conversation is not None and self._config.uploads_need_conversation:
            self._service.conversation(request.match_info["organization"], conversation)
        name, kind, data = await _file_part(request, self._config.largest_file)
        file = StoredFile(str(uuid4()), name, kind, data, self._service.now())
        self._service.files[file.uuid] = file
        if conversation is not None:
            self._service.sandboxes[conversation, f"/mnt/user-data/uploads/{name}"] = file
        request[CALL].notes.update(file=file.uuid, name=name, content_type=kind, size=len(data))
        self._service.applied(request[CALL])
        return web.json_response(file.as_json())

    async def download(self, request: web.Request) -> web.Response:
        """GET wiggle/download-file?path=…: the bytes of a file of the sandbox, by its whole path (claude-webapi).

        A path that is not there: 404 (assumed).
        """
        path = request.query.get("path", "")
        file = self._service.sandboxes.get((request.match_info["conversation"], path))
        if file is None:
            raise refuse(404, f"File {path} not found")
        headers = {hdrs.CONTENT_DISPOSITION: "attachment"}
        return web.Response(body=file.data, content_type=file.content_type, headers=headers)

    async def convert(self, request: web.Request) -> web.Response:
        """POST convert_document: the text of a document, in the form of an attachment of a completion (Claude-QoL).

        What is not text in UTF-8 has no text here: 400 (assumed, as is the 413 of one that is too large).
        """
        name, kind, data = await _file_part(request, self._config.largest_document)
        try:
            text = data.decode()
        except UnicodeDecodeError as wrong:
            raise refuse(400, "Document could not be converted") from wrong
        request[CALL].notes.update(name=name, content_type=kind, size=len(data))
        self._service.applied(request[CALL])
        shown = {"file_name": name, "file_size": len(data), "file_type": kind, "extracted_content": text}
        return web.json_response(shown)


async def _file_part(request: web.Request, most: int) -> tuple[str, str, bytes]:
    """Read the part named `file`: its file name, its content type, its bytes. Raises `Refused`."""
    if not request.content_type.startswith("multipart/"):
        raise refuse(400, "file: Field required")
    reader = await request.multipart()
    found: tuple[str, str, bytes] | None = None
    while (part := await reader.next()) is not None:
        if not isinstance(part, BodyPartReader):
            raise refuse(400, "file: nested parts are not taken")
        if part.name == "file" and found is None:
            data = await _read_part(part, most)
            found = (part.filename or "file", part.headers.get(hdrs.CONTENT_TYPE, "application/octet-stream"), data)
        else:
            await part.release()
    if found is None:
        raise refuse(400, "file: Field required")
    return found


async def _read_part(part: BodyPartReader, most: int) -> bytes:
    data = bytearray()
    while piece := await part.read_chunk(_PIECE):
        data += piece
        if len(data) > most:
            raise refuse(413, f"File exceeds the maximum size of {most} bytes")
    return bytes(data)
