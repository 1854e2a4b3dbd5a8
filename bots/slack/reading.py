"""What people wrote, as they see it: Slack's mrkdwn as plain text. Pure."""

import re
from collections.abc import Mapping

_ANGLE = re.compile(r"<([^<>\n]+)>")
_USER = re.compile(r"<@([UW][A-Z0-9]+)")
_OWN_FIRST = re.compile(r"^\s*\0[\s\0]*[,:]?")
_OWN_BEFORE_SIGN = re.compile(r"(?<![ \t])[ \t]*\0(?=[ \t]*[,.:;!?])")
_OWN = re.compile(r"(?<![ \t])[ \t]*\0(?:[ \t]*\0)*[ \t]*")
"""The bot's own mention, once it has become a NUL. It is looked for from the beginning of a gap alone: from each of its blanks, a
gap as long as a message would take seconds."""


def mentioned(text: str) -> set[str]:
    """The users named in a text."""
    return set(_USER.findall(text))


def readable(text: str, names: Mapping[str, str], me: str = "") -> str:
    """The text as people see it, without the mention of `me`; `names` are those of users, as far as known.

    The markup is that of docs.slack.dev, Formatting message text.
    """
    text = text.replace("\0", "")
    if "<" in text:
        text = _ANGLE.sub(lambda found: _shown(found[1], names, me), text)
        text = _OWN.sub(" ", _OWN_BEFORE_SIGN.sub("", _OWN_FIRST.sub("", text)))
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").strip()


def _shown(inner: str, names: Mapping[str, str], me: str) -> str:
    target, _, label = inner.partition("|")
    if target.startswith("@"):
        user = target[1:]
        return "\0" if me and user == me else "@" + (names.get(user) or label or "someone")
    if target.startswith("#"):
        return f"#{label or 'channel'}"
    if target.startswith("!date^"):
        return label or "a date"
    if target.startswith("!"):
        return label or "@" + target[1:].partition("^")[0]
    address = target.removeprefix("mailto:").removeprefix("tel:")
    if not label or label == address or target.endswith(f"//{label}"):
        return address if address != target else target
    return f"{label} ({target})"
