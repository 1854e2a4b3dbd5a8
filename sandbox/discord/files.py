"""The bytes of attachments, and the addresses that are good for them for a while."""

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from sandbox import files
from sandbox.discord.model import Json
from sandbox.files import KeptFiles, beside

_KEY = b"sandbox"
"""Signs the addresses. It is no secret, so that an address outlives a restart of the simulator."""


class Files(KeptFiles):
    """Keeps the bytes: in memory, or beside the journal (`state` + `.files`) so that they outlive a restart."""

    def __init__(self, state: Path | None, clock: Callable[[], float], lifetime: float) -> None:
        """`lifetime` is for how many seconds an address is good."""
        super().__init__(beside(state))
        self.base = ""
        """What addresses begin with; the simulator sets it when its port is known."""
        self.lifetime = lifetime
        self._clock = clock

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
    found = files.media_type(name)
    return f"{found}; charset=utf-8" if found.startswith("text/") or found == "application/json" else found
