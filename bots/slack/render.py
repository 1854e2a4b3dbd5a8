"""Markdown as Slack shows it: one `markdown` block, and a plain text for notifications. Pure."""

import re
from collections.abc import Sequence
from typing import Any

from shared.chat import Button

Json = dict[str, Any]

LIMIT = 11_000
"""UTF-16 units of a message's Markdown. Slack takes 12,000 characters in all markdown blocks of a payload (docs.slack.dev,
Markdown block) and was seen to refuse whole payloads from about 13,200 on (bolt-js issue 2509), the other fields included."""

STREAM = 9_000
"""UTF-8 bytes of a message that is streamed: it was seen to be full at 10.6 kB (openclaw issue 143882), and elsewhere at about
12,000 characters (CopilotKit issue 6064)."""

FALLBACK = 300
"""Characters of the text that notifications show beside the blocks."""

LABEL = 75
"""Characters of a button's label (docs.slack.dev, Block Kit: Button element)."""

ROW = 25
"""Buttons in one row (docs.slack.dev, Block Kit: Actions block)."""

_ZERO_WIDTH = "\u200b"
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_OPENING = r"<(?=@[A-Z0-9]|!(?:channel|here|everyone|subteam\^))|@(?<![^\W_]@)(?<!@@)(?=(?:channel|here|everyone)"
_PING = re.compile(rf"{_OPENING}(?![^\W_]))")
_MAYBE_PING = re.compile(rf"{_OPENING})")
_UNDECIDED = re.compile(r"(?:<[@!]?[\w^]*|@(?<![^\W_]@)(?<!@@)\w*)\Z")
_MARKERS = re.compile(r"```[^\n`]*|[*_~`]{1,3}(?=\S)|(?<=\S)[*_~`]{1,3}|^#{1,6}\s+|^>\s?", re.MULTILINE)


def render(markdown: str) -> str:
    """The text of a markdown block. Slack reads standard Markdown there, tables included.

    What would notify people in Slack's own markup is parted by a character without width: whether it does so in Markdown is
    documented nowhere (docs.slack.dev, Formatting message text, knows it for mrkdwn). Control characters are replaced.
    """
    return _PING.sub(_parted, _cleaned(markdown))


def certain(markdown: str) -> str:
    """The beginning of a rendered text that stays as it is whatever follows, so that pieces of it ping nobody together."""
    rendered = render(markdown)
    if (end := _UNDECIDED.search(_cleaned(markdown))) is None:
        return rendered
    return render(_cleaned(markdown)[: end.start()])


def fits(markdown: str, *, streamed: bool = False) -> bool:
    """Whether a text, rendered, is short enough for one message; `streamed`, for one that may be written bit by bit."""
    most = STREAM if streamed else LIMIT
    if 4 * len(markdown) <= most and "@" not in markdown and "<" not in markdown:
        return True
    # What parts the beginning of a ping counts though a longer word follows: else more could fit than less.
    text = _MAYBE_PING.sub(_parted, _cleaned(markdown))
    if text.isascii():
        return len(text) <= most
    return (len(text.encode()) if streamed else len(text.encode("utf-16-le", "replace")) // 2) <= most


def _parted(found: re.Match[str]) -> str:
    return found[0] + _ZERO_WIDTH


def _cleaned(markdown: str) -> str:
    return _CONTROL.sub("\ufffd", markdown.replace("\r\n", "\n").replace("\r", "\n"))


def plain(markdown: str) -> str:
    """A text without its markup, for those who only want its words."""
    return _MARKERS.sub("", markdown)


def fallback(markdown: str) -> str:
    """The beginning of a text without its markup, escaped for Slack's mrkdwn."""
    words = plain(render(markdown[: 4 * FALLBACK])).strip()
    return escape(words[:FALLBACK]) or "…"


def escape(text: str) -> str:
    """A text in which Slack finds no markup of its own in angle brackets (docs.slack.dev, Formatting message text: Escaping)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def message(markdown: str, buttons: Sequence[Button] = ()) -> Json:
    """`text` and `blocks` of a message.

    Blocks rather than text: an update of blocks is not marked as edited, and buttons need them (docs.slack.dev, chat.update).
    """
    blocks: list[Json] = [{"type": "markdown", "text": render(markdown) if markdown.strip() else _ZERO_WIDTH}]
    return {"text": fallback(markdown), "blocks": [*blocks, *row(buttons)]}


def row(buttons: Sequence[Button]) -> list[Json]:
    """The blocks of buttons: one row, or nothing."""
    return [{"type": "actions", "elements": [_button(each) for each in buttons[:ROW]]}] if buttons else []


def _button(button: Button) -> Json:
    label = {"type": "plain_text", "text": button.label[:LABEL] or "…", "emoji": False}
    return {"type": "button", "action_id": button.id, "value": button.id, "text": label}
