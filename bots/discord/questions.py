"""How the question of an /ask stands in the channel, and how it is read back from there. Pure."""

import mimetypes
import re
from collections.abc import Sequence
from pathlib import PurePosixPath

import yarl

from bots.discord.render import LIMIT
from shared.chat import Attachment

_UNPLAIN = re.compile(r"[^\w .+-]")
_FILE = re.compile(r"^-# \[[^\[\]\n]*\]\(<(https?://[^\s<>]+)>\)$")


def shown(question: str, attachments: Sequence[Attachment] = ()) -> str:
    """The question as a quote of the person, whom Discord names above it, and links to what came with it."""
    lines = [f"> {line}" for line in question.strip().splitlines()] or ["> "]
    quote = "\n".join(lines)[:LIMIT]
    for each in attachments:
        name = _UNPLAIN.sub("_", each.name) or "file"
        link = f"\n-# [{name}](<{each.ref}>)"
        if len(quote) + len(link) <= LIMIT:
            quote += link
    return quote


def read(content: str) -> tuple[str, tuple[Attachment, ...]] | None:
    """The question and its files in a text made by `shown`; None for any other."""
    if not content.startswith(">"):
        return None
    lines = content.splitlines()
    files = [found[1] for line in lines if (found := _FILE.match(line))]
    question = "\n".join(line[1:].removeprefix(" ") for line in lines if line.startswith(">"))
    return question.strip(), tuple(map(_file, files))


def _file(address: str) -> Attachment:
    """A file of which only the address is known. Its size is not."""
    name = PurePosixPath(yarl.URL(address).path).name or "file"
    return Attachment(ref=address, name=name, media_type=mimetypes.guess_type(name)[0] or "application/octet-stream", size=0)
