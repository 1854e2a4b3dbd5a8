"""What a message is made of, whichever method it comes by (docs.slack.dev, chat.postMessage, chat.update)."""

from dataclasses import dataclass, field
from typing import Any, cast

from sandbox.slack.api.asked import Asked
from sandbox.slack.blocks import checked
from sandbox.slack.errors import ApiError
from sandbox.slack.model import Json

TEXT, UPDATED = 40_000, 4_000
"""Characters of `text`: cut off after so many on posting (docs.slack.dev, chat.postMessage: Truncating content), refused on
updating (chat.update: msg_too_long)."""
MARKDOWN = 12_000
"""Characters of `markdown_text` (chat.postMessage, chat.update, chat.postEphemeral)."""
ATTACHMENTS = 100


@dataclass(frozen=True, slots=True)
class Content:
    """The text of a message, and what else it shows. None is what the call left out."""

    text: str | None
    markdown: bool
    blocks: list[Json] | None
    attachments: list[Json] | None = field(default=None)


def composed(asked: Asked, *, updating: bool = False) -> Content:
    """What a call wants to show.

    Raises `ApiError`: markdown_text_conflict for Markdown beside text or blocks, msg_too_long, no_text when there is
    nothing, too_many_attachments, and what `blocks.checked` raises.
    """
    text, markdown = asked.text("text"), asked.text("markdown_text")
    given = asked.parsed("blocks", "invalid_blocks_format")
    if markdown and (text or given):
        raise ApiError("markdown_text_conflict")
    if markdown and len(markdown) > MARKDOWN:
        raise ApiError("msg_too_long")
    if text is not None and updating and len(text) > UPDATED:
        raise ApiError("msg_too_long")
    blocks = None if given is None else checked(given)
    attachments = attachments_of(asked)
    if not (markdown or (text and text.strip()) or blocks or attachments):
        raise ApiError("no_text")
    if markdown:
        return Content(markdown, True, blocks, attachments)
    return Content(text if text is None else text[:TEXT], False, blocks, attachments)


def attachments_of(asked: Asked) -> list[Json] | None:
    """The legacy attachments, taken as they are. Raises `ApiError` invalid_attachments or too_many_attachments."""
    given = asked.parsed("attachments", "invalid_attachments")
    if given is None:
        return None
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in cast("list[Any]", given)):
        raise ApiError("invalid_attachments")
    attachments = cast("list[Json]", given)
    if len(attachments) > ATTACHMENTS:  # chat.postMessage: too_many_attachments
        raise ApiError("too_many_attachments")
    return attachments
