"""The bytes of attachments, and the addresses that are good for them for a while."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from sandbox.discord.model import Json

_KEY = b"sandbox"
"""Signs the addresses. It is no secret, so that an address outlives a restart of the simulator."""
_TYPES = {
    ".txt": "text/plain; charset=utf-8",
    ".md": "text/markdown; charset=utf-8",
    ".csv": "text/csv; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".py": "text/x-python; charset=utf-8",
    ".json": "application/json; charset=utf-8",
    ".pdf": "application/pdf",
    ".zip": "application/zip",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".svg": "image/svg+xml",
    ".mp3": "audio/mpeg",
    ".ogg": "audio/ogg",
    ".mp4": "video/mp4",
}


class Files:
    """Keeps the bytes: in memory, or beside the journal (`state` + `.files`) so that they outlive a restart."""

    def __init__(self, state: Path | None, clock: Callable[[], float], lifetime: float) -> None:
        """`lifetime` is for how many seconds an address is good."""
        self.base = ""
        """What addresses begin with; the simulator sets it when its port is known."""
        self.lifetime = lifetime
        self._clock = clock
        self._folder = state and Path(f"{state}.files")
        self._kept: dict[int, bytes] = {}

    def keep(self, attachment: int, data: bytes) -> None:
        """Keep the bytes of an attachment."""
        if self._folder is None:
            self._kept[attachment] = data
        else:
            self._folder.mkdir(exist_ok=True)
            (self._folder / str(attachment)).write_bytes(data)

    def read(self, attachment: int) -> bytes | None:
        """The bytes of an attachment; None when only its size is known."""
        path = self._folder and self._folder / str(attachment)
        if path is not None:
            return path.read_bytes() if path.exists() else None
        return self._kept.get(attachment)

    def addressed(self, channel: int, attachment: Json) -> Json:
        """An attachment object with an address that is good from now on (Discord developer docs, Reference: Signed
        Attachment CDN URLs: `ex` and `is` are hexadecimal Unix seconds, `hm` is the signature)."""
        path = f"/attachments/{channel}/{attachment['id']}/{attachment['filename']}"
        issued = int(self._clock())
        times = f"ex={issued + int(self.lifetime):x}&is={issued:x}"
        url = f"{self.base}{path}?{times}&hm={_signature(path, times)}&"
        return attachment | {"url": url, "proxy_url": url}

    def good(self, path: str, query: Mapping[str, str]) -> bool:
        """Whether an address is signed and has not expired."""
        expires, issued, given = query.get("ex", ""), query.get("is", ""), query.get("hm", "")
        if not hmac.compare_digest(_signature(path, f"ex={expires}&is={issued}").encode(), given.encode()):
            return False
        return self._clock() < int(expires, 16)


def _signature(path: str, times: str) -> str:
    return hmac.new(_KEY, f"{path}?{times}".encode(), hashlib.sha256).hexdigest()


def attachment(number: int, name: str, size: int, media: str | None = None) -> Json:
    """An attachment object without its addresses. Discord keeps only plain signs in a file's name, and the rest as title."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "_", name) or "unknown"
    made: Json = {"id": str(number), "filename": plain, "size": size, "content_type": media or media_type(name)}
    return made if plain == name else made | {"title": Path(name).stem}


def media_type(name: str) -> str:
    """The media type that goes by a file's name. Discord looks at the name as well, whatever type an upload claims."""
    return _TYPES.get(Path(name).suffix.lower(), "application/octet-stream")
